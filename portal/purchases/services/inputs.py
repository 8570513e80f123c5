"""What is typed in for a product or a purchase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class ProductInput:
    """A product as entered. Amounts in yuan; None: nothing was entered."""

    code: str
    name: str
    category: str
    grade: str
    list_price: Decimal | None
    unit_cost: Decimal | None
    unit: str = ""
    days_per_unit: int | None = None
    is_active: bool = True


@dataclass(frozen=True)
class LineInput:
    """A line as entered: quantity in units of the product, price and discount in yuan; no price: the list price."""

    product_id: int | None
    quantity: int | None
    unit_price: Decimal | None = None
    discount: Decimal = ZERO


@dataclass(frozen=True)
class PurchaseInput:
    """A purchase as entered.

    :ivar discount: in yuan, off the whole order; spread over the lines in proportion to their amounts, to the fen.
    """

    customer_id: int
    number: str
    purchased_on: date | None
    lines: tuple[LineInput, ...]
    paid_on: date | None = None
    remarks: str = ""
    discount: Decimal = ZERO
