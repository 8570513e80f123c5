"""Sums over many customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    select,
    type_coerce,
)

from portal.core import clock
from portal.core.database import Money
from portal.core.permissions import visible
from portal.customers.groups import asked_of_groups
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.customers.remembered import Figure, remembered
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User
from portal.purchases.models import Product, Purchase, PurchaseGroupMonth, PurchaseLine, PurchaseMonth
from portal.purchases.periods import Month, Period
from portal.purchases.queries.base import ZERO, Months, ProductSum, within

TOP = 10


@dataclass(frozen=True)
class BuyerSum:
    """How much of a product a customer bought."""

    customer_id: int
    name: str
    quantity: int
    total: Decimal
    last_on: date


def buyers_of(actor: Actor, product_id: int, since: date, limit: int = 20) -> Figure[list[BuyerSum]]:
    """The visible customers who bought most of a product since a day."""

    def compute() -> list[BuyerSum]:
        total = func.sum(PurchaseLine.amount)
        rows = db.session.execute(
            select(Customer.id, Customer.name, func.sum(PurchaseLine.quantity), total, func.max(Purchase.purchased_on))
            .join(Purchase, Purchase.customer_id == Customer.id)
            .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
            .where(
                PurchaseLine.product_id == product_id,
                Purchase.cancelled_at.is_(None),
                Purchase.purchased_on >= since,
                visible(actor, VIEW),
            )
            .group_by(Customer.id, Customer.name)
            .order_by(total.desc(), Customer.id)
            .limit(limit)
        )
        return [BuyerSum(row[0], row[1], int(row[2]), row[3], row[4]) for row in rows]

    return remembered(actor, "buyers", (product_id, since, limit), compute)


@dataclass(frozen=True)
class Sums:
    """Sums over purchases, in yuan; `count`: number of purchases."""

    total: Decimal = ZERO
    cost: Decimal = ZERO
    total_high_middle: Decimal = ZERO
    count: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.total + other.total,
            self.cost + other.cost,
            self.total_high_middle + other.total_high_middle,
            self.count + other.count,
        )

    @property
    def margin(self) -> Decimal:
        """Gross margin: total less cost."""
        return self.total - self.cost

    @property
    def share_high_middle(self) -> int | None:
        """Part in products of high or middle grade, in percent, rounded; None without sales."""
        return share(self.total_high_middle, self.total)


def share(part: Decimal, whole: Decimal) -> int | None:
    """A part in percent, rounded half up; None when there is no whole."""
    if not whole:
        return None
    return int((part * 100 / whole).to_integral_value(rounding="ROUND_HALF_UP"))


def _sum_columns(month: Months) -> tuple[Any, ...]:
    return tuple(func.sum(column) for column in (month.total, month.cost, month.total_high_middle, month.count))


def _sums(row: Any, start: int) -> Sums:
    total, cost, better, count = row[start : start + 4]
    return Sums(total, cost, better, int(count))


def _month_sums(actor: Actor, period: Period, by_owner: bool) -> list[Any]:
    """Rows of (department, account manager,) year, month and sums of the visible customers."""
    sight = visible(actor, VIEW)
    in_groups = asked_of_groups(sight, PurchaseGroupMonth)
    month: Months = PurchaseMonth if in_groups is None else PurchaseGroupMonth
    owner: Any = Customer if in_groups is None else PurchaseGroupMonth
    key = (*((owner.department_id, owner.account_manager_id) if by_owner else ()), month.year, month.month)
    statement = select(*key, *_sum_columns(month)).where(within(period, month)).group_by(*key)
    if in_groups is None:
        statement = statement.join(Customer, Customer.id == PurchaseMonth.customer_id).where(sight)
    else:
        statement = statement.where(in_groups)
    # Groups that lost all their purchases stay with zeros.
    return list(db.session.execute(statement.having(func.sum(month.count) > 0)))


def sales_by_month(actor: Actor, period: Period) -> Figure[dict[Month, Sums]]:
    """Sums of the visible customers for each month of a period that has sales."""

    def compute() -> dict[Month, Sums]:
        return {(row[0], row[1]): _sums(row, 2) for row in _month_sums(actor, period, by_owner=False)}

    return remembered(actor, "months", (period.first, period.last), compute)


@dataclass(frozen=True)
class Cube:
    """Sums by owning department, account manager and month, and what follows from them."""

    cells: dict[tuple[int, int | None, Month], Sums] = field(default_factory=dict)

    def by_month(self) -> dict[Month, Sums]:
        """Sums of each month."""
        return self._by(2)

    def by_department(self) -> dict[int, Sums]:
        """Sums of each department."""
        return self._by(0)

    def by_manager(self) -> dict[int | None, Sums]:
        """Sums of each account manager; None: customers that nobody looks after."""
        return self._by(1)

    def _by(self, position: int) -> dict[Any, Sums]:
        found: dict[Any, Sums] = defaultdict(Sums)
        for key, sums in self.cells.items():
            found[key[position]] += sums
        return dict(found)


def sales_cube(actor: Actor, period: Period) -> Figure[Cube]:
    """Sums of the visible customers by present department and account manager, and by month."""

    def compute() -> Cube:
        rows = _month_sums(actor, period, by_owner=True)
        return Cube({(row[0], row[1], (row[2], row[3])): _sums(row, 4) for row in rows})

    return remembered(actor, "cube", (period.first, period.last), compute)


@dataclass(frozen=True)
class CustomerSum:
    """What one customer bought in a period."""

    customer_id: int
    name: str
    sums: Sums


def top_customers(actor: Actor, period: Period, limit: int = TOP) -> Figure[list[CustomerSum]]:
    """The visible customers with the largest sales of a period."""

    def compute() -> list[CustomerSum]:
        total = func.sum(PurchaseMonth.total)
        best = (
            select(
                PurchaseMonth.customer_id,
                *(part.label(f"s{index}") for index, part in enumerate(_sum_columns(PurchaseMonth))),
            )
            .join(Customer, Customer.id == PurchaseMonth.customer_id)
            .where(within(period), visible(actor, VIEW))
            .group_by(PurchaseMonth.customer_id)
            .order_by(total.desc(), PurchaseMonth.customer_id)
            .limit(limit)
            .subquery()
        )
        rows = db.session.execute(
            select(best.c.customer_id, Customer.name, best.c.s0, best.c.s1, best.c.s2, best.c.s3)
            .join(Customer, Customer.id == best.c.customer_id)
            .order_by(best.c.s0.desc(), best.c.customer_id)
        )
        return [CustomerSum(row[0], row[1], _sums(row, 2)) for row in rows]

    return remembered(actor, "top", (period.first, period.last, limit), compute)


def sales_by_product(actor: Actor, period: Period) -> Figure[list[ProductSum]]:
    """Every product that visible customers bought in a period, the largest sum first."""

    def compute() -> list[ProductSum]:
        sums = (
            select(
                PurchaseLine.product_id,
                func.sum(PurchaseLine.quantity).label("quantity"),
                func.sum(PurchaseLine.amount).label("total"),
                func.sum(type_coerce(PurchaseLine.unit_cost * PurchaseLine.quantity, Money)).label("cost"),
            )
            .join(Purchase, Purchase.id == PurchaseLine.purchase_id)
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(
                Purchase.purchased_on.between(period.begin, period.end),
                Purchase.cancelled_at.is_(None),
                visible(actor, VIEW),
            )
            .group_by(PurchaseLine.product_id)
            .subquery()
        )
        rows = db.session.execute(
            select(
                Product.id,
                Product.code,
                Product.name,
                Product.category,
                Product.unit,
                sums.c.quantity,
                sums.c.total,
                sums.c.cost,
            )
            .join(sums, sums.c.product_id == Product.id)
            .order_by(sums.c.total.desc(), Product.id)
        )
        return [ProductSum(row[0], row[1], row[2], row[3], row[4], int(row[5]), row[6], row[7]) for row in rows]

    return remembered(actor, "products", (period.first, period.last), compute)


@dataclass(frozen=True)
class OpenPayments:
    """Purchases that are not paid."""

    total: Decimal
    count: int
    overdue_total: Decimal
    overdue_count: int


def overdue_since(days: int) -> date:
    """Open purchases before this day are overdue."""
    return clock.today() - timedelta(days=days)


def open_payments(actor: Actor, days: int) -> Figure[OpenPayments]:
    """Sum and number of the visible customers' open purchases; those older than so many days apart."""

    def compute() -> OpenPayments:
        limit = overdue_since(days)
        late = Purchase.purchased_on < limit
        row = db.session.execute(
            select(
                func.sum(Purchase.total),
                func.count(),
                func.sum(Purchase.total).filter(late),
                func.count().filter(late),
            )
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(is_open(), visible(actor, VIEW))
        ).one()
        return OpenPayments(row[0] or ZERO, row[1], row[2] or ZERO, row[3])

    return remembered(actor, "open", (days, clock.today()), compute)


def is_open() -> ColumnElement[bool]:
    """Condition: counts and is not paid."""
    return and_(Purchase.paid_on.is_(None), Purchase.cancelled_at.is_(None))


def longest_open(actor: Actor, limit: int = 5) -> list[Any]:
    """The open purchases of visible customers that wait longest."""

    def compute() -> list[Any]:
        statement = (
            select(Purchase.id, Purchase.number, Purchase.purchased_on, Purchase.total, Customer.name.label("customer"))
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(is_open(), visible(actor, VIEW))
            .order_by(Purchase.purchased_on, Purchase.id)
            .limit(limit)
        )
        return list(db.session.execute(statement))

    return remembered(actor, "longest open", (limit,), compute).value


def department_names(ids: Sequence[int]) -> dict[int, str]:
    """Names of departments."""
    rows = db.session.execute(select(Department.id, Department.name).where(Department.id.in_(ids)))
    return {row.id: row.name for row in rows}


def manager_names(ids: Sequence[int]) -> dict[int, str]:
    """Names of people."""
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))}
