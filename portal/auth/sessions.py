"""Sessions kept on the server: the cookie is a random id, the table holds the rest.

Visitors who have not logged in get no row, so that nobody can fill the table: what little their forms need (the CSRF
token) is a signed cookie. Payloads are JSON. Nothing is read before somebody asks, so files cost no statement.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from flask import Flask, Request, Response, current_app, g, request
from flask import session as flask_session
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from flask.testing import FlaskClient
from itsdangerous import BadSignature
from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from portal.audit.models import AuditHead
from portal.auth.models import AuthSession
from portal.config import ConfigError
from portal.core import clock
from portal.core.database import WRITER
from portal.core.transaction import in_transaction, note_version, transaction
from portal.extensions import db
from portal.org.actor import Authority, authority_of
from portal.org.models import User

SIGNED_IN, VISITOR = "s.", "v."
VISITOR_SALT = "portal-visitor"
#: The moment of the last request is written at most that often.
TOUCH_EVERY = timedelta(minutes=1)
MAXIMUM_IDLE_MINUTES, MAXIMUM_HOURS = 30, 12
#: Keys that Flask-Login and Flask look for in every request; they are never used here, and asking must not read.
UNUSED_KEYS = frozenset({"_remember", "_remember_seconds", "_user_id", "_id", "_fresh", "_permanent"})
MAXIMUM_PAYLOAD = 16_000


@dataclass(frozen=True)
class Record:
    """A live session and the person behind it, as one statement reads them."""

    id: int
    user_id: int
    method: str
    payload: str
    last_seen_at: datetime
    expires_at: datetime
    confirmed_at: datetime
    restricted: str
    authority: str
    name: str
    login: str
    department_id: int
    person_key: str
    language: str
    theme: str
    is_active: bool
    #: number of the last audit entry when the session was read
    data_version: int


def hash_token(token: str) -> str:
    """What the table keeps of a cookie's id. The id has 256 random bits, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def authority_digest(authority: Authority) -> str:
    """A short form of somebody's rights, to notice that they changed."""
    text = " ".join([*sorted(authority.roles), *(str(number) for number in sorted(authority.headed))])
    return hashlib.sha256(text.encode()).hexdigest()


def idle_limit() -> timedelta:
    """After so long without a request a session is over."""
    return timedelta(minutes=current_app.config["SESSION_IDLE_MINUTES"])


def absolute_limit() -> timedelta:
    """After so long a session is over in any case."""
    return timedelta(hours=current_app.config["SESSION_HOURS"])


def check_limits(app: Flask) -> None:
    """:raises ConfigError: for limits above what the portal's rules allow."""
    if not 1 <= app.config["SESSION_IDLE_MINUTES"] <= MAXIMUM_IDLE_MINUTES:
        raise ConfigError(f"SESSION_IDLE_MINUTES must be between 1 and {MAXIMUM_IDLE_MINUTES}.")
    if not 1 <= app.config["SESSION_HOURS"] <= MAXIMUM_HOURS:
        raise ConfigError(f"SESSION_HOURS must be between 1 and {MAXIMUM_HOURS}.")


@contextmanager
def own_transaction() -> Iterator[Connection]:
    """A short writer's transaction beside the request's session, for what is not part of the request's work."""
    with db.engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        yield connection


