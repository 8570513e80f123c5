"""Which rows name which content: what backups take along and the integrity scan compares."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

_WORD = re.compile(r"[a-z][a-z0-9_]{0,30}")
STORAGES = ("files", "archive")


@dataclass(frozen=True)
class Examined:
    """What a store found when it read its area itself; the lists name keys or contents."""

    files: int
    bytes: int
    missing: Sequence[str] = ()
    damaged: Sequence[str] = ()
    orphans: Sequence[str] = ()


@dataclass(frozen=True)
class FileStore:
    """An area of a storage and the rows that name its content; registered by the hook `register_file_stores`.

    :ivar key: unique, "documents".
    :ivar title: translatable, for administrators.
    :ivar references: makes a SELECT of one column, the keys that rows name; "" and NULL are passed over. It is run on
        the live database and on snapshots of it, so it must be plain SQL on the module's own tables.
    :ivar area: first part of the keys; "" means the same as `key`.
    :ivar storage: "files" (the core's) or "archive".
    :ivar examine: reads the whole area and compares it with the rows, better than the general check can; called with
        a function that is told (done, total). None: the general check reads it.
    """

    key: str
    title: Any
    references: Callable[[], Select[Any]]
    area: str = ""
    storage: str = "files"
    examine: Callable[[Callable[[int, int], None]], Examined] | None = None

    def __post_init__(self) -> None:
        if self.storage not in STORAGES:
            raise ValueError(f"file store {self.key!r}: {self.storage!r} is no storage")
        if not _WORD.fullmatch(self.area or self.key):
            raise ValueError(f"file store {self.key!r}: no name of an area")

    @property
    def folder(self) -> str:
        """The area."""
        return self.area or self.key
