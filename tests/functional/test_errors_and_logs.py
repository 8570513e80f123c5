"""What goes wrong: a page with a number and nothing else, a log that nobody can forge, without personal data."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from portal.audit.models import AuditEntry
from portal.auth import sessions
from portal.core import clock
from portal.core.logs import FORMAT, PlainLines
from portal.core.transaction import transaction
from portal.customers import services as customers
from portal.customers.inputs import ContactInput, CustomerInput, PhoneInput
from portal.customers.models import Customer
from portal.extensions import db
from portal.home import views as home
from portal.org.models import User
from tests.world import World

pytestmark = pytest.mark.db
#: Stands in a password, a phone number, a name and the text of a row: nothing of it may reach the log.
CANARY = "canary-4d81f0"
PHONE = "13912345678"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as the portal writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines(FORMAT))
    handler.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        yield stream
    finally:
        logging.getLogger().removeHandler(handler)


def broken(*_arguments: Any, **_more: Any) -> None:
    raise RuntimeError(f"sqlite3 3.51 /srv/secret-place {CANARY}")


def test_an_error_of_ours_is_a_number_and_leaves_nothing_half(
    app: Flask, client: FlaskClient, world: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.login(client, "anna")
    before = db.session.scalar(select(func.count(Customer.id))), db.session.scalar(select(func.count(AuditEntry.seq)))
    db.session.rollback()
    # The service has written the row when this fails.
    monkeypatch.setattr("portal.customers.views.records.flash", broken)
    monkeypatch.setattr("portal.customers.services.customers.record", broken)
    form = {"name": "新公司", "kind": "end_user", "party": "organisation"}
    answer = client.post("/customers/new?party=organisation", data=form)
    assert answer.status_code == 500
    number = re.search(r"\b[0-9a-f]{8}\b", answer.text)
    assert number is not None
    assert number[0] in log.getvalue(), "the administrator finds the error by its number"
    for word in ("Traceback", "RuntimeError", "sqlite3", "secret-place", CANARY, "site-packages", "SELECT", "Werkzeug"):
        assert word not in answer.text, word
    db.session.rollback()
    after = db.session.scalar(select(func.count(Customer.id))), db.session.scalar(select(func.count(AuditEntry.seq)))
    assert after == before
    asked = client.get("/customers/new", headers={"Accept": "application/json"})
    assert asked.status_code == 200
    monkeypatch.setattr(home, "render_template", broken)
    as_json = client.get("/", headers={"Accept": "application/json"})
    assert (as_json.status_code, set(as_json.json)) == (500, {"error", "message"})


def test_what_was_typed_begins_no_line_of_the_log(
    client: FlaskClient, world: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = "2026-01-01 00:00:00 INFO portal all is well"
    logging.getLogger("x").warning("unexpected at %s", f"/a\n{forged}\r{forged}\u2028{forged}\x1b[2J")
    try:
        raise ValueError(f"bad\n{forged}")
    except ValueError:
        logging.getLogger("x").exception("failed")
    lines = log.getvalue().split("\n")
    assert not [line for line in lines if line.startswith(forged)]
    assert "\x1b" not in log.getvalue()
    assert "\r" not in log.getvalue()
    assert "\\x0a" in lines[0]
    assert [line for line in lines if line.startswith("    | ValueError: bad")]


def test_errors_of_the_database_name_no_values(app: Flask, world: World, log: io.StringIO) -> None:
    """A duplicate and a missing value, as the two databases complain of them."""
    row = {column.name: None for column in User.__table__.columns if column.name not in ("id",)}
    columns = {"login": "anna", "name": CANARY, "phone": PHONE, "person_key": CANARY, "created_at": clock.now()}
    columns |= {"department_id": world.department("one").id}
    for values in (columns, {**row, **columns, "login": CANARY, "department_id": None}):
        try:
            with transaction():
                db.session.execute(insert(User).values(**values))
        except IntegrityError as error:
            logging.getLogger("portal").error("unexpected error", exc_info=error)
    assert log.getvalue().count("IntegrityError") >= 2
    assert CANARY not in log.getvalue()
    assert PHONE not in log.getvalue()


def test_secrets_and_personal_data_are_not_logged(
    app: Flask, client: FlaskClient, world: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log-in with right and wrong passwords, a customer with contact, a failing job of a page: all with the canary."""
    client.post("/login", data={"login": "anna", "password": f"{CANARY} wrong password"})
    client.post("/login", data={"login": f"{CANARY} typed into the wrong field", "password": "x"})
    world.login(client, "anna")
    with transaction():
        created = customers.create_customer(CustomerInput(name=f"公司{CANARY}", kind="end_user"), world.actor("anna"))
        contact = ContactInput(name=CANARY, phones=(PhoneInput(PHONE),))
        customers.add_contact(created.id, contact, world.actor("anna"))
        customer_id = created.id
    assert client.get(f"/customers/{customer_id}").status_code == 200
    client.get(f"/search?q={PHONE}")
    client.get("/customers/?q=" + CANARY)
    client.post(f"/customers/{customer_id}/edit/basic", data={"name": CANARY})
    monkeypatch.setattr(home, "render_template", broken_without_words)
    assert client.get("/").status_code == 500
    cookie = client.get_cookie("portal")
    assert cookie is not None
    assert "unexpected error" in log.getvalue()
    for word in (CANARY, PHONE, cookie.value):
        assert word not in log.getvalue()


