"""Reads about sessions and sign-in methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.auth.models import AuthSession, Identity, Password
from portal.core import clock
from portal.extensions import db
from portal.org.models import User

#: More sessions than that are never shown at once.
SHOWN = 200


@dataclass(frozen=True)
class SessionLine:
    """One session for a page."""

    id: int
    user_id: int
    name: str
    login: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str

    @property
    def device(self) -> str:
        """Browser and system in a few words, from what the browser says of itself."""
        return describe_agent(self.user_agent)


@dataclass(frozen=True)
class Account:
    """How a person logs in."""

    providers: tuple[str, ...]
    password_changed_at: datetime | None
    must_change: bool
    one_time_until: datetime | None


BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("wxwork", "WeCom"),
    ("DingTalk", "DingTalk"),
    ("Edg/", "Edge"),
    ("QQBrowser", "QQ Browser"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def describe_agent(user_agent: str) -> str:
    """ "Chrome · Windows" from a User-Agent header; the beginning of the header when nothing is recognised."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (browser, system) if part) or user_agent[:40]


def _lines(condition: Any) -> Sequence[SessionLine]:
    rows = db.session.execute(
        select(
            AuthSession.id,
            AuthSession.user_id,
            User.name,
            User.login,
            AuthSession.created_at,
            AuthSession.last_seen_at,
            AuthSession.expires_at,
            AuthSession.ip,
            AuthSession.user_agent,
        )
        .join(User, User.id == AuthSession.user_id)
        .where(condition, AuthSession.expires_at > clock.now())
        .order_by(AuthSession.last_seen_at.desc(), AuthSession.id.desc())
        .limit(SHOWN)
    )
    return [SessionLine(**row._mapping) for row in rows]


def sessions_of(user_id: int) -> Sequence[SessionLine]:
    """Live sessions of one person, the last used first."""
    return _lines(AuthSession.user_id == user_id)


def all_sessions() -> Sequence[SessionLine]:
    """Live sessions of everybody, the last used first, at most `SHOWN`."""
    return _lines(AuthSession.id > 0)


def account(user_id: int) -> Account:
    """Sign-in methods of a person."""
    providers = tuple(db.session.scalars(select(Identity.provider).where(Identity.user_id == user_id)))
    row = db.session.execute(
        select(Password.changed_at, Password.must_change, Password.expires_at).where(Password.user_id == user_id)
    ).first()
    if row is None:
        return Account(providers, None, False, None)
    return Account(providers, row.changed_at, row.must_change, row.expires_at)
