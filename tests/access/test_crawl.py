"""Walking through the portal as each role: every link leads somewhere one may go, every answer is protected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.test import TestResponse

from portal.core.headers import POLICY
from tests.access.pages import Page
from tests.access.stage import ROLES, Stage

#: So many pages of one address pattern are opened: lists link to themselves with every filter.
OF_ONE_KIND = 3
MOST = 110


def _pattern(stage: Stage, path: str) -> str:
    adapter = stage.app.url_map.bind("localhost")
    try:
        rule, _values = adapter.match(path, method="GET", return_rule=True)
    except Exception:  # an address that no page answers: asked for anyway, to be found
        return path
    return str(rule.rule)


def _walk(stage: Stage, role: str, start: str = "/") -> Iterator[tuple[str, str, TestResponse, Page | None]]:
    """(address, where the link stood, answer, the page that was read) of what one reaches by clicking."""
    client = stage.client(role)
    waiting = deque([(start, "")])
    seen, of_kind = {start}, {}
    done = 0
    while waiting and done < MOST:
        path, source = waiting.popleft()
        done += 1
        answer = client.get(path)
        page = Page(answer.text) if answer.mimetype == "text/html" else None
        yield path, source, answer, page
        if answer.status_code in (301, 302, 303):
            links = [answer.headers["Location"]]
        else:
            links = page.links if page is not None else []
        for link in dict.fromkeys(links):
            parts = urlsplit(urljoin(f"http://localhost{path}", link))
            if parts.netloc != "localhost" or parts.scheme not in ("http", "https"):
                continue
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if target in seen:
                continue
            kind = _pattern(stage, parts.path)
            if of_kind.get(kind, 0) >= OF_ONE_KIND:
                continue
            seen.add(target)
            of_kind[kind] = of_kind.get(kind, 0) + 1
            waiting.append((target, path))


@pytest.mark.parametrize("role", ROLES)
def test_every_link_leads_somewhere(role: str, stage: Stage) -> None:
    dead, count = [], 0
    for path, source, answer, page in _walk(stage, role, "/login" if role == "anonymous" else "/"):
        count += 1
        if answer.status_code >= 500 or answer.status_code in (400, 403, 404):
            dead.append(f"{answer.status_code} {path} (linked from {source})")
        if page is not None and not path.startswith("/assets"):
            assert page.inline == [], (path, page.inline)
            assert page.images_without_text == [], path
            assert len(page.ids) == len(set(page.ids)), (path, sorted({i for i in page.ids if page.ids.count(i) > 1}))
            for form in page.forms:
                assert form.method in ("get", "post", "dialog"), path
        answer.close()
    assert dead == [], "\n".join(dead)
    assert count > (1 if role == "anonymous" else 15)


def test_every_answer_is_protected(stage: Stage) -> None:
    """Pages, refusals, missing pages, redirects, files: the headers are there."""
    answers = []
    for asked in stage.rules.values():
        path = stage.path(asked.rule)
        for role in ("anonymous", "nora", "anna"):
            if asked.method == "GET":
                answers.append((path, stage.client(role).get(path)))
    answers.append(("/nothing", stage.client("anna").get("/nothing")))
    answers.append(("/login", stage.client("anonymous").post("/login", data={"login": "x", "password": "y"})))
    answers.append(("/customers/", stage.client("anna").delete("/customers/")))
    for path, answer in answers:
        headers = answer.headers
        # The reader of the browser writes styles into a PDF; it gets a sandbox instead.
        is_document = path.endswith("/download") and answer.status_code == 200
        policy = headers["Content-Security-Policy"]
        is_sealed = policy.startswith("sandbox; default-src 'none'")
        is_file = headers.get("Content-Disposition", "").startswith("attachment")
        assert is_sealed if is_document else policy == POLICY or (is_file and is_sealed), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Cache-Control"] == "no-store", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert "Server" not in headers, path
        for cookie in headers.getlist("Set-Cookie"):
            assert "HttpOnly" in cookie, path
            assert "SameSite=Lax" in cookie or "SameSite=Strict" in cookie, path
        if answer.mimetype not in ("text/html", "application/json", "application/pdf"):
            assert headers["Content-Disposition"].startswith("attachment"), (path, answer.mimetype)
        answer.close()
    stage.restore()


def test_files_are_kept_by_their_digest(stage: Stage) -> None:
    page = stage.client("anonymous").get("/login").text
    asset = page.split('href="/assets/')[1].split('"')[0]
    with stage.client("anonymous").get(f"/assets/{asset}") as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
    for path in ("/assets/0000/../../portal.sqlite3", "/assets/x/nothing.css", "/assets/%2e%2e/%2e%2e/wsgi.py"):
        assert stage.client("anonymous").get(path).status_code == 404
    other = stage.client("anonymous").get("/assets/x/portal.css")
    assert "immutable" not in other.headers.get("Cache-Control", "")
    other.close()


def test_https_is_insisted_on(stage: Stage) -> None:
    stage.app.config["HTTPS"] = True
    try:
        headers = stage.client("anonymous").get("/login").headers
    finally:
        stage.app.config["HTTPS"] = False
    assert headers["Strict-Transport-Security"].startswith("max-age=")
