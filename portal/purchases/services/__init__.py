"""Changes to products and purchases. Amounts are exact to the fen; totals are computed here, never typed."""

from __future__ import annotations

from portal.purchases.services.base import MAX_AMOUNT
from portal.purchases.services.checking import (
    FIRST_DAY,
    MAX_LINES,
    MAX_QUANTITY,
    NUMBER_LENGTH,
    REMARKS_LENGTH,
    check_purchase,
)
from portal.purchases.services.inputs import ZERO, LineInput, ProductInput, PurchaseInput
from portal.purchases.services.products import MAX_DAYS_PER_UNIT, change_product, create_product, offer_product
from portal.purchases.services.records import (
    REASON_LENGTH,
    cancel_purchase,
    change_purchase,
    load_editable,
    mark_paid,
    purchase_fields,
    purchases_were_changed,
    record_purchase,
    record_purchases,
    restore_purchase,
    typed_fields,
)

__all__ = [
    "FIRST_DAY",
    "MAX_AMOUNT",
    "MAX_DAYS_PER_UNIT",
    "MAX_LINES",
    "MAX_QUANTITY",
    "NUMBER_LENGTH",
    "REASON_LENGTH",
    "REMARKS_LENGTH",
    "ZERO",
    "LineInput",
    "ProductInput",
    "PurchaseInput",
    "cancel_purchase",
    "change_product",
    "change_purchase",
    "check_purchase",
    "create_product",
    "load_editable",
    "mark_paid",
    "offer_product",
    "purchase_fields",
    "purchases_were_changed",
    "record_purchase",
    "record_purchases",
    "restore_purchase",
    "typed_fields",
]
