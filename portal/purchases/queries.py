"""Reads. Whatever tells of customers takes the actor and goes through `visible(actor, "customers.view")`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SelectBase,
    String,
    Table,
    TextClause,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql import visitors

from portal.core import clock
from portal.core.database import Money
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.core.text import LIKE_ESCAPE, fold, like_literal
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.customers.remembered import Figure, remembered
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User
from portal.purchases.models import Product, Purchase, PurchaseGroupMonth, PurchaseLine, PurchaseMonth
from portal.purchases.periods import Month, Period
from portal.purchases.rhythm import Rhythm, rhythm_of

ZERO = Decimal("0.00")
#: Rows of a customer's purchases on one page.
PAGE = 30
#: Purchases from which the rhythm is told.
RHYTHM_PURCHASES = 40
TOP = 10


# ---- single purchases and products ---------------------------------------------------------------------------------


def purchase_for(purchase_id: int, actor: Actor) -> Purchase:
    """A purchase of a visible customer, with its lines. :raises NotFound: for all others: that somebody else's customer
    bought at all is not told."""
    purchase = db.session.scalars(
        select(Purchase)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(Purchase.id == purchase_id, visible(actor, VIEW))
        .options(
            selectinload(Purchase.lines).joinedload(PurchaseLine.product),
            joinedload(Purchase.created_by),
            joinedload(Purchase.cancelled_by),
        )
    ).first()
    if purchase is None:
        raise NotFound()
    return purchase


def product_for(product_id: int) -> Product:
    """A product. :raises NotFound: when there is none."""
    product = db.session.get(Product, product_id)
    if product is None:
        raise NotFound()
    return product


def product_matches(text: str) -> ColumnElement[bool]:
    """Condition: article number, name, pinyin or initials contain the text."""
    return Product.search_text.contains(fold(text), autoescape=True)


def find_products(text: str, limit: int = 20, only_active: bool = True) -> list[Product]:
    """Products by article number, name, pinyin or initials; those that begin with the text first."""
    wanted = fold(text)
    parameters = {"wanted": like_literal(wanted), "line": "\n" + like_literal(wanted)} if wanted else {}
    return list(db.session.scalars(_products_statement(bool(wanted), only_active, limit), parameters))


@cache
def _products_statement(wanted: bool, only_active: bool, limit: int) -> Select[Product]:
    """Products, those whose `search_text` begins with `wanted` first; every search of the portal asks it."""
    statement = select(Product)
    if only_active:
        statement = statement.where(Product.is_active)
    if wanted:
        text, line = bindparam("wanted", type_=String), bindparam("line", type_=String)
        begins = or_(
            Product.search_text.startswith(text, escape=LIKE_ESCAPE),
            Product.search_text.contains(line, escape=LIKE_ESCAPE),
        )
        statement = statement.where(Product.search_text.contains(text, escape=LIKE_ESCAPE)).order_by(begins.desc())
    return statement.order_by(Product.name_sort, Product.id).limit(limit)


def product_named(text: str) -> Product | None:
    """The product that a text names: by its article number, its name, or because it is the only one found."""
    text = text.strip()
    exact = db.session.scalars(select(Product).where(or_(Product.code == text, Product.name == text)).limit(2)).all()
    if len(exact) == 1:
        return exact[0]
    found = find_products(text, limit=2) if fold(text) else []
    return found[0] if len(found) == 1 else None


def product_labels(ids: Sequence[int]) -> dict[int, str]:
    """Texts of products for pickers: article number and name."""
    rows = db.session.execute(select(Product.id, Product.code, Product.name).where(Product.id.in_(ids)))
    return {row.id: product_label(row.code, row.name) for row in rows}


def product_label(code: str, name: str) -> str:
    """ "MT-01 name"."""
    return f"{code} {name}"


def categories() -> list[str]:
    """All categories in use, for suggestions."""
    statement = select(Product.category).where(Product.category != "").distinct().order_by(Product.category).limit(200)
    return list(db.session.scalars(statement))


# ---- one customer --------------------------------------------------------------------------------------------------

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
            PurchaseMonth.customer_id == customer_id, _within(period)
        )
    )
    found = {(row.year, row.month): row.total for row in rows}
    return [(month, found.get(month, ZERO)) for month in period.months]


@dataclass(frozen=True)
class ProductSum:
    """How much of a product was bought."""

    product_id: int
    code: str
    name: str
    category: str
    unit: str
    quantity: int
    total: Decimal
    cost: Decimal
    last_on: date | None = None


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


# ---- one product ---------------------------------------------------------------------------------------------------


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


# ---- sums over many customers --------------------------------------------------------------------------------------


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


Months = type[PurchaseMonth] | type[PurchaseGroupMonth]


def _within(period: Period, month: Months = PurchaseMonth) -> ColumnElement[bool]:
    """Condition on a table of months: within the period."""
    (first_year, first_month), (last_year, last_month) = period.first, period.last
    return and_(
        month.year.between(first_year, last_year),
        or_(month.year > first_year, month.month >= first_month),
        or_(month.year < last_year, month.month <= last_month),
    )


def _sum_columns(month: Months) -> tuple[Any, ...]:
    return tuple(func.sum(column) for column in (month.total, month.cost, month.total_high_middle, month.count))


def _sums(row: Any, start: int) -> Sums:
    total, cost, better, count = row[start : start + 4]
    return Sums(total, cost, better, int(count))


#: Columns of customers that `PurchaseGroupMonth` has, too.
_GROUP_COLUMNS = {
    name: PurchaseGroupMonth.__table__.c[name] for name in ("department_id", "account_manager_id", "status")
}


def asked_of_groups(condition: ColumnElement[bool]) -> ColumnElement[bool] | None:
    """A condition on customers as one on `PurchaseGroupMonth`.

    None when it speaks of anything but department, account manager and status: such a condition may hold for one
    customer of a group and not for another.
    """
    for element in visitors.iterate(condition):
        if isinstance(element, FromClause | SelectBase | TextClause):
            return None
        if isinstance(element, ColumnClause):
            table = element.table
            if not isinstance(table, Table) or table.name != "customer" or element.name not in _GROUP_COLUMNS:
                return None

    def replace(element: Any, **_more: Any) -> Any:
        return _GROUP_COLUMNS[element.name] if isinstance(element, ColumnClause) else None

    return visitors.replacement_traverse(condition, {}, replace)


def _month_sums(actor: Actor, period: Period, by_owner: bool) -> list[Any]:
    """Rows of (department, account manager,) year, month and sums of the visible customers."""
    sight = visible(actor, VIEW)
    in_groups = asked_of_groups(sight)
    month: Months = PurchaseMonth if in_groups is None else PurchaseGroupMonth
    owner: Any = Customer if in_groups is None else PurchaseGroupMonth
    key = (*((owner.department_id, owner.account_manager_id) if by_owner else ()), month.year, month.month)
    statement = select(*key, *_sum_columns(month)).where(_within(period, month)).group_by(*key)
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
            .where(_within(period), visible(actor, VIEW))
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


def number_begins(text: str) -> ColumnElement[bool]:
    """Condition: the order number begins with what was typed, in the case as typed or in capitals."""
    beginnings = dict.fromkeys((text, text.upper()))
    return or_(*(and_(Purchase.number >= start, Purchase.number < start + "\U0010ffff") for start in beginnings))


def purchases_numbered(actor: Actor, text: str, limit: int = 6) -> list[Any]:
    """Visible purchases whose number begins with a text."""
    return list(
        db.session.execute(
            select(Purchase.id, Purchase.number, Purchase.purchased_on, Customer.name.label("customer"))
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(number_begins(text), visible(actor, VIEW))
            .order_by(Purchase.number)
            .limit(limit)
        )
    )
