"""What is kept from page to page: true until anything is written, found anew after that, never in a transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.datastructures import MultiDict

from portal.audit.models import AuditHead
from portal.core import transaction as kept
from portal.core.listing import keyset
from portal.core.listing.query import Query
from portal.core.registry import registry
from portal.core.transaction import forget_page, known_version, note_version, transaction, while_unchanged
from portal.extensions import db
from portal.org import services
from portal.org.actor import SYSTEM
from portal.org.models import User
from portal.org.services import LeavingInput, PersonInput
from tests.world import World

LIST = "/customers/"


class Statements:
    """The statements that a page asks."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.asked: list[str] = []

    def of(self, path: str) -> list[str]:
        self.asked.clear()

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self.asked.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            self.text = self.client.get(path).get_data(as_text=True)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return self.asked


def _found(monkeypatch: pytest.MonkeyPatch) -> Any:
    answers = iter(range(1, 99))
    return lambda: while_unchanged("key", lambda: next(answers))


def test_an_answer_holds_while_the_number_stands(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = _found(monkeypatch)
    for version, expected in ((7, 1), (7, 1), (8, 2), (7, 3)):
        forget_page()
        note_version(version)
        assert (ask(), known_version()) == (expected, version)
    monkeypatch.setattr(kept.time, "monotonic", lambda now=kept.time.monotonic(): now + kept.KEPT_SECONDS + 1)
    assert ask() == 4, "rows that somebody changes by hand are seen after a minute"
    with transaction():
        assert known_version() is None
        assert (ask(), ask()) == (5, 6), "inside a transaction everything is asked"
    assert known_version() is None, "after it nobody knows what number was written"
    assert (ask(), ask()) == (7, 7), "without a number an answer holds for the page"
    forget_page()
    assert ask() == 8


def test_no_more_is_kept_than_fits(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_ANSWERS", 3)
    note_version(1)
    for number in range(10):
        assert while_unchanged(("many", number), lambda number=number: number) == number  # type: ignore[misc]
    assert len(app.extensions["portal_unchanged"]) <= 3


def test_a_list_asks_for_choices_once_and_shows_each_change_at_once(
    app: Flask, world: World, client: FlaskClient
) -> None:
    world.login(client, "hanna")
    pages = Statements(client)
    first = list(pages.of(LIST))
    second = list(pages.of(LIST))
    assert len(second) < len(first)
    assert not [statement for statement in second if "org_department.name AS department" in statement]
    assert "新来的" not in pages.text
    with transaction():
        data = PersonInput("newcomer", "新来的", world.department("one").id, ("account_manager",), person_key="p-new")
        newcomer = services.create_person(data, SYSTEM).id
    assert "新来的" in _choices(pages)
    with transaction():
        before = db.session.get_one(User, newcomer)
        services.edit_person(newcomer, replace(services.person_input(before), name="改名的"), before.version, SYSTEM)
    assert "改名的" in _choices(pages)
    with transaction():
        services.deactivate_person(newcomer, LeavingInput(successor_id=world.user("anna").id), SYSTEM)
    assert "改名的" not in _choices(pages)


def _choices(pages: Statements) -> str:
    pages.of(LIST)
    return pages.text


def test_the_number_is_that_of_the_last_entry(app: Flask, world: World, client: FlaskClient) -> None:
    world.login(client, "hanna")
    seen: list[int | None] = []

    def note(_app: Flask, **_more: Any) -> None:
        seen.append(known_version())

    with template_rendered.connected_to(note, app):
        client.get(LIST)
        with transaction():
            services.create_person(
                PersonInput("other", "另一位", world.department("one").id, person_key="p-other"), SYSTEM
            )
        client.get(LIST)
    db.session.rollback()
    first, second = seen[0], seen[-1]
    assert first is not None
    assert second == first + 1 == db.session.get_one(AuditHead, 1).seq


CURSORS = (
    keyset.encode("茅台", 1),
    keyset.encode(7, 1),
    keyset.encode(Decimal("7.5"), 1),
    keyset.encode(date(2026, 1, 5), 1),
    keyset.encode(datetime(2026, 1, 5, tzinfo=UTC), 1),
)


@pytest.mark.db
@pytest.mark.parametrize("sort", ["name", "-total_12m", "next_contact", "last_contact", "-stage"])
def test_a_cursor_of_another_column_shows_a_page(world: World, client: FlaskClient, sort: str) -> None:
    world.login(client, "boss")
    for cursor in CURSORS:
        for end in ("after", "before"):
            assert client.get(f"/customers/?sort={sort}&{end}={cursor}").status_code == 200, (sort, cursor, end)


def test_pages_behind_a_cursor_stand_on_one_statement(app: Flask, world: World, client: FlaskClient) -> None:
    listing = registry("listings")["customers"]
    with app.test_request_context():
        query = Query.read(listing, world.actor("anna"), MultiDict({"sort": "name"}))
        first = query.rows(21, behind=True)
        assert query.rows(21, behind=True) is first
        assert query.rows(21) is not first
        assert query.rows(21, behind=True, reverse=True) is not first
