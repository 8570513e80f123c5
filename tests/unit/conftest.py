"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import settings

# No deadline for a single example: the first one pays for building tables, and a busy machine is not a defect.
settings.register_profile("portal", deadline=None)
settings.load_profile("portal")
