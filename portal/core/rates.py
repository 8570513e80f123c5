"""How often somebody does something in an hour, counted in memory: a brake that costs a page nothing.

Each web process counts what it answers itself and begins anew when it starts; what must be counted exactly and for good
(documents, exports, paper copies) is counted from its rows instead. Nothing is written to the database.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from flask import current_app

from portal.core import clock
from portal.core.errors import TooMany
from portal.i18n import _

#: The hour slides by minutes: what was done in a minute is forgotten together, an hour later.
SLICE = 60
SLICES = 60
#: People and things counted at once; whoever was seen longest ago is forgotten first.
KEPT = 10_000
_EXTENSION = "portal_rates"


class Rates:
    """Counts within a sliding hour, by key; safe between threads, one per process."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[list[int]]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, least: int, limit: Callable[[], int], weight: int = 1) -> datetime | None:
        """Count one use; None when it is within the limit, else the moment from which the next one may be.

        A refused use is not counted: whoever goes on trying is let in again as early as whoever waits.

        :param least: up to so many uses nobody need ask for the limit.
        :param weight: what the use counts for (bytes, say); the first of an hour is let in however heavy.
        """
        now = int(clock.now().timestamp()) // SLICE
        with self._lock:
            if self._count(key, now, least, weight):
                return None
        bound = limit()
        with self._lock:
            if self._count(key, now, bound, weight):
                return None
            return datetime.fromtimestamp((self._seen[key][0][0] + SLICES) * SLICE, tz=UTC)

    def give_back(self, key: str, weight: int) -> None:
        """Take back a use that was counted just now: something else refused it."""
        with self._lock:
            slices = self._seen.get(key)
            if slices:
                slices[-1][1] = max(0, slices[-1][1] - weight)
                if not slices[-1][1]:
                    slices.pop()

    def _count(self, key: str, now: int, bound: int, weight: int) -> bool:
        """Count a use when it fits below `bound` in the hour; whether it was."""
        slices = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        while slices and slices[0][0] <= now - SLICES:
            slices.popleft()
        while slices and slices[-1][0] > now:  # the clock was put back
            slices.pop()
        if slices and sum(count for _minute, count in slices) + weight > bound:
            return False
        if not slices or slices[-1][0] != now:
            slices.append([now, 0])
        slices[-1][1] += weight
        return True


def rates() -> Rates:
    """The counts of the running application."""
    found: Rates = current_app.extensions.setdefault(_EXTENSION, Rates())
    return found


def too_many(message: str, again_at: datetime) -> TooMany:
    """The error for somebody who reached a limit: what he did, and from when on he can go on."""
    when = clock.local(again_at).strftime("%H:%M")
    again = _("You can go on at %(time)s.", time=when)
    return TooMany(f"{message} {again}", again_at=again_at)