def broken_without_words(*_arguments: Any, **_more: Any) -> None:
    raise RuntimeError("no words")


@pytest.fixture
def full(app: Flask) -> Iterator[Any]:
    """A disk without room: every write of the database fails as SQLite says it; reading works."""
    from sqlalchemy import event

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if re.match(r"\s*(INSERT|UPDATE|DELETE)\b", statement, re.IGNORECASE):
            raise OperationalError(statement, {}, Exception("database or disk is full"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    yield
    event.remove(db.engine, "before_cursor_execute", refuse)


def test_with_a_full_disk_pages_are_read_and_writing_says_why(
    app: Flask, client: FlaskClient, world: World, request: pytest.FixtureRequest
) -> None:
    world.login(client, "anna")
    request.getfixturevalue("full")
    form = {"name": "新公司", "kind": "end_user", "party": "organisation"}
    # The use of the session is due to be noted, which cannot be written either.
    with clock.frozen(clock.now() + sessions.TOUCH_EVERY + timedelta(seconds=1)):
        for path in ("/", "/customers/", f"/customers/{world.customer_id('maotai')}"):
            assert client.get(path).status_code == 200, path
        answer = client.post("/customers/new?party=organisation", data=form)
    assert answer.status_code == 503
    assert "no room left" in answer.text
    db.session.rollback()
    assert db.session.scalar(select(func.count(Customer.id)).where(Customer.name == "新公司")) == 0


def test_without_the_audit_trail_nothing_guarded_happens_and_pages_are_read(
    app: Flask, client: FlaskClient, world: World
) -> None:
    """The trail takes no entry any more: what would have to be in it is refused as a whole."""
    world.login(client, "anna")
    if db.engine.dialect.name == "postgresql":
        lock = ["ALTER TABLE audit_entry ADD CONSTRAINT no_room CHECK (seq < 0) NOT VALID"]
    else:
        lock = ["CREATE TRIGGER no_room BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no room'); END"]
    with db.engine.begin() as connection:
        for statement in lock:
            connection.execute(text(statement))
    customer_id = world.customer_id("maotai")
    before = db.session.scalar(select(func.count(Customer.id)))
    db.session.rollback()
    refused = [
        ("/customers/new?party=organisation", {"name": "新公司", "kind": "end_user", "party": "organisation"}),
        (f"/customers/{customer_id}/contacts/new", {"name": "王敏", "phones-0-number": PHONE}),
    ]
    for path, form in refused:
        assert client.post(path, data=form).status_code == 500, path
    admin = app.test_client()
    world.login(admin, "admin")
    assert admin.post("/admin/departments/new", data={"name": "新部门", "code": "new"}).status_code == 500
    for path in ("/", "/customers/", f"/customers/{customer_id}", "/notices/"):
        assert client.get(path).status_code == 200, path
    db.session.rollback()
    assert db.session.scalar(select(func.count(Customer.id))) == before
    assert db.session.scalar(text("SELECT COUNT(*) FROM contact WHERE name = '王敏'")) == 0


@pytest.mark.parametrize("host", ["evil.example", "portal.example.evil.example", "127.0.0.1", "", "a b"])
def test_other_names_of_the_host_are_refused(app: Flask, client: FlaskClient, host: str) -> None:
    app.config["TRUSTED_HOSTS"] = ["portal.example"]
    for path in ("/login", "/", "/healthz", "/nothing-here"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "evil" not in answer.text
    assert client.get("/login", headers={"Host": "portal.example"}).status_code == 200
    assert client.get("/login", headers={"Host": "portal.example:8443"}).status_code == 200


def test_a_write_refused_for_its_address_is_in_the_log(client: FlaskClient, log: io.StringIO) -> None:
    answer = client.post(
        "/login", base_url="https://portal.example.com", headers={"Origin": "https://portal.example.com:8443"}
    )
    assert answer.status_code == 403
    assert "comes from 'https://portal.example.com:8443', and the portal is asked as 'portal.example.com'" in (
        log.getvalue()
    )


def test_what_is_too_large_is_refused_before_it_is_read(app: Flask, client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    form = "multipart/form-data; boundary=x"
    length = {"CONTENT_LENGTH": str(app.config["MAX_CONTENT_LENGTH"] + 1)}
    assert client.post("/account", data=b"x", content_type=form, environ_overrides=length).status_code == 413
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="a{number}"\r\n\r\n1\r\n'
        for number in range(app.config["MAX_FORM_PARTS"] + 1)
    )
    assert client.post("/account", data=parts + "--x--\r\n", content_type=form).status_code == 413
    head = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
    field = head + b"1" * (app.config["MAX_FORM_MEMORY_SIZE"] + 1)
    assert client.post("/account", data=field + b"\r\n--x--\r\n", content_type=form).status_code == 413
