"""GET /healthz: 200 when database, worker and storage are well, else 503 with the names of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from portal.core import clock
from portal.core.panels import HealthCheck
from portal.core.transaction import transaction
from portal.jobs.models import JobWorker
from portal.pluginmanager import PluginManager

pytestmark = pytest.mark.db


@pytest.fixture
def worker(app: Flask) -> None:
    """A worker that said a moment ago that it lives."""
    columns = {column.name: column for column in JobWorker.__table__.columns}
    values = {}
    for name, column in columns.items():
        kind = type(column.type).__name__
        if kind == "UTCDateTime":
            values[name] = clock.now()
        elif not column.nullable and column.default is None and not column.primary_key:
            values[name] = 1 if "Int" in kind else "test"
        elif column.primary_key and kind == "String":
            values[name] = "test"
    with transaction() as session:
        session.execute(insert(JobWorker).values(**values))


def test_all_is_well(client: FlaskClient, worker: None) -> None:
    answer = client.get("/healthz")
    assert answer.json["checks"]["database"] == "ok"
    assert answer.json == {"status": "ok", "checks": dict.fromkeys(answer.json["checks"], "ok")}
    assert answer.status_code == 200
    assert len(answer.json["checks"]) >= 3


def test_without_a_worker(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["status"] == "failed"
    assert [name for name, result in answer.json["checks"].items() if result != "ok"] == ["worker"]


def test_without_a_database(client: FlaskClient, worker: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.extensions import db

    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("password=secret is in this message")

    monkeypatch.setattr(db.session, "execute", broken)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "failed"
    assert "secret" not in answer.text


@pytest.mark.parametrize("problem", ["disk full at a secret place", RuntimeError("secret")])
def test_a_failing_check_of_a_module(
    app: Flask, client: FlaskClient, worker: None, problem: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> str:
        if isinstance(problem, Exception):
            raise problem
        return str(problem)

    plugins: PluginManager = app.extensions["portal_plugins"]
    collect = plugins.collect

    def more(hook: str, **arguments: object) -> list[object]:
        made = [HealthCheck("broken", run)] if hook == "register_health_checks" else []
        return [*collect(hook, **arguments), *made]

    monkeypatch.setattr(plugins, "collect", more)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json["checks"]["broken"] == "failed"
    assert "secret" not in answer.text


def test_it_says_nothing_about_people_and_sets_no_cookie(client: FlaskClient, tmp_path: Path) -> None:
    answer = client.get("/healthz", headers={"Accept": "text/html"})
    assert answer.mimetype == "application/json"
    assert "Set-Cookie" not in answer.headers
    assert str(tmp_path) not in answer.text
