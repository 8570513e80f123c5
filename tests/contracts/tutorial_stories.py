"""What the plugin of docs/tutorial.md does; run by test_sample_plugin.py in a Python where it is installed."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import portal_gifts
import pytest
from flask import Flask
from flask.testing import FlaskClient
from portal_gifts import services
from portal_gifts.models import Gift
from sqlalchemy import select

from portal import migrating
from portal.approvals.models import ApprovalRequest
from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.jobs.models import JobRun
from portal.jobs.services import enqueue
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from tests.contracts import tutorial
from tests.world import World


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"DEFAULT_LANGUAGE": "zh_Hans_CN"}


def _hidden(page: str, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    return re.search(r'value="([^"]*)"', tag).group(1)  # type: ignore[union-attr]


def _record(client: FlaskClient, customer_id: int, what: str, value: str) -> Any:
    page = client.get(f"/gifts/new/{customer_id}")
    assert page.status_code == 200
    data = {"what": what, "value": value, "token": _hidden(page.text, "token")}
    first = client.post(f"/gifts/new/{customer_id}", data=data)
    # A double click records one gift.
    assert client.post(f"/gifts/new/{customer_id}", data=data).status_code == first.status_code
    return first


def _gift(what: str) -> Gift:
    db.session.expire_all()
    return db.session.scalars(select(Gift).where(Gift.what == what)).one()


def test_the_installed_files_are_those_of_the_page(app: Flask) -> None:
    folder = Path(portal_gifts.__file__).parent
    assert folder.parent.name == "installed"
    pages = {path: text for path, text in tutorial.files().items() if path.startswith("portal_gifts/")}
    assert len(pages) > 12
    for path, text in pages.items():
        assert (folder.parent / path).read_text(encoding="utf-8") == text, path
    # The migration makes what the models say, and comes after the core's.
    assert [item for item in migrating.differences(app) if "gift_" in str(item)] == []
    assert migrating.missing_heads(app) == set()


def test_a_small_gift_is_recorded_at_once(app: Flask, client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    world.login(client, "anna")
    assert _record(client, maotai, "茶杯一对", "200").status_code == 302
    gift = _gift("茶杯一对")
    assert (gift.state, gift.value, gift.request_id) == ("given", Decimal(200), None)
    record = client.get(f"/customers/{maotai}").text
    for words in ("礼品登记", "登记礼品", "已送出1件礼品", "¥200.00"):
        assert words in record, words
    listed = client.get("/gifts/").text
    assert "茶杯一对" in listed
    assert "已送出" in listed
    assert 'href="/gifts/"' in client.get("/").text
    world.login(client, "admin")
    assert "gift__free_value" in client.get("/admin/settings/gift").text
    for value in ("0", "-5", "abc"):
        world.login(client, "anna")
        refused = _record(client, maotai, "不要", value)
        assert refused.status_code == 400, value
    assert db.session.scalars(select(Gift).where(Gift.what == "不要")).all() == []


def test_a_large_gift_is_approved_reminded_of_and_handed_over(app: Flask, client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    _record(client, world.customer_id("maotai"), "紫砂壶", "880.50")
    gift = _gift("紫砂壶")
    assert gift.state == "asked"
    assert client.post(f"/gifts/{gift.id}/hand-over").status_code == 302
    assert _gift("紫砂壶").state == "asked"
    request = db.session.get_one(ApprovalRequest, gift.request_id)

    head = world.login(app.test_client(), "hanna")
    assert "880.50" in head.get(f"/approvals/{request.id}").text
    form = head.get(f"/approvals/{request.id}/decide?vote=approve").text
    fields = {name: _hidden(form, name) for name in ("vote", "digest", "seat_of")}
    assert head.post(f"/approvals/{request.id}/decide", data={**fields, "opinion": "同意"}).status_code == 302
    assert _gift("紫砂壶").state == "approved"

    with transaction():
        _gift("紫砂壶").approved_at = clock.now() - timedelta(days=8)
    for _again in range(2):
        with transaction():
            run_id = enqueue("gift.remind", SYSTEM).id
        db.session.expire_all()
        assert db.session.get_one(JobRun, run_id).state == "done"
    notices = db.session.scalars(select(Notice).where(Notice.kind == services.NOTICE)).all()
    assert [notice.user_id for notice in notices] == [world.user("anna").id]
    assert "礼品“紫砂壶”已获批准，尚未送出" in client.get("/notices/").text

    assert "确认送出" in client.get("/gifts/").text
    assert client.post(f"/gifts/{gift.id}/hand-over").status_code == 302
    assert _gift("紫砂壶").state == "given"
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.action.like("gift:%")).order_by(AuditEntry.seq)
    )
    assert list(actions) == ["gift:gift:record", "gift:gift:approve", "gift:gift:hand-over"]


def test_who_may_not_see_the_customer_sees_no_gift(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    _record(client, world.customer_id("maotai"), "砚台", "100")
    world.login(client, "ben")
    assert "砚台" not in client.get("/gifts/").text
    assert client.get(f"/gifts/new/{world.customer_id('maotai')}").status_code == 403
    world.login(client, "nora")
    assert client.get("/gifts/").status_code == 403
