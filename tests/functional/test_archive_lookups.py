"""Look-ups in the archive: who decides, what is granted, when it stops, what is seen on screen (R-ARC-5, 7, 8)."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from plugins.archive.copies import endings, states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups import access, grants
from plugins.archive.lookups.models import (
    PAPER,
    REVOKED,
    VIEW,
    ArchiveAccess,
    ArchiveAlarm,
    ArchiveGrant,
    ArchiveLookup,
    ArchiveView,
)
from portal.approvals.models import ApprovalRequest
from portal.audit.models import AuditEntry
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid
from portal.core.transaction import transaction
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.models import User
from tests.archive_world import CANARY, add_file, approve_all, ask, decide, granted, grants_of, reserved, walk
from tests.world import World

pytestmark = pytest.mark.db


def put(key: str, value: Any) -> None:
    with transaction():
        settings.put(key, value, None)


def opened(world: World, client: FlaskClient, login: str, grant_id: int) -> str:
    """Open a view as the holder; its address."""
    world.login(client, login)
    answer = client.post(f"/archive/lookups/grants/{grant_id}/open", data={"token": "t"})
    assert answer.status_code == 302, answer.text[:400]
    return answer.headers["Location"]


# ---- who decides ---------------------------------------------------------------------------------------------------


def test_the_own_head_alone_decides_about_customers_of_the_own_department(app: Flask, world: World) -> None:
    request_id = ask(world, "anna", "maotai")
    assert approve_all(app, request_id) == ["hanna"]
    assert [grant.quota for grant in grants_of(request_id)] == [1]


def test_another_departments_customer_needs_both_heads_in_order(app: Flask, world: World) -> None:
    request_id = ask(world, "anna", "fenjiu")
    assert approve_all(app, request_id) == ["hanna", "hector"]


def test_by_setting_the_owners_head_alone_decides(app: Flask, world: World) -> None:
    put("archive.release", "owner")
    assert approve_all(app, ask(world, "anna", "fenjiu")) == ["hector"]


def test_customers_of_several_departments_need_each_of_their_heads(app: Flask, world: World) -> None:
    request_id = ask(world, "nora", "maotai", "fenjiu")
    assert decide(app, request_id) == "olga"
    assert sorted([decide(app, request_id), decide(app, request_id)]) == ["hanna", "hector"]
    assert {grant.customer_id for grant in grants_of(request_id)} == {
        world.customer_id("maotai"),
        world.customer_id("fenjiu"),
    }


def test_a_heads_own_request_goes_to_the_head_above(app: Flask, world: World) -> None:
    assert approve_all(app, ask(world, "hanna", "maotai")) == ["hugo"]


def test_the_first_rejection_ends_it_and_gives_nothing(app: Flask, world: World) -> None:
    request_id = ask(world, "anna", "fenjiu")
    decide(app, request_id, "reject", opinion="用途不明")
    assert grants_of(request_id) == []
    assert db.session.get_one(ApprovalRequest, request_id).state == "rejected"


def test_the_form_shows_who_decides_and_only_that_a_customer_exists(world: World, client: FlaskClient) -> None:
    world.login(client, "anna")
    found = client.get("/archive/lookups/customers?q=山西汾酒").json
    assert found == [{"value": str(world.customer_id("fenjiu")), "label": "山西汾酒", "hint": "销售二部 · 柯兰"}]
    page = client.get(f"/archive/lookups/new?customer={world.customer_id('fenjiu')}").text
    assert "韩娜" in page
    assert "何可" in page


def test_the_form_files_a_request_adding_a_customer_by_name_without_script(world: World, client: FlaskClient) -> None:
    world.login(client, "anna")
    until = clock.today() + timedelta(days=1)
    form: dict[str, Any] = {
        "customers": [str(world.customer_id("maotai"))],
        "customer_text": "山西汾酒",
        "do": "add",
        "token": "t1",
    }
    page = client.post("/archive/lookups/new", data=form)
    assert page.status_code == 200
    assert page.text.count('name="customers"') == 2
    assert 'data-picker="/archive/lookups/customers"' in page.text
    assert 'name="customer_text" value=""' in page.text
    # A name that means nothing stays in its field, with the reason beside it; nothing is added and nothing filed.
    for do in ("add", ""):
        wrong = client.post("/archive/lookups/new", data=form | {"customer_text": "没有这个客户", "do": do}).text
        assert 'name="customer_text" value="没有这个客户"' in wrong
        assert "No customer, or more than one, is called “没有这个客户”" in wrong
        assert wrong.count('name="customers"') == 1
    # With script the number is sent beside the name.
    picked = {"customer": str(world.customer_id("luzhou")), "customer_text": "泸州老窖"}
    assert client.post("/archive/lookups/new", data=form | picked).text.count('name="customers"') == 2
    form |= {
        "do": "",
        "parts": ["contract"],
        "mode": "view",
        "quantity": "2",
        "until_on": str(until),
        "purpose": "核对条款",
    }
    assert client.post("/archive/lookups/new", data=form).status_code == 302
    lookup = db.session.scalars(select(ArchiveLookup)).one()
    assert (len(lookup.customers), lookup.quantity, lookup.until_on) == (2, 2, until)
    assert client.post("/archive/lookups/new", data=form).status_code == 302  # a double click
    assert len(db.session.scalars(select(ArchiveLookup)).all()) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"parts": ()}, "parts"),
        ({"parts": ("secrets",)}, "parts"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": 11}, "quantity"),
        ({"purpose": " "}, "purpose"),
        ({"mode": "download"}, "mode"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_its_field(world: World, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        ask(world, "anna", "maotai", **more)
    assert field in {name for name, _message in error.value.errors}
    assert db.session.scalars(select(ArchiveLookup)).all() == []


# ---- less than asked -----------------------------------------------------------------------------------------------


def test_an_approver_may_grant_less_and_the_next_one_less_again(app: Flask, world: World) -> None:
    day = clock.today() + timedelta(days=1)
    request_id = ask(world, "anna", "fenjiu", parts=("card", "contract"), quantity=5)
    until = grants_until(request_id)
    decide(app, request_id, conditions={"parts": ["card", "contract"], "quantity": 3, "until_on": until})
    with pytest.raises(Invalid):
        decide(app, request_id, conditions={"parts": ["card"], "quantity": 4, "until_on": until})
    with pytest.raises(Invalid):
        decide(app, request_id, conditions={"parts": ["card", "statistics"], "quantity": 1, "until_on": until})
    decide(app, request_id, conditions={"parts": ["card"], "quantity": 2, "until_on": day.isoformat()})
    grant = grants_of(request_id)[0]
    assert (grant.parts, grant.quota, grant.ends_at) == ("card", 2, clock.day_bounds(day)[1])


def test_what_was_granted_is_told_when_it_is_less_than_what_was_asked(
    app: Flask, world: World, client: FlaskClient
) -> None:
    world.login(client, "anna")
    for quantity in (2, 1):
        request_id = ask(world, "anna", "maotai", parts=("card", "contract"), quantity=2)
        until = grants_until(request_id)
        decide(app, request_id, conditions={"parts": ["contract", "card"], "quantity": quantity, "until_on": until})
        page = client.get(f"/approvals/{request_id}").text
        assert ("Less than what was asked" in page) == (quantity < 2)
        assert "decision-bar" not in page, "the applicant has nothing left to do"


def grants_until(request_id: int) -> str:
    request = db.session.get_one(ApprovalRequest, request_id)
    return db.session.get_one(ArchiveLookup, int(request.payload["lookup"])).until_on.isoformat()


def test_the_approver_sees_applicant_purpose_history_and_overdue_copies(
    app: Flask, world: World, client: FlaskClient
) -> None:
    first = ask(world, "anna", "wuliang", purpose="季度对账")
    approve_all(app, first)
    request_id = ask(world, "anna", "maotai")
    world.login(client, "hanna")
    page = client.get(f"/approvals/{request_id}").text
    for words in ("安娜", "核对合同付款条款", "季度对账", "1, 1 of them approved", "Overdue copies"):
        assert words in page, words
    decision = client.get(f"/approvals/{request_id}/decide?vote=approve").text
    assert 'name="quantity"' in decision
    assert 'name="until_on"' in decision


# ---- when it stops -------------------------------------------------------------------------------------------------


def test_a_view_shows_pages_with_the_readers_mark_and_never_the_file(
    app: Flask, world: World, client: FlaskClient
) -> None:
    add_file(world.customer_id("maotai"))
    grant_id = granted(app, world, "anna", "maotai")
    address = opened(world, client, "anna", grant_id)
    page = client.get(address)
    assert page.status_code == 200
    assert "Page 1 of 2" in page.text
    assert int(page.headers["Refresh"]) > 0
    answer = client.get(f"{address}/pages/1")
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    picture = Image.open(io.BytesIO(answer.data)).convert("L")
    assert picture.width > 900
    # The original is white but for one word: the watermark darkens every quarter of the page.
    w, h = picture.size
    for left, top in ((0, 0), (w // 2, 0), (0, h // 2), (w // 2, h // 2)):
        assert picture.crop((left, top, left + w // 2, top + h // 2)).getextrema()[0] < 225
    assert CANARY not in answer.data
    assert b"%PDF" not in answer.data
    assert not Image.open(io.BytesIO(answer.data)).getexif()
    assert client.get(f"{address}/pages/3").status_code == 404
    assert client.get(f"{address}/pages/1", headers={"Sec-Fetch-Dest": "document"}).status_code == 404


def test_every_look_is_in_the_trail_once_in_a_few_minutes(app: Flask, world: World, client: FlaskClient) -> None:
    add_file(world.customer_id("maotai"))
    address = opened(world, client, "anna", granted(app, world, "anna", "maotai"))
    for number in (1, 2, 1):
        assert client.get(f"{address}/pages/{number}").status_code == 200
    looks = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "archive:view:look")).all()
    assert [json.loads(entry.new_values or "")["page"] for entry in looks] == [1, 2]
    assert {entry.customer_id for entry in looks} == {world.customer_id("maotai")}


def test_views_are_counted_and_a_double_click_takes_one(app: Flask, world: World, client: FlaskClient) -> None:
    grant_id = granted(app, world, "anna", "maotai", quantity=2)
    world.login(client, "anna")
    address = f"/archive/lookups/grants/{grant_id}/open"
    for _click in range(2):
        assert client.post(address, data={"token": "a"}).status_code == 302
    assert client.post(address, data={"token": "b"}).status_code == 302
    refused = client.post(address, data={"token": "c"})
    assert refused.status_code == 410
    assert "used up" in refused.text
    db.session.rollback()
    assert db.session.get_one(ArchiveGrant, grant_id).used == 2
    assert len(db.session.scalars(select(ArchiveView)).all()) == 2
    assert "refused" in [row.kind for row in db.session.scalars(select(ArchiveAccess))]


def end_by_time(_world: World, grant_id: int) -> Any:
    return clock.frozen(db.session.get_one(ArchiveGrant, grant_id).ends_at)


def revoke(world: World, grant_id: int) -> None:
    with transaction():
        endings.end_grant(db.session.get_one(ArchiveGrant, grant_id), REVOKED, "项目取消", world.actor("hanna"))


def disable(world: World, _grant_id: int) -> None:
    with transaction():
        world.user("anna").is_active = False


@pytest.mark.parametrize("how", ["time", "revoked", "disabled", "paper_only", "given_back"])
def test_the_end_of_a_grant_stops_open_pages_at_once(how: str, app: Flask, world: World, client: FlaskClient) -> None:
    add_file(world.customer_id("maotai"))
    grant_id = granted(app, world, "anna", "maotai", quantity=3)
    address = opened(world, client, "anna", grant_id)
    actor, view_id = world.actor("anna"), int(address.rsplit("/", 1)[1])
    assert client.get(f"{address}/state").json["open"] is True
    if how == "time":
        with clock.frozen(db.session.get_one(ArchiveGrant, grant_id).ends_at):
            db.session.rollback()
            assert not grants.view_for(view_id, actor).is_open
            assert not take(grant_id)
        return
    if how == "revoked":
        revoke(world, grant_id)
    elif how == "disabled":
        disable(world, grant_id)
    elif how == "paper_only":
        put("archive.paper_only", True)
    else:
        assert client.post(f"/archive/lookups/grants/{grant_id}/give-back").status_code == 302
    db.session.rollback()
    assert not grants.view_for(view_id, actor).is_open
    if how != "paper_only":
        assert not take(grant_id)
    if how == "disabled":
        assert client.get(address).status_code in (302, 401)
        return
    ended = client.get(address)
    assert ended.status_code == 410
    assert "Nothing to see here any more" in ended.text
    assert client.get(f"{address}/pages/1").status_code == 404
    assert client.get(f"{address}/state").json["open"] is False


def take(grant_id: int) -> bool:
    with transaction():
        return grants.take_one(grant_id, VIEW)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_wrong_clock_of_the_web_server_neither_ends_nor_opens_a_grant(
    days: int, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15: what holds is asked of the database's own time."""
    live, over = (granted(app, world, "anna", name) for name in ("maotai", "wuliang"))
    now = clock.now()
    with transaction():
        ends = {live: now + timedelta(hours=1), over: now - timedelta(hours=1)}
        for grant_id, moment in ends.items():
            changed = update(ArchiveGrant).where(ArchiveGrant.id == grant_id)
            db.session.execute(changed.values(begins_at=now - timedelta(hours=2), ends_at=moment))
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=days))
    assert take(live)
    assert not take(over)


