"""Audit actions of this module."""

from __future__ import annotations

from enum import StrEnum


class PurchaseAction(StrEnum):
    """What is recorded of products and purchases."""

    PRODUCT_CREATED = "purchases:product:create"
    PRODUCT_CHANGED = "purchases:product:change"
    CREATED = "purchases:purchase:create"
    CHANGED = "purchases:purchase:change"
    PAID = "purchases:purchase:pay"
    CANCELLED = "purchases:purchase:cancel"
