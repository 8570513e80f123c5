"""Notices in the portal: one's own, unread first, by the way one chose."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.core.transaction import transaction
from portal.extensions import db
from portal.notifications.kinds import NoticeKind, message
from portal.notifications.models import Notice, NoticePreference, OutboxMessage
from portal.notifications.queries import PAGE_SIZE, notice_page, unread_count
from portal.notifications.services import notify, queue_mail
from tests.functional.test_audit_pages import statements_of
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def kinds(app: Flask) -> Iterator[None]:
    app.extensions["portal_notice_kinds"].add(
        [
            NoticeKind("tests.one", "First kind"),
            NoticeKind("tests.two", "Second kind", default_mail=True, mandatory=True),
        ]
    )
    return


def bare(page: str, number: int) -> str:
    """A page without what differs anyhow: its own address and the form's token."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(f"/notices/{number}/", "")


def tell(world: World, login: str, number: int, kind: str = "tests.one") -> list[int]:
    with transaction():
        return [
            notify([world.user(login).id], kind, title=message("News %(number)s.", number=n), url=f"/jobs/{n}")[0].id
            for n in range(number)
        ]


def test_notices_are_seen_counted_and_opened(app: Flask, world: World, client: FlaskClient) -> None:
    numbers = tell(world, "anna", 3)
    world.login(client, "anna")
    page = client.get("/notices/").get_data(as_text=True)
    assert "News 2." in page
    assert 'class="dot-count">3<' in page
    answer = client.post(f"/notices/{numbers[0]}/open")
    assert answer.headers["Location"].endswith("/jobs/0")
    assert unread_count(world.actor("anna")) == 2
    client.post(f"/notices/{numbers[1]}/read")
    assert unread_count(world.actor("anna")) == 1
    assert "News 0." not in client.get("/notices/?show=unread").get_data(as_text=True)
    page = client.get("/notices/").get_data(as_text=True)
    assert page.index("News 2.") < page.index("News 1.") < page.index("News 0.")


def test_unread_notices_stand_before_read_ones(app: Flask, world: World, client: FlaskClient) -> None:
    numbers = tell(world, "anna", 3)
    world.login(client, "anna")
    client.post(f"/notices/{numbers[2]}/read")
    page = client.get("/notices/").get_data(as_text=True)
    assert page.index("News 1.") < page.index("News 0.") < page.index("News 2.")


def test_other_peoples_notices_do_not_exist(app: Flask, world: World, client: FlaskClient) -> None:
    number = tell(world, "anna", 1)[0]
    world.login(client, "ben")
    assert "News" not in client.get("/notices/").get_data(as_text=True)
    for verb in ("open", "read"):
        theirs = client.post(f"/notices/{number}/{verb}")
        missing = client.post(f"/notices/999999/{verb}")
        assert theirs.status_code == 404
        assert bare(theirs.get_data(as_text=True), number) == bare(missing.get_data(as_text=True), 999999)
    client.post("/notices/read", data={"up_to": "999999"})
    assert unread_count(world.actor("anna")) == 1


def test_marking_all_read_spares_what_came_in_meanwhile(app: Flask, world: World, client: FlaskClient) -> None:
    seen = tell(world, "anna", 3)
    world.login(client, "anna")
    client.get("/notices/")
    tell(world, "anna", 1)
    client.post("/notices/read", data={"up_to": str(max(seen))})
    assert unread_count(world.actor("anna")) == 1
    client.post("/notices/read", data={"up_to": "nonsense"})
    assert unread_count(world.actor("anna")) == 1


def test_pages_follow_each_other_without_gaps(app: Flask, world: World, client: FlaskClient) -> None:
    numbers = tell(world, "anna", PAGE_SIZE * 2 + 5)
    world.login(client, "anna")
    for number in numbers[:40]:
        client.post(f"/notices/{number}/read")
    user_id = world.user("anna").id
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = notice_page(user_id, cursor=cursor)
        seen += [line.id for line in page.lines]
        cursor = page.next_cursor
    assert len(seen) == len(set(seen)) == len(numbers)
    assert seen == sorted(numbers[40:], reverse=True) + sorted(numbers[:40], reverse=True)
    for wrong in ("x", "u", "u-1", "r999999999999999999999", "%00"):
        assert client.get("/notices/", query_string={"after": wrong}).status_code == 200