def test_a_view_closes_after_its_minutes(app: Flask, world: World) -> None:
    grant_id = granted(app, world, "anna", "maotai")
    with transaction():
        view = grants.open_view(grant_id, "t", world.actor("anna"))
        view_id, closes_at = view.id, view.closes_at
    anna = world.actor("anna")
    assert grants.view_for(view_id, anna).is_open
    with clock.frozen(closes_at - timedelta(seconds=1)):
        assert grants.view_for(view_id, anna).is_open
    with clock.frozen(closes_at):
        assert not grants.view_for(view_id, anna).is_open


def test_a_file_that_came_after_the_grant_is_seen_one_of_another_part_is_not(
    app: Flask, world: World, client: FlaskClient
) -> None:
    grant_id = granted(app, world, "anna", "maotai")
    add_file(world.customer_id("maotai"), "contract", title="新合同")
    add_file(world.customer_id("maotai"), "assessment", title="评估报告")
    page = client.get(opened(world, client, "anna", grant_id)).text
    assert "新合同" in page
    assert "评估报告" not in page


def test_only_heads_of_either_side_revoke_and_they_give_a_reason(app: Flask, world: World, client: FlaskClient) -> None:
    grant_id = granted(app, world, "anna", "fenjiu")
    address = f"/archive/lookups/grants/{grant_id}/revoke"
    for login, status in (("ben", 403), ("olga", 404), ("paula", 403)):
        world.login(client, login)
        assert client.post(address, data={"reason": "x"}).status_code == status, login
    world.login(client, "hector")
    assert client.post(address, data={"reason": ""}).status_code == 400
    assert client.post(address, data={"reason": "不再需要"}).status_code == 302
    db.session.rollback()
    assert db.session.get_one(ArchiveGrant, grant_id).ended_how == "revoked"
    notice = db.session.scalars(select(Notice).where(Notice.user_id == world.user("anna").id)).all()
    assert any("was ended" in json.loads(row.title)["m"] for row in notice)


