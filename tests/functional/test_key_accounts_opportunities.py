"""Opportunities from the idea to the reason why they were won or lost."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from plugins.key_accounts.opportunities import queries, services, target_queries, targets
from plugins.key_accounts.opportunities.inputs import OpportunityInput
from plugins.key_accounts.opportunities.matrix import Rule
from plugins.key_accounts.opportunities.models import Opportunity, OpportunityEvent
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.inputs import NextStepInput
from portal.customers.models import NextStep
from portal.customers.services import cancel_step
from portal.extensions import db
from tests.world import World

pytestmark = pytest.mark.db


def add(world: World, who: str = "anna", customer: str = "maotai", **more: object) -> int:
    values: dict[str, object] = {
        "title": "第二条生产线的润滑油",
        "source": "cross_selling",
        "amount": Decimal("300000"),
        "close_on": clock.today() + timedelta(days=20),
        **more,
    }
    with transaction():
        data = OpportunityInput(world.customer_id(customer), **values)  # type: ignore[arg-type]
        return int(services.create_opportunity(data, world.actor(who)).id)


def row(opportunity_id: int) -> Opportunity:
    db.session.expire_all()
    return db.session.get_one(Opportunity, opportunity_id)


def test_an_opportunity_is_born_with_a_next_step_that_stands_in_the_customers_list(world: World) -> None:
    found = row(add(world))
    step = db.session.get_one(NextStep, found.next_step_id)
    assert step.customer_id == found.customer_id
    assert found.title in step.task
    assert step.owner_id == world.user("anna").id
    assert found.probability == 10
    assert [event.kind for event in queries.history_of(found.id)] == ["created"]


def test_the_probability_follows_the_stage_until_somebody_sets_his_own(world: World) -> None:
    first, second = add(world), add(world, probability=65)
    for opportunity_id in (first, second):
        with transaction():
            services.move_opportunity(opportunity_id, "proposal", world.actor("anna"))
    assert (row(first).probability, row(second).probability) == (50, 65)


def test_without_a_next_step_it_moves_back_but_not_on(world: World) -> None:
    opportunity_id = add(world, stage="qualified")
    with transaction():
        cancel_step(row(opportunity_id).next_step_id, world.actor("anna"))  # type: ignore[arg-type]
    with pytest.raises(Invalid), transaction():
        services.move_opportunity(opportunity_id, "proposal", world.actor("anna"))
    with transaction():
        services.move_opportunity(opportunity_id, "identified", world.actor("anna"))
    step = NextStepInput("带样品拜访", clock.today() + timedelta(days=3), "visit")
    with transaction():
        services.plan_next_step(opportunity_id, step, world.actor("anna"))
        services.move_opportunity(opportunity_id, "negotiation", world.actor("anna"))
    assert row(opportunity_id).stage == "negotiation"


def test_two_people_move_one_card_and_the_second_is_told(world: World) -> None:
    opportunity_id = add(world)
    seen = row(opportunity_id).version
    with transaction():
        services.move_opportunity(opportunity_id, "qualified", world.actor("anna"), seen)
    with pytest.raises(Conflict), transaction():
        services.move_opportunity(opportunity_id, "proposal", world.actor("hanna"), seen)
    assert row(opportunity_id).stage == "qualified"


def test_closing_asks_for_the_reason_finishes_the_step_and_can_be_taken_back(world: World) -> None:
    opportunity_id = add(world, stage="proposal")
    anna = world.actor("anna")
    with pytest.raises(Invalid), transaction():
        services.close_opportunity(opportunity_id, "lost", "", "", anna)
    with pytest.raises(Invalid), transaction():
        services.close_opportunity(opportunity_id, "won", "rival", "", anna)
    step_id = row(opportunity_id).next_step_id
    with transaction():
        services.close_opportunity(opportunity_id, "lost", "rival", "对手先到", anna)
    found = row(opportunity_id)
    assert (found.stage, found.probability, found.close_reason) == ("lost", 0, "rival")
    assert not db.session.get_one(NextStep, step_id).is_open
    with pytest.raises(Conflict), transaction():
        services.move_opportunity(opportunity_id, "proposal", anna)
    with transaction():
        services.reopen_opportunity(opportunity_id, anna)
    assert (row(opportunity_id).stage, row(opportunity_id).probability) == ("proposal", 50)
    assert [event.kind for event in queries.history_of(opportunity_id)] == ["reopened", "closed", "created"]


def test_history_cannot_be_rewritten(world: World) -> None:
    add(world)
    event = db.session.scalars(select(OpportunityEvent)).one()
    for statement in (
        "UPDATE key_accounts_opportunity_event SET amount = 0",
        "DELETE FROM key_accounts_opportunity_event",
    ):
        with pytest.raises(DBAPIError), transaction() as session:
            session.execute(text(statement))
    assert db.session.get_one(OpportunityEvent, event.id).amount == Decimal("300000")


def test_others_neither_see_nor_change_it(app: Flask, world: World) -> None:
    opportunity_id = add(world)
    with pytest.raises(NotFound), transaction():
        services.move_opportunity(opportunity_id, "qualified", world.actor("ben"))
    with pytest.raises(NotAllowed), transaction():
        services.create_opportunity(
            OpportunityInput(world.customer_id("maotai"), "x", "more_use", Decimal(1)), world.actor("cara")
        )
    ben = world.login(app.test_client(), "ben")
    assert ben.get(f"/key-accounts/opportunities/{opportunity_id}").status_code == 404
    for page in ("", "/board", "/matrix", "/forecast", "/gap"):
        answer = ben.get(f"/key-accounts/opportunities{page}")
        assert answer.status_code == 200, page
        assert "润滑油" not in answer.text


def test_sums_of_board_matrix_and_forecast_agree_with_the_rows(world: World) -> None:
    invented = [
        ("300000", 80, 5, "identified"),
        ("300000.01", 33, 40, "qualified"),
        ("1999.99", 50, 70, "proposal"),
        ("200000", 50, 100, "negotiation"),
        ("0.01", 1, 100, "negotiation"),
        ("0", 0, 10, "identified"),
    ]
    for amount, probability, days, stage in invented:
        add(
            world,
            amount=Decimal(amount),
            probability=probability,
            stage=stage,
            close_on=clock.today() + timedelta(days),
        )
    add(world, who="cara", customer="fenjiu", amount=Decimal("777"))
    anna = world.actor("anna")
    exact = sum((Decimal(amount) * probability / 100 for amount, probability, _d, _s in invented), Decimal(0))
    expected = sum(Decimal(amount) for amount, *_rest in invented)
    columns = queries.board(anna, False, {})
    assert sum(column.totals.amount for column in columns) == expected
    assert [len(column.cards) for column in columns] == [2, 1, 1, 2]
    # Every column is rounded once.
    assert abs(sum(column.totals.weighted for column in columns) - exact) <= Decimal("0.02")
    rule = Rule(Decimal("200000"), 50)
    found = queries.matrix(anna, rule, False)
    assert sum(field.totals.count for field in found.fields) == len(invented)
    by_answer = {field.answer: field.totals.count for field in found.fields}
    assert by_answer == {"act": 2, "attack": 1, "wait": 1, "shelve": 2}
    months, late = queries.forecast(anna, clock.today().replace(day=1), 12, False)
    assert late.count == 0
    assert sum(month.amount for month in months) == expected


def test_a_column_is_paged_by_key_and_misses_none(world: World) -> None:
    for number in range(15):
        add(world, title=f"商机 {number}", close_on=clock.today() + timedelta(days=number // 4))
    anna = world.actor("anna")
    first = queries.board(anna, False, {})[0]
    assert first.totals.count == 15
    assert first.next_key is not None
    day, _bar, number = first.next_key.partition("_")
    second = queries.board(anna, False, {"identified": (clock.today().fromisoformat(day), int(number))})[0]
    titles = [card.title for card in (*first.cards, *second.cards)]
    assert len(titles) == len(set(titles)) == 15
    assert second.next_key is None


def test_the_story_through_the_pages(app: Flask, world: World) -> None:
    client: FlaskClient = world.login(app.test_client(), "anna")
    customer = world.customer_id("maotai")
    address = f"/key-accounts/customers/{customer}/opportunities/new"
    assert client.get(address).status_code == 200
    form = {
        "title": "包装线换代",
        "source": "price_mix",
        "amount": "1,250,000",
        "close_on": str(clock.today() + timedelta(30)),
        "stage": "identified",
        "step_task": "与生产总监见面",
        "step_due": str(clock.today() + timedelta(5)),
        "step_kind": "visit",
    }
    refused = client.post(address, data={**form, "step_task": ""})
    assert refused.status_code == 400
    saved = client.post(address, data=form)
    assert saved.status_code == 302
    page = client.get(saved.headers["Location"]).text
    assert "与生产总监见面" in page
    found = db.session.scalars(select(Opportunity)).one()
    board = client.get("/key-accounts/opportunities/board").text
    seen = found.version
    assert re.search(rf'data-card="{found.id}" data-version="{seen}"', board)
    moved = client.post(
        f"/key-accounts/opportunities/{found.id}/move",
        data={"stage": "qualified", "version": seen, "next": "/key-accounts/opportunities/board"},
    )
    assert moved.headers["Location"].endswith("/board")
    again = client.post(
        f"/key-accounts/opportunities/{found.id}/move",
        data={"stage": "proposal", "version": seen},
        follow_redirects=True,
    )
    assert "Somebody else changed this" in again.text
    stale = {
        "title": "包装线换代二期",
        "source": "price_mix",
        "amount": "1",
        "close_on": form["close_on"],
        "version": seen,
    }
    conflict = client.post(f"/key-accounts/opportunities/{found.id}/edit", data=stale)
    assert conflict.status_code == 409
    assert "包装线换代二期" in conflict.text
    assert client.post(f"/key-accounts/opportunities/{found.id}/won", data={"reason": ""}).status_code == 400
    version = row(found.id).version
    won = client.post(f"/key-accounts/opportunities/{found.id}/won", data={"reason": "quality", "version": version})
    assert won.status_code == 302
    assert row(found.id).stage == "won"
    assert "包装线换代" in client.get(f"/customers/{customer}").text
    exported = client.get("/key-accounts/opportunities?scene=won").text
    assert "包装线换代" in exported


def test_targets_are_set_by_the_head_and_the_gap_follows(app: Flask, world: World) -> None:
    year = clock.today().year
    anna = world.user("anna").id
    with pytest.raises(NotAllowed), transaction():
        targets.set_targets(anna, year, {"": Decimal(1)}, world.actor("anna"))
    with pytest.raises(NotAllowed), transaction():
        targets.set_targets(anna, year, {"": Decimal(1)}, world.actor("hector"))
    with transaction():
        targets.set_targets(
            anna, year, {"": Decimal("1000000"), "more_use": Decimal("400000"), "price_mix": None}, world.actor("hanna")
        )
    add(world, source="more_use", amount=Decimal("500000"), probability=40, close_on=clock.today())
    found, people = target_queries.gap(world.actor("anna"), year)
    assert (found.target, found.sold, found.open_weighted, found.uncovered) == (1000000, 0, 200000, 800000)
    line = next(line for line in found.lines if line.source == "more_use")
    assert (line.target, line.gap) == (Decimal("400000"), Decimal("200000"))
    assert [(person.user_id, person.target) for person in people] == [(anna, Decimal("1000000"))]
    nothing, nobody = target_queries.gap(world.actor("cara"), year)
    assert (nothing.target, nobody) == (0, [])
    hanna = world.login(app.test_client(), "hanna")
    assert "1,000,000" in hanna.get("/key-accounts/opportunities/gap").text
    assert hanna.get(f"/key-accounts/opportunities/targets?person={anna}").status_code == 200
