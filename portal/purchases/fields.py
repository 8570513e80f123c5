"""Fields of forms: a product."""

from __future__ import annotations

from flask import url_for

from portal.auth.current import current_actor
from portal.core.forms import IdField
from portal.core.permissions import can
from portal.purchases import queries
from portal.purchases.permissions import MANAGE_PRODUCTS


class ProductField(IdField):
    """A product; without script its article number, its name, or both as the picker writes them."""

    picks = "purchases.pick_product"

    @property
    def create_url(self) -> str | None:  # type: ignore[override]
        """The page for a new product, for those who may add one."""
        return url_for("purchases.create_product") if can(current_actor(), MANAGE_PRODUCTS) else None

    def name_of(self, value: int) -> str:
        """Article number and name."""
        return queries.product_labels([value]).get(value, "")

    def find(self, text: str) -> int | None:
        """By article number or name."""
        code, _blank, rest = text.partition(" ")
        for wanted in (text, code if rest else ""):
            found = queries.product_named(wanted) if wanted else None
            if found is not None and (wanted == text or queries.product_label(found.code, found.name) == text):
                return found.id
        return None
