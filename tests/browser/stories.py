"""Helpers of the stories: the real portal behind a port, and people who use it through a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from portal.auth.services import give_password
from portal.core.transaction import transaction
from tests.world import World

PASSWORD = "Teehaus-am-Fluss-2026"


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The portal on a free port of this machine; the address of its home page without the slash."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def give_passwords(world: World, *logins: str) -> None:
    """Let these people log in with PASSWORD."""
    with transaction():
        for login in logins:
            give_password(world.user(login).id, PASSWORD)


class Person:
    """Somebody at a browser of his own. What the browser complains about is kept in `complaints`."""

    def __init__(self, context: Any, address: str) -> None:
        self.address = address
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note)

    def _note(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def log_in(self, login: str) -> None:
        """Through the log-in page; ends on the home page."""
        self.page.goto(f"{self.address}/login")
        self.page.locator("input[name=login]").fill(login)
        self.page.locator("input[name=password]").fill(PASSWORD)
        self.page.locator("form button.btn-primary").click()
        self.page.wait_for_url(f"{self.address}/")

    def goto(self, path: str) -> Any:
        """Open a page of the portal; the response."""
        return self.page.goto(self.address + path)

    def search(self, query: str) -> Any:
        """Through the search field at the top; the hits of the search page."""
        field = self.page.locator("#search")
        field.fill(query)
        with self.page.expect_navigation():
            field.press("Enter")
        return self.page.locator("main .hits a")

    def save(self, form: Any) -> None:
        """Press the main button of a form and wait for the page behind it."""
        with self.page.expect_navigation():
            form.locator("button.btn-primary").click()


@contextmanager
def person(browser: Any, address: str, **more: Any) -> Iterator[Person]:
    """A person with a browser context of his own; any complaint of the browser fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", **more)
    context.set_default_timeout(10_000)
    somebody = Person(context, address)
    yield somebody
    context.close()
    assert somebody.complaints == []
