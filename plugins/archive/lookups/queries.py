"""Reads of look-ups: who decides, what somebody has open, what an approver should know about an applicant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, func, or_, select

from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.copies.states import ISSUED
from plugins.archive.dossiers.models import CURRENT, ArchiveFile
from plugins.archive.lookups.grants import holds
from plugins.archive.lookups.models import ArchiveGrant, ArchiveLookup, ArchiveLookupCustomer
from plugins.archive.permissions import REGISTER, REVOKE
from portal.approvals.authority import Organisation, head_of
from portal.approvals.dbtime import database_now
from portal.approvals.models import ApprovalRequest
from portal.core import clock, settings
from portal.core.errors import NotFound
from portal.core.permissions import can, visible
from portal.core.together import Question, any_of
from portal.customers.models import Customer
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User
from portal.org.queries import department_names, names_of

HISTORY_DAYS = 90


@dataclass(frozen=True)
class Existing:
    """As much of a customer as everybody may know: name, department, account manager, and how many files a part has."""

    customer_id: int
    name: str
    department_id: int
    department: str
    manager: str
    files: dict[str, int]


def existing(customer_ids: Iterable[int]) -> list[Existing]:
    """Customers by id, in the given order; those that do not exist (any more) are left out. Two statements."""
    wanted = list(dict.fromkeys(customer_ids))
    if not wanted:
        return []
    rows = {
        row.id: row
        for row in db.session.execute(
            select(
                Customer.id,
                Customer.name,
                Customer.department_id,
                Department.name.label("department"),
                User.name.label("manager"),
            )
            .join(Department, Department.id == Customer.department_id)
            .outerjoin(User, User.id == Customer.account_manager_id)
            .where(Customer.id.in_(wanted), Customer.status != Status.MERGED.value)
        )
    }
    files: dict[int, dict[str, int]] = {}
    for customer_id, part, count in db.session.execute(
        select(ArchiveFile.customer_id, ArchiveFile.part, func.count())
        .where(ArchiveFile.customer_id.in_(wanted), ArchiveFile.state == CURRENT)
        .group_by(ArchiveFile.customer_id, ArchiveFile.part)
    ):
        files.setdefault(customer_id, {})[part] = count
    return [
        Existing(i, rows[i].name, rows[i].department_id, rows[i].department, rows[i].manager or "", files.get(i, {}))
        for i in wanted
        if i in rows
    ]


@dataclass(frozen=True)
class Deciders:
    """Who will decide, for the form: the head who confirms the need (None: not asked) and those who release."""

    need: str | None
    release: list[tuple[str, str]]


def deciders(applicant: Actor, customers: Sequence[Existing]) -> Deciders:
    """Who decides if it were filed now. :returns: names; "" where nobody can be found."""
    organisation = Organisation()
    excluded = frozenset({applicant.user_id or 0})

    def name_of(department_id: int | None) -> str:
        found = head_of(department_id, organisation, excluded)
        return names_of([found[0].user_id]).get(found[0].user_id, "") if found else ""

    owners = list(dict.fromkeys(customer.department_id for customer in customers))
    departments = department_names(owners)
    need = None
    if needs_confirmation(applicant.department_id, owners):
        need = name_of(applicant.department_id)
    return Deciders(need, [(departments.get(owner, ""), name_of(owner)) for owner in owners])


def needs_confirmation(applicant_department: int | None, owners: Sequence[int]) -> bool:
    """Whether the applicant's head confirms the need before the owning departments release."""
    if settings.get("archive.release") == "owner":
        return False
    return set(owners) != {applicant_department}


def load_lookup(lookup_id: int, actor: Actor) -> ArchiveLookup:
    """A look-up that is the actor's own, or about customers or people he answers for, or which the register shows him.

    :raises NotFound: otherwise.
    """
    lookup = db.session.get(ArchiveLookup, lookup_id)
    if lookup is None or not may_see(lookup, actor):
        raise NotFound()
    return lookup


def may_see(lookup: ArchiveLookup, actor: Actor) -> bool:
    """Whether the actor may read a look-up request."""
    if actor.user_id == lookup.applicant_id or can(actor, REGISTER):
        return True
    if lookup.department_id in actor.oversees:
        return True
    owners = select(ArchiveLookupCustomer.id).join(Customer, Customer.id == ArchiveLookupCustomer.customer_id)
    return (
        db.session.scalar(
            owners.where(
                ArchiveLookupCustomer.lookup_id == lookup.id, Customer.department_id.in_(sorted(actor.oversees))
            ).limit(1)
        )
        is not None
    )


def grants_of(lookup_id: int) -> Sequence[ArchiveGrant]:
    """The grants a request led to."""
    return db.session.scalars(
        select(ArchiveGrant).where(ArchiveGrant.lookup_id == lookup_id).order_by(ArchiveGrant.id)
    ).all()


