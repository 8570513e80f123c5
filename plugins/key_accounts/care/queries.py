"""Reads of care: duties, visits, forecasts, incentives, one's own day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload

from plugins.key_accounts.care.models import (
    OPEN,
    PLANNED,
    CalendarFeed,
    CareDuty,
    DemandForecast,
    DutyRecord,
    ExecutiveVisit,
    Incentive,
    Meeting,
    MeetingAction,
)
from plugins.key_accounts.care.rules import ForecastMonth, compare, light, worst
from plugins.key_accounts.plans.models import OPEN as PLAN_OPEN
from plugins.key_accounts.plans.models import AccountPlan, PlanAction, PlanReview
from portal.core import settings
from portal.core.errors import NotFound
from portal.core.permissions import can, only_visible, visible
from portal.customers.models import Customer, Interaction
from portal.customers.permissions import VIEW
from portal.documents.models import READY, Document
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Purchase, PurchaseMonth


def soon_days() -> int:
    """Days within which a duty is due soon."""
    return int(settings.get("key_accounts.care_soon_days"))


def duties_of(customer_id: int) -> list[CareDuty]:
    """The duties of a customer with their owners."""
    statement = (
        select(CareDuty)
        .where(CareDuty.customer_id == customer_id)
        .options(joinedload(CareDuty.owner).lazyload(User.roles))
    )
    return list(db.session.scalars(statement))


def duty_for(duty_id: int, actor: Actor) -> CareDuty:
    """A duty of a visible customer. :raises NotFound: for all others."""
    row = db.session.get(CareDuty, duty_id)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    return row


def record_for(record_id: int, actor: Actor) -> tuple[DutyRecord, CareDuty]:
    """A note on a duty of a visible customer. :raises NotFound: for all others."""
    row = db.session.get(DutyRecord, record_id)
    if row is None:
        raise NotFound()
    return row, duty_for(row.duty_id, actor)


def records_of(customer_id: int, since: date, until: date) -> list[DutyRecord]:
    """What was done for a customer from one day to another, newest first; notes taken back are left out."""
    statement = (
        select(DutyRecord)
        .join(CareDuty, CareDuty.id == DutyRecord.duty_id)
        .where(
            CareDuty.customer_id == customer_id,
            DutyRecord.done_on.between(since, until),
            DutyRecord.cancelled_at.is_(None),
        )
        .order_by(DutyRecord.done_on.desc(), DutyRecord.id.desc())
        .options(
            joinedload(DutyRecord.by).lazyload(User.roles),
            joinedload(DutyRecord.document),
            joinedload(DutyRecord.purchase),
            joinedload(DutyRecord.interaction),
        )
        .limit(300)
    )
    return list(db.session.scalars(statement))


def lights_of(customer_ids: Iterable[int], today: date) -> dict[int, str]:
    """Customer → traffic light of its duties; one statement. Customers without duties are missing."""
    ids = list(customer_ids)
    if not ids:
        return {}
    found: dict[int, list[str]] = {}
    days = soon_days()
    rows = db.session.execute(
        select(CareDuty.customer_id, CareDuty.is_needed, CareDuty.due_on).where(CareDuty.customer_id.in_(ids))
    )
    for row in rows:
        found.setdefault(row.customer_id, []).append(light(row.is_needed, row.due_on, today, days))
    return {key: worst(lights) for key, lights in found.items()}


def board(actor: Actor, today: date, limit: int = 100) -> list[Any]:
    """Visible customers with duties, those with the most urgent duty first: id, name, manager, first due day."""
    from sqlalchemy import func

    first = func.min(CareDuty.due_on).label("first_due")
    statement = (
        select(Customer.id, Customer.name, User.name.label("manager"), first)
        .join(CareDuty, CareDuty.customer_id == Customer.id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .where(visible(actor, VIEW), CareDuty.is_needed)
        .group_by(Customer.id, Customer.name, User.name)
        .order_by(first, Customer.id)
        .limit(limit)
    )
    return list(db.session.execute(statement))


@dataclass(frozen=True)
class EvidenceChoices:
    """What can be named as evidence: (id, label)."""

    interactions: list[tuple[int, str]]
    purchases: list[tuple[int, str]]
    documents: list[tuple[int, str]]


def evidence_of(customer_id: int, limit: int = 30) -> EvidenceChoices:
    """The latest interactions, purchases and documents of a customer; three statements."""
    from portal.core import clock

    interactions = db.session.execute(
        select(Interaction.id, Interaction.at, Interaction.subject, Interaction.result)
        .where(Interaction.customer_id == customer_id, Interaction.cancelled_at.is_(None))
        .order_by(Interaction.at.desc(), Interaction.id.desc())
        .limit(limit)
    )
    purchases = db.session.execute(
        select(Purchase.id, Purchase.number, Purchase.purchased_on)
        .where(Purchase.customer_id == customer_id, Purchase.cancelled_at.is_(None))
        .order_by(Purchase.purchased_on.desc(), Purchase.id.desc())
        .limit(limit)
    )
    documents = db.session.execute(
        select(Document.id, Document.number, Document.title)
        .where(Document.customer_id == customer_id, Document.state == READY)
        .order_by(Document.id.desc())
        .limit(limit)
    )
    return EvidenceChoices(
        [
            (row.id, f"{clock.local(row.at).strftime('%Y-%m-%d')} · {(row.subject or row.result)[:60]}")
            for row in interactions
        ],
        [(row.id, f"{row.purchased_on} · {row.number}") for row in purchases],
        [(row.id, f"{row.number} · {row.title[:60]}") for row in documents],
    )


# ---- visits --------------------------------------------------------------------------------------------------------


def visit_for(visit_id: int, actor: Actor) -> ExecutiveVisit:
    """A visit to a visible customer. :raises NotFound: for all others."""
    row = db.session.get(
        ExecutiveVisit,
        visit_id,
        options=[joinedload(ExecutiveVisit.customer), joinedload(ExecutiveVisit.executive).lazyload(User.roles)],
    )
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    return row


def visits_between(actor: Actor, begin: datetime, end: datetime, executive_id: int | None = None) -> list[Any]:
    """Visits to visible customers that begin in a time, in order; one statement."""
    statement = only_visible(_visits_statement(executive_id is not None), actor, VIEW)
    return list(db.session.execute(statement, {"begin": begin, "end": end, "executive_id": executive_id}))


@cache
def _visits_statement(of_one: bool) -> Select[*tuple[Any, ...]]:
    """Built once: every home page asks it. :param of_one: only those of the executive `executive_id`."""
    moment = ExecutiveVisit.starts_at.type
    statement = (
        select(
            ExecutiveVisit.id,
            ExecutiveVisit.starts_at,
            ExecutiveVisit.minutes,
            ExecutiveVisit.purpose,
            ExecutiveVisit.place,
            ExecutiveVisit.state,
            ExecutiveVisit.version,
            ExecutiveVisit.executive_id,
            Customer.name.label("customer"),
            User.name.label("executive"),
        )
        .join(Customer, Customer.id == ExecutiveVisit.customer_id)
        .join(User, User.id == ExecutiveVisit.executive_id)
        .where(
            ExecutiveVisit.starts_at >= bindparam("begin", type_=moment),
            ExecutiveVisit.starts_at < bindparam("end", type_=moment),
        )
        .order_by(ExecutiveVisit.starts_at, ExecutiveVisit.id)
        .limit(500)
    )
    return statement.where(ExecutiveVisit.executive_id == bindparam("executive_id")) if of_one else statement


def visits_of(customer_id: int, limit: int = 12) -> list[ExecutiveVisit]:
    """The latest and coming visits to a customer."""
    statement = (
        select(ExecutiveVisit)
        .where(ExecutiveVisit.customer_id == customer_id)
        .order_by(ExecutiveVisit.starts_at.desc(), ExecutiveVisit.id.desc())
        .options(joinedload(ExecutiveVisit.executive).lazyload(User.roles))
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def calendar_visits(actor: Actor, begin: datetime) -> list[Any]:
    """For a person's calendar: visits he makes and visits to his customers, among those he sees; one statement."""
    statement = (
        select(
            ExecutiveVisit.id,
            ExecutiveVisit.starts_at,
            ExecutiveVisit.minutes,
            ExecutiveVisit.purpose,
            ExecutiveVisit.place,
            ExecutiveVisit.state,
            ExecutiveVisit.version,
            Customer.name.label("customer"),
            User.name.label("executive"),
        )
        .join(Customer, Customer.id == ExecutiveVisit.customer_id)
        .join(User, User.id == ExecutiveVisit.executive_id)
        .where(
            ExecutiveVisit.starts_at >= begin,
            visible(actor, VIEW),
            or_(ExecutiveVisit.executive_id == actor.user_id, Customer.account_manager_id == actor.user_id),
        )
        .order_by(ExecutiveVisit.starts_at, ExecutiveVisit.id)
        .limit(500)
    )
    return list(db.session.execute(statement))


