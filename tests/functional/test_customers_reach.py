"""What one reaches from everywhere: customers and contacts through the palette, the card from the record page."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.core.transaction import transaction
from portal.customers.inputs import ContactInput
from portal.customers.services import add_contact
from tests.world import World


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
