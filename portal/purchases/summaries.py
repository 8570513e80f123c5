"""Keeps what customers bought summarised: twelve-month sum, last purchase and count with the customer; sums by month.

Lists sort and filter by the columns of the customer, sums over many customers read `PurchaseMonth`: neither ever adds
up purchases. Both are written in the transaction that changes the purchases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Integer, bindparam, case, cast, delete, extract, func, insert, select, update
from sqlalchemy import text as sql_text

from portal.core import clock
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases.models import Purchase, PurchaseGroupMonth, PurchaseMonth

#: Customers whose summary is computed by one statement.
CHUNK = 500
#: Customers whose summary is compared by one statement.
COMPARE_CHUNK = 5000

_MONTH_KEY = (PurchaseMonth.customer_id, PurchaseMonth.year, PurchaseMonth.month)
_MONTH_SUMS = (PurchaseMonth.total, PurchaseMonth.cost, PurchaseMonth.total_high_middle, PurchaseMonth.count)


def twelve_months_before(day: date) -> date:
    """The day behind which the last twelve months begin: the same day a year ago (28 February for a leap day)."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def refresh(customer_ids: Iterable[int]) -> int:
    """Compute the summaries of these customers anew, inside the caller's transaction.

    Whoever changes purchases without the services of this module (imports in bulk, merges) calls it afterwards.

    :returns: how many customers had a summary that was not true any more.
    """
    ids = sorted(set(customer_ids))
    db.session.flush()
    since = twelve_months_before(clock.today())
    wrong: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        _lock(chunk)
        wrong |= _refresh_customers(chunk, since)
        wrong |= _refresh_months(chunk)
    _expire(wrong)
    return len(wrong)


def _lock(ids: list[int]) -> None:
    """Two writers of one customer's purchases must not both compute from what the other has not committed yet."""
    db.session.execute(
        select(Customer.id).where(Customer.id.in_(ids)).order_by(Customer.id).with_for_update(key_share=True)
    ).all()


def _counted(ids: Any, since: date) -> Any:
    recent = case((Purchase.purchased_on > since, Purchase.total), else_=0)
    return (
        select(
            Purchase.customer_id,
            func.sum(recent).label("total"),
            func.max(Purchase.purchased_on).label("last"),
            func.count().label("count"),
        )
        .where(ids, Purchase.cancelled_at.is_(None))
        .group_by(Purchase.customer_id)
    )


def _refresh_customers(ids: list[int], since: date) -> set[int]:
    found = {row.customer_id: row for row in db.session.execute(_counted(Purchase.customer_id.in_(ids), since))}
    present = db.session.execute(
        select(Customer.id, Customer.total_12m, Customer.last_purchase_on, Customer.purchase_count).where(
            Customer.id.in_(ids)
        )
    )
    changes = []
    for row in present:
        sums = found.get(row.id)
        wanted = (sums.total, sums.last, sums.count) if sums else (0, None, 0)
        if wanted != (row.total_12m, row.last_purchase_on, row.purchase_count):
            changes.append({"key": row.id, "total": wanted[0], "last": wanted[1], "number": wanted[2]})
    if changes:
        # A plain UPDATE of the table: the summary is no edit of the record and must not collide with one.
        customer = Customer.__table__
        db.session.connection().execute(
            update(customer)
            .where(customer.c.id == bindparam("key"))
            .values(
                total_12m=bindparam("total"), last_purchase_on=bindparam("last"), purchase_count=bindparam("number")
            ),
            changes,
        )
    return {change["key"] for change in changes}


def _refresh_months(ids: list[int]) -> set[int]:
    year = cast(extract("year", Purchase.purchased_on), Integer)
    month = cast(extract("month", Purchase.purchased_on), Integer)
    wanted = {
        tuple(row[:3]): tuple(row[3:])
        for row in db.session.execute(
            select(
                Purchase.customer_id,
                year,
                month,
                func.sum(Purchase.total),
                func.sum(Purchase.cost),
                func.sum(Purchase.total_high_middle),
                func.count(),
            )
            .where(Purchase.customer_id.in_(ids), Purchase.cancelled_at.is_(None))
            .group_by(Purchase.customer_id, year, month)
        )
    }
    present = {
        tuple(row[:3]): tuple(row[3:])
        for row in db.session.execute(select(*_MONTH_KEY, *_MONTH_SUMS).where(PurchaseMonth.customer_id.in_(ids)))
    }
    table = PurchaseMonth.__table__
    gone = [key for key, sums in present.items() if wanted.get(key) != sums]
    new = [key for key, sums in wanted.items() if present.get(key) != sums]
    connection = db.session.connection()
    if gone:
        connection.execute(
            delete(table).where(
                table.c.customer_id == bindparam("k1"),
                table.c.year == bindparam("k2"),
                table.c.month == bindparam("k3"),
            ),
            [{"k1": key[0], "k2": key[1], "k3": key[2]} for key in gone],
        )
    if new:
        names = [column.key for column in (*_MONTH_KEY, *_MONTH_SUMS)]
        connection.execute(insert(table), [dict(zip(names, (*key, *wanted[key]), strict=True)) for key in new])
    return {key[0] for key in (*gone, *new)}


def _expire(ids: set[int]) -> None:
    for instance in list(db.session):
        if isinstance(instance, Customer) and instance.id in ids:
            db.session.expire(instance, ["total_12m", "last_purchase_on", "purchase_count"])


def stale_customers(first: date, limit: int) -> list[int]:
    """Customers whose twelve-month sum still holds purchases that have grown older than that.

    :param first: the first day whose purchases are looked at: all that left the twelve months since then are found by a
        range of days, without adding up the others. :param limit: at most so many; ask again after `refresh`.
    """
    since = twelve_months_before(clock.today())
    left = (
        select(Purchase.customer_id)
        .where(Purchase.purchased_on.between(first, since), Purchase.cancelled_at.is_(None))
        .distinct()
    )
    sums = _counted(Purchase.customer_id.in_(left), since).subquery()
    statement = (
        select(Customer.id)
        .join(sums, sums.c.customer_id == Customer.id)
        .where(Customer.total_12m != sums.c.total)
        .order_by(Customer.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def customer_ranges(size: int = COMPARE_CHUNK) -> Iterator[list[int]]:
    """All customers' ids in pieces, in order."""
    last = 0
    while True:
        ids = list(db.session.scalars(select(Customer.id).where(Customer.id > last).order_by(Customer.id).limit(size)))
        if not ids:
            return
        yield ids
        last = ids[-1]


def rebuild_groups() -> None:
    """Write the sums by department and account manager anew out of the customers' months, inside the caller's
    transaction. Only needed when something went around the triggers."""
    group = PurchaseGroupMonth
    if db.engine.dialect.name == "postgresql":
        # Writers wait: what they add afterwards comes on top of what is written here.
        db.session.execute(sql_text("LOCK TABLE purchase_group_month IN EXCLUSIVE MODE"))
    db.session.execute(delete(group))
    manager = func.coalesce(Customer.account_manager_id, 0)
    key = (
        Customer.department_id,
        Customer.account_manager_id,
        Customer.status,
        PurchaseMonth.year,
        PurchaseMonth.month,
    )
    rows = (
        select(
            Customer.department_id,
            Customer.account_manager_id,
            manager,
            Customer.status,
            PurchaseMonth.year,
            PurchaseMonth.month,
            *(func.sum(column) for column in _MONTH_SUMS),
        )
        .join(PurchaseMonth, PurchaseMonth.customer_id == Customer.id)
        .group_by(*key)
    )
    names = ["department_id", "account_manager_id", "manager_key", "status", "year", "month"]
    names += [column.key for column in _MONTH_SUMS]
    db.session.execute(insert(group).from_select(names, rows, include_defaults=False))
