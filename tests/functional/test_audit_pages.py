"""The auditor's pages: who did what, without what customers' records say."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from portal.audit.hooks import customer_timeline
from portal.audit.models import AuditEntry
from portal.audit.queries import changes_of, history_of
from portal.audit.refusals import PER_WINDOW, RefusalBound
from portal.audit.services import record
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from tests.approvals_kinds import HEAD, install, step, submit
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def trail(app: Flask, world: World) -> int:
    """Entries about a customer and about a person. Returns the number of the customer's."""
    anna = world.actor("anna")
    with transaction():
        entry = record(
            anna,
            "customers:customer:update",
            object_type="customer",
            object_id=world.customer_id("maotai"),
            object_label="贵州茅台",
            customer_id=world.customer_id("maotai"),
            old={"status": "hushed before"},
            new={"status": "hushed after"},
            private={"old": {"phone": "13811112222"}, "new": {"phone": "13833334444"}},
        )
        record(
            world.actor("admin"),
            "org:user:update",
            object_type="user",
            object_id=world.user("ben").id,
            object_label="=1+1",
            old={"title": "clerk"},
            new={"title": "senior clerk"},
        )
        record(anna, "auth:page:refuse", object_type="page", object_id=None, result="refused", reason="nope")
    return int(entry.seq)


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_only_auditors_open_the_trail(app: Flask, world: World, trail: int, client: FlaskClient) -> None:
    paths = ["/audit/", f"/audit/{trail}", "/audit/export"]
    assert client.get("/audit/").status_code == 302
    for login in ("anna", "hanna", "boss", "admin", "nora"):
        other = world.login(app.test_client(), login)
        assert [other.get(path).status_code for path in paths] == [403, 403, 403], login
    auditor = world.login(app.test_client(), "audrey")
    assert [auditor.get(path).status_code for path in paths] == [200, 200, 200]


def test_auditors_see_which_fields_changed_but_not_a_customers_values(
    app: Flask, world: World, trail: int, client: FlaskClient
) -> None:
    world.login(client, "audrey")
    page = client.get(f"/audit/{trail}").get_data(as_text=True)
    assert "安娜" in page
    assert "贵州茅台" in page
    assert "Phone number" in page
    for secret in ("hushed", "13811112222", "13833334444"):
        assert secret not in page
        assert secret not in client.get("/audit/?cols=seq.hash.object.reason").get_data(as_text=True)
    other = client.get(f"/audit/{trail + 1}").get_data(as_text=True)
    assert "senior clerk" in other


def test_a_history_of_the_customer_shows_the_values(app: Flask, world: World, trail: int) -> None:
    (item,) = history_of("customer", world.customer_id("maotai"))
    assert ("Status", "hushed before", "hushed after") in item.changes
    assert ("Phone number", "13811112222", "13833334444") in item.changes
    assert item.seq == trail
    assert history_of("customer", world.customer_id("maotai"), before=trail) == []


def test_people_departments_steps_and_keys_are_said_by_name(app: Flask, world: World, client: FlaskClient) -> None:
    install(app)
    request_id = submit(world.actor("anna"), step(HEAD, key="the_key"), kind="test.copies", copies=3)
    hanna, one = world.user("hanna"), world.department("one")
    told: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        (
            "approvals:request:reassign",
            {"object_type": "approval_request", "object_id": request_id},
            {"approver": hanna.id, "approvers": [hanna.id, 999_999], "step": "the_key", "departments": f"{one.id} 77"},
            f"{hanna.name} | {hanna.name}, 999999 | {one.name}, 77 | Step the_key",
        ),
        (
            "settings:setting:change",
            {"object_type": "setting", "object_id": None, "object_label": "approvals.fallback_role"},
            {"value": "executive"},
            "Executive",
        ),
        (
            "archive:grant:give",
            {"object_type": "archive_grant", "object_id": 1},
            {"ends": datetime(2026, 11, 25, 16, 0, tzinfo=UTC), "quota": 1, "until": date(2026, 11, 25)},
            "2026-11-26 00:00 | 1 | 2026-11-25",
        ),
        (
            "customers:import:import",
            {"object_type": "import", "object_id": 1},
            {"counts": {"create": 3}, "moved": {"next_step": 2}, "options": {"policy": "skip", "manager_id": hanna.id}},
            f"New: 3 | Next steps: 2 | Account manager: {hanna.name}; What happens to those that exist: Skip",
        ),
    ]
    with transaction():
        for action, thing, new, _said in told:
            record(world.actor("boss"), action, new=new, **thing)
    world.login(client, "audrey")
    with app.test_request_context():
        for action, _thing, _new, said in told:
            entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()
            assert " | ".join(after for _field, _before, after in changes_of(entry)) == said
    found = client.get("/audit/", query_string={"q": "Role that decides"}).text
    assert ("when no approver is found" in found, "approvals.fallback_role" in found) == (True, False)


