"""Settings, plugins and the commands `init` and `plugins`."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.auth import settings_admin
from portal.auth.plugin_switch import switched
from portal.auth.settings_views import module_title
from portal.core import settings
from portal.core.settings import Setting, SettingValue
from portal.extensions import db
from portal.pluginmanager import LoadedPlugin, PluginError, PluginInfo
from tests.conftest import make_app
from tests.world import World

KINDS = (
    Setting("trial.flag", "bool", True, "Flag"),
    Setting("trial.days", "int", 7, "Days", minimum=1, maximum=30, unit="days"),
    Setting("trial.limit", "money", Decimal("100.50"), "Limit", minimum=Decimal(0)),
    Setting("trial.greeting", "text", "", "Greeting"),
    Setting("trial.colour", "choice", "red", "Colour", choices=(("red", "Red"), ("blue", "Blue"))),
    Setting("trial.letters", "choices", ("a",), "Letters", choices=(("a", "A"), ("b", "B"), ("c", "C"))),
    Setting("trial.table", "json", {"x": 1}, "Table"),
)


@pytest.fixture
def page(app: Flask, client: FlaskClient, world: World) -> FlaskClient:
    """An administrator at a portal with one setting of each kind."""
    app.extensions["portal_settings"].add(KINDS)
    return world.login(client, "admin")


def form_of(client: FlaskClient) -> dict[str, Any]:
    """What the browser would send back unchanged."""
    text = client.get("/admin/settings/trial").text
    was = dict(re.findall(r'name="(was__[a-z_]+)" value="([^"]*)"', text))
    import html

    unchanged = {
        "trial__flag": "y",
        "trial__days": "7",
        "trial__limit": "100.50",
        "trial__greeting": "",
        "trial__colour": "red",
        "trial__letters": ["a"],
        "trial__table": '{"x": 1}',
    }
    return {**unchanged, **{name: html.unescape(value) for name, value in was.items()}}


def value(key: str) -> Any:
    db.session.rollback()
    settings.forget_cache()
    return settings.get(key)


def test_unchanged_form_changes_nothing(page: FlaskClient) -> None:
    assert page.post("/admin/settings/trial", data=form_of(page)).status_code == 302
    db.session.rollback()
    assert db.session.scalars(select(SettingValue.key)).all() == []


def test_every_kind_can_be_changed_and_is_written_down(page: FlaskClient) -> None:
    form = form_of(page)
    form.pop("trial__flag")
    form |= {
        "trial__days": "30",
        "trial__limit": "￥1,234.5",
        "trial__greeting": "你好",
        "trial__colour": "blue",
        "trial__letters": ["a", "c"],
        "trial__table": '{"x": [1, 2]}',
    }
    assert page.post("/admin/settings/trial", data=form).status_code == 302
    found = {setting.key: value(setting.key) for setting in KINDS}
    assert found == {
        "trial.flag": False,
        "trial.days": 30,
        "trial.limit": Decimal("1234.5"),
        "trial.greeting": "你好",
        "trial.colour": "blue",
        "trial.letters": ["a", "c"],
        "trial.table": {"x": [1, 2]},
    }
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "settings:setting:change")).all()
    assert len(entries) == len(KINDS)
    assert {"value": 7} in [json.loads(entry.old_values or "") for entry in entries]
    page.post("/admin/settings/trial/reset", data={"key": "trial.days"})
    assert value("trial.days") == 7


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("days", ""), ("days", "0"), ("days", "31"), ("days", "seven"), ("days", "9" * 40), ("limit", "-1"),
        ("limit", "much"), ("limit", ""), ("limit", "1.005"), ("colour", "green"), ("letters", "z"),
        ("greeting", "x" * 3000), ("table", "{"), ("table", "[" * 50_000),
    ],
)  # fmt: skip
def test_bad_values_are_answered_beside_the_field(page: FlaskClient, field: str, bad: str) -> None:
    answer = page.post("/admin/settings/trial", data={**form_of(page), f"trial__{field}": bad})
    assert answer.status_code == 400
    assert f'id="trial__{field}-error"' in answer.text
    db.session.rollback()
    assert db.session.scalars(select(SettingValue.key)).all() == []


def test_two_administrators(page: FlaskClient) -> None:
    first, second = form_of(page), form_of(page)
    assert page.post("/admin/settings/trial", data={**first, "trial__days": "10"}).status_code == 302
    other = page.post("/admin/settings/trial", data={**second, "trial__greeting": "hello"})
    assert other.status_code == 302, "another setting is no conflict, and the first change stays"
    assert (value("trial.days"), value("trial.greeting")) == (10, "hello")
    conflict = page.post("/admin/settings/trial", data={**second, "trial__days": "20"})
    assert conflict.status_code == 409
    assert "changed this to 10" in conflict.text
    assert 'value="20"' in conflict.text
    assert value("trial.days") == 10
    assert page.post("/admin/settings/trial", data={**form_of(page), "trial__days": "20"}).status_code == 302
    assert value("trial.days") == 20


def test_unknown_modules_and_settings(page: FlaskClient) -> None:
    assert page.get("/admin/settings/nothing").status_code == 404
    assert page.post("/admin/settings/trial/reset", data={"key": "no.such"}).status_code == 404


def test_shown_values_compare_exactly() -> None:
    assert settings_admin.shown(Decimal("1.50")) == '"1.50"'
    assert settings_admin.shown({"b": 1, "a": 2}) == settings_admin.shown({"a": 2, "b": 1})


# ---- plugins -------------------------------------------------------------------------------------------------------


def plugin(name: str, *requires: str) -> LoadedPlugin:
    return LoadedPlugin(PluginInfo(name, "1", name, requires=requires), None, True)  # type: ignore[arg-type]


def test_switching_respects_requirements(app: Flask) -> None:
    found = [plugin("base"), plugin("upper", "base")]
    assert switched(found, [], "upper", False) == ["upper"]
    with pytest.raises(PluginError):
        switched(found, [], "base", False)
    assert switched(found, ["upper"], "base", False) == ["base", "upper"]
    with pytest.raises(PluginError):
        switched(found, ["base", "upper"], "upper", True)
    assert switched(found, ["base", "upper"], "base", True) == ["upper"]
    with pytest.raises(PluginError):
        switched(found, [], "other", False)


def test_plugin_is_switched_on_the_page(
    app: Flask, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISABLED_PLUGINS", raising=False)
    world.login(client, "admin")
    name = app.extensions["portal_plugins"].plugins[0].info.name
    assert client.post(f"/admin/plugins/{name}", data={"enabled": "0"}).status_code == 302
    written = (Path(app.config["DATA_DIR"]) / "portal.env").read_text()
    assert f"DISABLED_PLUGINS={name}" in written
    assert "started again" in client.get("/admin/plugins").text
    off = make_app(Path(app.config["DATA_DIR"]), app.config["SQLALCHEMY_DATABASE_URI"])
    assert name not in off.blueprints
    with off.app_context():
        listed = off.test_cli_runner().invoke(args=["plugins", "list", "--json"])
    assert {line["name"]: line["enabled"] for line in json.loads(listed.output)}[name] is False
    on = app.test_cli_runner().invoke(args=["plugins", "enable", name])
    assert on.exit_code == 0, on.output
    assert "DISABLED_PLUGINS=\n" in (Path(app.config["DATA_DIR"]) / "portal.env").read_text()
    unknown = app.test_cli_runner().invoke(args=["plugins", "disable", "nothing"])
    assert unknown.exit_code != 0


def test_environment_wins(app: Flask, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISABLED_PLUGINS", "")
    world.login(client, "admin")
    name = app.extensions["portal_plugins"].plugins[0].info.name
    client.post(f"/admin/plugins/{name}", data={"enabled": "0"})
    assert not (Path(app.config["DATA_DIR"]) / "portal.env").exists()


# ---- portal init ---------------------------------------------------------------------------------------------------


def test_init_refuses_when_people_exist(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["init"])
    assert answer.exit_code != 0
    assert "already" in answer.output


def test_init_makes_an_empty_database_and_the_first_administrator(tmp_path: Path) -> None:
    app = make_app(tmp_path, f"sqlite:///{tmp_path}/fresh.sqlite3")
    with app.app_context():
        answer = app.test_cli_runner().invoke(args=["init", "--json"])
        assert answer.exit_code == 0, answer.output
        account = json.loads(answer.stdout)
        client = app.test_client()
        form = {"login": account["login"], "password": account["password"]}
        assert client.post("/login", data=form).headers["Location"] == "/account/password"
        again = app.test_cli_runner().invoke(args=["init"])
        assert again.exit_code != 0
        db.session.remove()
        db.engine.dispose()


def test_each_module_with_settings_has_a_name_of_its_own(app: Flask) -> None:
    modules = {key.split(".")[0] for key in app.extensions["portal_settings"].definitions}
    assert {"backups", "customers", "vip"} <= modules
    with app.test_request_context():
        assert [name for name in sorted(modules) if module_title(name) == name] == []
