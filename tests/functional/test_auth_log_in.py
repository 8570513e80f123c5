"""Log-in, throttling, sessions, passwords: stories through the real pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from portal.audit.models import AuditEntry
from portal.auth import methods, passwords, services
from portal.auth.methods import Proof
from portal.auth.models import AuthSession, Identity, Password, Throttle
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM
from portal.org.models import User
from tests.world import World

SECRET = "blaue Wolken tanzen 77"
OTHER = "grüne Berge singen 88"


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"WTF_CSRF_ENABLED": True}


@pytest.fixture
def anna(app: Flask, world: World) -> Iterator[User]:
    user = world.user("anna")
    with transaction():
        services.give_password(user.id, SECRET)
    return user


def token(answer: TestResponse) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
    assert found, answer.text[:500]
    return found.group(1)


def log_in(client: FlaskClient, login: str, password: str, path: str = "/login", **more: Any) -> TestResponse:
    form = {"csrf_token": token(client.get(path)), "login": login, "password": password}
    environ = more.pop("environ", {})
    return client.post("/login", data={**form, **more}, environ_base=environ)


def cookie(client: FlaskClient, name: str = "portal") -> str:
    found = client.get_cookie(name)
    return found.value if found else ""


def sessions_of(user_id: int) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(AuthSession.user_id == user_id)) or 0


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


# ---- log-in --------------------------------------------------------------------------------------------------------


def test_log_in_and_out(client: FlaskClient, anna: User) -> None:
    asked = client.get("/account?tab=1")
    assert asked.status_code == 302
    assert asked.headers["Location"] == "/login?next=/account?tab%3D1"
    before = cookie(client)
    answer = log_in(client, "Anna ", SECRET, next="/account?tab=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/account?tab=1"
    after = cookie(client)
    assert after.startswith("s.")
    assert after != before
    stored = db.session.scalars(select(AuthSession.token_hash)).one()
    assert after[2:] not in stored, "the id itself is not in the table"
    page = client.get("/account")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    out = client.post("/logout", data={"csrf_token": token(page)})
    assert "storage" in out.headers["Clear-Site-Data"]
    assert sessions_of(anna.id) == 0
    client.set_cookie("portal", after)
    assert client.get("/account").status_code == 302, "the old id is worth nothing"
    assert actions()[-2:] == ["auth:session:log_in", "auth:session:log_out"]


def test_log_in_needs_a_token(client: FlaskClient, anna: User) -> None:
    assert client.post("/login", data={"login": "anna", "password": SECRET}).status_code == 400
    assert sessions_of(anna.id) == 0


def test_log_out_needs_a_token_and_post(client: FlaskClient, world: World, anna: User) -> None:
    world.login(client, "anna")
    assert client.get("/logout").status_code in {400, 405}
    assert client.post("/logout").status_code == 400
    assert sessions_of(anna.id) == 1


def test_foreign_pages_cannot_send_forms(client: FlaskClient, anna: User) -> None:
    form = {"csrf_token": token(client.get("/login")), "login": "anna", "password": SECRET}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post("/login", data=form, headers=headers).status_code == 403
    assert sessions_of(anna.id) == 0


def test_wrong_unknown_and_left_read_alike(client: FlaskClient, world: World, anna: User) -> None:
    with transaction():
        services.give_password(world.user("ben").id, SECRET)
        db.session.execute(update(User).where(User.login == "ben").values(is_active=False))
    texts = set()
    for login, password in (("anna", OTHER), ("nobody-here", OTHER), ("ben", SECRET), ("nora", SECRET)):
        answer = log_in(client, login, password)
        assert answer.status_code == 401
        body = re.sub(r'value="[^"]*"', "", answer.text)
        texts.add(body)
    assert len(texts) == 1
    assert actions().count("auth:session:log_in_failed") == 4


def test_every_refusal_costs_the_same_work(
    client: FlaskClient, world: World, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong, unknown, left, without a password: one hash is computed for each, so time tells nothing."""
    with transaction():
        services.give_password(world.user("ben").id, SECRET)
        db.session.execute(update(User).where(User.login == "ben").values(is_active=False))
    costs = []
    real = passwords.verify

    def counted(stored: str, typed: str) -> bool:
        costs[-1] += 1
        return real(stored, typed)

    monkeypatch.setattr(passwords, "verify", counted)
    for login, password in (("anna", OTHER), ("nobody-here", OTHER), ("ben", SECRET), ("nora", SECRET)):
        costs.append(0)
        assert log_in(client, login, password).status_code == 401
    assert costs == [1, 1, 1, 1]


