"""What merging and undoing share: who may, rows in chunks, the trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, update
from sqlalchemy.exc import DBAPIError

from portal.core.errors import NotAllowed
from portal.customers.models import Customer
from portal.customers.search_index import index_customers
from portal.customers.services.common import PRIVATE_FIELDS
from portal.customers.services.interactions import maintain_dates
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE

#: Rows changed by one statement.
CHUNK = 500
KEPT, MERGED = "kept", "merged"


def require_merger(actor: Actor) -> None:
    """:raises NotAllowed: unless the actor is a head or an executive."""
    if not (actor.is_system or actor.oversees or EXECUTIVE in actor.roles):
        raise NotAllowed(_("Only department heads and executives merge customers."))


def set_column(table: Table, column: str, rows: list[int], value: Any) -> set[int]:
    """Write one value into a column of many rows; gives back those the database let through.

    A unique index that covers only some rows, or a trigger, may refuse single ones: then each is tried by itself.
    """
    moved: set[int] = set()
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        if _update(table, column, part, value):
            moved.update(part)
        else:
            moved.update(row for row in part if _update(table, column, [row], value))
    return moved


def _update(table: Table, column: str, rows: list[int], value: Any) -> bool:
    try:
        with db.session.begin_nested():
            db.session.execute(update(table).where(table.c.id.in_(rows)).values({column: value}))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False
    return True


def refresh(kept: Customer, other: Customer) -> None:
    """What is derived: search terms, dates of contact. Everything loaded is read anew."""
    db.session.flush()
    index_customers([kept.id, other.id])
    maintain_dates(kept.id)
    maintain_dates(other.id)
    db.session.expire_all()


def parted_changes(changes: Mapping[str, list[Any]], kept: Customer) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Changed values, parted into public and personal ones."""
    hidden = PRIVATE_FIELDS | {"phone_digits", "name_sort"}
    if kept.is_person:
        hidden = hidden | {"name", "short_name", "website"}
    public = {name: pair for name, pair in changes.items() if name not in hidden}
    private = {name: pair for name, pair in changes.items() if name in hidden}
    if not private:
        return public, {}
    return public, {
        "old": {name: pair[0] for name, pair in private.items()},
        "new": {name: pair[1] for name, pair in private.items()},
    }
