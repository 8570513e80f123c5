"""Reads of this plugin. What an actor sees follows the customers he may view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Select, and_, bindparam, extract, func, or_, select, union

from plugins.vip.conditions import (
    ALL_GRADES,
    CALENDAR_MONTH,
    RANK,
    Bought,
    Met,
    Policy,
    met_by_purchases,
    months_before,
)
from plugins.vip.conditions import rank_suffices as rank_rule
from plugins.vip.models import (
    ACTIVE,
    SUSPENDED,
    VipApplication,
    VipMembership,
    VipMembershipEvent,
    VipPointEntry,
)
from portal.approvals.models import DRAFT, EXPIRED, PENDING, REJECTED, RETURNED, WITHDRAWN, ApprovalRequest
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import only_visible, visible
from portal.core.together import Question, any_of
from portal.customers.models import Contact, Customer
from portal.customers.vocabulary import RANK_ORDER
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Purchase

LIVE = (ACTIVE, SUSPENDED)


@dataclass(frozen=True)
class PersonWithRank:
    """A contact whose rank lets him apply directly."""

    contact_id: int
    name: str
    rank: str


@dataclass(frozen=True)
class Assessment:
    """What the portal itself finds about a customer's claim to membership."""

    met: tuple[Met, ...]
    people: tuple[PersonWithRank, ...]
    live: VipMembership | None
    pending_request_id: int | None


def purchases_of(customer_id: int, since: date | None = None) -> list[Bought]:
    """The customer's purchases that were not cancelled, oldest first."""
    statement = select(
        Purchase.id, Purchase.number, Purchase.purchased_on, Purchase.total, Purchase.total_high_middle
    ).where(Purchase.customer_id == customer_id, Purchase.cancelled_at.is_(None))
    if since is not None:
        statement = statement.where(Purchase.purchased_on > since)
    rows = db.session.execute(statement.order_by(Purchase.purchased_on, Purchase.id))
    return [Bought(row.id, row.number, row.purchased_on, row.total, row.total_high_middle) for row in rows]


def assess(customer_id: int, policy: Policy) -> Assessment:
    """Which conditions the customer meets today, with the evidence."""
    today = clock.today()
    bought = purchases_of(customer_id, months_before(today, policy.lookback_months))
    return Assessment(
        met=tuple(met_by_purchases(policy, bought, today)),
        people=tuple(people_with_rank(customer_id, policy)),
        live=current_membership(customer_id),
        pending_request_id=pending_request(customer_id),
    )


def people_with_rank(customer_id: int, policy: Policy) -> list[PersonWithRank]:
    """Active contacts of the customer whose rank suffices."""
    rows = db.session.execute(
        select(Contact.id, Contact.name, Contact.rank, Contact.employer_kind)
        .where(Contact.customer_id == customer_id, Contact.is_active, Contact.rank != "")
        .order_by(Contact.name_sort, Contact.id)
    )
    return [
        PersonWithRank(row.id, row.name, row.rank)
        for row in rows
        if rank_rule(policy, row.employer_kind, row.rank, dict(RANK_ORDER))
    ]


def live_membership(customer_id: int, contact_id: int | None = None) -> VipMembership | None:
    """The active or suspended membership of the customer itself, or of one of its people."""
    member = VipMembership.contact_id.is_(None) if contact_id is None else VipMembership.contact_id == contact_id
    return db.session.scalars(
        select(VipMembership).where(VipMembership.customer_id == customer_id, member, VipMembership.state.in_(LIVE))
    ).first()


def current_membership(customer_id: int, contact_id: int | None = None) -> VipMembership | None:
    """The same, when its term is not over: right even when the nightly job did not run."""
    found = live_membership(customer_id, contact_id)
    return found if found is not None and found.valid_until >= clock.today() else None


def memberships_of(customer_id: int) -> list[VipMembership]:
    """All memberships of a customer and its people, live ones first."""
    return list(db.session.scalars(_memberships_statement(), {"customer_id": customer_id}))


def pending_request(customer_id: int) -> int | None:
    """Id of a request about this customer that waits for a decision."""
    return db.session.scalar(_pending_statement(), {"customer_id": customer_id})