def test_typed_password_in_the_name_field_is_not_written_down(client: FlaskClient, anna: User) -> None:
    log_in(client, SECRET, "x" * 20)
    db.session.rollback()
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert entry.action == "auth:session:log_in_failed"
    assert SECRET not in repr({column.name: getattr(entry, column.name) for column in AuditEntry.__table__.columns})


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "\\\\evil", "/%09/evil\t",
     "javascript:alert(1)", " //evil.example", "/\n/evil"],
)  # fmt: skip
def test_next_stays_here(client: FlaskClient, anna: User, target: str) -> None:
    answer = log_in(client, "anna", SECRET, next=target)
    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert "evil" not in location or location.startswith("/%09")


def test_extra_fields_change_nothing(client: FlaskClient, anna: User) -> None:
    log_in(client, "anna", SECRET, user_id="1", roles="administrator", restricted="", is_admin="1")
    db.session.rollback()
    assert db.session.scalars(select(AuthSession.user_id)).all() == [anna.id]
    assert client.get("/admin/people").status_code == 403


def test_old_hash_is_renewed(app: Flask, client: FlaskClient, anna: User) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=2, memory_cost=32, parallelism=1).hash(SECRET)
    with transaction():
        db.session.execute(update(Password).where(Password.user_id == anna.id).values(hash=weak))
    assert log_in(client, "anna", SECRET).status_code == 302
    db.session.rollback()
    renewed = db.session.scalars(select(Password.hash).where(Password.user_id == anna.id)).one()
    assert renewed != weak
    assert passwords.verify(renewed, SECRET)
    assert not passwords.needs_rehash(renewed)


def test_same_password_in_both_unicode_forms(client: FlaskClient, anna: User) -> None:
    with transaction():
        services.give_password(anna.id, "Schöne Grüße überall 5")
    decomposed = "Scho\u0308ne Gru\u0308ße u\u0308berall 5"
    assert log_in(client, "anna", decomposed).status_code == 302


def test_overlong_and_odd_input_is_answered(client: FlaskClient, anna: User) -> None:
    for login, password in (("a" * 100_000, "b"), ("anna\x00", SECRET), ("\u202eanna", "x" * 100_000), ("", "")):
        assert log_in(client, login, password).status_code in {400, 401}


# ---- throttling ----------------------------------------------------------------------------------------------------


def fail(client: FlaskClient, times: int, login: str = "anna", ip: str = "10.0.0.1") -> list[int]:
    return [log_in(client, login, OTHER, environ={"REMOTE_ADDR": ip}).status_code for _attempt in range(times)]


def test_guessing_slows_down_and_patience_helps(app: Flask, client: FlaskClient, anna: User) -> None:
    with clock.frozen(clock.now()):
        assert fail(client, 6) == [401] * 5 + [429]
        blocked = log_in(client, "anna", SECRET, environ={"REMOTE_ADDR": "10.0.0.1"})
        assert blocked.status_code == 429
        assert int(blocked.headers["Retry-After"]) == 2
    with clock.frozen(clock.now() + timedelta(seconds=3)):
        assert fail(client, 2) == [401, 429], "the next delay is twice as long"
    with clock.frozen(clock.now() + timedelta(seconds=20)):
        assert log_in(client, "anna", SECRET, environ={"REMOTE_ADDR": "10.0.0.1"}).status_code == 302


def test_unknown_names_are_slowed_alike(client: FlaskClient, anna: User) -> None:
    with clock.frozen(clock.now()):
        assert fail(client, 6, login="nobody-here") == [401] * 5 + [429]


