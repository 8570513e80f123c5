"""Reads of account plans and emergency plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import joinedload

from plugins.key_accounts.plans.models import (
    DONE,
    DROPPED,
    OPEN,
    AccountPlan,
    EmergencyPlan,
    IncidentEntry,
    PlanAction,
    PlanReview,
    PlanSection,
    PlanTarget,
    PlanVersion,
)
from plugins.key_accounts.team.models import AccountTeam
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.customers.models import Contact
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.queries import years_of

ZERO = Decimal("0.00")


def live_plan(customer_id: int) -> AccountPlan | None:
    """The present plan of a customer."""
    statement = (
        select(AccountPlan)
        .where(AccountPlan.customer_id == customer_id, AccountPlan.live == 1)
        .options(joinedload(AccountPlan.created_by).lazyload(User.roles))
    )
    return db.session.scalars(statement).first()


@dataclass(frozen=True)
class Plans:
    """The plans of a customer. :ivar live: the present one. :ivar earlier: those put away, newest first.
    :ivar complaint: name of the person to whom the customer complains."""

    live: AccountPlan | None
    earlier: list[AccountPlan]
    has_contacts: bool
    complaint: str


def plans_of(customer_id: int) -> Plans:
    """The plans of a customer with what their page says besides; one statement."""
    complaint = (
        select(User.name)
        .join(AccountTeam, AccountTeam.complaint_id == User.id)
        .where(AccountTeam.customer_id == customer_id)
        .scalar_subquery()
    )
    contacts = select(Contact.id).where(Contact.customer_id == customer_id, Contact.is_active).exists()
    rows = db.session.execute(
        select(AccountPlan, contacts.label("has_contacts"), complaint.label("complaint"))
        .where(AccountPlan.customer_id == customer_id)
        .order_by(AccountPlan.id.desc())
        .limit(20)
    ).all()
    plans = [row[0] for row in rows]
    live = next((plan for plan in plans if plan.live == 1), None)
    return Plans(
        live,
        [plan for plan in plans if plan is not live],
        bool(rows and rows[0].has_contacts),
        (rows[0].complaint or "") if rows else "",
    )


def plan_for(plan_id: int, actor: Actor) -> AccountPlan:
    """A plan of a visible customer. :raises NotFound: for all others."""
    plan = db.session.get(AccountPlan, plan_id, options=[joinedload(AccountPlan.customer)])
    if plan is None or not can(actor, VIEW, plan.customer_id):
        raise NotFound()
    return plan


def sections_of(plan_id: int) -> dict[str, PlanSection]:
    """Key → section."""
    rows = db.session.scalars(
        select(PlanSection)
        .where(PlanSection.plan_id == plan_id)
        .options(joinedload(PlanSection.updated_by).lazyload(User.roles))
    )
    return {row.key: row for row in rows}


def targets_of(plan_id: int) -> dict[str, dict[int, Decimal]]:
    """Measure → year → value."""
    found: dict[str, dict[int, Decimal]] = {}
    rows = db.session.execute(
        select(PlanTarget.measure, PlanTarget.year, PlanTarget.value)
        .where(PlanTarget.plan_id == plan_id)
        .order_by(PlanTarget.id)
    )
    for row in rows:
        found.setdefault(row.measure, {})[row.year] = row.value
    return found


def actions_of(plan_id: int) -> list[PlanAction]:
    """Actions, open ones first, by due day."""
    statement = (
        select(PlanAction)
        .where(PlanAction.plan_id == plan_id)
        .order_by(case((PlanAction.state == OPEN, 0), else_=1), PlanAction.due_on, PlanAction.id)
        .options(joinedload(PlanAction.owner).lazyload(User.roles))
        .limit(300)
    )
    return list(db.session.scalars(statement))


def reviews_of(plan_id: int) -> list[PlanReview]:
    """Review dates, the earliest first."""
    return list(
        db.session.scalars(
            select(PlanReview).where(PlanReview.plan_id == plan_id).order_by(PlanReview.due_on, PlanReview.id)
        )
    )


def versions_of(plan_id: int) -> list[Any]:
    """Kept versions without their content, newest first."""
    statement = (
        select(PlanVersion.id, PlanVersion.number, PlanVersion.occasion, PlanVersion.made_at, User.name)
        .outerjoin(User, User.id == PlanVersion.made_by_id)
        .where(PlanVersion.plan_id == plan_id)
        .order_by(PlanVersion.number.desc())
        .limit(50)
    )
    return list(db.session.execute(statement))


def version_for(version_id: int, actor: Actor) -> tuple[PlanVersion, AccountPlan]:
    """A kept version of a visible customer's plan. :raises NotFound: for all others."""
    version = db.session.get(PlanVersion, version_id)
    if version is None:
        raise NotFound()
    return version, plan_for(version.plan_id, actor)


