"""The vip plugin off and on again: by the page of the administration and by the command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from plugins.vip import services
from plugins.vip.models import VipApplication, VipMembership
from portal import migrating
from portal.approvals.models import ApprovalRequest
from portal.audit.models import AuditEntry
from portal.config import ENV_FILE, read_env_file
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _, speaking
from tests.conftest import make_app
from tests.world import World

pytestmark = pytest.mark.db


def _file(world: World) -> int:
    """An application of anna's that waits for hanna."""
    with transaction():
        data = services.ApplicationInput(world.customer_id("maotai"), "exception", "token", reason="an old friend")
        return services.apply(data, world.actor("anna")).id


def _again(tmp_path: Path, url: str, **more: Any) -> Flask:
    """The next start of the portal, in the same folder."""
    db.session.remove()
    return make_app(tmp_path, url, **more)


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


def test_off_by_the_page_and_on_again(
    app: Flask, client: FlaskClient, world: World, tmp_path: Path, database_url: str
) -> None:
    request_id = _file(world)
    maotai = world.customer_id("maotai")
    world.login(client, "admin")
    page = client.get("/admin/plugins").text
    assert "VIP" in page
    assert client.post("/admin/plugins/vip", data={"enabled": "0"}).status_code == 302
    assert read_env_file(tmp_path / ENV_FILE)["DISABLED_PLUGINS"] == "vip"
    # It holds from the next start: until then everything is there.
    assert world.login(app.test_client(), "anna").get("/vip/").status_code == 200
    trail = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq.desc())).first()
    assert "plugin" in trail

    off = _again(tmp_path, database_url)
    with off.app_context():
        _nothing_of_it_is_there(off, maotai, request_id)
        _the_rest_works(off, maotai)
        admin = World(off).login(off.test_client(), "admin")
        assert admin.post("/admin/plugins/vip", data={"enabled": "1"}).status_code == 302
        _close()

    on = _again(tmp_path, database_url)
    with on.app_context():
        anna = World(on).login(on.test_client(), "anna")
        assert anna.get("/vip/").status_code == 200
        assert db.session.scalar(select(func.count()).select_from(VipApplication)) == 1
        assert World(on).login(on.test_client(), "hanna").get(f"/approvals/{request_id}").status_code == 200
        assert "vip.search_candidates" in on.extensions["portal_jobs"]
        _close()


def _nothing_of_it_is_there(off: Flask, maotai: int, request_id: int) -> None:
    for name in ("approval_kinds", "jobs", "notice_kinds", "document_kinds", "listings"):
        assert not [item.key for item in off.extensions[f"portal_{name}"] if item.key.startswith("vip")], name
    assert not [name for name in off.extensions["portal_permissions"].permissions if name.startswith("vip")]
    assert not [key for key in off.extensions["portal_settings"].definitions if key.startswith("vip")]
    assert not [rule.rule for rule in off.url_map.iter_rules() if rule.rule.startswith("/vip")]
    for login in ("anna", "hanna", "boss"):
        visitor = World(off).login(off.test_client(), login)
        for path in ("/vip/", "/vip/candidates", "/vip/benefits", f"/vip/apply/{maotai}", "/vip/1"):
            assert visitor.get(path).status_code == 404, path
        for path in ("/", "/customers/", f"/customers/{maotai}", "/notices/preferences", "/search?q=vip"):
            text = visitor.get(path).text
            assert "/vip/" not in text, path
    hooks = off.extensions["portal_plugins"].hooks_of("vip")
    assert hooks == []


def _the_rest_works(off: Flask, maotai: int) -> None:
    world = World(off)
    pages = {
        "anna": [
            "/",
            "/customers/",
            f"/customers/{maotai}",
            f"/customers/{maotai}/history",
            "/purchases/",
            "/approvals",
        ],
        "hanna": ["/", "/approvals", "/delegations", "/delegations/new"],
        "boss": ["/", "/customers/", "/reports/sales"],
        "admin": ["/admin/settings", "/admin/plugins", "/jobs/all", "/jobs/runs", "/approvals/held"],
        "audrey": ["/audit/"],
    }
    for login, paths in pages.items():
        visitor = world.login(off.test_client(), login)
        for path in paths:
            assert visitor.get(path).status_code == 200, (login, path)
    # The request that waited still waits; whoever opens it gets an answer.
    waiting = db.session.scalars(select(ApprovalRequest)).one()
    assert waiting.state == "pending"
    assert world.login(off.test_client(), "anna").get(f"/approvals/{waiting.id}").status_code == 200
    approver = world.login(off.test_client(), "hanna")
    shown = approver.get(f"/approvals/{waiting.id}").text
    assert "cannot be decided until the plugin is on again" in shown
    assert "decision-bar" not in shown
    assert approver.get(f"/approvals/{waiting.id}/decide?vote=approve").status_code == 409
    # What the database kept in words of the plugin is still said in the reader's language.
    with off.test_request_context(), speaking("zh_Hans_CN"):
        assert re.search("[\u4e00-\u9fff]", _(waiting.steps[0].title))
    migrating.upgrade(off)
    assert migrating.missing_heads(off) == set()
    assert db.session.scalar(select(func.count()).select_from(VipMembership)) == 0
    assert db.session.scalar(select(func.count()).select_from(VipApplication)) == 1


def test_commands(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISABLED_PLUGINS", raising=False)
    runner = app.test_cli_runner()
    listed = json.loads(runner.invoke(args=["plugins", "list", "--json"]).output)
    [vip] = [line for line in listed if line["name"] == "vip"]
    assert vip["enabled"] is True
    assert {"register_approval_kinds", "customer_panels", "purchases_changed"} <= set(vip["hooks"])
    text = runner.invoke(args=["plugins", "list"]).output
    assert text.startswith("on   ")
    assert f"vip {vip['version']}" in text
    assert "hooks: " in text

    done = runner.invoke(args=["plugins", "disable", "vip"])
    assert done.exit_code == 0, done.output
    assert read_env_file(tmp_path / ENV_FILE)["DISABLED_PLUGINS"] == "vip"
    assert runner.invoke(args=["plugins", "enable", "vip"]).exit_code == 0
    assert read_env_file(tmp_path / ENV_FILE)["DISABLED_PLUGINS"] == ""
    unknown = runner.invoke(args=["plugins", "disable", "nothing"])
    assert unknown.exit_code == 1
    assert "nothing" in unknown.output
    monkeypatch.setenv("DISABLED_PLUGINS", "")
    assert "environment" in runner.invoke(args=["plugins", "disable", "vip"]).output


def test_only_administrators_switch(client: FlaskClient, world: World, tmp_path: Path) -> None:
    for login in ("boss", "audrey", "nora"):
        world.login(client, login)
        assert client.get("/admin/plugins").status_code == 403
        assert client.post("/admin/plugins/vip", data={"enabled": "0"}).status_code == 403
    assert not (tmp_path / ENV_FILE).exists()