def test_an_outsider_locks_nobody_out(app: Flask, client: FlaskClient, anna: User) -> None:
    now = clock.now()
    with clock.frozen(now):
        assert log_in(client, "anna", SECRET, environ={"REMOTE_ADDR": "10.0.0.1"}).status_code == 302
        attacker = app.test_client()
        for number in range(60):
            fail(attacker, 1, ip=f"203.0.113.{number}")
        stranger = app.test_client()
        wait = log_in(stranger, "anna", SECRET, environ={"REMOTE_ADDR": "198.51.100.7"})
        assert wait.status_code == 429
        assert int(wait.headers["Retry-After"]) <= 60
        # The known browser is not delayed at all, from any address.
        client.delete_cookie("portal")
        assert log_in(client, "anna", SECRET, environ={"REMOTE_ADDR": "198.51.100.8"}).status_code == 302
    with clock.frozen(now + timedelta(seconds=61)):
        assert log_in(stranger, "anna", SECRET, environ={"REMOTE_ADDR": "198.51.100.7"}).status_code == 302


def test_a_device_is_known_for_its_account_only(app: Flask, client: FlaskClient, anna: User, world: World) -> None:
    with clock.frozen(clock.now()):
        log_in(client, "anna", SECRET)
        client.delete_cookie("portal")
        assert fail(client, 6, login="ben")[-1] == 429
        assert fail(client, 6)[-1] == 429, "a known device is slowed too, alone"


def test_an_address_trying_many_names_is_slowed(client: FlaskClient, anna: User) -> None:
    with clock.frozen(clock.now()):
        answers = [fail(client, 1, login=f"name{number}", ip=f"2001:db8::{number:x}")[0] for number in range(40)]
    assert answers[:29] == [401] * 29
    assert 429 in answers[30:], "one IPv6 network counts as one address"


def test_forged_forwarded_addresses_change_nothing(client: FlaskClient, anna: User) -> None:
    with clock.frozen(clock.now()):
        for number in range(8):
            form = {"csrf_token": token(client.get("/login")), "login": "anna", "password": OTHER}
            last = client.post("/login", data=form, headers={"X-Forwarded-For": f"203.0.113.{number}"})
    assert last.status_code == 429


def test_throttle_keeps_no_names(client: FlaskClient, anna: User) -> None:
    fail(client, 1, login="a-secret-typed-here")
    db.session.rollback()
    keys = db.session.scalars(select(Throttle.key)).all()
    assert len(keys) == 3
    assert not any("secret" in key for key in keys)


# ---- sessions ------------------------------------------------------------------------------------------------------


def test_idle_and_absolute_limits(client: FlaskClient, world: World, anna: User) -> None:
    now = clock.now()
    with clock.frozen(now):
        world.login(client, "anna")
        assert client.get("/account").status_code == 200
    with clock.frozen(now + timedelta(minutes=31)):
        assert "nothing happened" in client.get("/login").text
        assert client.get("/account").status_code == 302
        assert sessions_of(anna.id) == 0
    with clock.frozen(now):
        world.login(client, "anna")
    for quarter in range(1, 48):
        with clock.frozen(now + timedelta(minutes=15 * quarter)):
            assert client.get("/account").status_code == 200, quarter
    with clock.frozen(now + timedelta(hours=12, seconds=1)):
        assert client.get("/account").status_code == 302


