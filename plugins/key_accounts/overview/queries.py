"""Sums over the key accounts that somebody may see, and what a review pack holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import case, func, select

from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.opportunities.models import Opportunity
from plugins.key_accounts.satisfaction.models import AccountHealth
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, CustomerTier
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.remembered import remembered
from portal.extensions import db
from portal.org.actor import Actor

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Summary:
    """Key and important customers together; money in yuan over twelve months."""

    key: int
    important: int
    sales: Decimal
    sales_before: Decimal
    profit: Decimal
    in_danger: int
    health: int | None


def summary(actor: Actor) -> Summary:
    """Sums over the visible key and important customers; one statement at most."""
    return remembered(actor, "key_accounts.summary", (), lambda: _summary(actor)).value


def _summary(actor: Actor) -> Summary:
    row = db.session.execute(
        select(
            func.sum(case((CustomerTier.tier == KEY, 1), else_=0)),
            func.sum(case((CustomerTier.tier == IMPORTANT, 1), else_=0)),
            func.sum(CustomerMeasure.sales),
            func.sum(CustomerMeasure.sales_before),
            func.sum(CustomerMeasure.profit),
            func.sum(case((AccountHealth.score < 40, 1), else_=0)),
            func.sum(AccountHealth.score),
            func.count(AccountHealth.score),
        )
        .select_from(CustomerTier)
        .join(Customer, Customer.id == CustomerTier.customer_id)
        .join(CustomerMeasure, CustomerMeasure.customer_id == CustomerTier.customer_id)
        .outerjoin(AccountHealth, AccountHealth.customer_id == CustomerTier.customer_id)
        .where(CustomerTier.tier.in_((KEY, IMPORTANT)), visible(actor, "customers.view"))
    ).one()
    count = int(row[7] or 0)
    return Summary(
        int(row[0] or 0),
        int(row[1] or 0),
        row[2] if row[2] is not None else ZERO,
        row[3] if row[3] is not None else ZERO,
        row[4] if row[4] is not None else ZERO,
        int(row[5] or 0),
        (2 * int(row[6]) + count) // (2 * count) if count else None,
    )


def open_sums(customer_ids: Sequence[int]) -> dict[int, Decimal]:
    """Customer → amount of his open opportunities, yuan a year, not weighted; one statement."""
    rows = db.session.execute(
        select(Opportunity.customer_id, func.sum(Opportunity.amount))
        .where(Opportunity.customer_id.in_(list(customer_ids)), Opportunity.closed_at.is_(None))
        .group_by(Opportunity.customer_id)
    )
    return {row[0]: row[1] for row in rows}


def open_opportunities(customer_id: int) -> list[Opportunity]:
    """Open opportunities of a customer, the largest first."""
    statement = (
        select(Opportunity)
        .where(Opportunity.customer_id == customer_id, Opportunity.closed_at.is_(None))
        .order_by(Opportunity.amount.desc(), Opportunity.id)
        .limit(30)
    )
    return list(db.session.scalars(statement))
