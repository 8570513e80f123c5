"""What the reads of one customer and of many share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, or_

from portal.purchases.models import PurchaseGroupMonth, PurchaseMonth
from portal.purchases.periods import Period

ZERO = Decimal("0.00")


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


Months = type[PurchaseMonth] | type[PurchaseGroupMonth]


def within(period: Period, month: Months = PurchaseMonth) -> ColumnElement[bool]:
    """Condition on a table of months: within the period."""
    (first_year, first_month), (last_year, last_month) = period.first, period.last
    return and_(
        month.year.between(first_year, last_year),
        or_(month.year > first_year, month.month >= first_month),
        or_(month.year < last_year, month.month <= last_month),
    )
