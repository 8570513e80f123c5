"""Conditions, cells and filters that the lists share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, or_

from portal.core.components import DASH
from portal.core.listing import CellContext
from portal.core.listing.conditions import by_values
from portal.core.permissions import visible
from portal.core.transaction import while_unchanged
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE


def where_visible(actor: Actor) -> list[SQLColumnExpression[bool]]:
    """What always holds: customers that the actor sees."""
    return [visible(actor, VIEW)]


def vocabulary_cell(enumeration: Any, name: str) -> Any:
    """A cell with the word of a stored value."""

    def cell(row: Any, _context: CellContext) -> Any:
        value = getattr(row, name)
        return words.label(enumeration, value) if value else DASH

    return cell


def text_cell(name: str) -> Any:
    """A cell with a text, or a dash."""

    def cell(row: Any, _context: CellContext) -> Any:
        return getattr(row, name) or DASH

    return cell


def word_of(enumeration: Any, name: str) -> Any:
    """The word of a stored value, for a spreadsheet."""

    def export(row: Any, _context: CellContext) -> Any:
        return words.label(enumeration, getattr(row, name))

    return export


def vocabulary_choices(enumeration: Any, *without: str) -> Any:
    """All words of a vocabulary but some."""
    return lambda _actor: [pair for pair in words.choices(enumeration) if pair[0] not in without]


def manager_choices(actor: Actor) -> list[tuple[str, Any]]:
    """Account managers among whom heads and executives choose."""
    if not actor.oversees and EXECUTIVE not in actor.roles:
        return []
    found = while_unchanged((manager_choices, actor), lambda: as_choices(queries.possible_managers(actor, limit=200)))
    return [("0", _("Nobody")), *found]


def as_choices(pairs: Iterable[tuple[int, str]]) -> list[tuple[str, Any]]:
    """Ids and names as choices."""
    return [(str(key), name) for key, name in pairs]


@by_values
def manager_where(values: tuple[str, ...]) -> ColumnElement[bool]:
    """Customers of the chosen account managers, or of nobody."""
    ids = [int(key) for key in values if key != "0"]
    parts: list[ColumnElement[bool]] = [Customer.account_manager_id.in_(ids)] if ids else []
    if "0" in values:
        parts.append(Customer.account_manager_id.is_(None))
    return or_(*parts)


def mine(actor: Actor) -> ColumnElement[bool]:
    """Customers that the actor looks after."""
    return Customer.account_manager_id == actor.user_id