def test_the_time_line_tells_everything_once_however_much_others_tell(app: Flask, world: World) -> None:
    anna, maotai, wuliang = world.actor("anna"), world.customer_id("maotai"), world.customer_id("wuliang")
    install(app)
    request_id = submit(anna, customer_id=maotai)

    def note(action: str, customer_id: int, result: str = "ok", **new: Any) -> None:
        record(
            anna, action, object_type="customer", object_id=1, customer_id=customer_id, new=new or None, result=result
        )

    def told(customer_id: int) -> list[str]:
        customer = db.session.get_one(Customer, customer_id)
        with app.test_request_context():
            return [entry.title for entry in customer_timeline(customer, anna, None, 31)]

    with transaction():
        for customer_id in (maotai, wuliang):
            note("key_accounts:unit:save", customer_id, unit="总部")
            # The request stands in the time line of its own customer.
            note("archive:grant:give", customer_id, request=request_id, holder=anna.user_id)
            # Plugins tell these, unless nothing came of it.
            note("vip:membership:grant", customer_id)
            note("vip:membership:grant", customer_id, result="refused")
        for _time in range(40):
            note("purchases:purchase:change", maotai)
    assert told(maotai) == ["VIP membership · granted", "Unit of the customer · saved"]
    assert told(wuliang) == ["VIP membership · granted", "Grant · granted", "Unit of the customer · saved"]


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("who=安娜", "贵州茅台", "senior"),
        ("result=refused", "nope", "贵州茅台"),
        ("object=customer", "贵州茅台", "nope"),
        ("customer=贵州", "贵州茅台", "nope"),
        ("action=org:user", "=1+1", "贵州茅台"),
        ("action=Person+·+update", "=1+1", "贵州茅台"),
        ("action=refused", "nope", "贵州茅台"),
        ("q=person+update", "=1+1", "贵州茅台"),
        ("q=nope", "nope", "贵州茅台"),
        ("scene=refused", "nope", "贵州茅台"),
        ("period_to=2020-01-01", "Nothing matches", "贵州茅台"),
    ],
)
def test_filters(app: Flask, world: World, trail: int, client: FlaskClient, query: str, seen: str, unseen: str) -> None:
    world.login(client, "audrey")
    page = client.get(f"/audit/?{query}&cols=seq.who.action.object.result.reason").get_data(as_text=True)
    table = page[page.index("data-listing") :]
    body = table[table.index("<tbody") :] if "<tbody" in table else table
    assert seen in body
    assert unseen not in body


def test_who_acted_for_whom_is_said_by_name(app: Flask, world: World, client: FlaskClient) -> None:
    with transaction():
        record(
            world.actor("hector"),
            "approvals:request:approve",
            object_type="approval_request",
            object_id=1,
            on_behalf_of_id=world.user("hanna").id,
        )
    seq = db.session.scalars(select(AuditEntry.seq).where(AuditEntry.on_behalf_of_id.is_not(None))).one()
    told = f"{world.user('hector').name} for {world.user('hanna').name}"
    world.login(client, "audrey")
    assert told in client.get("/audit/").text
    assert told in client.get(f"/audit/{seq}").text
    assert told in client.post("/audit/export", data={"format": "csv"}).get_data().decode("utf-8-sig")