class PortalSession(SessionMixin):
    """The session of one request; behaves like a dictionary, reads at the first use."""

    def __init__(self, cookie: str) -> None:
        self._cookie = cookie
        self._data: dict[str, Any] | None = None
        self.record: Record | None = None
        #: why a session that the browser still believed in is over: "idle", "expired", "ended" or ""
        self.ended_reason = ""
        self.new_token = ""
        self.drop_cookie = False
        self.modified = False
        self.accessed = False

    def load(self) -> Record | None:
        """Read the session once; the record when somebody is signed in."""
        if self._data is not None:
            return self.record
        self.accessed = True
        self._data = {}
        if not in_transaction():
            db.session.rollback()  # a request sees the present state, also where it shares a context with others
        if self._cookie.startswith(SIGNED_IN):
            self._load_record(self._cookie.removeprefix(SIGNED_IN))
        elif self._cookie.startswith(VISITOR):
            self._load_visitor(self._cookie.removeprefix(VISITOR))
        return self.record

    def _load_record(self, token: str) -> None:
        self.drop_cookie = True
        record = find_record(token)
        if record is None:
            self.ended_reason = "ended"
            return
        now = clock.now()
        if now >= record.expires_at:
            self.ended_reason = "expired"
        elif now - record.last_seen_at >= idle_limit():
            self.ended_reason = "idle"
        elif not record.is_active:
            self.ended_reason = "ended"
        else:
            self.drop_cookie = False
            self.record, self._data = record, json.loads(record.payload)
            note_version(record.data_version)
            return
        with own_transaction() as connection:
            connection.execute(delete(AuthSession).where(AuthSession.id == record.id))

    def _load_visitor(self, signed: str) -> None:
        serializer = _visitor_serializer(current_app)
        try:
            data = serializer.loads(signed, max_age=int(absolute_limit().total_seconds()))
        except BadSignature:
            self.drop_cookie = True
            return
        self._data = dict(data)

    @property
    def data(self) -> dict[str, Any]:
        """The payload."""
        self.load()
        return cast(dict[str, Any], self._data)

    def __getitem__(self, key: str) -> Any:
        if key in UNUSED_KEYS:
            raise KeyError(key)
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self.data[key]
        self.modified = True

    def __contains__(self, key: object) -> bool:
        return key not in UNUSED_KEYS and key in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def become(self, record: Record, token: str) -> None:
        """Continue as another server-side session: after log-in, or with a new id."""
        self.record, self.new_token, self._cookie = record, token, SIGNED_IN + token
        self._data = json.loads(record.payload)
        self.drop_cookie, self.modified, self.ended_reason = False, False, ""

    def forget(self) -> None:
        """Continue as a visitor without anything."""
        self.record, self._data, self._cookie = None, {}, ""
        self.new_token, self.drop_cookie, self.modified = "", True, False


class ServerSessions(SessionInterface):
    """Flask's way in and out."""

    def open_session(self, app: Flask, request: Request) -> PortalSession:
        """Called for every request; reads nothing yet."""
        return PortalSession(request.cookies.get(app.config["SESSION_COOKIE_NAME"], ""))

    def is_null_session(self, obj: object) -> bool:
        """Sessions are never null."""
        return False

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed, set or drop the cookie."""
        if not isinstance(session, PortalSession) or not (session.accessed or session.new_token):
            return
        response.vary.add("Cookie")
        if session.record is not None:
            if session.modified:
                self._write_payload(session.record.id, session.data)
            if session.new_token:
                self._set_cookie(app, response, SIGNED_IN + session.new_token)
        elif session.modified and session.data:
            self._set_cookie(app, response, VISITOR + _visitor_serializer(app).dumps(session.data))
        elif session.drop_cookie or session.modified:
            response.delete_cookie(
                app.config["SESSION_COOKIE_NAME"],
                path="/",
                secure=app.config["SESSION_COOKIE_SECURE"],
                httponly=True,
                samesite=app.config["SESSION_COOKIE_SAMESITE"],
            )

    @staticmethod
    def _write_payload(session_id: int, data: dict[str, Any]) -> None:
        payload = json.dumps(data, ensure_ascii=False, default=str)
        if len(payload) > MAXIMUM_PAYLOAD:
            # Messages for the next page pile up only when no page is ever shown; the rest is small.
            payload = json.dumps({key: value for key, value in data.items() if key != "_flashes"}, default=str)
        with own_transaction() as connection:
            connection.execute(update(AuthSession).where(AuthSession.id == session_id).values(payload=payload))

    @staticmethod
    def _set_cookie(app: Flask, response: Response, value: str) -> None:
        response.set_cookie(
            app.config["SESSION_COOKIE_NAME"],
            value,
            path="/",
            secure=app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite=app.config["SESSION_COOKIE_SAMESITE"],
        )


class _VisitorCookies(SecureCookieSessionInterface):
    salt = VISITOR_SALT


def _visitor_serializer(app: Flask) -> Any:
    return _VisitorCookies().get_signing_serializer(app)


def find_record(token: str) -> Record | None:
    """The session of a cookie's id with its person; one statement; no limits are checked."""
    row = db.session.execute(_record_statement(), {"hash": hash_token(token)}).first()
    return Record(**row._mapping) if row else None


_last_entry = select(AuditHead.seq).where(AuditHead.id == 1).scalar_subquery()


