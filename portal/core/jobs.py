"""What a background job is, as data: modules of every room offer jobs through the hook `register_jobs`.

`portal.jobs` runs them. The definitions live here because rooms below `portal.jobs` have jobs too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from portal.core import clock
from portal.core.calendar import is_working_day
from portal.core.permissions import Actor

#: A schedule whose next time lies further away than this has none (31 February).
HORIZON_DAYS = 366 * 5


class JobCancelled(Exception):
    """The run was cancelled; a job raises it (or lets `check_cancelled` raise it) to stop early."""


class JobContext(Protocol):
    """What a running job may use. `portal.jobs.running.RunContext` is the implementation."""

    @property
    def run_id(self) -> int: ...
    @property
    def actor(self) -> Any:
        """The person for whom the job runs (`portal.org.actor.Actor`), or the system."""

    @property
    def folder(self) -> Path:
        """A folder of this run alone, made when first asked for."""

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        """Say how far the job is. Cheap: at most two writes a second; inside `transaction()` it only remembers."""

    def cancelled(self) -> bool:
        """Whether somebody asked the job to stop; looks at the database at most once a second."""

    def check_cancelled(self) -> None:
        """Raise `JobCancelled` when the run was cancelled."""


JobFunction = Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True)
class Job:
    """A job that can be started by a page, a command or the clock.

    :ivar key: "module.verb", unique.
    :ivar title: translatable phrase for pages.
    :ivar run: `run(context, **parameters)`; returns a mapping of JSON values or None. Known entries of it: "url" (where
        the result is seen), "message" (one sentence), "file" (name of a file in `context.folder`); others are shown
        as facts.
    :ivar schedule: when the clock starts it; None means never.
    :ivar idempotent: running it again after a worker died half-way does no harm; then that is done by itself.
    :ivar attempts: how often an idempotent job is tried in all.
    :ivar quiet: its scheduled runs are not worth a line each in the history: only the last one and failures are kept.
    :ivar tell_owner: the person who started it is notified at the end.
    :ivar permission: who may start it from a page, by the name of a permission without entity; "" means administrators.
        The file that it made is given to its owner as long as he has the permission.
    :ivar may_fetch: `may_fetch(actor, parameters)`: whether the owner may still have the file, asked each time; for
        files about something that he may cease to see.
    """

    key: str
    title: Any
    run: JobFunction
    schedule: Schedule | None = None
    idempotent: bool = False
    attempts: int = 3
    quiet: bool = False
    tell_owner: bool = False
    permission: str = ""
    help: Any = ""
    may_fetch: Callable[[Actor, Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True)
class Schedule:
    """Moments in the organisation's zone, in the manner of cron: "*", "*/5", "8", "1-5", "8,12", "8-18/2".

    :ivar day_of_week: 0 or 7 is Sunday, 1 Monday … 6 Saturday. All fields must match (cron's "or" of the two day
        fields is not imitated).
    :ivar working_days: only on working days by the Chinese calendar.
    """

    minute: str = "0"
    hour: str = "*"
    day: str = "*"
    month: str = "*"
    day_of_week: str = "*"
    working_days: bool = False
    _sets: tuple[frozenset[int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = (
            _numbers("minute", self.minute, 0, 59),
            _numbers("hour", self.hour, 0, 23),
            _numbers("day", self.day, 1, 31),
            _numbers("month", self.month, 1, 12),
            frozenset(number % 7 for number in _numbers("day_of_week", self.day_of_week, 0, 7)),
        )
        object.__setattr__(self, "_sets", fields)

    def _day_fits(self, day: date) -> bool:
        _minute, _hour, days, months, weekdays = self._sets
        if day.day not in days or day.month not in months or day.isoweekday() % 7 not in weekdays:
            return False
        return not self.working_days or is_working_day(day)

    def latest(self, moment: datetime) -> datetime | None:
        """The last time at or before a moment, in UTC; None when there is none within five years."""
        return self._search(moment, -1)

    def following(self, moment: datetime) -> datetime | None:
        """The first time after a moment, in UTC; None when there is none within five years."""
        return self._search(moment, 1)

    def _search(self, moment: datetime, step: int) -> datetime | None:
        day = clock.local(moment).date()
        times = sorted((hour, minute) for hour in self._sets[1] for minute in self._sets[0])
        for _count in range(HORIZON_DAYS):
            if self._day_fits(day):
                for hour, minute in times if step > 0 else reversed(times):
                    slot = datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.zone()).astimezone(UTC)
                    if (slot > moment) if step > 0 else (slot <= moment):
                        return slot
            day += timedelta(days=step)
        return None


def _numbers(name: str, text: str, low: int, high: int) -> frozenset[int]:
    """Parse one field of a schedule. :raises ValueError: for anything that is not one."""
    found: set[int] = set()
    for part in text.split(","):
        span, _slash, step_text = part.strip().partition("/")
        first_text, dash, last_text = span.partition("-")
        try:
            step = int(step_text) if step_text else 1
            first = low if span == "*" else int(first_text)
            last = high if span == "*" or (step_text and not dash) else int(last_text) if dash else first
        except ValueError as error:
            raise ValueError(f"{name}={text!r} is not a schedule") from error
        if not low <= first <= last <= high or step < 1:
            raise ValueError(f"{name}={text!r} is outside {low}–{high}")
        found.update(range(first, last + 1, step))
    return frozenset(found)
