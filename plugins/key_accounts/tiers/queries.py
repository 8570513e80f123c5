"""Reads of tiers. `tier_of` and `is_key` are asked for rows that may be shown already; they filter nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Integer, Select, bindparam, case, func, or_, select
from sqlalchemy.orm import joinedload

from plugins.key_accounts.measures.models import CustomerMeasure, MeasureState, PortfolioGroup
from plugins.key_accounts.satisfaction.models import AccountHealth
from plugins.key_accounts.tiers.models import KEY, ORDINARY, ROLES, CustomerTier, TierDecision
from portal.approvals.models import PENDING, ApprovalRequest
from portal.core.permissions import visible
from portal.core.together import Question
from portal.customers.models import Customer, Interaction
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

#: One customer in so many are many for an actor: see `sees_many`.
MANY = 50


@cache
def _tiers_statement() -> Select[int, str]:
    ids: BindParameter[Any] = bindparam("ids", expanding=True)
    return select(CustomerTier.customer_id, CustomerTier.tier).where(
        CustomerTier.customer_id.in_(ids), CustomerTier.tier != ""
    )


def tier_of(customer_ids: Iterable[int]) -> dict[int, str]:
    """Customer → decided tier, in one statement; customers nobody decided on are missing."""
    ids = list(customer_ids)
    if not ids:
        return {}
    return {row.customer_id: row.tier for row in db.session.execute(_tiers_statement(), {"ids": ids})}


@cache
def _tier_statement() -> Select[str]:
    return select(CustomerTier.tier).where(CustomerTier.customer_id == bindparam("customer_id", type_=Integer))


def tier_question(customer_id: int) -> Question:
    """The decided tier of a customer, "" or no row when nobody decided; asked together with other figures."""
    return Question(_tier_statement(), {"customer_id": customer_id})


@cache
def _request_statement() -> Select[int]:
    return (
        select(ApprovalRequest.id)
        .where(
            ApprovalRequest.customer_id == bindparam("customer_id", type_=Integer),
            ApprovalRequest.kind == "key_accounts.tier",
            ApprovalRequest.state == PENDING,
        )
        .order_by(ApprovalRequest.id.desc())
        .limit(1)
    )


def request_question(customer_id: int) -> Question:
    """Id of the request for another tier that waits for a decision."""
    return Question(_request_statement(), {"customer_id": customer_id})


def is_key(customer_id: int) -> bool:
    """Whether a customer is a key account (关键客户) by decision."""
    return tier_of([customer_id]).get(customer_id) == KEY


def tier_row(customer_id: int) -> CustomerTier | None:
    """The tier of a customer with his strategic roles; None when nothing was said about him yet."""
    return db.session.scalars(select(CustomerTier).where(CustomerTier.customer_id == customer_id)).first()


def sees_many(actor: Actor) -> bool:
    """Whether the departments an actor oversees have at least one customer in `MANY`; one statement, none for who
    oversees nothing. A hint for the order of reading; it decides nothing."""
    if not actor.oversees:
        return False
    group = PortfolioGroup
    own = case((group.department_id.in_(sorted(actor.oversees)), group.customers), else_=0)
    every, overseen = db.session.execute(select(func.sum(group.customers), func.sum(own))).one()
    return bool(every) and int(overseen) * MANY >= int(every)


def proposals_of(customer_ids: Iterable[int], actor: Any) -> list[Any]:
    """Visible customers among these with tier, proposal and the figures behind it, the largest first."""
    role = func.coalesce(or_(*(getattr(CustomerTier, name) for name in ROLES)), False)
    return list(
        db.session.execute(
            select(
                Customer.id,
                Customer.name,
                CustomerMeasure.tier,
                CustomerMeasure.proposal,
                CustomerMeasure.sales,
                CustomerMeasure.profit,
                CustomerMeasure.rank,
                CustomerMeasure.repeat_years,
                role.label("has_role"),
            )
            .join(CustomerMeasure, CustomerMeasure.customer_id == Customer.id)
            .outerjoin(CustomerTier, CustomerTier.customer_id == Customer.id)
            .where(Customer.id.in_(list(customer_ids)), visible(actor, "customers.view"))
            .order_by(CustomerMeasure.sales.desc(), Customer.id)
        )
    )


def history_of(customer_id: int) -> list[TierDecision]:
    """Decisions about a customer and those merged into him, the newest first."""
    merged = select(Customer.id).where(Customer.merged_into_id == customer_id)
    statement = (
        select(TierDecision)
        .where(or_(TierDecision.customer_id == customer_id, TierDecision.customer_id.in_(merged)))
        .options(joinedload(TierDecision.by).lazyload(User.roles))
        .order_by(TierDecision.at.desc(), TierDecision.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(statement))


def measure_of(customer_id: int) -> CustomerMeasure | None:
    """The measures of a customer; None when they were not computed yet."""
    return db.session.get(CustomerMeasure, customer_id)


def state() -> MeasureState | None:
    """As of when the measures are; None before the first computation."""
    return db.session.get(MeasureState, 1)


#: Sizes and eases of the priority matrix.
EASES: tuple[tuple[str, tuple[int, ...]], ...] = (("easy", (4, 5)), ("medium", (3,)), ("hard", (1, 2)), ("none", ()))


def priority_matrix(actor: Any) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """(proposed tier, ease) → number and sales of the visible customers with sales or a judged ease; one statement."""
    ease = case(
        (CustomerTier.ease >= 4, "easy"),
        (CustomerTier.ease == 3, "medium"),
        (CustomerTier.ease <= 2, "hard"),
        else_="none",
    ).label("ease")
    rows = db.session.execute(
        select(CustomerMeasure.proposal, ease, func.count(), func.sum(CustomerMeasure.sales))
        .join(Customer, Customer.id == CustomerMeasure.customer_id)
        .outerjoin(CustomerTier, CustomerTier.customer_id == CustomerMeasure.customer_id)
        .where(
            visible(actor, "customers.view"),
            # All key and important proposals; of the ordinary ones those that somebody judged.
            or_(CustomerMeasure.proposal != ORDINARY, CustomerTier.ease.is_not(None)),
        )
        .group_by(CustomerMeasure.proposal, ease)
    )
    return {(row[0], row[1]): (int(row[2]), row[3]) for row in rows}


@dataclass(frozen=True)
class Account:
    """What is kept about a customer. :ivar last_visit: moment of the last visit that took place."""

    measure: CustomerMeasure | None
    tier: CustomerTier | None
    state: MeasureState | None
    health: AccountHealth | None
    last_visit: datetime | None


def account_of(customer_id: int) -> Account:
    """Measures, tier, health and last visit of a customer, and as of when; one statement."""
    visited = (
        select(func.max(Interaction.at))
        .where(Interaction.customer_id == Customer.id, Interaction.kind == "visit", Interaction.cancelled_at.is_(None))
        .correlate(Customer)
        .scalar_subquery()
    )
    statement = (
        select(CustomerMeasure, CustomerTier, MeasureState, AccountHealth, visited)
        .select_from(Customer)
        .outerjoin(CustomerMeasure, CustomerMeasure.customer_id == Customer.id)
        .outerjoin(CustomerTier, CustomerTier.customer_id == Customer.id)
        .outerjoin(MeasureState, MeasureState.id == 1)
        .outerjoin(AccountHealth, AccountHealth.customer_id == Customer.id)
        .where(Customer.id == customer_id)
        .options(joinedload(CustomerTier.decided_by).lazyload(User.roles))
    )
    row = db.session.execute(statement).one()
    return Account(*row)
