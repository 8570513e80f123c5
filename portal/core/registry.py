"""Named things that modules register once at start: jobs, kinds of approval, notice and document, lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from flask import current_app

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Things by their `key`, in the order of registration."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._items: dict[str, Item] = {}

    def add(self, items: Iterable[Item]) -> None:
        """Register. :raises ValueError: when a key is taken."""
        for item in items:
            key: str = item.key  # type: ignore[attr-defined]
            if key in self._items:
                raise ValueError(f"{self.what} {key!r} is registered twice")
            self._items[key] = item

    def __getitem__(self, key: str) -> Item:
        return self._items[key]

    def get(self, key: str) -> Item | None:
        """The thing of that key, or None (its plugin is switched off)."""
        return self._items.get(key)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)


def registry(name: str) -> Registry[Any]:
    """A registry of the running application: jobs, approval_kinds, notice_kinds, document_kinds, listings."""
    return current_app.extensions[f"portal_{name}"]
