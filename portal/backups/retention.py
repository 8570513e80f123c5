"""Which backups are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core import clock

#: Younger ones are always kept, so that a nightly backup can be gone back to day by day.
RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Kept:
    """A complete set, as far as retention is concerned. `is_whole`: None when it was never proven."""

    name: str
    made_at: datetime
    is_whole: bool | None = None


def to_remove(sets: Iterable[Kept], now: datetime, weekly: int, monthly: int) -> list[str]:
    """Names of sets that need not be kept, oldest first.

    Kept are: all of the last seven days; of each of the last `weekly` weeks (Monday to Sunday, the organisation's zone)
    that have one, the newest; of each of the last `monthly` months likewise; the newest of all; the newest that a trial
    restore proved whole. A set found broken is never the newest of its week or month while another one is there.
    """
    ordered = sorted(sets, key=lambda item: (item.made_at, item.name))
    if not ordered:
        return []
    keep = {item.name for item in ordered if item.made_at > now - RECENT} | {ordered[-1].name}
    proven = [item for item in ordered if item.is_whole]
    if proven:
        keep.add(proven[-1].name)
    keep |= _newest(ordered, weekly, lambda moment: clock.local(moment).isocalendar()[:2])
    keep |= _newest(ordered, monthly, lambda moment: (clock.local(moment).year, clock.local(moment).month))
    return [item.name for item in ordered if item.name not in keep]


def _newest(ordered: list[Kept], count: int, period_of: object) -> set[str]:
    best: dict[tuple[int, int], Kept] = {}
    for item in ordered:
        period = period_of(item.made_at)  # type: ignore[operator]
        if period not in best or item.is_whole is not False or best[period].is_whole is False:
            best[period] = item
    periods = sorted(best)[len(best) - count :] if count < len(best) else sorted(best)
    return {best[period].name for period in periods}
