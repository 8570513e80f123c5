"""What stories of key accounts begin with: a product, orders, and the measure of a customer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from plugins.key_accounts.measures.models import CustomerMeasure
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.world import World


def make_product(world: World, code: str = "P1", name: str = "样酒", category: str = "白酒") -> int:
    """A product that costs 60 and sells for 100."""
    with transaction():
        data = ProductInput(code, name, category, "high", Decimal("100"), Decimal("60"))
        return create_product(data, world.actor("boss")).id


def buy(world: World, key: str, product: int, quantity: int, days_ago: int = 10, number: str = "") -> int:
    """An order of a customer by his head or account manager."""
    day = clock.today() - timedelta(days=days_ago)
    with transaction():
        data = PurchaseInput(
            world.customer_id(key),
            number or f"N-{key}-{product}-{days_ago}-{quantity}",
            day,
            (LineInput(product, quantity, Decimal("100")),),
        )
        return record_purchase(data, world.actor("boss")).id


def measure(world: World, key: str) -> CustomerMeasure:
    """The measure of a customer."""
    found = db.session.get(CustomerMeasure, world.customer_id(key))
    assert found is not None
    return found