def test_statements_do_not_grow_with_the_notices(app: Flask, world: World, client: FlaskClient) -> None:
    world.login(client, "anna")
    tell(world, "anna", 2)
    client.get("/notices/")
    few = statements_of(client, "/notices/")
    tell(world, "anna", 25)
    assert statements_of(client, "/notices/") <= few


def test_everybody_chooses_his_own_ways(app: Flask, world: World, client: FlaskClient) -> None:
    world.login(client, "anna")
    page = client.get("/notices/preferences").get_data(as_text=True)
    assert "First kind" in page
    client.post("/notices/preferences", data={"kind.tests.one": "mail", "kind.tests.two": "mail"})
    rows = db.session.execute(select(NoticePreference.kind, NoticePreference.channel)).all()
    assert [tuple(row) for row in rows] == [("tests.one", "mail")], "what is the default already is not kept"
    tell(world, "anna", 1)
    assert db.session.scalar(select(func.count()).select_from(OutboxMessage)) == 1
    refused = client.post("/notices/preferences", data={"kind.tests.two": "none"}, follow_redirects=True)
    assert "cannot be switched off" in refused.get_data(as_text=True)
    client.post("/notices/preferences", data={"kind.tests.one": "pigeon", "user_id": "1"})
    assert db.session.scalars(select(NoticePreference.channel)).all() == ["mail"]


def test_the_outbox_shows_no_content(app: Flask, world: World, client: FlaskClient) -> None:
    with transaction():
        notify([world.user("anna").id], "tests.two", title="A title", body="a confidential body")
    number = db.session.scalars(select(OutboxMessage.id)).one()
    world.login(client, "admin")
    page = client.get("/notices/outbox").get_data(as_text=True)
    assert "A title" in page
    assert "anna@example.com" in page
    assert "SMTP_HOST" in page
    detail = client.get(f"/notices/outbox/{number}").get_data(as_text=True)
    assert "confidential" not in page + detail
    assert client.post(f"/notices/outbox/{number}/retry").status_code == 404, "only a failed one is sent again"
    with transaction():
        db.session.get_one(OutboxMessage, number).state = "failed"
    assert client.post(f"/notices/outbox/{number}/retry").status_code == 302
    other = world.login(app.test_client(), "anna")
    for path in ("/notices/outbox", f"/notices/outbox/{number}"):
        assert other.get(path).status_code == 403
    assert other.post(f"/notices/outbox/{number}/retry").status_code == 403


def test_addresses_of_contacts_are_masked_for_administrators(world: World, client: FlaskClient) -> None:
    """An administrator sees no customer data by virtue of the role; he sees how far a mail has come."""
    with transaction():
        row = queue_mail("wangmin@kunde.example", subject="Invitation", kind="tests.one")
        row.state, row.error = "failed", "550 <wangmin@kunde.example>: unknown"
        number = row.id
    world.login(client, "admin")
    for path in ("/notices/outbox", f"/notices/outbox/{number}"):
        page = client.get(path).text
        assert "wangmin" not in page
        assert "w***@kunde.example" in page
    # Nor can it be guessed by the filter; who knows it finds the mail.
    for text, found in (("wang", False), ("kunde", False), ("wangmin@kunde.example", True)):
        assert (f"/notices/outbox/{number}" in client.get("/notices/outbox", query_string={"to": text}).text) is found


def test_the_auditors_get_the_head_every_week(app: Flask, world: World) -> None:
    app.test_cli_runner().invoke(args=["jobs", "run", "jobs.tidy"])
    tell(world, "anna", 1)
    from portal.audit.queries import head
    from portal.audit.services import record

    with transaction():
        record(world.actor("anna"), "tests:thing:change", object_type="thing", object_id=1)
    result = app.test_cli_runner().invoke(args=["jobs", "run", "notifications.audit_head"])
    assert result.exit_code == 0, result.output
    notice = db.session.scalars(select(Notice).where(Notice.kind == "audit.head")).one()
    assert notice.user_id == world.user("audrey").id
    assert head()[1] in notice.body