def action_for(action_id: int, actor: Actor) -> PlanAction:
    """An action of a visible customer's plan. :raises NotFound: for all others."""
    action = db.session.get(PlanAction, action_id)
    if action is None:
        raise NotFound()
    plan_for(action.plan_id, actor)
    return action


def review_for(review_id: int, actor: Actor) -> PlanReview:
    """A review of a visible customer's plan. :raises NotFound: for all others."""
    review = db.session.get(PlanReview, review_id)
    if review is None:
        raise NotFound()
    plan_for(review.plan_id, actor)
    return review


@dataclass(frozen=True)
class Reached:
    """What was reached in a year; yuan."""

    sales: Decimal = ZERO
    margin: Decimal = ZERO
    orders: int = 0


def reached(customer_id: int) -> dict[int, Reached]:
    """Year → sales, gross margin and orders of the customer, from its purchases; one statement."""
    return {row.year: Reached(row.total, row.total - row.cost, row.count) for row in years_of(customer_id)}


@dataclass(frozen=True)
class Investment:
    """Return on what was invested in the account; yuan."""

    invested: Decimal
    margin: Decimal
    orders: int

    @property
    def per_order(self) -> Decimal | None:
        """What each repeat order carries of the investment; None without orders."""
        return (self.invested / self.orders).quantize(Decimal("0.01")) if self.orders else None

    @property
    def times(self) -> Decimal | None:
        """How many times it came back as gross margin; None when nothing was invested."""
        return (self.margin / self.invested).quantize(Decimal("0.01")) if self.invested else None


def investment(plan: AccountPlan, by_year: dict[int, Reached]) -> Investment:
    """Gross margin and orders since the plan's first year against what was invested."""
    years = [by_year[year] for year in by_year if year >= plan.first_year]
    return Investment(plan.invested, sum((year.margin for year in years), ZERO), sum(year.orders for year in years))


@dataclass(frozen=True)
class Progress:
    """How far a plan is: actions done of those not dropped, and how many are overdue."""

    done: int
    total: int
    overdue: int

    @property
    def percent(self) -> int | None:
        """Per cent done; None without actions."""
        return self.done * 100 // self.total if self.total else None


def progress_of(customer_ids: Iterable[int], today: date) -> dict[int, Progress]:
    """Customer → progress of its present plan; one statement. Customers without a plan are missing."""
    ids = list(customer_ids)
    if not ids:
        return {}
    rows = db.session.execute(
        select(
            AccountPlan.customer_id,
            func.sum(case((PlanAction.state == DONE, 1), else_=0)),
            func.count(PlanAction.id),
            func.sum(case((and_(PlanAction.state == OPEN, PlanAction.due_on < today), 1), else_=0)),
        )
        .outerjoin(PlanAction, and_(PlanAction.plan_id == AccountPlan.id, PlanAction.state != DROPPED))
        .where(AccountPlan.customer_id.in_(ids), AccountPlan.live == 1)
        .group_by(AccountPlan.customer_id)
    )
    return {row[0]: Progress(int(row[1] or 0), int(row[2]), int(row[3] or 0)) for row in rows}


def emergencies_of(customer_id: int) -> list[EmergencyPlan]:
    """Emergency plans of a customer, those in use first."""
    statement = (
        select(EmergencyPlan)
        .where(EmergencyPlan.customer_id == customer_id)
        .order_by(EmergencyPlan.is_active.desc(), EmergencyPlan.incident, EmergencyPlan.id)
        .options(joinedload(EmergencyPlan.user).lazyload(User.roles), joinedload(EmergencyPlan.contact))
    )
    return list(db.session.scalars(statement))


def emergency_for(emergency_id: int, actor: Actor) -> EmergencyPlan:
    """An emergency plan of a visible customer. :raises NotFound: for all others."""
    row = db.session.get(EmergencyPlan, emergency_id)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    return row


def incidents_of(emergency_ids: list[int]) -> dict[int, list[IncidentEntry]]:
    """Emergency plan → its log, newest first; one statement."""
    found: dict[int, list[IncidentEntry]] = {}
    if not emergency_ids:
        return found
    statement = (
        select(IncidentEntry)
        .where(IncidentEntry.emergency_id.in_(emergency_ids))
        .order_by(IncidentEntry.id.desc())
        .options(joinedload(IncidentEntry.by).lazyload(User.roles))
        .limit(200)
    )
    for row in db.session.scalars(statement):
        found.setdefault(row.emergency_id, []).append(row)
    return found
