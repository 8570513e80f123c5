"""Reads of the stakeholder map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.customers.models import Contact
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User


@dataclass(frozen=True)
class Person:
    """A contact with his place in the map; `influence` None: not judged yet."""

    id: int
    name: str
    title: str
    buying_role: str
    is_active: bool
    attitude: int | None
    influence: int | None
    reports_to_id: int | None
    note: str
    version: int | None


def people_of(customer_id: int) -> list[Person]:
    """All active contacts, and former ones who are in the map, the most influential first; one statement."""
    rows = db.session.execute(
        select(
            Contact.id,
            Contact.name,
            Contact.title,
            Contact.buying_role,
            Contact.is_active,
            Contact.attitude,
            Stakeholder.influence,
            Stakeholder.reports_to_id,
            Stakeholder.note,
            Stakeholder.version,
        )
        .outerjoin(Stakeholder, Stakeholder.contact_id == Contact.id)
        .where(Contact.customer_id == customer_id, Contact.is_active | Stakeholder.id.is_not(None))
        .order_by(Contact.name_sort, Contact.id)
        .limit(500)
    )
    people = [
        Person(
            row.id,
            row.name,
            row.title,
            row.buying_role,
            row.is_active,
            row.attitude,
            row.influence,
            row.reports_to_id,
            row.note or "",
            row.version,
        )
        for row in rows
    ]
    return sorted(people, key=lambda person: -(person.influence or 0))


def changes_of(customer_id: int, limit: int = 40) -> list[Any]:
    """How judgements changed over time, newest first; one statement."""
    superior = aliased(Contact)
    statement = (
        select(
            StakeholderChange.at,
            StakeholderChange.influence,
            StakeholderChange.attitude,
            StakeholderChange.note,
            Contact.name,
            superior.name.label("superior"),
            User.name.label("by"),
        )
        .join(Stakeholder, Stakeholder.id == StakeholderChange.stakeholder_id)
        .join(Contact, Contact.id == Stakeholder.contact_id)
        .outerjoin(superior, superior.id == StakeholderChange.reports_to_id)
        .outerjoin(User, User.id == StakeholderChange.by_id)
        .where(Stakeholder.customer_id == customer_id)
        .order_by(StakeholderChange.at.desc(), StakeholderChange.id.desc())
        .limit(limit)
    )
    return list(db.session.execute(statement))


def contact_for(contact_id: int, actor: Actor) -> Contact:
    """A contact of a visible customer. :raises NotFound: for all others."""
    contact = db.session.get(Contact, contact_id)
    if contact is None or not can(actor, VIEW, contact.customer_id):
        raise NotFound()
    return contact


def stakeholder_of(contact_id: int) -> Stakeholder | None:
    """A contact's place in the map."""
    return db.session.scalars(select(Stakeholder).where(Stakeholder.contact_id == contact_id)).first()