def test_deactivating_a_person_ends_his_grants_and_cancels_his_copies(app: Flask, world: World) -> None:
    from portal.org.services import LeavingInput, deactivate_person

    add_file(world.customer_id("maotai"))
    grant_id = granted(app, world, "anna", "maotai", PAPER, 2)
    first, second = reserved(world, grant_id), reserved(world, grant_id)
    states_before = {db.session.get_one(ArchiveCopy, i).state for i in (first, second)}
    assert states_before <= {states.RESERVED, states.READY}
    with transaction():
        deactivate_person(world.user("anna").id, LeavingInput(world.user("ben").id), world.actor("admin"))
    db.session.rollback()
    assert db.session.get_one(ArchiveGrant, grant_id).ended_how == "left"
    assert {db.session.get_one(ArchiveCopy, i).state for i in (first, second)} == {states.CANCELLED}


# ---- overdue copies, alarms, quiet hours ----------------------------------------------------------------------------


def test_overdue_copies_block_new_requests_until_they_are_back(app: Flask, world: World) -> None:
    add_file(world.customer_id("maotai"))
    grant_id = granted(app, world, "anna", "maotai", PAPER)
    copy_id = reserved(world, grant_id)
    if db.session.get_one(ArchiveCopy, copy_id).state == states.RESERVED:
        walk(world, copy_id, states.MAKE)
    walk(world, copy_id, states.SEND, states.COUNT, states.SIGN)
    after = db.session.get_one(ArchiveCopy, copy_id).due_at + timedelta(hours=9)
    with clock.frozen(after):
        with pytest.raises(Conflict, match="Overdue copies"):
            ask(world, "anna", "wuliang")
        walk(world, copy_id, states.RETURN)
        ask(world, "anna", "wuliang")


