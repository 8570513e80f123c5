"""The customer information card shows what the customer bought."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.card import build_context
from portal.i18n import speaking
from portal.org.actor import SYSTEM
from portal.purchases.services import (
    LineInput,
    ProductInput,
    PurchaseInput,
    cancel_purchase,
    create_product,
    record_purchase,
)
from tests.world import World


def test_the_card_lists_purchases_that_count(world: World) -> None:
    customer = world.customer_id("maotai")
    anna = world.actor("anna")
    with transaction():
        product = create_product(
            ProductInput("P-1", "礼盒", "礼盒", "high", Decimal("1000"), Decimal("500")), SYSTEM
        ).id
    numbers = []
    for index in range(3):
        with transaction():
            made = record_purchase(
                PurchaseInput(
                    customer_id=customer,
                    number=f"CARD-{index}",
                    purchased_on=clock.today() - timedelta(days=index + 1),
                    lines=(LineInput(product, 1 + index, Decimal("1000")),),
                ),
                anna,
            )
            numbers.append(made.id)
    with transaction():
        cancel_purchase(numbers[2], "退货", anna)
    with speaking("en"):
        sections = build_context(customer, anna, "en")["sections"]
    found = next(section for section in sections if section["key"] == "purchases")
    assert [row[0] for row in found["rows"]] == ["CARD-0", "CARD-1"]
    assert found["stats"][0][1] == "¥3,000.00"


def test_a_customer_who_never_bought_has_no_such_section(world: World) -> None:
    with speaking("en"):
        sections = build_context(world.customer_id("wuliang"), world.actor("anna"), "en")["sections"]
    assert [section["key"] for section in sections] == []