def test_reading_writes_at_most_once_a_minute(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    from sqlalchemy import event

    now = clock.now()
    with clock.frozen(now):
        world.login(client, "anna")
        client.get("/account/sessions")
    writes: list[str] = []

    def watch(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("UPDATE", "INSERT", "DELETE")):
            writes.append(statement)

    event.listen(db.engine, "before_cursor_execute", watch)
    with clock.frozen(now + timedelta(seconds=50)):
        client.get("/account/sessions")
    assert writes == []
    with clock.frozen(now + timedelta(seconds=70)):
        client.get("/account/sessions")
        client.get("/account/sessions")
    assert len(writes) == 1
    assert writes[0].startswith("UPDATE auth_session")


def test_disabled_person_is_out_at_the_next_request(client: FlaskClient, world: World, anna: User) -> None:
    world.login(client, "anna")
    assert client.get("/account").status_code == 200
    with transaction():
        db.session.execute(update(User).where(User.id == anna.id).values(is_active=False))
    assert client.get("/account").status_code == 302
    assert sessions_of(anna.id) == 0


def test_changed_rights_hold_at_once_and_give_a_new_id(app: Flask, client: FlaskClient, world: World) -> None:
    from portal.org.models import ADMINISTRATOR, UserRole

    world.login(client, "nora")
    assert client.get("/admin/people").status_code == 403
    before = cookie(client)
    with transaction() as session:
        session.add(UserRole(user_id=world.user("nora").id, role=ADMINISTRATOR))
    assert client.get("/admin/people").status_code == 200
    assert cookie(client) != before
    thief = app.test_client()
    thief.set_cookie("portal", before)
    assert thief.get("/account").status_code == 302


def test_own_sessions_are_listed_and_ended(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    other = app.test_client()
    world.login(client, "anna")
    world.login(other, "anna")
    page = client.get("/account/sessions")
    assert len(re.findall(r"/account/sessions/\d+/end", page.text)) == 2
    client.post("/account/sessions/end-others", data={"csrf_token": token(page)})
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


def test_nobody_ends_another_persons_session(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    world.login(client, "anna")
    mine = db.session.scalars(select(AuthSession.id)).one()
    thief = app.test_client()
    world.login(thief, "ben")
    page = thief.get("/account/sessions")
    assert thief.post(f"/account/sessions/{mine}/end", data={"csrf_token": token(page)}).status_code == 404
    assert client.get("/account").status_code == 200
    admin = app.test_client()
    world.login(admin, "admin")
    page = admin.get(f"/admin/people/{anna.id}/account")
    assert admin.post(f"/account/sessions/{mine}/end", data={"csrf_token": token(page)}).status_code == 302
    assert client.get("/account").status_code == 302


def test_forged_cookies_are_visitors(client: FlaskClient, world: World, anna: User) -> None:
    for value in ("s.", "s.x", "v.", "v.eyJhIjoxfQ.bad.sig", "x", "s." + "a" * 5000, "\u00ff"):
        client.set_cookie("portal", value)
        assert client.get("/account").status_code == 302
        assert client.get("/login").status_code == 200


def test_visitors_leave_no_rows(client: FlaskClient, anna: User) -> None:
    for _visit in range(5):
        client.get("/login")
        client.delete_cookie("portal")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(AuthSession)) == 0


def test_remember_cookies_are_not_believed(app: Flask, client: FlaskClient, anna: User) -> None:
    from flask_login.utils import encode_cookie

    with app.test_request_context():
        client.set_cookie("remember_token", encode_cookie(str(anna.id)))
    assert client.get("/account").status_code == 302
    assert not any(item.startswith("remember") for item in client.get("/login").headers.getlist("Set-Cookie"))


def test_what_was_typed_survives_the_end_of_a_session(client: FlaskClient, world: World, anna: User) -> None:
    world.login(client, "anna")
    page = client.get("/account")
    client.delete_cookie("portal")
    lost = client.post(
        "/account", data={"csrf_token": token(page), "phone": "021-5555 1234", "email": "", "password": "p"}
    )
    assert lost.status_code == 401
    kept = re.search(r'name="kept" value="([^"]+)"', lost.text)
    assert kept
    answer = client.post(
        "/login", data={"csrf_token": token(lost), "login": "anna", "password": SECRET, "kept": kept.group(1)}
    )
    assert answer.status_code == 200
    assert "021-5555 1234" in answer.text
    assert 'action="/account"' in answer.text
    assert 'name="password"' not in answer.text
    again = client.post("/account", data={"csrf_token": token(answer), "phone": "021-5555 1234", "theme": "auto"})
    assert again.status_code == 302
    assert world.user("anna").phone == "021-5555 1234"


def test_kept_forms_cannot_be_forged(client: FlaskClient, anna: User) -> None:
    answer = log_in(client, "anna", SECRET, kept='["//evil.example",[],false]')
    assert answer.status_code == 302


# ---- passwords -----------------------------------------------------------------------------------------------------


def test_one_time_password_must_be_changed_and_expires(app: Flask, client: FlaskClient, world: World) -> None:
    nora = world.user("nora")
    now = clock.now()
    with clock.frozen(now), transaction():
        first = services.issue_one_time_password(nora.id, SYSTEM)
    with clock.frozen(now + timedelta(hours=25)):
        late = log_in(client, "nora", first)
        assert late.status_code == 401
        assert "expired" in late.text
    with clock.frozen(now + timedelta(hours=1)):
        answer = log_in(client, "nora", first)
        assert answer.headers["Location"] == "/account/password"
        for path in ("/", "/account", "/staff", "/account/sessions"):
            assert client.get(path).headers.get("Location") == "/account/password", path
        page = client.get("/account/password")
        form = {"csrf_token": token(page), "present": first, "password": OTHER, "repeated": OTHER}
        assert client.post("/account/password", data=form).status_code == 302
        assert client.get("/account").status_code == 200
        client.delete_cookie("portal")
        assert log_in(client, "nora", first).status_code == 401
        assert log_in(client, "nora", OTHER).status_code == 302


def test_where_rotation_is_switched_on_an_old_password_opens_nothing_but_its_change(
    app: Flask, client: FlaskClient, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    for days, switch, target in ((89, 90, "/"), (90, 0, "/"), (90, 90, "/account/password")):
        monkeypatch.setitem(app.config, "PASSWORD_MAX_DAYS", switch)
        client.delete_cookie("portal")
        with clock.frozen(now + timedelta(days=days, minutes=1)):
            assert log_in(client, "anna", SECRET).headers["Location"] == target, (days, switch)
            assert (client.get("/account").status_code == 302) is (target != "/")
    monkeypatch.setitem(app.config, "PASSWORD_COMPLEXITY", True)
    with clock.frozen(now + timedelta(days=90, minutes=2)):
        simple = "nur kleine buchstaben"
        for wanted, status in ((simple, 400), (OTHER, 302)):
            form = {"csrf_token": token(client.get("/account/password")), "present": SECRET}
            answer = client.post("/account/password", data={**form, "password": wanted, "repeated": wanted})
            assert answer.status_code == status, wanted
        assert client.get("/account").status_code == 200


def test_changing_the_password_ends_other_sessions(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    other = app.test_client()
    log_in(client, "anna", SECRET)
    log_in(other, "anna", SECRET)
    before = cookie(client)
    page = client.get("/account/password")
    wrong = {"csrf_token": token(page), "present": OTHER, "password": OTHER, "repeated": OTHER}
    assert client.post("/account/password", data=wrong).status_code == 401
    assert other.get("/account").status_code == 200
    answer = client.post("/account/password", data={**wrong, "present": SECRET})
    assert answer.status_code == 302
    assert cookie(client) != before
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("password", "repeated", "words"),
    [
        ("short", "short", "12"),
        ("password1234", "password1234", "easy"),
        ("anna anna anna", "anna anna anna", "easy"),
        ("woaini1314520", "woaini1314520", "easy"),
        (OTHER, OTHER + "x", "differ"),
        (SECRET, SECRET, "differs from the present"),
        ("x" * 300, "x" * 300, "256"),
    ],
)
def test_weak_passwords_are_refused_beside_the_field(
    client: FlaskClient, anna: User, password: str, repeated: str, words: str
) -> None:
    log_in(client, "anna", SECRET)
    page = client.get("/account/password")
    form = {"csrf_token": token(page), "present": SECRET, "password": password, "repeated": repeated}
    answer = client.post("/account/password", data=form)
    assert answer.status_code == 400
    assert words in answer.text
    assert password not in re.sub(r"<title>.*?</title>", "", answer.text) or len(password) < 6


def test_reset_by_an_administrator(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    log_in(client, "anna", SECRET)
    admin = app.test_client()
    world.login(admin, "admin")
    page = admin.get(f"/admin/people/{anna.id}/account")
    answer = admin.post(f"/admin/people/{anna.id}/one-time-password", data={"csrf_token": token(page)})
    found = re.search(r"[a-z0-9]{5}(?:-[a-z0-9]{5}){3}", answer.text)
    assert found
    assert answer.headers["Cache-Control"] == "no-store"
    assert found.group(0) not in admin.get(f"/admin/people/{anna.id}/account").text, "shown once"
    assert client.get("/account").status_code == 302, "sessions ended"
    assert log_in(client, "anna", SECRET).status_code == 401
    assert log_in(client, "anna", found.group(0)).headers["Location"] == "/account/password"


def test_an_administrator_ends_all_sessions_of_a_person(
    app: Flask, client: FlaskClient, world: World, anna: User
) -> None:
    world.login(client, "anna")
    admin = app.test_client()
    world.login(admin, "admin")
    page = admin.get(f"/admin/people/{anna.id}/account")
    assert admin.post(f"/admin/people/{anna.id}/end-sessions", data={"csrf_token": token(page)}).status_code == 302
    assert sessions_of(anna.id) == 0
    assert client.get("/account").status_code == 302
    assert admin.get("/account").status_code == 200


def test_identity_is_provider_and_immutable_id(app: Flask, client: FlaskClient, world: World, anna: User) -> None:
    with transaction():
        db.session.execute(update(User).where(User.id == anna.id).values(login="anna2"))
    assert log_in(client, "anna", SECRET).status_code == 401
    assert log_in(client, "anna2", SECRET).status_code == 302
    assert db.session.execute(select(Identity.provider, Identity.subject)).all() == [("local", str(anna.id))]


class Directory:
    """A second provider, as a directory would be: there "anna" is the log-in name of somebody else."""

    key, title = "directory", "Directory"
    subject = "8f14e45f-ceea-4677-9a36-dedd4bea2543"

    def authenticate(self, login: str, secret: str) -> Proof | None:
        return Proof(self.key, self.subject) if (login, secret) == ("anna", OTHER) else None

    def confirm(self, user_id: int, secret: str) -> bool:
        return secret == OTHER


def test_one_log_in_name_at_two_providers_is_two_people(
    client: FlaskClient, world: World, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known by provider and immutable id (security statement 19), through the interface that further ones will use."""
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, Directory()))
    admin = world.user("admin").id
    # Right there, but nobody here: a proof alone makes no account, and takes over none of the same name.
    assert log_in(client, "anna", OTHER).status_code == 401
    with transaction():
        db.session.add(Identity(user_id=admin, provider="directory", subject=Directory.subject, created_at=clock.now()))
    assert log_in(client, "anna", OTHER).status_code == 302
    assert (sessions_of(admin), sessions_of(anna.id)) == (1, 0)
    assert db.session.scalars(select(AuthSession.method)).one() == "directory"
    # Who came in by the directory proves himself again there, not with a password of the portal.
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        for secret, status in ((SECRET, 401), (OTHER, 302)):
            form = {"csrf_token": token(client.get("/confirm")), "answer": secret}
            assert client.post("/confirm", data=form).status_code == status
    assert log_in(client.application.test_client(), "anna", SECRET).status_code == 302
    assert (sessions_of(admin), sessions_of(anna.id)) == (1, 1)
    # The same number at another provider is nobody's.
    with transaction():
        db.session.execute(update(Identity).where(Identity.user_id == admin).values(provider="another"))
    assert log_in(client.application.test_client(), "anna", OTHER).status_code == 401


# ---- proving again -------------------------------------------------------------------------------------------------


def test_administration_asks_again_after_a_quarter_of_an_hour(client: FlaskClient, world: World) -> None:
    admin = world.user("admin")
    with transaction():
        services.give_password(admin.id, SECRET)
    now = clock.now()
    with clock.frozen(now):
        world.login(client, "admin")
        assert client.get("/admin/people").status_code == 200
    with clock.frozen(now + timedelta(minutes=16)):
        page = client.get("/account")
        asked = client.get("/admin/people?q=x")
        assert asked.headers["Location"] == "/confirm?next=/admin/people?q%3Dx"
        form = {"csrf_token": token(page), "name": "Neue Abteilung", "code": "NEW"}
        held = client.post("/admin/departments/new", data=form)
        assert held.status_code == 403
        kept = re.search(r'name="kept" value="([^"]+)"', held.text)
        assert kept
        before = cookie(client)
        data = {"csrf_token": token(held), "kept": kept.group(1)}
        assert client.post("/confirm", data={**data, "answer": OTHER}).status_code == 401
        answer = client.post("/confirm", data={**data, "answer": SECRET})
        assert answer.status_code == 200
        assert "Neue Abteilung" in answer.text
        assert cookie(client) != before, "a new id"
        assert client.get("/admin/people").status_code == 200


def test_refusals_are_written_down(client: FlaskClient, world: World) -> None:
    world.login(client, "nora")
    assert client.get("/admin/settings").status_code == 403
    db.session.rollback()
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert (entry.action, entry.result, entry.actor_id) == ("auth:access:refuse", "refused", world.user("nora").id)
    assert entry.new_values
    assert "settings.manage" in entry.new_values
