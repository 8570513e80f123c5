"""The purchases of one customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select, tuple_

from portal.core import clock
from portal.extensions import db
from portal.org.models import User
from portal.purchases.models import Product, Purchase, PurchaseLine, PurchaseMonth
from portal.purchases.periods import Month, Period
from portal.purchases.queries.base import ZERO, ProductSum, within
from portal.purchases.rhythm import Rhythm, rhythm_of

#: Rows of a customer's purchases on one page.
PAGE = 30

#: Purchases from which the rhythm is told.
RHYTHM_PURCHASES = 40

#: Day and id of the last row seen.
Cursor = tuple[date, int]


def purchases_of(customer_id: int, cursor: Cursor | None, limit: int = PAGE) -> tuple[list[Any], Cursor | None]:
    """A customer's purchases, newest first, and where the next page begins. The caller checked the customer."""
    statement = (
        select(
            Purchase.id,
            Purchase.number,
            Purchase.purchased_on,
            Purchase.paid_on,
            Purchase.cancelled_at,
            Purchase.total,
            Purchase.cost,
            Purchase.total_high_middle,
        )
        .where(Purchase.customer_id == customer_id)
        .order_by(Purchase.purchased_on.desc(), Purchase.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        statement = statement.where(tuple_(Purchase.purchased_on, Purchase.id) < tuple_(*cursor))
    rows = list(db.session.execute(statement))
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, (rows[-1].purchased_on, rows[-1].id) if more else None


@dataclass(frozen=True)
class YearSum:
    """What a customer bought in a calendar year."""

    year: int
    total: Decimal
    cost: Decimal
    total_high_middle: Decimal
    count: int


def years_of(customer_id: int) -> list[YearSum]:
    """Sums by calendar year, the latest first."""
    month = PurchaseMonth
    rows = db.session.execute(
        select(
            month.year,
            func.sum(month.total),
            func.sum(month.cost),
            func.sum(month.total_high_middle),
            func.sum(month.count),
        )
        .where(month.customer_id == customer_id)
        .group_by(month.year)
        .order_by(month.year.desc())
    )
    return [YearSum(*row[:4], int(row[4])) for row in rows]


def months_of_customer(customer_id: int, period: Period) -> list[tuple[Month, Decimal]]:
    """Sales of each month of a period, months without sales included."""
    rows = db.session.execute(
        select(PurchaseMonth.year, PurchaseMonth.month, PurchaseMonth.total).where(
            PurchaseMonth.customer_id == customer_id, within(period)
        )
    )
    found = {(row.year, row.month): row.total for row in rows}
    return [(month, found.get(month, ZERO)) for month in period.months]


def favourites_of(customer_id: int, since: date, limit: int = 8) -> list[ProductSum]:
    """What a customer buys most, by amount, since a day."""
    total = func.sum(PurchaseLine.amount)
    rows = db.session.execute(
        select(
            Product.id,
            Product.code,
            Product.name,
            Product.category,
            Product.unit,
            func.sum(PurchaseLine.quantity),
            total,
            func.max(Purchase.purchased_on),
        )
        .join(PurchaseLine, PurchaseLine.product_id == Product.id)
        .join(Purchase, Purchase.id == PurchaseLine.purchase_id)
        .where(Purchase.customer_id == customer_id, Purchase.cancelled_at.is_(None), Purchase.purchased_on >= since)
        .group_by(Product.id, Product.code, Product.name, Product.category, Product.unit)
        .order_by(total.desc(), Product.id)
        .limit(limit)
    )
    return [ProductSum(*row[:5], int(row[5]), row[6], ZERO, row[7]) for row in rows]


@dataclass(frozen=True)
class Glance:
    """The last purchases of a customer and what they tell."""

    last: list[Any]
    rhythm: Rhythm | None


def glance_of(customer_id: int, shown: int = 4) -> Glance:
    """The last purchases and the buying rhythm, in one statement."""
    rows = list(db.session.execute(_glance_statement(), {"customer_id": customer_id}))
    return Glance(rows[:shown], rhythm_of((row.purchased_on for row in rows), clock.today()))


@cache
def _glance_statement() -> Select[int, str, date, date | None, Decimal]:
    """Built once: every page of a customer asks it."""
    return (
        select(Purchase.id, Purchase.number, Purchase.purchased_on, Purchase.paid_on, Purchase.total)
        .where(Purchase.customer_id == bindparam("customer_id"), Purchase.cancelled_at.is_(None))
        .order_by(Purchase.purchased_on.desc(), Purchase.id.desc())
        .limit(RHYTHM_PURCHASES)
    )


def noon_of(day: date) -> datetime:
    """The moment under which a purchase stands in the time line: noon of its day, where only the day is known."""
    return datetime.combine(day, time(12), tzinfo=clock.zone())


def timeline_of(customer_id: int, before: datetime | None, limit: int) -> list[Any]:
    """A customer's purchases for the time line, newest first."""
    if before is None:
        return list(db.session.execute(_timeline_statement(), {"customer_id": customer_id, "limit": limit}))
    day = clock.local(before).date()
    earlier = Purchase.purchased_on <= day if noon_of(day) < before else Purchase.purchased_on < day
    return list(db.session.execute(_timeline_statement().where(earlier), {"customer_id": customer_id, "limit": limit}))


@cache
def _timeline_statement() -> Select[int, str, date, date | None, datetime | None, Decimal, str]:
    """Built once: every page of a customer asks it."""
    return (
        select(
            Purchase.id,
            Purchase.number,
            Purchase.purchased_on,
            Purchase.paid_on,
            Purchase.cancelled_at,
            Purchase.total,
            User.name.label("author"),
        )
        .outerjoin(User, User.id == Purchase.created_by_id)
        .where(Purchase.customer_id == bindparam("customer_id"))
        .order_by(Purchase.purchased_on.desc(), Purchase.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )
