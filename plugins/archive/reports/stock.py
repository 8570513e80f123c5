"""Reads for stock and consumption: purchases and stock reports of products, per customer (R-ARC-2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select

from plugins.archive.reports.consumption import Outlook, outlook
from plugins.archive.reports.models import ACCEPTED, SUBMITTED, ArchiveOutlook, ArchiveReport, ArchiveReportLine
from portal.core import clock
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.models import User
from portal.purchases.models import Product, Purchase, PurchaseLine

#: How far back purchases and stock reports count.
LOOKBACK_DAYS = 365
#: A report of this week counts as counted on its Sunday.
WEEK_END = timedelta(days=6)


@dataclass(frozen=True)
class ProductOutlook:
    """The outlook of a product at a customer, with what pages show beside it."""

    customer_id: int
    customer: str
    manager: str
    product_id: int
    code: str
    product: str
    unit: str
    outlook: Outlook
    #: of the last purchase
    last_bought: date | None
    #: of the last stock report and what it said
    counted_on: date | None
    counted: int | None


def outlooks(where: Sequence[ColumnElement[bool]], today: date | None = None) -> list[ProductOutlook]:
    """Outlooks of all products that some customers bought or hold, soonest to run out first; four statements.

    :param where: conditions on `Customer`: who asks puts `visible(actor, …)` there.
    """
    today = today or clock.today()
    since = today - timedelta(days=LOOKBACK_DAYS)
    bought: dict[tuple[int, int], list[tuple[date, int]]] = defaultdict(list)
    for row in db.session.execute(
        select(Purchase.customer_id, PurchaseLine.product_id, Purchase.purchased_on, PurchaseLine.quantity)
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(*where, Purchase.cancelled_at.is_(None), Purchase.purchased_on > since, Purchase.purchased_on <= today)
    ):
        bought[row.customer_id, row.product_id].append((row.purchased_on, row.quantity))
    counted: dict[tuple[int, int], list[tuple[date, int]]] = defaultdict(list)
    for report in db.session.execute(
        select(ArchiveReportLine.customer_id, ArchiveReportLine.product_id, ArchiveReport.week, ArchiveReportLine.stock)
        .join(ArchiveReport, ArchiveReport.id == ArchiveReportLine.report_id)
        .join(Customer, Customer.id == ArchiveReportLine.customer_id)
        .where(
            *where,
            ArchiveReportLine.stock.is_not(None),
            ArchiveReport.state.in_((SUBMITTED, ACCEPTED)),
            ArchiveReport.week > since,
        )
    ):
        counted[report.customer_id, report.product_id].append((min(report.week + WEEK_END, today), report.stock))
    keys = set(bought) | set(counted)
    products = {row.id: row for row in _products({product for _customer, product in keys})}
    customers = {row.id: row for row in _customers({customer for customer, _product in keys})}
    found: list[ProductOutlook] = []
    for key in keys:
        product, customer = products[key[1]], customers[key[0]]
        said = outlook(bought[key], counted[key], product.days_per_unit, today)
        if said is None:
            continue
        last_count = max(counted[key], default=None)
        found.append(
            ProductOutlook(
                customer_id=key[0],
                customer=customer.name,
                manager=customer.manager or "",
                product_id=key[1],
                code=product.code,
                product=product.name,
                unit=product.unit,
                outlook=said,
                last_bought=max((day for day, _units in bought[key]), default=None),
                counted_on=last_count[0] if last_count else None,
                counted=last_count[1] if last_count else None,
            )
        )
    return sorted(found, key=lambda one: (one.outlook.runs_out or date.max, one.customer, one.code))


def _products(ids: set[int]) -> list[Any]:
    if not ids:
        return []
    statement = select(Product.id, Product.code, Product.name, Product.unit, Product.days_per_unit)
    return [row for row in db.session.execute(statement) if row.id in ids]


def _customers(ids: set[int]) -> list[Any]:
    from_ids = sorted(ids)
    rows: list[Any] = []
    # In portions: one statement carries only so many parameters.
    for start in range(0, len(from_ids), 500):
        rows.extend(
            db.session.execute(
                select(Customer.id, Customer.name, User.name.label("manager"))
                .outerjoin(User, User.id == Customer.account_manager_id)
                .where(Customer.id.in_(from_ids[start : start + 500]))
            )
        )
    return rows


#: Stands for "not within the horizon": lists sort by columns without NULL.
NEVER = date(9999, 12, 31)


def refresh(customer_ids: Sequence[int], today: date | None = None) -> int:
    """Compute the outlooks of some customers anew; how many there are. At most 500 customers at once."""
    today = today or clock.today()
    ids = sorted(set(customer_ids))
    if not ids:
        return 0
    found = outlooks([Customer.id.in_(ids)], today)
    db.session.execute(delete(ArchiveOutlook).where(ArchiveOutlook.customer_id.in_(ids)))
    if found:
        db.session.execute(
            insert(ArchiveOutlook),
            [
                {
                    "customer_id": one.customer_id,
                    "product_id": one.product_id,
                    "rate": one.outlook.rate,
                    "error": one.outlook.error,
                    "basis": one.outlook.basis,
                    "stock": one.outlook.stock,
                    "is_counted": one.outlook.is_counted,
                    "runs_out": one.outlook.runs_out or NEVER,
                    "earliest": one.outlook.earliest,
                    "latest": one.outlook.latest,
                    "last_bought": one.last_bought,
                    "counted_on": one.counted_on,
                    "counted": one.counted,
                    "computed_on": today,
                }
                for one in found
            ],
        )
    db.session.flush()
    return len(found)


#: More customers than this at once (imports) are left to the night.
AT_ONCE = 50


def refresh_some(customer_ids: Sequence[int]) -> None:
    """Compute the outlooks anew after a purchase; a large import is left to the nightly job."""
    if len(customer_ids) <= AT_ONCE:
        refresh(customer_ids)
