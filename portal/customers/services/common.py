"""What all services of this module need: loading under a lock, permission, comparing versions, audit labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from portal.core.errors import Conflict, NotFound
from portal.core.permissions import require
from portal.core.text import mask_name
from portal.customers.models import Contact, Customer, Interaction, NextStep
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

Row = TypeVar("Row", Customer, Contact, Interaction, NextStep)

#: Fields of a customer that are personal data: they stay out of the hashed part of the audit trail.
PRIVATE_FIELDS = frozenset({"phone", "email", "address", "latitude", "longitude", "person"})
#: Of a person everything that names him, too.
PERSON_PRIVATE_FIELDS = PRIVATE_FIELDS | {"name", "short_name", "aliases", "website"}


def locked(model: type[Row], row_id: int) -> Row:
    """A row for changing: its newest state, locked against other writers until the commit.

    :raises NotFound: when there is none.
    """
    row = db.session.get(model, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    return row


def locked_customer(customer_id: int, actor: Actor, permission: str) -> Customer:
    """A customer for changing, when the actor has the permission. :raises NotFound, NotAllowed: else."""
    customer = locked(Customer, customer_id)
    require(actor, permission, customer)
    return customer


def refuse_stale(
    row: Any, version: int | None, mine: Mapping[str, Any], theirs: Mapping[str, Any], by: str = ""
) -> None:
    """Raise `Conflict` with both versions when the row is newer than what the actor saw.

    :param version: what the actor saw; None does not ask (imports and the portal itself).
    """
    if version is None or row.version == version:
        return
    raise Conflict(
        _("Somebody else changed this in the meantime."),
        mine=dict(mine),
        theirs=dict(theirs),
        version=row.version,
        changed_by=by,
        changed_at=row.updated_at,
    )


def label_of(customer: Customer) -> str:
    """How the audit trail names a customer; persons are masked."""
    return mask_name(customer.name) if customer.is_person else customer.name


def split_private(customer: Customer, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values of customer fields, parted into (public, personal)."""
    fields = PERSON_PRIVATE_FIELDS if customer.is_person else PRIVATE_FIELDS
    public = {key: value for key, value in values.items() if key not in fields}
    return public, {key: value for key, value in values.items() if key in fields}
