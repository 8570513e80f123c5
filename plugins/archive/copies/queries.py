"""Reads of copies: the station's work, one copy, who had a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from plugins.archive.copies import states
from plugins.archive.copies.models import ArchiveCopy, ArchiveCopyEvent
from plugins.archive.copies.numbers import normal_number
from plugins.archive.lookups.grants import holds
from plugins.archive.lookups.models import PAPER, ArchiveGrant, ArchiveLookup
from plugins.archive.permissions import COPIES
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User

#: States in which an operator has something to do with a copy for its collector.
AT_WORK = (
    states.RESERVED,
    states.READY,
    states.SENT,
    states.SUSPECT,
    states.PRINTED,
    states.OFFERED,
    states.SPOILED,
)


def copies_of_grants(grant_ids: Sequence[int]) -> dict[int, list[ArchiveCopy]]:
    """Copies by grant, oldest first; one statement."""
    found: dict[int, list[ArchiveCopy]] = {}
    if grant_ids:
        for copy in db.session.scalars(
            select(ArchiveCopy).where(ArchiveCopy.grant_id.in_(grant_ids)).order_by(ArchiveCopy.id)
        ):
            found.setdefault(copy.grant_id, []).append(copy)
    return found


def held_by(user_id: int) -> Sequence[ArchiveCopy]:
    """Copies somebody has, or is about to get."""
    return db.session.scalars(
        select(ArchiveCopy)
        .where(
            ArchiveCopy.holder_id == user_id,
            ArchiveCopy.state.in_((states.PRINTED, states.OFFERED, states.ISSUED)),
        )
        .options(selectinload(ArchiveCopy.customer))
        .order_by(ArchiveCopy.due_at, ArchiveCopy.id)
        .limit(100)
    ).all()


def load_copy(copy_id: int, actor: Actor) -> ArchiveCopy:
    """A copy that the register shows to the actor. :raises NotFound: otherwise."""
    return _one(ArchiveCopy.id == copy_id, actor)


def by_token(token: str, actor: Actor) -> ArchiveCopy:
    """The copy of a QR code. :raises NotFound: no such copy, or not for this reader."""
    return _one(ArchiveCopy.token == token, actor)


def by_number(text: str, actor: Actor) -> ArchiveCopy | None:
    """The copy of a number as somebody typed it, or None."""
    number = normal_number(text)
    if number is None:
        return None
    return db.session.scalars(
        select(ArchiveCopy).where(ArchiveCopy.number == number, visible(actor, COPIES))
    ).one_or_none()


def _one(condition: Any, actor: Actor) -> ArchiveCopy:
    copy = db.session.scalars(select(ArchiveCopy).where(condition, visible(actor, COPIES))).one_or_none()
    if copy is None:
        raise NotFound()
    return copy


def station_copy(copy_id: int) -> ArchiveCopy:
    """A copy for the print station, as it is now. :raises NotFound: there is none."""
    copy = db.session.scalars(
        select(ArchiveCopy).where(ArchiveCopy.id == copy_id).execution_options(populate_existing=True)
    ).one_or_none()
    if copy is None:
        raise NotFound()
    return copy


@dataclass(frozen=True)
class Waiting:
    """A grant with copies that were not reserved yet."""

    grant_id: int
    number: str
    customer: str
    left: int
    quota: int
    ends_at: Any
    purpose: str


@dataclass
class Collector:
    """Everything the station has for one person."""

    user_id: int
    name: str
    department: str
    waiting: list[Waiting] = field(default_factory=list)
    copies: list[ArchiveCopy] = field(default_factory=list)


def station(limit: int = 300) -> list[Collector]:
    """The station's work by collector: what may be printed, what is under way. Three statements."""
    people: dict[int, Collector] = {}

    def collector(user_id: int, name: str, department: str) -> Collector:
        return people.setdefault(user_id, Collector(user_id, name, department))

    grants = db.session.execute(
        select(
            ArchiveGrant.id,
            ArchiveGrant.quota,
            ArchiveGrant.used,
            ArchiveGrant.ends_at,
            ArchiveLookup.number,
            ArchiveLookup.purpose,
            Customer.name.label("customer"),
            User.id.label("user_id"),
            User.name.label("name"),
            Department.name.label("department"),
        )
        .join(ArchiveLookup, ArchiveLookup.id == ArchiveGrant.lookup_id)
        .join(Customer, Customer.id == ArchiveGrant.customer_id)
        .join(User, User.id == ArchiveGrant.holder_id)
        .join(Department, Department.id == User.department_id)
        .where(ArchiveGrant.mode == PAPER, ArchiveGrant.used < ArchiveGrant.quota, holds())
        .order_by(ArchiveGrant.ends_at, ArchiveGrant.id)
        .limit(limit)
    )
    for row in grants:
        collector(row.user_id, row.name, row.department).waiting.append(
            Waiting(row.id, row.number, row.customer, row.quota - row.used, row.quota, row.ends_at, row.purpose)
        )
    copies = db.session.scalars(
        select(ArchiveCopy)
        .where(ArchiveCopy.state.in_(AT_WORK))
        .options(selectinload(ArchiveCopy.customer))
        .order_by(ArchiveCopy.due_at, ArchiveCopy.id)
        .limit(limit)
    )
    for copy in copies:
        collector(copy.holder_id, copy.holder_name, copy.holder_department).copies.append(copy)
    return sorted(people.values(), key=lambda person: (not person.copies, person.name))


def returned(limit: int = 50) -> list[tuple[ArchiveCopy, datetime]]:
    """Copies that are back and wait for their destruction, longest first: the copy and when it came back."""
    back_at = (
        select(func.max(ArchiveCopyEvent.at))
        .where(ArchiveCopyEvent.copy_id == ArchiveCopy.id, ArchiveCopyEvent.state_after == states.RETURNED)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(ArchiveCopy, back_at)
        .where(ArchiveCopy.state == states.RETURNED)
        .options(selectinload(ArchiveCopy.customer))
        .order_by(ArchiveCopy.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def events_of(copy_id: int) -> Sequence[ArchiveCopyEvent]:
    """The history of a copy, oldest first."""
    return db.session.scalars(
        select(ArchiveCopyEvent)
        .where(ArchiveCopyEvent.copy_id == copy_id)
        .options(selectinload(ArchiveCopyEvent.by), selectinload(ArchiveCopyEvent.witness))
        .order_by(ArchiveCopyEvent.id)
    ).all()


def replaced_by(copy_id: int) -> ArchiveCopy | None:
    """The copy that was printed instead of a void one."""
    return db.session.scalars(select(ArchiveCopy).where(ArchiveCopy.replaces_id == copy_id)).first()
