"""Introduction programmes: plan, progress, budget, self-assessment, scorecard."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from plugins.sop.programme import queries, services
from plugins.sop.programme.models import (
    SopAssessment,
    SopBudgetChoice,
    SopProgramme,
    SopProgrammeStep,
    SopScorecardValue,
)
from portal.core import clock
from portal.core.errors import Conflict, NotAllowed
from portal.core.transaction import transaction
from portal.extensions import db
from portal.jobs.services import enqueue
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.world import World

pytestmark = pytest.mark.db
START = date(2026, 3, 2)


@pytest.fixture
def programme_id(world: World) -> int:
    with transaction():
        data = services.ProgrammeInput("导入计划", START, owner_id=world.user("edda").id)
        return services.create_programme(data, world.actor("edda")).id


def _steps(programme_id: int) -> list[SopProgrammeStep]:
    statement = select(SopProgrammeStep).where(SopProgrammeStep.programme_id == programme_id)
    return list(db.session.scalars(statement.order_by(SopProgrammeStep.position)))


def test_planned_in_the_browser_with_nine_steps(client: FlaskClient, world: World) -> None:
    world.login(client, "edda")
    sent = {"title": "导入计划", "starts_on": "2026-03-01", "owner_id_text": "anna"}
    weeks = {"weeks_1": "1", "weeks_2": "4", "weeks_3": "4"}
    assert client.post("/sop/programmes/new", data={**sent, **weeks, "weeks_2": "40"}).status_code == 400
    answer = client.post("/sop/programmes/new", data={**sent, **weeks})
    assert answer.status_code == 302
    programme = db.session.scalars(select(SopProgramme)).one()
    steps = _steps(programme.id)
    assert [step.stage for step in steps] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert sum(step.days for step in steps) == 45
    assert steps[0].begins_on == START  # 1 March 2026 is a Sunday, and no working one
    page = client.get(answer.location).text
    assert "<svg" in page
    assert "Workshop of the senior management" in page
    world.login(client, "nora")
    assert client.get(answer.location).status_code == 200
    assert client.get(f"{answer.location}/budget").status_code == 403
    assert client.post("/sop/programmes/new", data={**sent, **weeks}).status_code == 403


def test_moving_a_step_moves_the_later_ones_and_keeps_the_first_plan(
    client: FlaskClient, world: World, programme_id: int
) -> None:
    steps = _steps(programme_id)
    before = [(step.begins_on, step.ends_on) for step in steps]
    world.login(client, "edda")
    moved = {"begins_on": steps[3].begins_on.isoformat(), "days": str(steps[3].days + 5)}
    assert client.post(f"/sop/programmes/steps/{steps[3].id}", data=moved).status_code == 302
    db.session.expire_all()
    after = _steps(programme_id)
    assert [(step.begins_on, step.ends_on) for step in after[:3]] == before[:3]
    assert all(step.begins_on > old[0] for step, old in zip(after[4:], before[4:], strict=True))
    assert [(step.planned_begins_on, step.planned_ends_on) for step in after] == before
    assert "6" in client.get(f"/sop/programmes/{programme_id}").text
    wrong = client.post(f"/sop/programmes/steps/{after[3].id}", data={"begins_on": START.isoformat(), "days": "3"})
    assert wrong.status_code == 400
    assert "before the step before it has ended" in wrong.text


def test_progress_is_reported_by_whoever_is_responsible(client: FlaskClient, world: World, programme_id: int) -> None:
    step = _steps(programme_id)[0]
    with transaction():
        data = services.StepInput(step.begins_on, step.days, world.user("anna").id)
        services.change_step(db.session.get_one(SopProgrammeStep, step.id), data, world.actor("edda"))
    assert db.session.scalars(select(Notice.kind)).all() == ["sop.programme"]
    world.login(client, "ben")
    assert client.post(f"/sop/programmes/steps/{step.id}/progress", data={"progress": "50"}).status_code == 403
    world.login(client, "anna")
    assert client.post(f"/sop/programmes/steps/{step.id}/progress", data={"progress": "150"}).status_code == 400
    assert client.post(f"/sop/programmes/steps/{step.id}/progress", data={"progress": "100"}).status_code == 302
    db.session.expire_all()
    done = db.session.get_one(SopProgrammeStep, step.id)
    assert done.finished_on == clock.today()
    assert done.programme.state == "running"
    with pytest.raises(NotAllowed), transaction():
        services.report_progress(
            db.session.get_one(SopProgrammeStep, step.id), services.ProgressInput(10), world.actor("ben")
        )


def test_a_programme_is_finished_when_all_steps_are(world: World, programme_id: int) -> None:
    edda = world.actor("edda")
    with pytest.raises(Conflict), transaction():
        services.change_state(queries.load_programme(programme_id), "finished", "", edda)
    with transaction():
        for step in queries.load_programme(programme_id).steps:
            services.report_progress(step, services.ProgressInput(100), edda)
    with transaction():
        services.change_state(queries.load_programme(programme_id), "finished", "", edda)
    [line] = queries.programme_lines(clock.today())
    assert (line.state, line.progress, line.finished, line.late) == ("finished", 100, 9, 0)


def test_owners_are_reminded_once(world: World, programme_id: int) -> None:
    with clock.frozen(datetime(2026, 3, 2, 2, 0, tzinfo=UTC)):
        for _twice in range(2):
            with transaction():
                enqueue("sop.remind_steps", SYSTEM)
    first = db.session.scalars(select(Notice).where(Notice.kind == "sop.programme")).all()
    assert {notice.user_id for notice in first} == {world.user("edda").id}
    reminded = [step.position for step in _steps(programme_id) if step.reminded_on]
    assert reminded == [1, 2]  # those that end within two working days


def test_the_budget_is_compared_and_decided_with_a_reason(client: FlaskClient, world: World, programme_id: int) -> None:
    path = f"/sop/programmes/{programme_id}/budget"
    world.login(client, "boss")
    page = client.get(path).text
    assert "¥300,000.00" in page
    assert "¥250,000.00" in client.get(f"{path}?days_assisted=25").text
    assert "takes 1 to 2 days" in client.get(f"{path}?days_short=9").text
    sent = {"mode": "manual", "days_manual": "9", "reason": "先把手册定下来", "token": "t1"}
    assert client.post(path, data={**sent, "reason": ""}).status_code == 400
    assert client.post(path, data={"mode": "tailored", "reason": "定制", "token": "t2"}).status_code == 400
    for _double_click in range(2):
        assert client.post(path, data=sent).status_code == 302
    choice = db.session.scalars(select(SopBudgetChoice)).one()
    assert (choice.amount, choice.days, choice.rate) == (Decimal("90000.00"), 9, Decimal("10000.00"))
    compared = {row["mode"]: row["amount"] for row in json.loads(choice.compared)}
    assert compared["own"] == "0.00"
    assert compared["tailored"] is None
    assert "先把手册定下来" in client.get(path).text
    world.login(client, "hanna")  # a head sees, but does not decide
    assert client.get(path).status_code == 200
    assert client.post(path, data={**sent, "token": "t3"}).status_code == 403


def test_assessed_at_the_start_and_the_end(client: FlaskClient, world: World, programme_id: int) -> None:
    world.login(client, "edda")
    new = f"/sop/programmes/{programme_id}/assessment/new"
    head = {"moment": "start", "assessed_on": "2026-03-02", "participants": "全体中层"}
    refused = client.post(new, data=head)
    assert refused.status_code == 400
    assert "Answer at least one question." in refused.text
    answers = {"own-customers.1": "2", "industry-customers.1": "4", "problem-customers.1": "一客多档"}
    assert client.post(new, data={**head, **answers, "assessed_on": "2090-01-01"}).status_code == 400
    assert client.post(new, data={**head, **answers}).status_code == 302
    later = {"moment": "end", "assessed_on": "2026-06-02", "own-customers.1": "5", "industry-customers.1": "9"}
    assert client.post(new, data={**head, **later}).status_code == 302
    page = client.get(f"/sop/programmes/{programme_id}/assessment").text
    assert "一客多档" in page
    assert "<svg" in page
    start, end = queries.results_of(programme_id)
    assert (start.own, end.own) == (Decimal("2.0"), Decimal("5.0"))
    assert end.industry is None  # nine is no level
    edit = f"/sop/programmes/assessments/{start.assessment.id}"
    assert client.post(edit, data={**head, **answers, "own-customers.1": "3"}).status_code == 302
    db.session.expire_all()
    assert queries.results_of(programme_id)[0].own == Decimal("3.0")
    assert db.session.scalar(select(func.count(SopAssessment.id))) == 2


def test_the_scorecard_computes_what_the_portal_knows(client: FlaskClient, world: World, programme_id: int) -> None:
    boss = world.actor("boss")
    with transaction():
        product = create_product(ProductInput("P1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), boss).id
        for number, (key, day) in enumerate((("maotai", 1), ("maotai", 2), ("fenjiu", 3))):
            line = LineInput(product, 2, Decimal("100"))
            bought = PurchaseInput(world.customer_id(key), f"N-{number}", date(2026, 1, day + 4), (line,))
            record_purchase(bought, boss)
    path = f"/sop/programmes/{programme_id}/scorecard/before"
    period = {"first": "2026-01-01", "last": "2026-01-31", "side": "before"}
    world.login(client, "boss")
    assert client.get(path).status_code == 200
    assert client.post(path, data={**period, "last": "2025-01-01"}).status_code == 400
    assert client.post(path, data={**period, "compute": "1"}).status_code == 302
    lines = {line.measure.key: line for line in queries.scorecard(programme_id)}
    told = {key: line.before.value for key, line in lines.items() if line.before}
    assert told["sales"] == Decimal("600.00")
    assert told["margin"] == Decimal("40.00")
    assert told["frequency"] == Decimal("1.50")
    assert told["volume"] == Decimal("300.00")
    assert "dealer_loyalty" not in told
    typed = {key: str(value) for key, value in told.items()} | {"dealer_loyalty": "62", "reaction": "abc"}
    assert client.post(path, data={**period, **typed}).status_code == 400
    assert client.post(path, data={**period, **typed, "reaction": "48"}).status_code == 302
    after = {"first": "2026-02-01", "last": "2026-02-28", "side": "after", "reaction": "12", "dealer_loyalty": "120"}
    wrong = client.post(path.replace("before", "after"), data=after)
    assert "Points are between 0 and 100." in wrong.text
    assert client.post(path.replace("before", "after"), data={**after, "dealer_loyalty": "80"}).status_code == 302
    page = client.get(f"/sop/programmes/{programme_id}/scorecard").text
    assert "+18.00" in page
    assert "-36.00" in page
    kept = select(func.count(SopScorecardValue.id)).where(SopScorecardValue.measure == "sales")
    assert db.session.scalar(kept) == 1  # what did not change made no new line


def test_sums_count_only_customers_that_one_may_see(world: World, programme_id: int) -> None:
    from plugins.sop.programme.measures import totals

    boss = world.actor("boss")
    with transaction():
        product = create_product(ProductInput("P1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), boss).id
        line = LineInput(product, 2, Decimal("100"))
        record_purchase(PurchaseInput(world.customer_id("maotai"), "N-1", date(2026, 1, 5), (line,)), boss)
    period = date(2026, 1, 1), date(2026, 1, 31)
    seen = {login: totals(world.actor(login), *period).sales for login in ("boss", "anna", "ben", "edda")}
    assert seen == {"boss": 200, "anna": 200, "ben": 0, "edda": 0}
