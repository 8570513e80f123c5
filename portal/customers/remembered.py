"""Remembers sums over very many customers, per process.

A sum is remembered together with the number of the last audit entry: every change of data writes one in its own
transaction, so as long as the number stands the sum is still true. A sum that took very long is also given out again
while others work, for twenty times the time it took, so that adding up never takes more than a twentieth of a process;
the page then says as of when it is. Sums that are quick are never remembered.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from flask import current_app
from sqlalchemy import Select, select

from portal.audit.models import AuditHead
from portal.core import clock
from portal.core.permissions import visible
from portal.core.transaction import known_version, once_a_page
from portal.extensions import db
from portal.org.actor import Actor

Value = TypeVar("Value")

#: Seconds from which on a sum is remembered.
SLOW = 0.001
#: Seconds from which on a sum is given out again though something was changed meanwhile …
VERY_SLOW = 0.3
#: … for so many times the time it took.
PATIENCE = 20
#: Seconds after which a sum is made anew even when nothing was changed: grants of sight may end by the clock.
LONGEST = 600
ENTRIES = 400


@dataclass(frozen=True)
class Figure(Generic[Value]):
    """A value and the moment as of which it is true (UTC)."""

    value: Value
    as_of: datetime
    #: whether it was computed in this very request
    fresh: bool


@dataclass(frozen=True)
class _Entry:
    value: Any
    as_of: datetime
    made: float
    cost: float
    version: int


class FigureCache:
    """The remembered figures of one application in one process."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], Value], version: Callable[[], int]) -> Figure[Value]:
        """The value under a key, computed when there is none that is still good.

        :param version: number of the last change; asked before computing, so that a change meanwhile is noticed.
        """
        with self._lock:
            entry = self._entries.get(key)
        age = time.monotonic() - entry.made if entry is not None else LONGEST
        if entry is not None and entry.cost >= VERY_SLOW and age < entry.cost * self._patience:
            return Figure(entry.value, entry.as_of, False)
        number, as_of = version(), clock.now()
        if entry is not None and age < LONGEST and entry.version == number:
            return Figure(entry.value, entry.as_of, False)
        begin = time.monotonic()
        value = compute()
        cost = time.monotonic() - begin
        if cost >= SLOW:
            with self._lock:
                self._entries[key] = _Entry(value, as_of, time.monotonic(), cost, number)
                self._entries.move_to_end(key)
                while len(self._entries) > ENTRIES:
                    self._entries.popitem(last=False)
        else:
            with self._lock:
                self._entries.pop(key, None)
        return Figure(value, as_of, True)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def figures() -> FigureCache:
    """The cache of the running application. Under test nothing depends on how fast the machine is."""
    found = current_app.extensions.get("portal_figures")
    if found is None:
        cache = FigureCache(0 if current_app.testing else PATIENCE)
        found = current_app.extensions.setdefault("portal_figures", cache)
    return found


def data_version() -> int:
    """Number of the last audit entry; known from the log-in of the page or asked once, before any of its sums."""
    known = known_version()
    if known is not None:
        return known
    return once_a_page(data_version, lambda: int(db.session.scalar(_version_statement()) or 0))


@cache
def _version_statement() -> Select[int]:
    return select(AuditHead.seq).where(AuditHead.id == 1)


def remembered(
    actor: Actor, name: str, parameters: tuple[Hashable, ...], compute: Callable[[], Value]
) -> Figure[Value]:
    """A sum over the customers that the actor may see. People who see the same customers share it.

    :param name, parameters: what is summed. :param compute: does it.
    """
    return figures().get((name, parameters, _sight(actor)), compute, data_version)


def _sight(actor: Actor) -> Hashable:
    """The same for people who see the same customers."""

    def find() -> Hashable:
        condition = visible(actor, "customers.view").compile(db.engine)
        return str(condition), tuple(sorted((name, repr(value)) for name, value in condition.params.items()))

    return once_a_page((actor, _sight), find)
