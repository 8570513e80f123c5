"""The access matrix: every rule of the application, asked by every role."""

from __future__ import annotations

import re
from contextlib import nullcontext
from time import perf_counter

import pytest
from sqlalchemy import text

from portal.core.pace import pace_of
from portal.core.web import declared_access
from portal.extensions import db
from tests.access.matrix import MATRIX
from tests.access.stage import MISSING, ROLES, Stage, undrawn_refusals

#: The token of the page's forms: it carries the second in which it was made.
TOKEN = re.compile(r"""(?<=name="csrf_token" value=")[^"]+|(?<=name="csrf-token" content=")[^"]+""")


def test_every_page_has_a_line_and_every_line_a_page(stage: Stage) -> None:
    assert sorted(set(stage.rules) ^ set(MATRIX)) == []


def test_pages_answer_get_and_post_alone(stage: Stage) -> None:
    assert {name.split()[0] for name in stage.rules} == {"GET", "POST"}


@pytest.mark.parametrize("name", MATRIX)
def test_who_may(name: str, stage: Stage) -> None:
    asked = stage.rules[name]
    found = ""
    for role in ROLES:
        with undrawn_refusals() if set("-?") & set(found) else nullcontext():
            letter = stage.ask(role, asked.rule, asked.method)
        found += letter
        if asked.method == "POST" and letter not in "-?":
            stage.restore()
    assert dict(zip(ROLES, found, strict=True)) == dict(zip(ROLES, MATRIX[name], strict=True))


@pytest.mark.parametrize("name", [name for name in MATRIX if "<" in name])
def test_what_is_hidden_looks_like_what_is_not_there(name: str, stage: Stage) -> None:
    """Who gets 404 for an object of others gets the very same answer for one that does not exist."""
    asked = stage.rules[name]
    numbers = [a for a in asked.rule.arguments if asked.rule._converters[a].__class__.__name__ == "NumberConverter"]
    hidden_from = [role for role, letter in zip(ROLES, MATRIX[name], strict=True) if letter == "?"]
    for role in dict.fromkeys((*hidden_from[:1], *hidden_from[-1:])):
        answers = []
        for other in ({}, dict.fromkeys(numbers, MISSING)):
            path = stage.path(asked.rule, **other)
            with stage.client(role).open(path, method=asked.method) as answer:
                # The token of the forms is signed with the second of the answer.
                text = TOKEN.sub("TOKEN", answer.text.replace(path, "PATH"))
                answers.append((answer.status_code, text))
        assert answers[0] == answers[1], role


def test_what_is_hidden_takes_as_long_as_what_is_not_there(stage: Stage) -> None:
    """An approval of others: the portal looks at its seats, its kind and their delegates before it says no."""
    name = "GET /approvals/<int:request_id>"
    asked, role = stage.rules[name], list(ROLES)[MATRIX[name].index("?")]
    step, pace = 0.2, pace_of(stage.app)

    def quickest(number: int) -> float:
        taken = []
        for _attempt in range(3):
            begin = perf_counter()
            with stage.client(role).get(stage.path(asked.rule, request_id=number)) as answer:
                assert answer.status_code == 404
            taken.append(perf_counter() - begin)
        return min(taken)

    pace.step = step
    try:
        hidden, missing = quickest(stage.ids["request_id"]), quickest(MISSING)
    finally:
        pace.step = 0
    assert min(hidden, missing) >= step
    assert abs(hidden - missing) < step / 8, (hidden, missing)


@pytest.mark.parametrize("name", [name for name in MATRIX if "<int:" in name])
def test_what_is_not_there_is_not_found(name: str, stage: Stage) -> None:
    """Those who may open the page get 404 for a missing object and for a number no database can hold."""
    asked = stage.rules[name]
    numbers = [a for a in asked.rule.arguments if asked.rule._converters[a].__class__.__name__ == "NumberConverter"]
    role = (
        next(role for role, letter in zip(ROLES, MATRIX[name], strict=True) if letter == "o")
        if ("o" in MATRIX[name])
        else "admin"
    )
    for number in (MISSING, 0, 2**63 - 1, 2**63, 10**30):
        with nullcontext() if number == MISSING else undrawn_refusals():
            letter = stage.ask(role, asked.rule, asked.method, **dict.fromkeys(numbers, number))
        assert letter == "?", (role, number, letter)


def test_administration_asks_for_the_password_again(stage: Stage) -> None:
    """Pages of a permission with step_up, by a session that proved itself too long ago."""
    registry = stage.app.extensions["portal_permissions"]
    with stage.unchanged():
        with stage.app.app_context(), db.engine.begin() as connection:
            connection.execute(text("UPDATE auth_session SET confirmed_at = '2026-01-01 00:00:00.000000'"))
        seen = 0
        for name, asked in stage.rules.items():
            declared = declared_access(stage.app, asked.rule.endpoint) or ""
            permission = registry.permissions.get(declared)
            if permission is None or not permission.step_up:
                continue
            seen += 1
            with stage.client("admin").open(stage.path(asked.rule), method=asked.method) as answer:
                if asked.method == "GET":
                    assert answer.status_code == 302, name
                    assert answer.location.startswith("/confirm"), name
                else:
                    assert answer.status_code in (302, 401, 403), name
        assert seen > 15


def test_a_closed_account_opens_nothing(stage: Stage) -> None:
    with stage.unchanged():
        with stage.app.app_context(), db.engine.begin() as connection:
            connection.execute(text("UPDATE org_user SET is_active = false WHERE login = 'boss'"))
        for name, asked in stage.rules.items():
            if asked.method == "GET" and MATRIX.get(name, "o")[0] == "l":
                assert stage.ask("boss", asked.rule, "GET") == "l", name
