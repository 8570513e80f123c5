"""Audit actions of this module."""

from __future__ import annotations

from enum import StrEnum


class PurchaseAction(StrEnum):
    """What is recorded of products and purchases."""

    PRODUCT_CREATED = "purchases:product:create"
    PRODUCT_CHANGED = "purchases:product:change"
    PRODUCT_WITHDRAWN = "purchases:product:deactivate"
    PRODUCT_OFFERED = "purchases:product:activate"
    CREATED = "purchases:purchase:create"
    CHANGED = "purchases:purchase:change"
    PAID = "purchases:purchase:pay"
    CANCELLED = "purchases:purchase:cancel"
    RESTORED = "purchases:purchase:restore"
    REMOVED = "purchases:purchase:undo"