def test_looking_up_too_many_customers_alarms_head_and_auditors_once_a_day(app: Flask, world: World) -> None:
    put("archive.bulk_customers", 2)
    for name in ("maotai", "wuliang"):
        ask(world, "anna", name)
    assert db.session.scalars(select(ArchiveAlarm)).all() == []
    ask(world, "anna", "yanghe")
    ask(world, "anna", "fenjiu")
    alarm = db.session.scalars(select(ArchiveAlarm)).one()
    assert (alarm.user_id, alarm.customers) == (world.user("anna").id, 3)
    told = db.session.scalars(
        select(User.login).join(Notice, Notice.user_id == User.id).where(Notice.kind == access.INCIDENT)
    )
    assert {"hanna", "audrey"} <= set(told)


def test_looks_in_quiet_hours_are_marked_for_the_head(app: Flask, world: World, client: FlaskClient) -> None:
    grant_id = granted(app, world, "anna", "maotai", quantity=2)
    night = clock.day_bounds(clock.today())[0] + timedelta(hours=23)
    with clock.frozen(max(night, clock.now())), transaction():
        grants.open_view(grant_id, "n", world.actor("anna"))
    row = db.session.scalars(select(ArchiveAccess).where(ArchiveAccess.kind == "looked")).one()
    assert row.is_quiet is access.quiet_at(row.at)
    world.login(client, "hanna")
    page = client.get("/archive/lookups/log").text
    assert "贵州茅台" in page
    world.login(client, "hector")
    assert "贵州茅台" not in client.get("/archive/lookups/log").text
