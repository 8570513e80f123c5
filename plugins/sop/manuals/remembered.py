"""What published versions say, kept in the memory of the process: triggers of the database hold that it never changes.

Names of departments in a comparison are as old as the process.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any, TypeVar

from flask_babel import get_locale

from plugins.sop.manuals.models import PUBLISHED, ManualVersion
from portal.extensions import db

Made = TypeVar("Made")

#: Bytes of all that is kept at once: the trees, their drawn forms and the comparisons of some forty big manuals
#: (a few 100 KB each), or of many small ones.
ROOM = 16 * 2**20


class Shelf:
    """Things by their keys, as many as there is room for; what was not asked for longest goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Bytes of all that is kept."""
        return self._held

    def find(self, key: Hashable) -> tuple[Any, ...]:
        """The thing alone in a tuple; an empty one when it is not kept."""
        with self._lock:
            if key not in self._kept:
                return ()
            self._kept.move_to_end(key)
            return (self._kept[key][0],)

    def keep(self, key: Hashable, thing: Any) -> None:
        """Keep a thing, unless it alone is larger than the room."""
        size = weight((key, thing))
        if size > self._room:
            return
        with self._lock:
            self._held -= self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (thing, size)
            self._held += size
            while self._held > self._room:
                _key, (_thing, freed) = self._kept.popitem(last=False)
                self._held -= freed


def weight(thing: Any) -> int:
    """Bytes that a thing of frozen dataclasses, collections and primitives takes; what it holds twice counts once."""
    seen: set[int] = set()
    total = 0
    waiting = [thing]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        if is_dataclass(item) and not isinstance(item, type):
            waiting.extend(getattr(item, field.name) for field in fields(item))
            total += sys.getsizeof(getattr(item, "__dict__", None))
        elif isinstance(item, dict):
            waiting.extend((*item.keys(), *item.values()))
        elif isinstance(item, tuple | list | set | frozenset):
            waiting.extend(item)
    return total


_shelf = Shelf(ROOM)


def remembered(version: ManualVersion, what: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` makes of a version, made once. Versions that are not published are made anew each time.

    :param what: names the thing, with all that it depends on besides the version and the language.
    """
    if version.state != PUBLISHED:
        return make()
    place = (str(db.engine.url), version.id, version.content_digest, version.published_at)
    key = (*place, str(get_locale()), what)
    kept = _shelf.find(key)
    if kept:
        found: Made = kept[0]
        return found
    made = make()
    _shelf.keep(key, made)
    return made
