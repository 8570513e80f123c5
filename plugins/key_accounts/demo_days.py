"""Moments of the demo data: so many days from today."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.core import clock


def at(days: int, hour: int = 10) -> datetime:
    """A moment so many days from today (negative: ago), at a full hour of the organisation's zone."""
    day = clock.today() + timedelta(days=days)
    return clock.day_bounds(day)[0] + timedelta(hours=hour)
