"""Periods of reports: whole calendar months. Pure, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.i18n import _l

LAST_12, THIS_YEAR, LAST_YEAR = "12m", "year", "last_year"
PERIODS: dict[str, Any] = {
    LAST_12: _l("Last 12 months"),
    THIS_YEAR: _l("This year"),
    LAST_YEAR: _l("Last year"),
}

Month = tuple[int, int]


def shifted(month: Month, by: int) -> Month:
    """The month so many months later (earlier when negative)."""
    number = month[0] * 12 + month[1] - 1 + by
    return number // 12, number % 12 + 1


def last_day_of(month: Month) -> date:
    """The last day of a month."""
    following = shifted(month, 1)
    return date(following[0], following[1], 1) - timedelta(days=1)


def month_text(month: Month) -> str:
    """ "2026-03"."""
    return f"{month[0]:04d}-{month[1]:02d}"


@dataclass(frozen=True)
class Period:
    """Calendar months from `first` to `last`, both included."""

    key: str
    first: Month
    last: Month

    @property
    def begin(self) -> date:
        """The first day."""
        return date(self.first[0], self.first[1], 1)

    @property
    def end(self) -> date:
        """The last day."""
        return last_day_of(self.last)

    @property
    def months(self) -> list[Month]:
        """All months, in order."""
        found = [self.first]
        while found[-1] != self.last:
            found.append(shifted(found[-1], 1))
        return found

    def before(self) -> Period:
        """The same months a year earlier."""
        return Period(self.key, shifted(self.first, -12), shifted(self.last, -12))


def period(key: str, today: date) -> Period:
    """A period by its key; unknown keys mean the last twelve months.

    The last twelve months are the present month so far and the eleven before it; this year ends with the present month.
    """
    present = (today.year, today.month)
    if key == THIS_YEAR:
        return Period(key, (today.year, 1), present)
    if key == LAST_YEAR:
        return Period(key, (today.year - 1, 1), (today.year - 1, 12))
    return Period(LAST_12, shifted(present, -11), present)
