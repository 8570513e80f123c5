"""Keeps the purchase summary of customers true: sum of twelve months, last purchase, count.

Lists sort and filter by these columns of the customer, so that no list ever adds up purchases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import case, func, select, update

from portal.core import clock
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases.models import Purchase

#: Customers whose summary is computed by one statement.
CHUNK = 500


def twelve_months_before(day: date) -> date:
    """The first day of the last twelve months: the same day a year ago, plus one (28 February for a leap day)."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def refresh(customer_ids: Sequence[int]) -> None:
    """Compute the summaries of these customers anew (inside the caller's transaction)."""
    since = twelve_months_before(clock.today())
    for start in range(0, len(customer_ids), CHUNK):
        _refresh_chunk(list(customer_ids[start : start + CHUNK]), since)


def _refresh_chunk(ids: list[int], since: date) -> None:
    db.session.flush()
    recent = case((Purchase.purchased_on > since, Purchase.total), else_=0)
    sums = {
        row.customer_id: row
        for row in db.session.execute(
            select(
                Purchase.customer_id,
                func.sum(recent).label("total"),
                func.max(Purchase.purchased_on).label("last"),
                func.count().label("count"),
            )
            .where(Purchase.customer_id.in_(ids), Purchase.cancelled_at.is_(None))
            .group_by(Purchase.customer_id)
        )
    }
    present = db.session.execute(
        select(Customer.id, Customer.total_12m, Customer.last_purchase_on, Customer.purchase_count).where(
            Customer.id.in_(ids)
        )
    ).all()
    for row in present:
        found = sums.get(row.id)
        wanted = (found.total, found.last, found.count) if found else (0, None, 0)
        if wanted != (row.total_12m, row.last_purchase_on, row.purchase_count):
            # A plain UPDATE: the summary is no edit of the record and must not collide with one.
            db.session.execute(
                update(Customer)
                .where(Customer.id == row.id)
                .values(total_12m=wanted[0], last_purchase_on=wanted[1], purchase_count=wanted[2])
                .execution_options(synchronize_session=False)
            )
    for instance in list(db.session):
        if isinstance(instance, Customer) and instance.id in set(ids):
            db.session.expire(instance, ["total_12m", "last_purchase_on", "purchase_count"])


def stale_customers(limit: int) -> list[int]:
    """Customers whose twelve-month sum holds a purchase that has meanwhile become older than that."""
    since = twelve_months_before(clock.today())
    recent = func.coalesce(
        func.sum(case((Purchase.purchased_on > since, Purchase.total), else_=0)), 0
    )
    totals = (
        select(Purchase.customer_id, recent.label("total"))
        .where(Purchase.cancelled_at.is_(None))
        .group_by(Purchase.customer_id)
        .subquery()
    )
    statement = (
        select(Customer.id)
        .join(totals, totals.c.customer_id == Customer.id)
        .where(Customer.total_12m != totals.c.total)
        .limit(limit)
    )
    return list(db.session.scalars(statement))
