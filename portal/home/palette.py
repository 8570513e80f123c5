"""Hits of the command palette: pages of the menu and whatever modules find."""

from __future__ import annotations

from functools import lru_cache

from flask import url_for

from portal.core.panels import PaletteItem
from portal.core.permissions import Actor
from portal.core.text import fold, pinyin_full, pinyin_initials
from portal.customers.limits import count_search
from portal.home.context import menu_items
from portal.pluginmanager import manager

__all__ = ["PaletteItem", "find", "page_hits"]

#: Hits shown at most.
LIMIT = 30


@lru_cache(maxsize=1024)
def _forms(label: str) -> tuple[str, str, str]:
    """How people type a label; remembered, for the labels of the menu are few."""
    return fold(label), pinyin_full(label), pinyin_initials(label)


def page_hits(actor: Actor, query: str, group: str) -> list[PaletteItem]:
    """Pages of the menu whose label contains the query, as characters, pinyin or initials."""
    wanted = fold(query)
    hits = []
    for item in menu_items(actor):
        label = str(item.label)
        if not wanted or any(wanted in form for form in _forms(label)):
            hits.append(PaletteItem(label, url_for(item.endpoint), group, icon=item.icon))
    return hits


def find(actor: Actor, query: str, pages_label: str) -> list[PaletteItem]:
    """All hits for a query, pages first, bounded.

    :raises TooMany: the actor searched more often than he may in an hour.
    """
    if query:
        count_search(actor)
    hits = page_hits(actor, query, pages_label)[:8]
    if query:
        hits += manager().collect("palette_items", actor=actor, query=query)
    return hits[:LIMIT]
