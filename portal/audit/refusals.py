"""How many refusals of one person (or address) are written down: a script that tries every number fills no disk."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from flask import current_app

from portal.core import clock

#: So many refusals within the window are written; the next one says that more were left out; further ones wait.
PER_WINDOW = 30
WINDOW = timedelta(minutes=10)
_PEOPLE = 5000
EXTENSION = "portal_refusal_bound"


class RefusalBound:
    """Counts refusals per key within a sliding window; safe between threads, one per process."""

    def __init__(self, per_window: int = PER_WINDOW, window: timedelta = WINDOW) -> None:
        self.per_window = per_window
        self.window = window
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, key: str) -> str:
        """ "write" for a refusal that is to be written, "last" for the one that says that further ones are left out,
        "skip" for those."""
        now = clock.now()
        with self._lock:
            times = self._seen.setdefault(key, deque(maxlen=self.per_window + 1))
            self._seen.move_to_end(key)
            if len(self._seen) > _PEOPLE:
                self._seen.popitem(last=False)
            while times and now - times[0] >= self.window:
                times.popleft()
            if len(times) > self.per_window:
                return "skip"
            times.append(now)
            return "last" if len(times) > self.per_window else "write"


def refusal_bound() -> RefusalBound:
    """The bound of the running application."""
    found: RefusalBound = current_app.extensions.setdefault(EXTENSION, RefusalBound())
    return found