def feed_of(user_id: int) -> CalendarFeed | None:
    """The live calendar address of a person."""
    return db.session.scalars(
        select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    ).first()


# ---- forecasts and incentives --------------------------------------------------------------------------------------


def forecast_of(customer_id: int, today: date) -> list[ForecastMonth]:
    """Forecast against actuals of the last twelve and the next six months; two statements."""
    rounds: dict[date, dict[date, Decimal]] = {}
    since = today.replace(year=today.year - 2, day=1)
    for row in db.session.execute(
        select(DemandForecast.made_in, DemandForecast.month, DemandForecast.amount).where(
            DemandForecast.customer_id == customer_id, DemandForecast.made_in >= since
        )
    ):
        rounds.setdefault(row.made_in, {})[row.month] = row.amount
    actuals = {
        (row.year, row.month): row.total
        for row in db.session.execute(
            select(PurchaseMonth.year, PurchaseMonth.month, PurchaseMonth.total).where(
                PurchaseMonth.customer_id == customer_id, PurchaseMonth.year >= today.year - 1
            )
        )
    }
    return compare(rounds, actuals, today)


def present_round(customer_id: int, made_in: date) -> dict[date, Decimal]:
    """What was entered this month already."""
    rows = db.session.execute(
        select(DemandForecast.month, DemandForecast.amount).where(
            DemandForecast.customer_id == customer_id, DemandForecast.made_in == made_in
        )
    )
    return {row.month: row.amount for row in rows}


