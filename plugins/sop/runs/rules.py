"""Rules of checklist runs that count: dates from time limits, locks, recurring days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from plugins.sop.manuals.models import DAYS, HOURS, MINUTES, MONTHS, WEEKS, WORKING_DAYS
from plugins.sop.runs.models import DAILY, MONTHLY, QUARTERLY, STEP_OPEN, WEEKLY
from portal.core.calendar import add_working_days, is_working_day

#: Hours of a working day: a limit of up to so many hours ends on the day it begins.
HOURS_OF_DAY = 8


class Limited(Protocol):
    """A step with a time limit."""

    @property
    def limit_amount(self) -> int | None: ...
    @property
    def limit_unit(self) -> str: ...


def limit_ends(begins_on: date, amount: int, unit: str) -> date:
    """The last day of a time limit that begins on a day; never a day off: the next working day then.

    :param unit: minutes, hours (eight make a working day), working_days, days, weeks, months.
    """
    if unit == WORKING_DAYS:
        return add_working_days(add_working_days(begins_on, 0), amount)
    if unit == MINUTES:
        days = (amount - 1) // (60 * HOURS_OF_DAY)
        return add_working_days(add_working_days(begins_on, 0), days)
    if unit == HOURS:
        return add_working_days(add_working_days(begins_on, 0), (amount - 1) // HOURS_OF_DAY)
    if unit == DAYS:
        end = begins_on + timedelta(days=amount)
    elif unit == WEEKS:
        end = begins_on + timedelta(days=7 * amount)
    elif unit == MONTHS:
        end = month_later(begins_on, amount)
    else:
        raise ValueError(f"{unit!r} is no unit of a time limit")
    return add_working_days(end, 0)


def month_later(day: date, months: int) -> date:
    """The day so many months later; the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    return day_in_month(index // 12, index % 12 + 1, day.day)


def day_in_month(year: int, month: int, day: int) -> date:
    """That day of the month, or its last one where it has no such day."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day - 1), following - timedelta(days=1))


def due_days(starts_on: date, steps: Sequence[Limited]) -> list[date | None]:
    """When each step is due: limits run one after the other, from the first day of the run on.

    A step without a limit has no date of its own and takes no time.
    """
    found: list[date | None] = []
    begins_on = starts_on
    for step in steps:
        if step.limit_amount is None:
            found.append(None)
            continue
        begins_on = limit_ends(begins_on, step.limit_amount, step.limit_unit)
        found.append(begins_on)
    return found


class Placed(Protocol):
    """A step of a run as the lock sees it."""

    @property
    def position(self) -> int: ...
    @property
    def is_stop(self) -> bool: ...
    @property
    def state(self) -> str: ...


def locked_after(steps: Sequence[Placed]) -> int | None:
    """Position of the first open stop-step: what comes after it is locked. None: nothing is."""
    return min((step.position for step in steps if step.is_stop and step.state == STEP_OPEN), default=None)


@dataclass(frozen=True)
class Recurrence:
    """Days that come again. `frequency`: daily (working days), weekly, monthly, quarterly, yearly."""

    frequency: str
    weekday: int | None = None
    day: int | None = None
    month: int | None = None

    def on_or_after(self, day: date) -> date:
        """The next day of the pattern, as the pattern says it, whether or not that day is worked."""
        if self.frequency == DAILY:
            while not is_working_day(day):
                day += timedelta(days=1)
            return day
        if self.frequency == WEEKLY:
            return day + timedelta(days=((self.weekday or 1) - day.isoweekday()) % 7)
        step = {MONTHLY: 1, QUARTERLY: 3}.get(self.frequency, 12)
        index = day.year * 12 + day.month - 1
        while True:
            fits = step == 1 or index % step == ((self.month or 1) - 1) % step
            if fits:
                found = day_in_month(index // 12, index % 12 + 1, self.day or 1)
                if found >= day:
                    return found
            index += 1

    def run_day(self, day: date) -> date:
        """The day on which the run of a pattern day begins: the next working day when it falls on a day off."""
        return add_working_days(day, 0)

    def latest_due(self, after: date, today: date) -> date | None:
        """The newest pattern day later than `after` whose run should have begun by today; None when there is none.

        Days that were missed (nobody had the portal running) make one run, not one each.
        """
        found = None
        day = self.on_or_after(after + timedelta(days=1))
        while self.run_day(day) <= today:
            found = day
            day = self.on_or_after(day + timedelta(days=1))
        return found

    def next_run(self, after: date) -> date:
        """When the next run begins, for people."""
        return self.run_day(self.on_or_after(after + timedelta(days=1)))