def my_grants(user_id: int, limit: int = 100) -> list[ArchiveGrant]:
    """Grants somebody may use now, the one that ends first on top, then those that ended lately."""
    open_now = db.session.scalars(
        select(ArchiveGrant)
        .where(ArchiveGrant.holder_id == user_id, holds())
        .order_by(ArchiveGrant.ends_at, ArchiveGrant.id)
        .limit(limit)
    ).all()
    since = clock.now() - timedelta(days=30)
    past = db.session.scalars(
        select(ArchiveGrant)
        .where(
            ArchiveGrant.holder_id == user_id,
            ArchiveGrant.ends_at > since,
            or_(ArchiveGrant.ended_at.is_not(None), ArchiveGrant.ends_at <= database_now()),
        )
        .order_by(ArchiveGrant.ends_at.desc(), ArchiveGrant.id.desc())
        .limit(20)
    ).all()
    return [*open_now, *past]


def my_requests(user_id: int, limit: int = 20) -> Sequence[Any]:
    """(look-up, state of the request) of somebody's newest requests."""
    return db.session.execute(
        select(ArchiveLookup, ApprovalRequest.state)
        .join(ApprovalRequest, ApprovalRequest.id == ArchiveLookup.request_id)
        .where(ArchiveLookup.applicant_id == user_id)
        .order_by(ArchiveLookup.created_at.desc(), ArchiveLookup.id.desc())
        .limit(limit)
    ).all()


def overdue_copies(user_id: int) -> Sequence[ArchiveCopy]:
    """Copies that somebody should have brought back, on the database's time; they block his new requests."""
    return db.session.scalars(
        select(ArchiveCopy)
        .where(ArchiveCopy.holder_id == user_id, ArchiveCopy.state == ISSUED, ArchiveCopy.due_at <= database_now())
        .order_by(ArchiveCopy.due_at, ArchiveCopy.id)
    ).all()


@dataclass(frozen=True)
class Record:
    """What an approver should know about an applicant."""

    requests: int
    approved: int
    latest: list[tuple[str, datetime, str, str]]
    overdue: list[str]


def record_of(user_id: int, but: int) -> Record:
    """The applicant's other requests of ninety days, and his overdue copies. Three statements.

    :param but: id of the look-up that is being decided. :returns: `latest` as (number, when, purpose, state).
    """
    since = clock.now() - timedelta(days=HISTORY_DAYS)
    mine = and_(ArchiveLookup.applicant_id == user_id, ArchiveLookup.created_at > since, ArchiveLookup.id != but)
    joined = (ApprovalRequest, ApprovalRequest.id == ArchiveLookup.request_id)
    counts: dict[str, int] = {  # noqa: C416 (rows are no pairs to the checker of types)
        state: count
        for state, count in db.session.execute(
            select(ApprovalRequest.state, func.count())
            .select_from(ArchiveLookup)
            .join(*joined)
            .where(mine)
            .group_by(ApprovalRequest.state)
        )
    }
    latest = db.session.execute(
        select(ArchiveLookup.number, ArchiveLookup.created_at, ArchiveLookup.purpose, ApprovalRequest.state)
        .join(*joined)
        .where(mine)
        .order_by(ArchiveLookup.created_at.desc())
        .limit(3)
    )
    return Record(
        sum(counts.values()),
        counts.get("approved", 0),
        [(row.number, row.created_at, row.purpose, row.state) for row in latest],
        [copy.number for copy in overdue_copies(user_id)],
    )


@dataclass(frozen=True)
class CustomerLookups:
    """What the customer's page says of look-ups: own open grant, and for heads who has one."""

    own: list[ArchiveGrant]
    others: list[ArchiveGrant]


def of_customer(customer_id: int, actor: Actor) -> CustomerLookups:
    """Grants on a customer that hold now: the actor's own, and those of others he may revoke. One statement."""
    mine_or_revocable = or_(ArchiveGrant.holder_id == actor.user_id, visible(actor, REVOKE))
    statement = _grants_statement().where(mine_or_revocable)
    rows = db.session.scalars(statement, {"customer_id": customer_id}).all()
    return CustomerLookups(
        [row for row in rows if row.holder_id == actor.user_id], [row for row in rows if row.holder_id != actor.user_id]
    )


def any_question(customer_id: int) -> Question:
    """Whether anybody's grant on the customer holds now."""
    return Question(_any_statement(), {"customer_id": customer_id})


@cache
def _any_statement() -> Select[bool]:
    return any_of(ArchiveGrant, ArchiveGrant.customer_id == bindparam("customer_id", type_=Integer), holds())


@cache
def _grants_statement() -> Select[ArchiveGrant]:
    """Grants on a customer that hold now; built once, since every record page asks."""
    return (
        select(ArchiveGrant)
        .where(ArchiveGrant.customer_id == bindparam("customer_id"), holds())
        .order_by(ArchiveGrant.ends_at, ArchiveGrant.id)
        .limit(20)
    )
