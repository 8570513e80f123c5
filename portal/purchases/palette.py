"""Hits of the command palette: purchases by number, products by name, pinyin or article number."""

from __future__ import annotations

from flask import url_for

from portal.core.panels import PaletteItem
from portal.i18n import _
from portal.org.actor import Actor
from portal.purchases import queries

#: Characters of an order number that are looked up at least.
LEAST_NUMBER = 3
SHOWN = 5


def items(actor: Actor, query: str) -> list[PaletteItem]:
    """The hits that the actor may open."""
    hits = [
        PaletteItem(
            queries.product_label(product.code, product.name),
            url_for("purchases.product", product_id=product.id),
            _("Products"),
            product.category,
            "box-seam",
        )
        for product in queries.find_products(query, SHOWN, only_active=False)
    ]
    if len(query) >= LEAST_NUMBER and any(character.isdigit() for character in query):
        hits += [
            PaletteItem(
                row.number,
                url_for("purchases.show", purchase_id=row.id),
                _("Purchases"),
                f"{row.customer} · {row.purchased_on}",
                "receipt",
            )
            for row in queries.purchases_numbered(actor, query)
        ]
    return hits
