"""The left menu: areas and entries, offered by modules and plugins as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from portal.core.permissions import Actor, can
from portal.core.together import Question


@dataclass(frozen=True)
class NavArea:
    """A group of the menu. Core areas: work, customers, sales, knowledge, reports, administration."""

    key: str
    label: Any
    icon: str
    order: int


@dataclass(frozen=True)
class NavItem:
    """One entry of the menu.

    :ivar endpoint: Flask endpoint; unknown endpoints stop the start.
    :ivar permission: name of a permission without entity that is needed, or None for everybody.
    :ivar when: a further cheap condition (no database).
    :ivar also: beginnings of further addresses whose pages belong to this entry ("/key-accounts/visits/").
    :ivar count: question for the number shown beside the entry (asked on each page, together with the others; must be
        cheap), or None.
    """

    area: str
    key: str
    label: Any
    endpoint: str
    icon: str
    order: int = 50
    permission: str | None = None
    when: Callable[[Actor], bool] | None = None
    count: Callable[[Actor], Question] | None = None
    also: tuple[str, ...] = ()


def items_for(actor: Actor, items: Iterable[NavItem]) -> list[NavItem]:
    """The entries that this actor gets, in order."""
    chosen = [
        item
        for item in items
        if (item.permission is None or can(actor, item.permission)) and (item.when is None or item.when(actor))
    ]
    return sorted(chosen, key=lambda item: (item.order, item.key))
