"""Whitespace that becomes opportunities, the driver tree with its levers, scenarios that are kept and compared."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from plugins.key_accounts.opportunities import services as opportunities
from plugins.key_accounts.opportunities.models import Opportunity
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.whitespace import queries, services, tree
from plugins.key_accounts.whitespace.models import NONE, OURS, RIVAL
from plugins.key_accounts.whitespace.services import CellInput
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.inputs import InteractionInput
from portal.customers.services import record_interaction
from portal.extensions import db
from portal.purchases.models import Product
from tests.key_account_story import buy, make_product
from tests.world import World


def states(world: World, customer: str, who: str) -> dict[tuple[str, str], tuple[str, Decimal | None]]:
    """(unit, category) → what somebody sees of it."""
    _names, rows = queries.grid(world.customer_id(customer), world.actor(who))
    return {
        (row.unit.name if row.unit else "", cell.category): (cell.state, cell.bought)
        for row in rows
        for cell in row.cells
    }


@pytest.mark.db
def test_whitespace_knows_what_is_bought_and_becomes_an_opportunity_with_one_click(
    app: Flask, client: FlaskClient, world: World
) -> None:
    wine, oil = make_product(world), make_product(world, "P2", "润滑油", "油品")
    buy(world, "maotai", wine, 30)
    buy(world, "fenjiu", oil, 7)
    buy(world, "wuliang", oil, 4)
    maotai, anna, hugo = world.customer_id("maotai"), world.actor("anna"), world.actor("hugo")
    with transaction():
        plant = services.save_unit(maotai, "二厂", world.customer_id("wuliang"), anna).id
        services.save_unit(maotai, "外地公司", world.customer_id("fenjiu"), hugo)
    for name, linked in (("二厂", None), (" ", None), ("x" * 101, None), ("自己", maotai)):
        with pytest.raises(Invalid), transaction():
            services.save_unit(maotai, name, linked, anna)
    with transaction():
        services.save_cell(maotai, CellInput(None, "油品", RIVAL, "对手甲", Decimal("5000"), "年底合同到期"), anna)
        services.save_cell(maotai, CellInput(plant, "油品", NONE, "", Decimal("1000")), anna)
    seen = states(world, "maotai", "anna")
    assert seen["", "白酒"] == (OURS, Decimal(3000))
    assert seen["", "油品"] == (RIVAL, None)
    assert seen["二厂", "油品"] == (OURS, Decimal(400))
    # She does not see that customer: what it bought is not told to her.
    assert seen["外地公司", "油品"] == (NONE, None)
    assert states(world, "maotai", "hugo")["外地公司", "油品"] == (OURS, Decimal(700))
    for wrong in (
        CellInput(None, " ", RIVAL),
        CellInput(None, "油品", "other"),
        CellInput(None, "油品", RIVAL, "", Decimal("-1")),
        CellInput(None, "油品", RIVAL, "对" * 101),
    ):
        with pytest.raises(Invalid), transaction():
            services.save_cell(maotai, wrong, anna)
    with pytest.raises(NotFound), transaction():
        services.save_cell(world.customer_id("wuliang"), CellInput(plant, "油品", RIVAL), anna)
    world.login(client, "anna")
    path = f"/key-accounts/customers/{maotai}/whitespace"
    assert "对手甲" in client.get(path).text
    for unit in ("", str(plant)):
        answer = client.post(f"{path}/opportunity", data={"unit_id": unit, "category": "油品"})
        assert answer.status_code == 302
    made = db.session.scalars(select(Opportunity).order_by(Opportunity.id)).all()
    assert [(row.amount, row.source, row.competitors, row.unit) for row in made] == [
        (Decimal(5000), "cross_selling", "对手甲", ""),
        (Decimal(600), "cross_selling", "", "二厂"),
    ]
    with pytest.raises(Conflict), transaction():
        services.make_opportunity(maotai, None, "油品", anna)
    with pytest.raises(Invalid), transaction():
        services.make_opportunity(maotai, None, "没有的品类", anna)
    assert client.get(path).text.count("Make an opportunity") == 3
    with transaction():
        opportunities.close_opportunity(made[0].id, "lost", "rival", "", anna)
    assert client.get(path).text.count("Make an opportunity") == 4
    with transaction():
        assert services.make_opportunity(maotai, None, "油品", anna).id != made[0].id


@pytest.mark.db
def test_a_product_counts_under_its_present_category_and_a_closed_unit_keeps_its_notes(
    app: Flask, world: World
) -> None:
    product = make_product(world)
    buy(world, "maotai", product, 30)
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        unit = services.save_unit(maotai, "二厂", None, anna).id
        services.save_cell(maotai, CellInput(unit, "白酒", RIVAL, "对手甲"), anna)
        db.session.execute(update(Product).where(Product.id == product).values(category="名酒", is_active=False))
    seen = states(world, "maotai", "anna")
    assert seen["", "名酒"] == (OURS, Decimal(3000))
    assert seen["", "白酒"] == (NONE, None)
    assert seen["二厂", "白酒"] == (RIVAL, None)
    with transaction():
        services.remove_unit(unit, anna)
    assert {unit for unit, _category in states(world, "maotai", "anna")} == {""}
    with pytest.raises(NotFound), transaction():
        services.save_cell(maotai, CellInput(unit, "白酒", RIVAL), anna)
    assert queries.cell_of(maotai, unit, "白酒") is not None


@pytest.mark.db
def test_the_driver_tree_shows_the_figures_and_what_a_lever_does(app: Flask, client: FlaskClient, world: World) -> None:
    buy(world, "maotai", make_product(world), 100)
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        data = InteractionInput("event", clock.now(), minutes=0, cost=Decimal("500"), result="品鉴")
        record_interaction(maotai, data, anna)
    found = queries.drivers_of(maotai)
    assert found.base == tree.Base(Decimal(10000), Decimal(6000), Decimal(500))
    assert found.shown["profit"] == Decimal(3500)
    assert (found.shown["realised"], found.shown["margin"], found.shown["varieties"]) == ("100%", "40%", 1)
    world.login(client, "anna")
    path = f"/key-accounts/customers/{maotai}/drivers"
    # 10,000 × 1.05 × 1.1 − 6,000 × 1.1 − 500 × 0.8
    page = client.get(f"{path}?price=5&volume=10&contact_cost=-20").text
    assert "4,550.00" in page
    assert client.post(path, data={"amount_quality": "1,200.00", "note_quality": "少返工"}).status_code == 302
    assert client.post(path, data={"amount_quality": "viel"}).status_code == 400
    noted = queries.drivers_of(maotai).noted
    assert {key: (row.amount, row.note) for key, row in noted.items()} == {"quality": (Decimal(1200), "少返工")}
    assert "少返工" in client.get(path).text
    assert client.post(path, data={"amount_quality": "", "note_quality": ""}).status_code == 302
    assert queries.drivers_of(maotai).noted == {}
    with pytest.raises(NotFound), transaction():
        services.save_drivers(maotai, {"profit": (Decimal(1), "")}, anna)
    with pytest.raises(NotAllowed), transaction():
        services.save_drivers(maotai, {"quality": (Decimal(1), "")}, world.actor("cara"))


AMOUNTS = st.decimals(0, 10**9, places=2)


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(-30, 30), st.integers(-50, 100))
def test_price_acts_on_sales_alone_and_volume_on_both(
    sales: Decimal, goods: Decimal, contact: Decimal, price: int, volume: int
) -> None:
    base = tree.Base(sales, goods, contact)
    assert tree.moved(base, {}) == base
    dearer = tree.moved(base, {"price": price})
    assert (dearer.goods_cost, dearer.contact_cost) == (goods, contact)
    assert abs(dearer.profit - base.profit - sales * price / 100) <= Decimal("0.01")
    more = tree.moved(base, {"volume": volume})
    assert abs(more.profit - base.profit - (sales - goods) * volume / 100) <= Decimal("0.02")


@pytest.mark.db
def test_scenarios_are_kept_with_the_figures_of_their_day_compared_and_shared(
    app: Flask, client: FlaskClient, world: World
) -> None:
    product = make_product(world)
    buy(world, "maotai", product, 50)
    world.login(client, "hanna")
    points = {f"points_{tier}": points for tier, points in (("key", 43), ("important", 31), ("ordinary", 10))}
    answers = {f"response_{tier}": 20 for tier in ("key", "important", "ordinary")}
    for name, shared in (("平衡方案", "1"), ("保守方案", "")):
        sent = {**points, **answers, "name": name, "by": "decided", "remarks": "一季度试行", "is_shared": shared}
        assert client.post("/key-accounts/what-if", data=sent).status_code == 302
    rows = db.session.scalars(select(Scenario).order_by(Scenario.id)).all()
    assert [(row.name, row.is_shared) for row in rows] == [("平衡方案", True), ("保守方案", False)]
    for bad in ({"points_key": 999}, {"name": " "}, {"response_key": -5}):
        sent = {**points, **answers, "name": "x", "by": "decided", **bad}
        assert client.post("/key-accounts/what-if", data=sent).status_code == 302
    assert len(db.session.scalars(select(Scenario)).all()) == 2
    buy(world, "yanghe", product, 90)
    page = client.get(f"/key-accounts/scenarios?id={rows[0].id}&id={rows[1].id}").text
    assert "平衡方案" in page
    assert "保守方案" in page
    # The figures of the day it was kept on, not those of today.
    kept = client.get(f"/key-accounts/scenarios/{rows[0].id}").text
    assert "5,000" in kept
    assert "14,000" not in kept
    world.login(client, "anna")
    assert client.get(f"/key-accounts/scenarios/{rows[0].id}").status_code == 200
    assert client.get(f"/key-accounts/scenarios/{rows[1].id}").status_code == 404
    assert client.post(f"/key-accounts/scenarios/{rows[0].id}/delete").status_code == 403
    world.login(client, "hanna")
    assert client.post(f"/key-accounts/scenarios/{rows[1].id}/delete").status_code == 302
    assert [row.name for row in db.session.scalars(select(Scenario))] == ["平衡方案"]
