"""What one reaches from everywhere: customers and contacts through the palette, the card from the record page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.core import clock
from portal.core.listing.models import SavedView
from portal.core.transaction import transaction
from portal.customers import services
from portal.customers.inputs import ContactInput, CustomerInput, InteractionInput, NextStepInput, PhoneInput
from portal.customers.search import search
from portal.customers.services import add_contact
from portal.extensions import db
from portal.org.models import User
from tests.world import World

pytestmark = pytest.mark.db


def hits(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    answer = client.get("/palette", query_string={"q": query})
    assert answer.status_code == 200
    return list(answer.get_json())


@pytest.mark.parametrize("query", ["茅台", "guizhoumaotai", "gzmt", "guizhoumaotia"])
def test_the_palette_finds_a_customer(client: FlaskClient, world: World, query: str) -> None:
    found = hits(world.login(client, "anna"), query)[0]
    assert (found["label"], found["url"]) == ("贵州茅台", f"/customers/{world.customer_id('maotai')}")
    assert found["hint"] == "销售一部 · 安娜"


def test_the_palette_finds_contacts_of_visible_customers_only(client: FlaskClient, world: World) -> None:
    with transaction():
        add_contact(world.customer_id("fenjiu"), ContactInput(name="郝敏"), world.actor("cara"))
    assert [hit["label"] for hit in hits(world.login(client, "cara"), "郝敏")] == ["郝敏"]
    assert hits(world.login(client, "anna"), "郝敏") == []
    assert [hit["label"] for hit in hits(client, "汾酒")] == ["山西汾酒"], "existence is no secret"


def test_the_card_is_made_from_the_record_page(client: FlaskClient, world: World) -> None:
    customer = world.customer_id("maotai")
    world.login(client, "anna")
    assert f'action="/customers/{customer}/card"' in client.get(f"/customers/{customer}").text
    made = client.post(f"/customers/{customer}/card")
    assert made.status_code == 302
    assert client.get(made.headers["Location"]).data.startswith(b"%PDF-")
    assert client.post(f"/customers/{world.customer_id('fenjiu')}/card").status_code == 403


def test_a_customer_is_found_by_all_that_it_is_called_and_by_its_numbers_where_one_may_see_them(world: World) -> None:
    anna = world.actor("anna")
    facts = CustomerInput(
        name="台州云岭茶业有限公司",
        kind="dealer",
        short_name="云岭茶业",
        aliases=("老云头",),
        credit_code="91520000214330054F",
        phone="0576-87654321",
    )
    with transaction():
        made = services.create_customer(facts, anna).id
        services.add_contact(made, ContactInput("林青", phones=(PhoneInput("13800138765"),)), anna)
    names = (
        "云岭",
        "台州雲嶺",
        "臺州",
        "老云头",
        "lyt",
        "ylcy",
        "tzylcy",
        "taizhouyunling",
        "taizhouyunlin",
        "云岭茶业",
    )
    numbers = ("87654321", "13800138765", "8765", "91520000214330054F", "91520000214330")
    for query in (*names, *numbers):
        assert made in [hit.customer_id for hit in search(anna, query)], query
    for query in names:
        (hit,) = [hit for hit in search(world.actor("cara"), query) if hit.customer_id == made]
        assert not hit.visible, query
    for query in numbers:
        assert made not in [hit.customer_id for hit in search(world.actor("cara"), query)], query


def test_before_contacting_one_reads_what_other_departments_did_and_plan(client: FlaskClient, world: World) -> None:
    boss = world.actor("boss")
    plan = NextStepInput("总部邀请参观", clock.today() + timedelta(days=3))
    with transaction():
        services.record_interaction(
            world.customer_id("maotai"),
            InteractionInput("visit", clock.now(), result="已谈妥年度框架", next_step=plan),
            boss,
        )
    world.login(client, "anna")
    other = db.session.get_one(User, boss.user_id)
    for address in ("", "/interactions/new"):
        page = client.get(f"/customers/{world.customer_id('maotai')}{address}").text
        briefing = page.split('id="briefing"')[1].split("</section>")[0]
        assert "已谈妥年度框架" in briefing, address
        assert "总部邀请参观" in briefing, address
        assert f"{other.name} · {other.department.name}" in briefing, address
    assert other.department_id != world.user("anna").department_id


def test_views_of_a_list_are_saved_for_oneself_shared_and_pinned(world: World) -> None:
    anna, hanna = (world.login(world.app.test_client(), login) for login in ("anna", "hanna"))
    query = "stage=potential&sort=-total_12m&columns=name&after=abc"
    for label, more in (("我的重点", {}), ("团队重点", {"shared": "1"}), ("置顶", {"pinned": "1"})):
        data = {"listing": "customers", "label": label, "query": query, **more}
        answer = anna.post("/views/save", data=data)
        assert answer.location == "/customers/?stage=potential&sort=-total_12m&columns=name", (
            "no page of the list is kept"
        )
    kept = {view.name: view for view in db.session.scalars(select(SavedView))}
    assert [(view.is_shared, view.is_pinned) for view in kept.values()] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    own, theirs = (client.get("/customers/").text for client in (anna, hanna))
    assert all(label in own for label in kept)
    assert ["团队重点" in theirs, "我的重点" in theirs, "置顶" in theirs] == [True, False, False]
    assert hanna.post(f"/views/{kept['团队重点'].id}/delete").status_code == 404
    assert anna.post(f"/views/{kept['团队重点'].id}/delete").status_code == 302
    assert "团队重点" not in hanna.get("/customers/").text
    refused = anna.post("/views/save", data={"listing": "customers", "label": " ", "query": query})
    assert (refused.status_code, db.session.scalar(select(func.count()).select_from(SavedView))) == (302, 2)