def incentives_of(customer_id: int) -> list[Incentive]:
    """Incentives, the latest first."""
    return list(
        db.session.scalars(
            select(Incentive)
            .where(Incentive.customer_id == customer_id)
            .order_by(Incentive.valid_until.desc(), Incentive.id.desc())
            .limit(50)
        )
    )


# ---- my day --------------------------------------------------------------------------------------------------------


def agenda(actor: Actor, until: date, limit: int = 60) -> list[Any]:
    """Plan actions, plan reviews, duties and meeting actions of a person that are due; one statement.

    Rows: what ("action", "review", "duty", "meeting"), due, text, customer_id or meeting_id, customer.
    """
    statement, customer_id = _agenda_statement()
    seen = or_(customer_id.is_(None), visible(actor, VIEW))
    parameters = {"user_id": actor.user_id, "until": until, "limit": limit}
    return list(db.session.execute(statement.where(seen), parameters))


@cache
def _agenda_statement() -> tuple[Select[Any], ColumnElement[Any]]:
    """What is due for `user_id` until a day, of all customers, and the column of the customer whose visibility decides.

    Built once: everybody's home page asks it. What was agreed in a meeting, and reviews of one's own customers, go to
    the person whoever sees the customer.
    """
    user_id, until = bindparam("user_id", type_=Integer), bindparam("until", type_=Date)
    nobody, unnamed = cast(null(), Integer), cast(null(), String)
    action = (
        select(
            literal("action").label("what"),
            PlanAction.due_on.label("due"),
            PlanAction.task.label("text"),
            AccountPlan.customer_id.label("key"),
            AccountPlan.customer_id.label("seen_by"),
            unnamed.label("title"),
        )
        .join(AccountPlan, AccountPlan.id == PlanAction.plan_id)
        .where(
            PlanAction.owner_id == user_id,
            PlanAction.state == PLAN_OPEN,
            PlanAction.due_on <= until,
            AccountPlan.live == 1,
        )
    )
    review = (
        select(literal("review"), PlanReview.due_on, AccountPlan.title, Customer.id, nobody, Customer.name)
        .join(AccountPlan, AccountPlan.id == PlanReview.plan_id)
        .join(Customer, Customer.id == AccountPlan.customer_id)
        .where(
            Customer.account_manager_id == user_id,
            PlanReview.held_on.is_(None),
            PlanReview.due_on <= until,
            AccountPlan.live == 1,
        )
    )
    duty = select(
        literal("duty"),
        CareDuty.due_on,
        CareDuty.duty,
        CareDuty.customer_id,
        CareDuty.customer_id,
        unnamed,
    ).where(CareDuty.owner_id == user_id, CareDuty.is_needed, CareDuty.due_on <= until)
    meeting = (
        select(literal("meeting"), MeetingAction.due_on, MeetingAction.task, Meeting.id, nobody, Meeting.title)
        .join(Meeting, Meeting.id == MeetingAction.meeting_id)
        .where(MeetingAction.owner_id == user_id, MeetingAction.state == OPEN, MeetingAction.due_on <= until)
    )
    rows = union_all(action, review, duty, meeting).subquery()
    statement = (
        select(
            rows.c.what, rows.c.due, rows.c.text, rows.c.key, func.coalesce(rows.c.title, Customer.name).label("about")
        )
        .outerjoin(Customer, Customer.id == rows.c.seen_by)
        .order_by(rows.c.due)
        .limit(bindparam("limit", type_=Integer))
    )
    return statement, rows.c.seen_by


def coming_visits(actor: Actor, begin: datetime, end: datetime) -> list[Any]:
    """Planned visits that the actor makes himself."""
    return [row for row in visits_between(actor, begin, end, actor.user_id) if row.state == PLANNED]
