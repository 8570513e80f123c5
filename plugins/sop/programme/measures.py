"""Measures of the scorecard (R-SOP-9), and those among them that the portal computes from its own data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import func, select

from portal.core import clock
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.vocabulary import Source
from portal.extensions import db
from portal.i18n import _l
from portal.org.actor import Actor
from portal.purchases.models import Purchase

CENT = Decimal("0.01")
POINTS, TIMES, YUAN, NUMBER, PERCENT, HOURS = "points", "times", "yuan", "number", "percent", "hours"
UNITS: dict[str, Any] = {
    POINTS: _l("points of 100"),
    TIMES: _l("times a customer"),
    YUAN: _l("yuan"),
    NUMBER: _l("customers"),
    PERCENT: "%",
    HOURS: _l("hours"),
}


@dataclass(frozen=True)
class Totals:
    """What the purchases and customers of a period come to, over the customers that one person may see.

    :ivar buyers: customers with a purchase. :ivar sales, cost: yuan.
    """

    sales: Decimal
    cost: Decimal
    purchases: int
    buyers: int
    referrals: int


@dataclass(frozen=True)
class Measure:
    """A line of the scorecard.

    :ivar less_is_better: a fall is an improvement.
    :ivar compute: from the totals of a period; None: the value is typed. It answers None where it cannot be told.
    """

    key: str
    title: Any
    unit: str
    help: Any
    less_is_better: bool = False
    compute: Callable[[Totals], Decimal | None] | None = None


def _ratio(part: Decimal | int, whole: Decimal | int, factor: int = 1) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part) * factor / Decimal(whole)).quantize(CENT, ROUND_HALF_UP)


MEASURES = (
    Measure("dealer_loyalty", _l("Loyalty of dealers"), POINTS, _l("From a survey among the dealers.")),
    Measure("dealer_confidence", _l("Confidence of dealers"), POINTS, _l("From a survey among the dealers.")),
    Measure("satisfaction", _l("Satisfaction of users"), POINTS, _l("From call-backs and surveys among the users.")),
    Measure(
        "frequency",
        _l("Purchase frequency"),
        TIMES,
        _l("Purchases of the period divided by the customers who bought in it."),
        compute=lambda totals: _ratio(totals.purchases, totals.buyers),
    ),
    Measure(
        "volume",
        _l("Purchase volume"),
        YUAN,
        _l("Sales of the period divided by the customers who bought in it."),
        compute=lambda totals: _ratio(totals.sales, totals.buyers),
    ),
    Measure(
        "referrals",
        _l("Referrals by old customers"),
        NUMBER,
        _l("Customers recorded in the period whose source is a referral."),
        compute=lambda totals: Decimal(totals.referrals),
    ),
    Measure(
        "sales",
        _l("Sales amount"),
        YUAN,
        _l("Sum of the purchases of the period that were not cancelled."),
        compute=lambda totals: totals.sales,
    ),
    Measure(
        "margin",
        _l("Gross margin"),
        PERCENT,
        _l("Sales less cost of the products, divided by the sales."),
        compute=lambda totals: _ratio(totals.sales - totals.cost, totals.sales, 100),
    ),
    Measure(
        "warning",
        _l("Early warning of adverse events"),
        PERCENT,
        _l("Share of the adverse events that were noticed before the customer complained or left."),
    ),
    Measure(
        "reaction",
        _l("Speed of reaction"),
        HOURS,
        _l("Hours until a customer who asks or complains hears from us."),
        less_is_better=True,
    ),
)
BY_KEY = {measure.key: measure for measure in MEASURES}


def totals(actor: Actor, first: date, last: date) -> Totals:
    """Sums of a period over the customers that the actor may see; two statements."""
    seen = visible(actor, "customers.view")
    row = db.session.execute(
        select(
            func.sum(Purchase.total),
            func.sum(Purchase.cost),
            func.count(Purchase.id),
            func.count(Purchase.customer_id.distinct()),
        )
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(Purchase.purchased_on >= first, Purchase.purchased_on <= last, Purchase.cancelled_at.is_(None), seen)
    ).one()
    begin, end = clock.day_bounds(first)[0], clock.day_bounds(last)[1]
    referrals = db.session.scalar(
        select(func.count(Customer.id)).where(
            Customer.source == Source.REFERRAL.value, Customer.created_at >= begin, Customer.created_at < end, seen
        )
    )
    zero = Decimal("0.00")
    return Totals(row[0] or zero, row[1] or zero, int(row[2]), int(row[3]), int(referrals or 0))


@dataclass(frozen=True)
class Change:
    """How a measure changed: difference, percent of the value before (None where that was zero), and its tone."""

    difference: Decimal
    percent: Decimal | None
    tone: str


def change(measure: Measure, before: Decimal | None, after: Decimal | None) -> Change | None:
    """Compare the two sides of a measure; None while one of them is missing."""
    if before is None or after is None:
        return None
    difference = after - before
    percent = (difference * 100 / abs(before)).quantize(Decimal("0.1"), ROUND_HALF_UP) if before else None
    better = difference < 0 if measure.less_is_better else difference > 0
    return Change(difference, percent, "neutral" if not difference else "success" if better else "danger")
