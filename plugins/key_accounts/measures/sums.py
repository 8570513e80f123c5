"""SQL of the measures, set by set: sums of some or all customers, then ranks, classes and proposals of all."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    distinct,
    extract,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.measures.settings import Thresholds
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY, ROLES, CustomerTier
from portal.core import clock
from portal.core.database import UTCDateTime
from portal.customers.models import Customer, Interaction, interaction_colleague
from portal.extensions import db
from portal.purchases.models import Purchase
from portal.purchases.summaries import twelve_months_before

#: Calendar years in which repeated buying is looked for, this one included.
YEARS = 5
#: What `sums_of` computes for a customer, in its order.
SUM_COLUMNS = (
    "sales",
    "goods_cost",
    "orders",
    "sales_before",
    "contacts",
    "minutes",
    "expenses",
    "contact_cost",
    "profit",
    "repeat_years",
    "first_purchase_on",
    "last_purchase_on",
    "paid_orders",
    "paid_days",
    "open_amount",
    "tier",
)


def _days(later: Any, earlier: Any) -> ColumnElement[int]:
    """Days between two dates on both databases."""
    if db.engine.dialect.name == "sqlite":
        return cast(func.julianday(later) - func.julianday(earlier), Integer)
    return type_coerce(later - earlier, Integer)


def _fen(expression: Any) -> ColumnElement[int]:
    """Money as whole fen."""
    return cast(type_coerce(expression, BigInteger), BigInteger)


def purchases_by_customer(ids: Any, today: date) -> Select[*tuple[Any, ...]]:
    """Sums of the purchases that are not cancelled. :param ids: condition on `Purchase.customer_id`, or true."""
    since = twelve_months_before(today)
    before = twelve_months_before(since)
    recent = Purchase.purchased_on > since
    two_years = Purchase.purchased_on > before
    year = cast(extract("year", Purchase.purchased_on), Integer)
    paid = and_(two_years, Purchase.paid_on.is_not(None))
    return (
        select(
            Purchase.customer_id.label("customer_id"),
            func.sum(case((recent, _fen(Purchase.total)), else_=0)).label("sales"),
            func.sum(case((recent, _fen(Purchase.cost)), else_=0)).label("goods_cost"),
            func.sum(case((recent, 1), else_=0)).label("orders"),
            func.sum(case((and_(two_years, ~recent), _fen(Purchase.total)), else_=0)).label("sales_before"),
            func.count(distinct(case((year > today.year - YEARS, year)))).label("repeat_years"),
            func.min(Purchase.purchased_on).label("first_purchase_on"),
            func.max(Purchase.purchased_on).label("last_purchase_on"),
            func.sum(case((paid, 1), else_=0)).label("paid_orders"),
            func.sum(case((paid, _days(Purchase.paid_on, Purchase.purchased_on)), else_=0)).label("paid_days"),
            func.sum(case((Purchase.paid_on.is_(None), _fen(Purchase.total)), else_=0)).label("open_amount"),
        )
        .where(Purchase.cancelled_at.is_(None), ids)
        .group_by(Purchase.customer_id)
    )


def contacts_by_customer(ids: Any, today: date) -> Select[int, int, int, int]:
    """Sums of the interactions of twelve months that count; minutes of author and colleagues together."""
    begin = contacts_since(today)
    helpers = (
        select(interaction_colleague.c.interaction_id, func.count().label("people"))
        .group_by(interaction_colleague.c.interaction_id)
        .subquery()
    )
    people = 1 + func.coalesce(helpers.c.people, 0)
    return (
        select(
            Interaction.customer_id.label("customer_id"),
            func.count().label("contacts"),
            func.sum(func.coalesce(Interaction.minutes, 0) * people).label("minutes"),
            func.sum(_fen(func.coalesce(Interaction.cost, 0))).label("expenses"),
        )
        .outerjoin(helpers, helpers.c.interaction_id == Interaction.id)
        .where(Interaction.cancelled_at.is_(None), Interaction.at >= begin, ids)
        .group_by(Interaction.customer_id)
    )


def contacts_since(today: date) -> datetime:
    """The moment from which interactions count: the end of the day on which the twelve months begin."""
    return clock.day_bounds(twelve_months_before(today))[1]


def sums_of(among: Any, today: date, rate: Decimal) -> Select[*tuple[Any, ...]]:
    """The sums of customers. :param among: builds the condition from a column of customers' ids; see `one_of`, `span`.

    :param rate: cost of an hour, yuan.
    """
    bought = purchases_by_customer(among(Purchase.customer_id), today).subquery("bought")
    met = contacts_by_customer(among(Interaction.customer_id), today).subquery("met")

    def known(column: Any) -> ColumnElement[int]:
        return cast(func.coalesce(column, 0), BigInteger)

    minutes, expenses = known(met.c.minutes), known(met.c.expenses)
    # minutes × rate / 60, rounded half up, in whole fen
    contact_cost = (minutes * int(rate * 100) * 2 + 60) // 120 + expenses
    return (
        select(
            Customer.id.label("customer_id"),
            known(bought.c.sales).label("sales"),
            known(bought.c.goods_cost).label("goods_cost"),
            known(bought.c.orders).label("orders"),
            known(bought.c.sales_before).label("sales_before"),
            known(met.c.contacts).label("contacts"),
            minutes.label("minutes"),
            expenses.label("expenses"),
            contact_cost.label("contact_cost"),
            (known(bought.c.sales) - known(bought.c.goods_cost) - contact_cost).label("profit"),
            known(bought.c.repeat_years).label("repeat_years"),
            bought.c.first_purchase_on,
            bought.c.last_purchase_on,
            known(bought.c.paid_orders).label("paid_orders"),
            known(bought.c.paid_days).label("paid_days"),
            known(bought.c.open_amount).label("open_amount"),
            func.coalesce(CustomerTier.tier, "").label("tier"),
        )
        .select_from(Customer)
        .outerjoin(bought, bought.c.customer_id == Customer.id)
        .outerjoin(met, met.c.customer_id == Customer.id)
        .outerjoin(CustomerTier, CustomerTier.customer_id == Customer.id)
        .where(Customer.status != "merged", among(Customer.id))
    )


def write_sums(among: Any, today: date, rate: Decimal) -> Any:
    """INSERT … ON CONFLICT that brings the sums of customers up to date; rows that are right are not touched."""
    table = CustomerMeasure.__table__
    rows = sums_of(among, today, rate).subquery()
    now = literal(clock.now(), UTCDateTime)
    selected = select(
        rows.c.customer_id,
        *(rows.c[name] for name in SUM_COLUMNS),
        literal(ORDINARY),
        literal(""),
        now,
    ).where(rows.c.customer_id > 0)  # SQLite wants a WHERE before ON CONFLICT
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement: Any = insert(table).from_select(
        ["customer_id", *SUM_COLUMNS, "proposal", "abc", "changed_at"], selected, include_defaults=False
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[table.c.customer_id],
        set_={name: new[name] for name in (*SUM_COLUMNS, "changed_at")},
        where=or_(*(table.c[name].is_distinct_from(new[name]) for name in SUM_COLUMNS)),
    )


def write_ranks(limits: Thresholds) -> Any:
    """UPDATE of rank, cumulated share, class and proposal of all customers; rows that are right are not touched.

    The same rules as `rules.propose` and `rules.abc_of`; a property test holds both together.
    """
    measure = CustomerMeasure.__table__.c
    # Each level gives names to what the next one counts with.
    amount = type_coerce(measure.sales, BigInteger)
    base = (
        select(
            measure.customer_id,
            amount.label("fen"),
            type_coerce(measure.profit, BigInteger).label("profit"),
            measure.repeat_years,
            func.rank().over(order_by=measure.sales.desc()).label("place"),
            # Without a frame of its own a running sum takes equal rows together.
            cast(
                func.sum(type_coerce(measure.sales, BigInteger)).over(order_by=measure.sales.desc()), BigInteger
            ).label("running"),
            cast(func.sum(type_coerce(measure.sales, BigInteger)).over(), BigInteger).label("total"),
            (func.count().over(partition_by=measure.sales)).label("equals"),
            func.sum(case((measure.sales > 0, 1), else_=0)).over().label("buyers"),
        )
        .select_from(CustomerMeasure.__table__)
        .subquery("base")
    )
    role = func.coalesce(or_(*(CustomerTier.__table__.c[name] for name in ROLES)), literal(False))
    b = base.c
    has_sales = b.fen > 0
    before = b.running - b.equals * b.fen
    buyers = cast(b.buyers, BigInteger)
    key_limit = (buyers * limits.key_share + 99) // 100
    important_limit = (buyers * min(100, limits.key_share + limits.important_share) + 99) // 100
    first = case(
        (~has_sales, 0),
        (and_(b.place <= key_limit, b.fen >= int(limits.key_minimum * 100)), 2),
        (b.place <= important_limit, 1),
        else_=0,
    )
    lowered = case((and_(first > 0, b.profit < 0, literal(limits.loss_lowers)), first - 1), else_=first)
    repeated = case((and_(lowered == 2, b.repeat_years < limits.key_years), 1), else_=lowered)
    lifted = case((and_(repeated == 0, role, literal(limits.role_lifts)), 1), else_=repeated)
    ranked = (
        select(
            b.customer_id,
            case((has_sales, b.place)).label("place"),
            case((has_sales, (b.running * 20000 + b.total) // (b.total * 2))).label("cumulated"),
            case(
                (~has_sales, ""),
                (before * 100 < b.total * limits.abc_a, "A"),
                (before * 100 < b.total * limits.abc_b, "B"),
                else_="C",
            ).label("abc"),
            case((lifted == 2, KEY), (lifted == 1, IMPORTANT), else_=ORDINARY).label("proposal"),
        )
        .select_from(base)
        .outerjoin(CustomerTier.__table__, CustomerTier.__table__.c.customer_id == b.customer_id)
        .subquery("ranked")
    )
    pairs = (
        (measure.rank, ranked.c.place),
        (measure.cumulated, ranked.c.cumulated),
        (measure.abc, ranked.c.abc),
        (measure.proposal, ranked.c.proposal),
    )
    return (
        update(CustomerMeasure.__table__)
        .where(
            measure.customer_id == ranked.c.customer_id,
            or_(*(column.is_distinct_from(value) for column, value in pairs)),
        )
        .values(dict(pairs))
    )
