"""What the audit trail says about jobs."""

from __future__ import annotations

from enum import StrEnum


class JobAction(StrEnum):
    """source:subject:verb"""

    STARTED_BY_HAND = "jobs:run:start"
    CANCELLED = "jobs:run:cancel"
    RETRIED = "jobs:run:retry"
    FAILED = "jobs:run:fail"
    SCHEDULE_CHANGED = "jobs:schedule:change"