def test_looking_at_the_trail_is_in_the_trail_once(app: Flask, world: World, trail: int, client: FlaskClient) -> None:
    world.login(client, "audrey")
    for _number in range(3):
        client.get("/audit/")
    assert actions().count("audit:log:view") == 1
    client.get("/audit/?who=anna")
    client.get(f"/audit/{trail}")
    assert actions().count("audit:log:view") == 2
    assert actions().count("audit:entry:view") == 1
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        client.get("/audit/?who=anna")
    assert actions().count("audit:log:view") == 3


def test_exports_hold_the_chosen_rows_no_formulas_and_are_recorded(
    app: Flask, world: World, trail: int, client: FlaskClient
) -> None:
    world.login(client, "audrey")
    csv = client.post("/audit/export?object=user", data={"format": "csv"})
    assert csv.status_code == 200
    text = csv.get_data().decode("utf-8-sig")
    assert "senior" not in text
    assert "Person =1+1" in text
    assert "贵州茅台" not in text
    book = openpyxl.load_workbook(io.BytesIO(client.post("/audit/export", data={"format": "xlsx"}).get_data()))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert any("贵州茅台" in str(cell.value) for cell in cells)
    exported = db.session.scalars(select(AuditEntry.new_values).where(AuditEntry.action == "audit:log:export")).all()
    assert len(exported) == 2
    assert '"format":"csv"' in (exported[0] or "")


def statements_of(client: FlaskClient, path: str) -> int:
    counted: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counted.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return len(counted)


def test_statements_do_not_grow_with_the_entries(app: Flask, world: World, trail: int, client: FlaskClient) -> None:
    world.login(client, "audrey")
    client.get("/audit/?n=200")
    few = statements_of(client, "/audit/?n=200")
    with transaction():
        for number in range(150):
            record(world.actor("ben"), "tests:thing:change", object_type="thing", object_id=number)
    client.get("/audit/?n=200")
    assert statements_of(client, "/audit/?n=200") == few


def test_the_state_of_the_chain_is_shown(app: Flask, world: World, trail: int, client: FlaskClient) -> None:
    world.login(client, "audrey")
    assert "It runs every night." in client.get("/audit/").get_data(as_text=True)
    answer = client.post("/jobs/start/audit.verify")
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "The trail is whole" in page
    page = client.get("/audit/").get_data(as_text=True)
    assert "Whole" in page
    assert "Last anchor" in page


def test_refusals_are_bounded_per_person(app: Flask) -> None:
    bound = RefusalBound(per_window=3, window=timedelta(minutes=10))
    start = clock.now()
    with clock.frozen(start):
        assert [bound.admit("anna") for _number in range(6)] == ["write", "write", "write", "last", "skip", "skip"]
        assert bound.admit("ben") == "write"
    with clock.frozen(start + timedelta(minutes=11)):
        assert bound.admit("anna") == "write"


def test_a_refused_page_is_in_the_trail(app: Flask, world: World, client: FlaskClient) -> None:
    world.login(client, "nora")
    before = db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.result == "refused"))
    db.session.rollback()
    assert client.get("/audit/").status_code == 403
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.result == "refused")).all()
    assert len(rows) == (before or 0) + 1
    assert rows[-1].actor_id == world.user("nora").id


def test_a_script_that_tries_every_page_fills_no_disk(app: Flask, world: World, client: FlaskClient) -> None:
    world.login(client, "nora")
    for _number in range(PER_WINDOW + 20):
        assert client.get("/audit/").status_code == 403
    refused = [action for action in actions() if action in {"auth:access:refuse", "audit:refusals:limit"}]
    assert refused == ["auth:access:refuse"] * PER_WINDOW + ["audit:refusals:limit"]