@cache
def _record_statement() -> Select[*tuple[Any, ...]]:
    """Built once: every request asks it."""
    return (
        select(
            AuthSession.id,
            AuthSession.user_id,
            AuthSession.method,
            AuthSession.payload,
            AuthSession.last_seen_at,
            AuthSession.expires_at,
            AuthSession.confirmed_at,
            AuthSession.restricted,
            AuthSession.authority,
            User.name,
            User.login,
            User.department_id,
            User.person_key,
            User.language,
            User.theme,
            User.is_active,
            func.coalesce(_last_entry, 0).label("data_version"),
        )
        .join(User, User.id == AuthSession.user_id)
        .where(AuthSession.token_hash == bindparam("hash"))
    )


def create_session(
    user_id: int, *, method: str = "local", restricted: str = "", ip: str = "", user_agent: str = ""
) -> str:
    """Write a session row in the caller's transaction. Returns the id for the cookie (without its prefix)."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    db.session.execute(
        insert(AuthSession).values(
            token_hash=hash_token(token),
            user_id=user_id,
            method=method,
            payload=json.dumps({"csrf_token": secrets.token_hex(32)}),
            created_at=now,
            last_seen_at=now,
            expires_at=now + absolute_limit(),
            confirmed_at=now,
            restricted=restricted,
            authority=authority_digest(authority_of(user_id)),
            ip=ip[:45],
            user_agent=user_agent[:300],
        )
    )
    return token


def cookie_for(user_id: int, **options: Any) -> str:
    """A session and the value of its cookie: for scripts and tests that need a signed-in browser. In a transaction."""
    return SIGNED_IN + create_session(user_id, **options)


def open_test_session(app: Flask, client: FlaskClient, user_id: int) -> None:
    """Sign a test client in, as the log-in page would."""
    with transaction():
        cookie = cookie_for(user_id, ip="127.0.0.1", user_agent="test")
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie)


def current_session() -> PortalSession:
    """The session of the present request."""
    return cast(PortalSession, flask_session._get_current_object())  # type: ignore[attr-defined]


def start(user_id: int, *, method: str, restricted: str = "") -> None:
    """Sign the browser in, in the caller's transaction: a new id, the old session of this browser ends."""
    current = current_session()
    old = current.load()
    if old is not None:
        db.session.execute(delete(AuthSession).where(AuthSession.id == old.id))
    token = create_session(
        user_id,
        method=method,
        restricted=restricted,
        ip=request.remote_addr or "",
        user_agent=request.user_agent.string,
    )
    record = find_record(token)
    if record is None:
        raise RuntimeError("the session that was just written cannot be found")
    current.become(record, token)
    g.pop("csrf_token", None)  # Flask-WTF remembers the visitor's token for the rest of the request
    sweep()


def renew(connection: Connection | None = None, **changes: Any) -> None:
    """Give the present session a new id, keeping its content; further columns may change in the same statement.

    :param connection: where to write; None writes in the caller's transaction.
    """
    current = current_session()
    record = current.load()
    if record is None:
        raise RuntimeError("nobody is signed in")
    token = secrets.token_urlsafe(32)
    payload = json.dumps(current.data, ensure_ascii=False, default=str)
    statement = (
        update(AuthSession)
        .where(AuthSession.id == record.id)
        .values(token_hash=hash_token(token), payload=payload, **changes)
    )
    (connection or db.session).execute(statement)
    kept = {key: value for key, value in changes.items() if key in Record.__dataclass_fields__}
    current.become(replace(record, payload=payload, **kept), token)


def delete_record(session_id: int) -> None:
    """End a session, in the caller's transaction."""
    db.session.execute(delete(AuthSession).where(AuthSession.id == session_id))


def touch(record: Record) -> None:
    """Note that the session is in use; seldom, and beside the request's own work.

    Where nothing can be written (the disk is full), pages are read all the same: the session then ends earlier, not
    later.
    """
    now = clock.now()
    if now - record.last_seen_at < TOUCH_EVERY:
        return
    try:
        with own_transaction() as connection:
            connection.execute(
                update(AuthSession)
                .where(AuthSession.id == record.id)
                .values(last_seen_at=now, ip=(request.remote_addr or "")[:45])
            )
    except DBAPIError as error:
        current_app.logger.warning("the use of a session could not be noted: %s", type(error).__name__)


def sweep() -> None:
    """Delete sessions that are over, in the caller's transaction."""
    now = clock.now()
    db.session.execute(
        delete(AuthSession).where(
            (AuthSession.expires_at <= now) | (AuthSession.last_seen_at <= now - idle_limit() - TOUCH_EVERY)
        )
    )
