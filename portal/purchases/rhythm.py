"""The buying rhythm of a customer: how many days usually lie between two purchases. Pure, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

#: Days of purchase that make a rhythm: two intervals at least.
LEAST_DAYS = 3
#: Later than this part of the usual interval counts as overdue.
TOLERANCE = 1.5


@dataclass(frozen=True)
class Rhythm:
    """What can be said of the rhythm.

    :ivar interval: usual number of days between two days of purchase (the median of the intervals, rounded up).
    :ivar last: last day of purchase. :ivar expected: last + interval.
    :ivar is_overdue: more than one and a half intervals have passed.
    """

    interval: int
    last: date
    expected: date
    is_overdue: bool


def rhythm_of(days: Iterable[date], today: date) -> Rhythm | None:
    """The rhythm of purchases on these days; several on one day count once. None with fewer than three days.

    The median and not the mean: one long pause does not change the habit.
    """
    distinct = sorted(set(days))
    if len(distinct) < LEAST_DAYS:
        return None
    gaps = sorted((after - before).days for before, after in pairwise(distinct))
    middle = len(gaps) // 2
    # Of an even number the median lies between two values; half days are rounded up.
    interval = gaps[middle] if len(gaps) % 2 else -((gaps[middle - 1] + gaps[middle]) // -2)
    last = distinct[-1]
    return Rhythm(interval, last, last + timedelta(days=interval), (today - last).days > interval * TOLERANCE)
