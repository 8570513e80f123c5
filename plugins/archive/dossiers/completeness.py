"""What a dossier lacks and what in it is out of date. Pure, no database."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from plugins.archive.dossiers.models import ASSESSMENT, CARD, CONTRACT, PARTS, STATISTICS
from plugins.archive.dossiers.vocabulary import COMPLETE, EXPIRED, EXPIRING, MISSING, NOT_DUE, OLD

#: Parts that every dossier needs from its first day; the others from the first purchase on.
ALWAYS = (CARD,)


@dataclass(frozen=True)
class FileFacts:
    """What the rules need to know of a file in force."""

    part: str
    dated_on: date
    valid_until: date | None = None


@dataclass(frozen=True)
class Rules:
    """The present settings. :ivar fresh_months: produced parts older than this are out of date."""

    fresh_months: int
    warning_days: int


@dataclass(frozen=True)
class PartState:
    """How one part stands. :ivar since: day of its newest file; :ivar until: last day of its latest contract."""

    part: str
    standing: str
    count: int
    since: date | None
    until: date | None

    @property
    def is_fine(self) -> bool:
        """Whether nothing has to be done about it."""
        return self.standing in (COMPLETE, NOT_DUE)


def months_earlier(day: date, months: int) -> date:
    """The same day so many months before; the last of a shorter month."""
    number = day.year * 12 + day.month - 1 - months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def states_of(files: Iterable[FileFacts], has_bought: bool, rules: Rules, today: date) -> list[PartState]:
    """The standing of all four parts, in their order.

    A card is always needed; assessment, contract and statistics from the first purchase on. Of several contracts the
    one that lasts longest counts; a contract without an end does not expire.
    """
    by_part: dict[str, list[FileFacts]] = {part: [] for part in PARTS}
    for file in files:
        by_part[file.part].append(file)
    return [_state(part, by_part[part], has_bought or part in ALWAYS, rules, today) for part in PARTS]


def _state(part: str, files: list[FileFacts], is_due: bool, rules: Rules, today: date) -> PartState:
    if not files:
        return PartState(part, MISSING if is_due else NOT_DUE, 0, None, None)
    since = max(file.dated_on for file in files)
    ends = [file.valid_until for file in files if file.valid_until is not None]
    until = max(ends) if ends and len(ends) == len(files) else None
    standing = COMPLETE
    if part == CONTRACT:
        if until is not None and until < today:
            standing = EXPIRED
        elif until is not None and until <= today + timedelta(days=rules.warning_days):
            standing = EXPIRING
    elif part in (CARD, ASSESSMENT, STATISTICS) and since < months_earlier(today, rules.fresh_months):
        standing = OLD
    return PartState(part, standing, len(files), since, until)