# Statements that every page of a customer asks are built once.


@cache
def badge_statement() -> Select[int, str]:
    """(customer id, level) of memberships that hold on `today`, of some `customer_ids`."""
    today = bindparam("today", type_=VipMembership.valid_from.type)
    return select(VipMembership.customer_id, VipMembership.level).where(
        VipMembership.customer_id.in_(bindparam("customer_ids", expanding=True)),
        VipMembership.state == ACTIVE,
        VipMembership.valid_from <= today,
        VipMembership.valid_until >= today,
    )


def figures_of(customer_id: int) -> dict[str, Question]:
    """Level of a membership that holds today, and the request that waits, for the customer's page."""
    parameters = {"customer_id": customer_id}
    return {
        "vip.level": Question(_level_statement(), {**parameters, "today": clock.today()}),
        "vip.pending": Question(_pending_statement(), parameters),
        "vip.any": Question(_any_statement(), parameters),
    }


@cache
def _any_statement() -> Select[bool]:
    """Whether the customer ever had a membership."""
    return any_of(VipMembership, VipMembership.customer_id == bindparam("customer_id", type_=Integer))


@cache
def _level_statement() -> Select[str]:
    today = bindparam("today", type_=VipMembership.valid_from.type)
    return (
        select(VipMembership.level)
        .where(
            VipMembership.customer_id == bindparam("customer_id", type_=Integer),
            VipMembership.state == ACTIVE,
            VipMembership.valid_from <= today,
            VipMembership.valid_until >= today,
        )
        .order_by(VipMembership.id.desc())
        .limit(1)
    )


