"""The import of purchases: products by article number, lines, undo."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases.models import Product, Purchase, PurchaseLine
from portal.purchases.services import ProductInput, create_product, mark_paid
from tests.functional.test_import_customers import counts, gbk, last_batch, wizard, xlsx
from tests.world import World

HEADINGS = ["订单号", "客户名称", "日期", "货号", "数量", "单价"]


@pytest.fixture(autouse=True)
def products(app: Flask, world: World) -> None:
    with transaction():
        boss = world.actor("boss")
        create_product(ProductInput("P-1", "样酒甲", "白酒", "high", Decimal("100"), Decimal("60")), boss)
        create_product(ProductInput("P-2", "样酒乙", "白酒", "ordinary", Decimal("30"), Decimal("20")), boss)


def dump() -> list[Any]:
    db.session.expire_all()
    summary = select(Customer.id, Customer.total_12m, Customer.last_purchase_on, Customer.purchase_count)
    purchases = select(Purchase.number, Purchase.total, Purchase.cost, Purchase.paid_on, Purchase.remarks)
    lines = select(PurchaseLine.product_id, PurchaseLine.quantity, PurchaseLine.unit_price, PurchaseLine.amount)
    return [sorted(tuple(row) for row in db.session.execute(part)) for part in (summary, purchases, lines)]


def test_orders_with_lines_and_wrong_rows_and_undo(client: FlaskClient, world: World) -> None:
    before = dump()
    world.login(client, "anna")
    rows = [
        HEADINGS,
        ["N-1", "贵州茅台", "2026-03-01", "P-1", "2", "￥99.50"],
        ["N-1", "贵州茅台", "2026-03-01", "P-2", "10", ""],
        ["N-2", "五粮液", "2026年3月2日", "样酒甲", "1", ""],
        ["N-3", "贵州茅台", "0203-03-01", "P-1", "1", ""],
        ["N-4", "贵州茅台", "2026-03-01", "P-1", "1", "-5"],
        ["N-5", "贵州茅台", "2026-03-01", "P-9", "1", ""],
        ["N-6", "山西汾酒", "2026-03-01", "P-1", "1", ""],
        ["N-7", "贵州茅台", "2026-03-01", "P-1", "一", ""],
        ["N-8", "贵州茅台", "2026-03-01", "P-1", "0", ""],
        ["N-8", "贵州茅台", "2026-03-01", "P-2", "1", ""],
        ["", "贵州茅台", "2026-03-01", "P-2", "1", ""],
    ]
    batch_id = wizard(client, gbk(rows), target="purchases")
    page = client.get(f"/imports/{batch_id}").text
    assert (counts()["create"], counts()["refused_rows"]) == (2, 8)
    for reason in (
        "The year 0203 cannot be right.",
        "The amount must not be negative.",
        "There is no product “P-9”.",
        "None of your customers is called “山西汾酒”.",
        "is not a whole number",
        "Enter a quantity of 1 or more.",
        "The order is refused as a whole",
        "Enter the order&#39;s number.",
    ):
        assert reason in page, reason
    client.post(f"/imports/{batch_id}/run")
    assert last_batch().counts["created"] == 2
    made = db.session.scalars(select(Purchase).where(Purchase.number == "N-1")).one()
    assert (made.total, made.cost, made.import_batch_id) == (Decimal("499.00"), Decimal("320.00"), batch_id)
    assert db.session.get_one(Customer, world.customer_id("maotai")).purchase_count == 1
    state = dump()
    second = wizard(client, gbk(rows), target="purchases")
    assert (counts().get("create", 0), counts().get("update", 0), counts()["unchanged"]) == (0, 0, 2)
    client.post(f"/imports/{second}/run")
    assert dump() == state
    client.post(f"/imports/{batch_id}/undo")
    assert dump() == before


def test_changed_orders_are_updated_and_restored(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    first = wizard(
        client, xlsx([HEADINGS, ["N-1", "贵州茅台", date(2026, 3, 1), "P-1", 2, 99.5]]), "a.xlsx", "purchases"
    )
    client.post(f"/imports/{first}/run")
    state = dump()
    rows = [HEADINGS, ["N-1", "贵州茅台", date(2026, 3, 1), "P-1", 3, 99.5]]
    second = wizard(client, xlsx(rows), "b.xlsx", "purchases")
    assert counts()["update"] == 1
    client.post(f"/imports/{second}/run")
    assert db.session.scalars(select(Purchase.total)).one() == Decimal("298.50")
    client.post(f"/imports/{second}/undo")
    assert dump() == state
    # What was paid meanwhile is left alone.
    with transaction():
        mark_paid(db.session.scalars(select(Purchase.id)).one(), date(2026, 3, 2), world.actor("anna"))
    page = client.post(f"/imports/{first}/undo", follow_redirects=True).text
    assert "It was changed since." in page
    assert db.session.scalars(select(Purchase.number)).all() == ["N-1"]


def test_an_order_number_of_a_strangers_customer_says_only_that_it_is_taken(client: FlaskClient, world: World) -> None:
    world.login(client, "cara")
    rows = [HEADINGS, ["N-1", "山西汾酒", "2026-03-01", "P-1", "2", ""]]
    batch_id = wizard(client, gbk(rows), target="purchases")
    client.post(f"/imports/{batch_id}/run")
    world.login(client, "anna")
    rows = [HEADINGS, ["N-1", "贵州茅台", "2026-03-01", "P-1", "2", ""]]
    batch_id = wizard(client, gbk(rows), target="purchases")
    page = client.get(f"/imports/{batch_id}").text
    assert "This order number is taken." in page
    assert "山西汾酒" not in page
    assert db.session.scalars(select(Product.id)).first() is not None
