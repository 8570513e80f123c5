"""Writes: no token, a foreign page, another site: refused for every form. GET changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from tests.access.matrix import MATRIX
from tests.access.stage import ROLES, Stage

#: Anybody may send these; they still need a token.
POSTS = [name for name in MATRIX if name.startswith("POST ")]
#: GET pages that write, and what: a record of who looked. Nothing else may change by a GET.
LOOKS_ARE_RECORDED = {
    "audit.index": "looks into the audit trail are part of it",
    "audit.show": "looks into the audit trail are part of it",
    "documents.download": "who took a document along",
    "archive_lookups.picture": "each look at a page of a dossier",
    "archive_lookups.preview_page": "each look at a page of a new scan",
    "archive_copies.by_token": "who scanned the code of a paper copy",
}
#: Tables that a GET may touch: the session's last use, the trail of looks and refusals.
TOUCHED = ("auth_session", "audit_entry", "audit_head", "audit_private", "sqlite_sequence")
#: A page that writes, writes for everybody who gets the same answer: so many people of each answer are asked.
ASKED_OF_EACH = 2


def _may(name: str) -> str:
    """Somebody whose form would be accepted, else anna."""
    return next((role for role, letter in zip(ROLES, MATRIX[name], strict=True) if letter == "o"), "anna")


def _is_asked(name: str, role: str) -> bool:
    """Whether this person is among the first of those who get the same answer."""
    line, own = MATRIX[name], list(ROLES).index(role)
    return line[:own].count(line[own]) < ASKED_OF_EACH


@pytest.fixture
def guarded(stage: Stage) -> Iterator[Stage]:
    """The same application with tokens checked, as it runs in earnest."""
    stage.app.config["WTF_CSRF_ENABLED"] = True
    try:
        yield stage
    finally:
        stage.app.config["WTF_CSRF_ENABLED"] = False
        stage.restore()


def _refused(stage: Stage, name: str, rule: Rule, *forms: dict[str, str]) -> None:
    kept = ("auth_session", "auth_throttle", "audit_entry", "audit_head", "audit_private")
    before = stage.counts(*kept)
    for form in forms:
        with stage.client(_may(name)).post(stage.path(rule), data=form) as answer:
            assert answer.status_code in (400, 403), (name, answer.status_code)
            assert "Location" not in answer.headers
    assert stage.counts(*kept) == before, name


@pytest.mark.parametrize("name", POSTS)
def test_a_form_without_its_token_is_refused(name: str, guarded: Stage) -> None:
    rule = guarded.rules[name].rule
    _refused(guarded, name, rule, {}, {"csrf_token": "made-up"})


def test_a_token_of_another_session_is_refused(guarded: Stage) -> None:
    page = guarded.client("ben").get("/account").text
    foreign = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    rule = guarded.rules["POST /account"].rule
    _refused(guarded, "POST /account", rule, {"csrf_token": foreign})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda value: next(iter(value.values())),
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str], stage: Stage) -> None:
    found = stage.rules
    before = stage.counts()
    for name in POSTS:
        with stage.client(_may(name)).post(stage.path(found[name].rule), headers=headers) as answer:
            assert answer.status_code == 403, name
    assert stage.counts() == before


def test_the_own_page_is_no_other_site(stage: Stage) -> None:
    with stage.unchanged():
        same = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        assert stage.client("anna").post("/theme", data={"theme": "dark"}, headers=same).status_code == 302
        assert (
            stage.client("anna").post("/theme", data={"theme": "dark"}, headers={"Sec-Fetch-Site": "none"}).status_code
            == 302
        )


def test_other_methods_are_not_answered(stage: Stage) -> None:
    before = stage.counts()
    methods = ("PUT", "PATCH", "DELETE", "TRACE")
    for number, (name, asked) in enumerate(stage.rules.items()):
        for method in (methods[number % 4],):
            with stage.client("admin").open(stage.path(asked.rule), method=method) as answer:
                assert answer.status_code in (400, 403, 405), (name, method, answer.status_code)
    assert stage.counts() == before


@pytest.mark.parametrize("role", ROLES)
def test_get_changes_nothing(role: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """GET pages as one role: rows stay; the audit trail stays but for looks that are recorded on purpose."""
    before = stage.counts(*TOUCHED)
    for name, asked in stage.rules.items():
        if asked.method != "GET" or not _is_asked(name, role):
            continue
        entries = stage.entries()
        letter = stage.ask(role, asked.rule, "GET")
        assert letter in "olp-?", (name, letter)
        # A refusal is recorded too.
        if letter != "-" and asked.rule.endpoint not in LOOKS_ARE_RECORDED:
            assert stage.entries() == entries, f"{name} writes into the audit trail"
    assert stage.counts(*TOUCHED) == before


def test_head_answers_as_get(stage: Stage) -> None:
    for path in ("/", "/customers/", "/account", "/healthz", "/nothing-here"):
        with stage.client("anna").get(path) as got, stage.client("anna").head(path) as headed:
            assert got.status_code == headed.status_code
            assert headed.data == b""