@cache
def events_statement(older: bool) -> Select[datetime, str, str, str, int, str]:
    """What happened to the memberships of `customer_id`, newest first, at most `limit`; `older` than `before`."""
    statement = (
        select(
            VipMembershipEvent.at,
            VipMembershipEvent.kind,
            VipMembershipEvent.reason,
            VipMembership.number,
            VipMembership.id,
            User.name,
        )
        .join(VipMembership, VipMembership.id == VipMembershipEvent.membership_id)
        .outerjoin(User, User.id == VipMembershipEvent.by_id)
        .where(VipMembership.customer_id == bindparam("customer_id"))
        .order_by(VipMembershipEvent.at.desc(), VipMembershipEvent.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )
    if older:
        statement = statement.where(VipMembershipEvent.at < bindparam("before", type_=VipMembershipEvent.at.type))
    return statement


@cache
def _memberships_statement() -> Select[VipMembership]:
    return (
        select(VipMembership)
        .where(VipMembership.customer_id == bindparam("customer_id"))
        .order_by(VipMembership.state, VipMembership.id.desc())
    )


@cache
def _pending_statement() -> Select[int]:
    return (
        select(ApprovalRequest.id)
        .where(
            ApprovalRequest.customer_id == bindparam("customer_id", type_=Integer),
            ApprovalRequest.kind.like("vip.%"),
            ApprovalRequest.state == PENDING,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )


def is_waiting(customer_id: int, contact_id: int | None) -> bool:
    """Whether an application for the customer itself, or for one of its people, waits for a decision."""
    member = VipApplication.contact_id.is_(None) if contact_id is None else VipApplication.contact_id == contact_id
    statement = (
        select(VipApplication.id)
        .join(ApprovalRequest, ApprovalRequest.id == VipApplication.request_id)
        .where(VipApplication.customer_id == customer_id, member, ApprovalRequest.state == PENDING)
        .limit(1)
    )
    return db.session.scalar(statement) is not None


def load_membership(membership_id: int, actor: Actor) -> VipMembership:
    """A membership of a customer that the actor may view. :raises NotFound: otherwise."""
    membership = db.session.scalars(
        select(VipMembership)
        .join(Customer, Customer.id == VipMembership.customer_id)
        .where(VipMembership.id == membership_id, visible(actor, "customers.view"))
    ).first()
    if membership is None:
        raise NotFound()
    return membership


def load_application(application_id: int) -> VipApplication:
    """An application. :raises NotFound: when there is none."""
    application = db.session.get(VipApplication, application_id)
    if application is None:
        raise NotFound()
    return application


def history_of(membership_id: int) -> Sequence[VipMembershipEvent]:
    """What happened to a membership, newest first."""
    statement = select(VipMembershipEvent).where(VipMembershipEvent.membership_id == membership_id)
    return list(db.session.scalars(statement.order_by(VipMembershipEvent.id.desc()).limit(200)))


def ledger_of(membership_id: int, limit: int = 100) -> Sequence[VipPointEntry]:
    """The newest lines of the points ledger."""
    statement = select(VipPointEntry).where(VipPointEntry.membership_id == membership_id)
    return list(db.session.scalars(statement.order_by(VipPointEntry.id.desc()).limit(limit)))


def qualifying_customers(policy: Policy, today: date) -> Select[int]:
    """Ids of customers that can meet a purchase condition: a superset, computed in SQL, checked exactly afterwards."""
    since = months_before(today, policy.lookback_months)
    amount = Purchase.total if policy.grades == ALL_GRADES else Purchase.total_high_middle
    recent = and_(Purchase.cancelled_at.is_(None), Purchase.purchased_on > since, Purchase.purchased_on <= today)
    parts = []
    if policy.single_enabled:
        parts.append(select(Purchase.customer_id).where(recent, amount >= policy.single_minimum))
    if policy.period_enabled:
        grouped = select(Purchase.customer_id).where(recent)
        if policy.period == CALENDAR_MONTH:
            day = Purchase.purchased_on
            grouped = grouped.group_by(Purchase.customer_id, extract("year", day), extract("month", day))
        else:
            grouped = grouped.group_by(Purchase.customer_id)
        parts.append(grouped.having(func.sum(amount) >= policy.period_minimum))
    if not parts:
        return select(Purchase.customer_id).where(Purchase.id < 0)
    found = union(*parts).subquery()
    return select(found.c.customer_id)


def without_membership(statement: Select[int]) -> Select[int]:
    """Leave out customers that are members, were proposed or applied and wait, and merged ones."""
    ids = statement.subquery()
    member = select(VipMembership.customer_id).where(VipMembership.contact_id.is_(None), *_counts_today())
    waiting = select(ApprovalRequest.customer_id).where(
        ApprovalRequest.kind.like("vip.%"), ApprovalRequest.state == PENDING, ApprovalRequest.customer_id.is_not(None)
    )
    return (
        select(Customer.id)
        .join(ids, ids.c.customer_id == Customer.id)
        .where(Customer.status != "merged", Customer.id.not_in(member), Customer.id.not_in(waiting))
        .order_by(Customer.id)
    )


def _counts_today() -> tuple[ColumnElement[bool], ...]:
    """Memberships that are live and whose term is not over."""
    return VipMembership.state.in_(LIVE), VipMembership.valid_until >= clock.today()


def contacts_with_rank(policy: Policy) -> list[tuple[int, int, str]]:
    """(contact, customer, rank) of everybody whose rank suffices, who is no member yet and for whom nothing waits."""
    if not policy.rank_enabled:
        return []
    ranks = [rank for rank, order in RANK_ORDER.items() if order >= RANK_ORDER[policy.rank_minimum]]
    member = select(VipMembership.contact_id).where(VipMembership.contact_id.is_not(None), *_counts_today())
    waiting = (
        select(VipApplication.contact_id)
        .join(ApprovalRequest, ApprovalRequest.id == VipApplication.request_id)
        .where(VipApplication.contact_id.is_not(None), ApprovalRequest.state == PENDING)
    )
    rows = db.session.execute(
        select(Contact.id, Contact.customer_id, Contact.rank)
        .join(Customer, Customer.id == Contact.customer_id)
        .where(
            Contact.is_active,
            Contact.employer_kind == "administrative",
            Contact.rank.in_(ranks),
            Contact.id.not_in(member),
            Contact.id.not_in(waiting),
            Customer.status != "merged",
        )
    )
    return [(row.id, row.customer_id, row.rank) for row in rows]


def ending(actor: Actor, until: date, limit: int) -> Sequence[Any]:
    """Active memberships of visible customers that end by a day, the first first; one statement.

    Rows: id, number, valid_until, level, name (of the customer).
    """
    statement = only_visible(_ending_statement(), actor, "customers.view")
    return db.session.execute(statement, {"until": until, "limit": limit}).all()


@cache
def _ending_statement() -> Select[*tuple[Any, ...]]:
    """Built once: every home page asks it."""
    return (
        select(VipMembership.id, VipMembership.number, VipMembership.valid_until, VipMembership.level, Customer.name)
        .join(Customer, Customer.id == VipMembership.customer_id)
        .where(VipMembership.state == ACTIVE, VipMembership.valid_until <= bindparam("until", type_=Date))
        .order_by(VipMembership.valid_until, VipMembership.id)
        .limit(bindparam("limit", type_=Integer))
    )


def expiring(until: date) -> list[VipMembership]:
    """Active memberships that end by a day, and suspended ones whose term is over."""
    ends = or_(
        and_(VipMembership.state == ACTIVE, VipMembership.valid_until <= until),
        and_(VipMembership.state == SUSPENDED, VipMembership.valid_until < clock.today()),
    )
    return list(db.session.scalars(select(VipMembership).where(ends).order_by(VipMembership.id)))


def term_assessment(membership: VipMembership, policy: Policy) -> Met | None:
    """The best condition met within the membership's term; for a person, the rank as it is now."""
    today = clock.today()
    if membership.contact_id is not None:
        contact = db.session.get(Contact, membership.contact_id)
        if contact and contact.is_active and rank_rule(policy, contact.employer_kind, contact.rank, dict(RANK_ORDER)):
            return Met(RANK)
        return None
    since = max(months_before(today, policy.lookback_months), membership.valid_from)
    found = met_by_purchases(policy, [b for b in purchases_of(membership.customer_id) if b.day >= since], today)
    return found[0] if found else None


def renewal_of_term(membership_id: int) -> ApprovalRequest | None:
    """The newest round of the renewal that was asked for in the present term."""
    return db.session.scalars(
        select(ApprovalRequest)
        .join(VipApplication, VipApplication.request_id == ApprovalRequest.id)
        .where(
            ApprovalRequest.kind == "vip.renewal",
            VipApplication.membership_id == membership_id,
            VipApplication.created_at >= _term_begin(membership_id),
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    ).first()


def changed_evidence(application: VipApplication) -> dict[int, str]:
    """Purchases of the evidence that are no longer what they were: id → "cancelled" or "changed"; one statement."""
    kept = {item.purchase_id: item.amount for item in application.evidence}
    if not kept:
        return {}
    rows = db.session.execute(
        select(Purchase.id, Purchase.cancelled_at, Purchase.total, Purchase.total_high_middle).where(
            Purchase.id.in_(sorted(kept))
        )
    )
    found = {}
    for row in rows:
        if row.cancelled_at is not None:
            found[row.id] = "cancelled"
        elif kept[row.id] not in (row.total, row.total_high_middle):
            found[row.id] = "changed"
    return found


def earlier_round(kind: str, actor: Actor, customer_id: int, scope: str) -> ApprovalRequest | None:
    """The actor's own last request about the same member, when it ended without a membership: the next is its next
    round."""
    last = db.session.scalars(
        select(ApprovalRequest)
        .where(
            ApprovalRequest.kind == kind,
            ApprovalRequest.applicant_id == actor.user_id,
            ApprovalRequest.subject_type == "customer",
            ApprovalRequest.subject_id == customer_id,
            ApprovalRequest.scope == scope,
            ApprovalRequest.state != DRAFT,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    ).first()
    return last if last is not None and last.state in (RETURNED, REJECTED, WITHDRAWN, EXPIRED) else None


def _term_begin(membership_id: int):  # type: ignore[no-untyped-def]
    """When the present term was granted: renewals asked for before belong to earlier terms."""
    return (
        select(func.max(VipMembershipEvent.at))
        .where(
            VipMembershipEvent.membership_id == membership_id,
            VipMembershipEvent.kind.in_(("granted", "renewed")),
        )
        .scalar_subquery()
    )
