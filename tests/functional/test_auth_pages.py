"""Every page of log-in and organisation answers, for those who may and for those who may not."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.world import World

EVERYBODY = ("/account", "/account/password", "/account/sessions", "/confirm", "/delegations", "/staff", "/staff/chart")
ADMINISTRATION = (
    "/admin/people",
    "/admin/people?q=an&department=1&role=auditor&scene=left",
    "/admin/people/new",
    "/admin/people/1",
    "/admin/people/1/edit",
    "/admin/people/1/leave",
    "/admin/people/1/account",
    "/admin/departments",
    "/admin/departments?closed=1",
    "/admin/departments/new",
    "/admin/departments/1",
    "/admin/sessions",
    "/admin/settings",
    "/admin/plugins",
)


@pytest.mark.parametrize("path", EVERYBODY)
def test_pages_for_everybody(client: FlaskClient, world: World, path: str) -> None:
    assert client.get(path).status_code == 302
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 401
    world.login(client, "nora")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ADMINISTRATION)
def test_pages_of_administration(client: FlaskClient, world: World, path: str) -> None:
    assert client.get(path).status_code == 302
    world.login(client, "boss")
    assert client.get(path).status_code == 403
    world.login(client, "admin")
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/admin/people/{id}", "/admin/people/{id}/edit", "/admin/people/{id}/account",
                                  "/admin/people/{id}/leave", "/admin/departments/{id}", "/staff/{id}"])  # fmt: skip
def test_unknown_and_absurd_ids(client: FlaskClient, world: World, path: str) -> None:
    world.login(client, "admin")
    for number in ("0", "999999", "9" * 30):
        assert client.get(path.replace("{id}", number)).status_code == 404


def test_head_sees_the_delegation_form(client: FlaskClient, world: World) -> None:
    world.login(client, "hanna")
    assert client.get("/delegations/new").status_code == 200
    world.login(client, "anna")
    assert client.get("/delegations/new").status_code == 403


def test_every_page_reads_the_person_with_two_statements(app: Flask, client: FlaskClient, world: World) -> None:
    from sqlalchemy import event

    from portal.extensions import db

    world.login(client, "hanna")
    client.get("/account/sessions")
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *rest: seen.append(statement))
    client.get("/no-such-page")
    about_person = [text for text in seen if "auth_session" in text or "org_user_role" in text]
    assert len(about_person) == 2
    assert not any(text.lstrip().upper().startswith(("UPDATE", "INSERT", "DELETE")) for text in seen)
