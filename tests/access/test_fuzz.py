"""Hostile input everywhere: every query parameter, every field of every form. Refused or ignored, never an error."""

from __future__ import annotations

import ast
import os
import random
from functools import cache
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.access.matrix import MATRIX
from tests.access.pages import FoundForm, Page
from tests.access.stage import QUERY, ROLES, Stage
from tests.contracts.plugin_package import ROOT

HOSTILE = (
    "",
    " ",
    "-1",
    "0",
    "1e309",
    "NaN",
    "9" * 25,
    "-" + "9" * 25,
    "9" * 5000,
    "½",
    "٣",
    "²",
    "'; DROP TABLE customer; --",
    '" OR 1=1 --',
    "%",
    "_%\\",
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "%(name)s %s {0}",
    "../../etc/passwd",
    "茅台" * 60,
    "\u202egnp.exe",
    "a\u0000b",
    "\ud83d",
    "\u200b\ufeff",
    "甲" * 3000,
    "0203-13-45",
    "9999-12-31",
    "0001-01-01",
    "10000-01-01",
    "2026-02-30T25:61",
    "1,234.567",
    "￥１２３",
    "[]",
    '{"a": 1}',
    "null",
    "eyJhIjogMX0=",
    "https://evil.example/",
    "//evil.example",
    "javascript:alert(1)",
)
WORDS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.integers().map(str),
    st.dates().map(str),
    st.floats().map(str),
)
#: How many examples of each; 0: a few that are always the same (`make fuzz` asks for many).
MANY = int(os.environ.get("PORTAL_FUZZ", "0"))
BOUNDED = settings(
    max_examples=MANY or 12,
    deadline=None,
    derandomize=not MANY,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@cache
def _read_parameters() -> tuple[str, ...]:
    """Names of query parameters that any view reads: `request.args.get("name")`, `int_argument("name")`."""
    found = {"after", "before", "sort", "columns", "q", "scene", "view", "size", "page", "next", "all", "ids"}
    for folder in ("portal", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if not any(word in source for word in ("args.get", "values.get", "int_argument")):
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    called = ast.unparse(node.func)
                    if called.endswith(("args.get", "args.getlist", "values.get")) or called == "int_argument":
                        found.add(str(node.args[0].value))
    return tuple(sorted(found))


def _parameters(stage: Stage, endpoint: str) -> list[str]:
    names = list(_read_parameters())
    for listing in stage.app.extensions["portal_listings"]:
        if listing.endpoint == endpoint:
            for entry in listing.filters:
                names += [entry.key, f"{entry.key}_from", f"{entry.key}_to", f"{entry.key}.low", f"{entry.key}.high"]
    return names


def _opener(name: str) -> str:
    """Somebody who may open the page."""
    return next((role for role, letter in zip(ROLES, MATRIX[name], strict=True) if letter == "o"), "anna")


GETS = [name for name in MATRIX if name.startswith("GET ")]
#: So often each page and each form is asked, with more hostile values each time.
QUERY_ROUNDS, FORM_ROUNDS = 2, 3


def _clean(value: str) -> str:
    """What a client can send at all: lone surrogates cannot be encoded."""
    return value.encode("utf-8", "replace").decode("utf-8")


@pytest.mark.parametrize("name", GETS)
def test_hostile_queries(name: str, stage: Stage) -> None:
    asked = stage.rules[name]
    client, path = stage.client(_opener(name)), stage.path(asked.rule)
    names = _parameters(stage, asked.rule.endpoint)
    dice = random.Random(name)
    for round_number in range(QUERY_ROUNDS):
        # A few parameters at a time: one that is refused at once would hide the others.
        chosen = dice.sample(names, k=min(len(names), 5 + 15 * round_number))
        query: dict[str, Any] = dict(QUERY.get(asked.rule.endpoint, {}))
        for key in chosen:
            values = [_clean(dice.choice(HOSTILE)) for _count in range(dice.choice((1, 1, 3)))]
            query[key] = [value[:900] for value in values]
        with client.get(path, query_string=query) as answer:
            assert answer.status_code < 500 or name == "GET /healthz", (query, answer.status_code)
            assert "evil.example" not in answer.headers.get("Location", "").split("?")[0]
            if answer.mimetype == "text/html":
                assert "<script>alert(1)" not in answer.text
                assert Page(answer.text).inline == []


@pytest.mark.parametrize("name", ["GET /customers/", "GET /purchases/", "GET /vip/", "GET /audit/", "GET /search"])
def test_invented_queries_of_lists(name: str, stage: Stage) -> None:
    asked = stage.rules[name]
    client, path = stage.client(_opener(name)), stage.path(asked.rule)
    names = _parameters(stage, asked.rule.endpoint)

    @BOUNDED
    @given(st.dictionaries(st.sampled_from(names), st.lists(WORDS, min_size=1, max_size=3), max_size=5))
    def ask(query: dict[str, list[str]]) -> None:
        with client.get(path, query_string={key: [_clean(v)[:500] for v in query[key]] for key in query}) as answer:
            assert answer.status_code < 500

    ask()


def test_filters_of_every_list_take_anything(stage: Stage) -> None:
    """A few invented queries for each list of core and plugins, its own filters, order and columns among them."""
    asked = 0
    for listing in stage.app.extensions["portal_listings"]:
        found = next(
            (a for a in stage.rules.values() if a.rule.endpoint == listing.endpoint and a.method == "GET"), None
        )
        if found is not None:
            client, path = stage.client(_opener(f"GET {found.rule.rule}")), stage.path(found.rule)
            names = [*_parameters(stage, listing.endpoint), "cols", "n", "sort"]
            _ask_list(client, path, names, [column.key for column in listing.columns])
            asked += 1
    assert asked > 20


def _ask_list(client: FlaskClient, path: str, names: list[str], keys: list[str]) -> None:
    words = st.one_of(WORDS, st.sampled_from([*keys, *(f"-{key}" for key in keys), ".".join(keys)]))

    @settings(BOUNDED, max_examples=MANY or 2)
    @given(st.dictionaries(st.sampled_from(names), st.lists(words, min_size=1, max_size=3), max_size=6))
    def ask(query: dict[str, list[str]]) -> None:
        cleaned = {name: [_clean(value)[:500] for value in query[name]] for name in query}
        with client.get(path, query_string=cleaned) as answer:
            assert answer.status_code < 500, (path, query)

    ask()


def test_broken_cursors(stage: Stage) -> None:
    for listing in stage.app.extensions["portal_listings"]:
        asked = next(
            (a for a in stage.rules.values() if a.rule.endpoint == listing.endpoint and a.method == "GET"), None
        )
        if asked is None:
            continue
        name = f"GET {asked.rule.rule}"
        client, path = stage.client(_opener(name)), stage.path(asked.rule)
        sorts = ("", "nothing", listing.default_sort, f"-{listing.default_sort}")
        for number, cursor in enumerate(("x", "MQ==", "W10=", "W251bGwsIG51bGxd", "eyJ4IjogMX0=", "1~2~3", "é" * 50)):
            query = {("after", "before")[number % 2]: cursor, "sort": sorts[number % 4]}
            with client.get(path, query_string=query) as answer:
                assert answer.status_code < 500, (listing.key, query)


# ---- forms ---------------------------------------------------------------------------------------------------------


@cache
def _forms(stage_id: int) -> dict[str, tuple[str, str, FoundForm]]:
    stage = STAGES[stage_id]
    found: dict[str, tuple[str, str, FoundForm]] = {}
    adapter = stage.app.url_map.bind("localhost")
    # The page that shows every component sends its samples nowhere.
    for name in (name for name in GETS if name != "GET /style"):
        asked = stage.rules[name]
        for role in dict.fromkeys((_opener(name), "hanna")):
            if MATRIX[name][list(ROLES).index(role)] != "o":
                continue
            path = stage.path(asked.rule)
            with stage.client(role).get(path, query_string=QUERY.get(asked.rule.endpoint)) as answer:
                if answer.mimetype != "text/html":
                    continue
                for form in Page(answer.text).forms:
                    if form.method != "post" or not form.is_sent:
                        continue
                    action = (form.action or path).split("?")[0]
                    try:
                        rule, _values = adapter.match(action, method="POST", return_rule=True)
                    except Exception:  # a form that no page answers is found by the test below
                        found[f"POST {action}"] = (role, action, form)
                        continue
                    known = found.get(f"POST {rule.rule}")
                    if known is None or len(known[2].fields) < len(form.fields):
                        found[f"POST {rule.rule}"] = (role, form.action or path, form)
    return found


STAGES: dict[int, Stage] = {}


def _all_forms(stage: Stage) -> dict[str, tuple[str, str, FoundForm]]:
    STAGES[id(stage)] = stage
    return _forms(id(stage))


def test_forms_lead_to_pages_that_take_them(stage: Stage) -> None:
    found = _all_forms(stage)
    assert [name for name in found if name not in MATRIX] == []
    assert len(found) > 50


@pytest.mark.parametrize("name", [name for name in MATRIX if name.startswith("POST ")])
def test_hostile_forms(name: str, stage: Stage) -> None:
    role, action, form = _all_forms(stage).get(name) or (_opener(name), stage.path(stage.rules[name].rule), None)
    fields = form.fields if form is not None else [(key, "") for key in ("ids", "query", "reason", "go", "name", "q")]
    dice = random.Random(name)
    names = sorted({key for key, _value in fields if key != "csrf_token"})
    for round_number in range(FORM_ROUNDS):
        data: dict[str, Any] = {key: value for key, value in fields if key != "csrf_token"}
        # One field, then some, then all of them hostile, the rest as the page has them.
        for key in dice.sample(names, k=min(len(names), (1, max(1, len(names) // 2), len(names))[round_number])):
            data[key] = [_clean(dice.choice(HOSTILE)) for _count in range(dice.choice((1, 1, 2)))]
        with stage.client(role).post(action, data=data) as answer:
            assert answer.status_code < 500, (data, answer.status_code)
            assert "evil.example" not in answer.headers.get("Location", "").split("?")[0]
            if answer.mimetype == "text/html":
                assert "<script>alert(1)" not in answer.text
            changed = answer.status_code in (200, 302, 303)
        if changed:
            stage.restore()


def test_bodies_that_are_no_form(stage: Stage) -> None:
    found = stage.rules
    bodies = (
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"{", "application/json"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"a=" + b"1" * 600_000, "application/x-www-form-urlencoded"),
    )
    for name in ("POST /login", "POST /customers/new", "POST /account", "POST /imports/new", "POST /views/save"):
        for body, kind in bodies:
            with stage.client(_opener(name)).post(stage.path(found[name].rule), data=body, content_type=kind) as answer:
                assert answer.status_code < 500, (name, kind, answer.status_code)
    stage.restore()
