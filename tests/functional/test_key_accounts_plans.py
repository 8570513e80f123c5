"""Account plans from the first page to the approved version; emergency plans."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from decimal import Decimal

import pikepdf
import pytest
from flask import Flask
from sqlalchemy import func, select

from plugins.key_accounts.plans import emergencies, follow_up, queries, services, versions
from plugins.key_accounts.plans.emergencies import EmergencyInput
from plugins.key_accounts.plans.models import AccountPlan, PlanAction, PlanVersion
from plugins.key_accounts.team import services as team
from plugins.key_accounts.team.services import MemberInput, TeamInput
from portal.approvals.models import ApprovalRequest
from portal.approvals.queries import digest_of
from portal.approvals.services import decide
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.services import LeavingInput, deactivate_person
from tests.world import World

pytestmark = pytest.mark.db


def begin(world: World, customer: str = "maotai", years: int = 2) -> int:
    with transaction():
        plan = services.create_plan(world.customer_id(customer), "", clock.today().year, years, world.actor("anna"))
        return int(plan.id)


def action(world: World, plan_id: int, owner: str = "anna", days: int = 10) -> int:
    with transaction():
        due = clock.today() + timedelta(days=days)
        row = follow_up.save_action(plan_id, None, "安排高层互访", world.user(owner).id, due, world.actor("anna"))
        return int(row.id)


def ready(world: World) -> int:
    plan_id = begin(world)
    with transaction():
        services.save_section(plan_id, "priorities", "一、稳住包装线\n二、进入润滑业务", 0, world.actor("anna"))
    action(world, plan_id)
    return plan_id


def test_two_writers_of_one_section_see_both_texts(app: Flask, world: World) -> None:
    plan_id = begin(world)
    anna = world.login(app.test_client(), "anna")
    address = f"/key-accounts/plans/{plan_id}/sections/priorities"
    assert 'name="version" type="hidden" value="0"' in anna.get(address).text
    with transaction():
        services.save_section(plan_id, "priorities", "主管写的", 0, world.actor("hanna"))
    answer = anna.post(address, data={"body": "经理写的", "version": "0"})
    assert answer.status_code == 409
    assert "主管写的" in answer.text
    assert "经理写的" in answer.text
    version = queries.sections_of(plan_id)["priorities"].version
    assert f'value="{version}"' in answer.text
    assert anna.post(address, data={"body": "合并后的", "version": str(version)}).status_code == 302
    db.session.expire_all()
    assert queries.sections_of(plan_id)["priorities"].body == "合并后的"


def test_a_plan_is_approved_as_it_was_filed_and_writing_opens_it_again(app: Flask, world: World) -> None:
    empty = begin(world, "wuliang")
    with pytest.raises(Invalid), transaction():
        versions.submit_plan(empty, "t-0", world.actor("anna"))
    plan_id = ready(world)
    with transaction():
        request_id = versions.submit_plan(plan_id, "t-1", world.actor("anna")).id
    with pytest.raises(Conflict), transaction():
        services.save_section(plan_id, "priorities", "改", None, world.actor("anna"))
    hanna = world.login(app.test_client(), "hanna")
    assert "稳住包装线" in hanna.get(f"/approvals/{request_id}").text
    seen = digest_of(db.session.get_one(ApprovalRequest, request_id))
    with transaction():
        decide(request_id, world.actor("hanna"), vote="approve", opinion="", seen_digest=seen)
    db.session.expire_all()
    assert db.session.get_one(AccountPlan, plan_id).state == "approved"
    kept = db.session.scalars(select(PlanVersion).order_by(PlanVersion.number)).all()
    assert [row.occasion for row in kept] == ["submitted", "approved"]
    assert json.loads(kept[0].content)["sections"]["priorities"].startswith("一、")
    with transaction():
        services.save_section(plan_id, "direction", "三年内成为第一供应商", 0, world.actor("anna"))
    assert db.session.get_one(AccountPlan, plan_id).state == "draft"


def test_a_withdrawn_request_gives_the_plan_back(app: Flask, world: World) -> None:
    plan_id = ready(world)
    with transaction():
        request_id = versions.submit_plan(plan_id, "t-2", world.actor("anna")).id
    from portal.approvals.services import withdraw

    with transaction():
        withdraw(request_id, world.actor("anna"), reason="再想想")
    db.session.expire_all()
    assert db.session.get_one(AccountPlan, plan_id).state == "draft"
    # It is filed again from its own page, as it is then: the request as it was would decide on nothing.
    anna = world.login(app.test_client(), "anna")
    own_page = f"/key-accounts/customers/{world.customer_id('maotai')}/plan"
    assert f"/approvals/{request_id}/resubmit" not in anna.get(f"/approvals/{request_id}").text
    answer = anna.post(f"/approvals/{request_id}/resubmit", data={"token": "t-3"})
    assert (answer.status_code, answer.location) == (302, own_page)
    assert db.session.scalar(select(func.count()).select_from(ApprovalRequest)) == 1


def test_actions_belong_to_people_who_see_the_customer_and_finish_them(world: World) -> None:
    plan_id = begin(world)
    with pytest.raises(Invalid), transaction():
        follow_up.save_action(plan_id, None, "x", world.user("cara").id, clock.today(), world.actor("anna"))
    today = clock.today()
    with transaction():
        data = MemberInput(world.user("cara").id, "technical", today, today + timedelta(5))
        team.add_member(world.customer_id("maotai"), data, world.actor("anna"))
    action_id = action(world, plan_id, "cara")
    with pytest.raises(NotAllowed), transaction():
        services.save_section(plan_id, "value", "x", None, world.actor("cara"))
    with transaction():
        follow_up.finish_action(action_id, "done", "已完成", world.actor("cara"))
    other = action(world, plan_id, "anna", -3)
    with pytest.raises(NotAllowed), transaction():
        follow_up.finish_action(other, "done", "", world.actor("cara"))
    found = queries.progress_of([world.customer_id("maotai"), world.customer_id("wuliang")], today)
    assert found == {world.customer_id("maotai"): queries.Progress(1, 2, 1)}
    assert found[world.customer_id("maotai")].percent == 50


def test_an_owner_who_left_hands_his_actions_over_or_leaves_them_open(app: Flask, world: World) -> None:
    plan_id = begin(world)
    action_id = action(world, plan_id, "hanna")
    with transaction():
        deactivate_person(world.user("hanna").id, LeavingInput(world.user("hugo").id), world.actor("admin"))
    assert db.session.get_one(PlanAction, action_id).owner_id == world.user("hugo").id
    with transaction():
        follow_up.hand_over(world.user("hugo"), None, world.actor("admin"))
    assert db.session.get_one(PlanAction, action_id).owner_id is None
    client = world.login(app.test_client(), "anna")
    page = client.get(f"/key-accounts/customers/{world.customer_id('maotai')}/plan")
    assert page.status_code == 200
    assert "nobody" in page.text


def test_one_live_plan_a_customer_and_a_new_one_after_the_old_is_put_away(world: World) -> None:
    first = begin(world)
    with pytest.raises(Conflict):
        begin(world)
    with transaction():
        services.archive_plan(first, world.actor("anna"))
    assert begin(world) != first
    with pytest.raises(Conflict), transaction():
        services.set_phase(first, "monitor", world.actor("anna"))


def test_targets_stand_beside_what_was_reached_and_the_investment_is_spread(world: World) -> None:
    plan_id = begin(world)
    year = clock.today().year
    anna = world.actor("anna")
    with transaction():
        services.set_targets(
            plan_id, {"sales": {year: Decimal("100"), year + 1: None}, "份额": {year: Decimal("35.5")}}, anna
        )
    assert queries.targets_of(plan_id) == {"sales": {year: Decimal("100")}, "份额": {year: Decimal("35.50")}}
    plan = db.session.get_one(AccountPlan, plan_id)
    plan.invested = Decimal("1000")
    money = queries.investment(
        plan,
        {
            year: queries.Reached(Decimal("9000"), Decimal("2500"), 3),
            year - 1: queries.Reached(Decimal(1), Decimal(1), 1),
        },
    )
    assert (money.per_order, money.times, money.orders) == (Decimal("333.33"), Decimal("2.50"), 3)
    nothing = queries.investment(plan, {})
    assert (nothing.per_order, nothing.times) == (None, Decimal("0.00"))
    db.session.rollback()


def test_the_plan_prints_with_the_complaint_contact_even_without_contacts(app: Flask, world: World) -> None:
    plan_id = ready(world)
    told = TeamInput(world.user("boss").id, world.user("hugo").id, clock.today(), "信函")
    with transaction():
        team.set_team(world.customer_id("maotai"), told, world.actor("anna"))
    client = world.login(app.test_client(), "anna")
    assert "no contacts" in client.get(f"/key-accounts/customers/{world.customer_id('maotai')}/plan").text
    printed = client.post(f"/key-accounts/plans/{plan_id}/print", follow_redirects=True)
    assert printed.data.startswith(b"%PDF")
    with pikepdf.open(io.BytesIO(printed.data)) as pdf:
        assert len(pdf.pages) >= 1
    ben = world.login(app.test_client(), "ben")
    assert ben.post(f"/key-accounts/plans/{plan_id}/print").status_code == 404


def test_emergencies_are_written_by_the_manager_and_logged_by_whoever_sees_them(world: World) -> None:
    customer, anna = world.customer_id("maotai"), world.actor("anna")
    with pytest.raises(Invalid) as refused, transaction():
        emergencies.save_emergency(customer, None, EmergencyInput("", None, 99, "", 0), anna)
    assert {field for field, _text in refused.value.errors} == {
        "incident",
        "user_id",
        "contact_id",
        "steps",
        "answer_hours",
    }
    with transaction():
        row = emergencies.save_emergency(
            customer, None, EmergencyInput("断供", anna.user_id, None, "电话告知\n调拨库存"), anna
        )
        emergency_id = row.id
    with transaction():
        emergencies.note_incident(emergency_id, "begun", "上游停产", world.actor("hanna"))
    assert [entry.kind for entry in queries.incidents_of([emergency_id])[emergency_id]] == ["begun"]
