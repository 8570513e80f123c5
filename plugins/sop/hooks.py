"""What this plugin offers through the hooks."""

from __future__ import annotations

from portal.hookspecs import hookimpl  # noqa: F401
