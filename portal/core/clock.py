"""The one source of time. Tests move it with `frozen`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_zone = ZoneInfo("Asia/Shanghai")
_frozen: datetime | None = None


def set_zone(name: str) -> None:
    """Set the organisation's time zone (called once by the application factory)."""
    global _zone
    _zone = ZoneInfo(name)


def zone() -> ZoneInfo:
    """The organisation's time zone."""
    return _zone


def now() -> datetime:
    """The present moment, in UTC, aware."""
    return _frozen or datetime.now(UTC)


def is_frozen() -> bool:
    """Whether the clock was stopped by `frozen`: then the database's own clock must not be asked either."""
    return _frozen is not None


def today() -> date:
    """Today's date in the organisation's time zone."""
    return now().astimezone(_zone).date()


def local(moment: datetime) -> datetime:
    """A moment in the organisation's time zone, for display."""
    return moment.astimezone(_zone)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Begin (included) and end (excluded) of a day of the organisation, as UTC moments."""
    begin = datetime(day.year, day.month, day.day, tzinfo=_zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=_zone)
    return begin.astimezone(UTC), end.astimezone(UTC)


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Stop the clock at a moment (aware); for tests and for the demo company's past."""
    global _frozen
    if moment.tzinfo is None:
        raise ValueError("frozen() wants an aware datetime")
    before, _frozen = _frozen, moment.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before
