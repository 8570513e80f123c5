"""Tables of log-in: identities, passwords, sessions, throttling."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db


class Identity(db.Model):
    """Who a person is at one provider. The key is (provider, immutable id), never a login or an e-mail address."""

    __tablename__ = "auth_identity"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: key of the authentication method, "local" for passwords kept here
    provider: Mapped[str] = mapped_column(String(64))
    #: the provider's immutable id of the person; for "local" the person's id in the portal
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("provider", "subject"),)


class Password(db.Model):
    """A local password, as an Argon2id hash."""

    __tablename__ = "auth_password"

    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: given out by an administrator: the first thing to do is to choose another one
    must_change: Mapped[bool] = mapped_column(Boolean, default=False)
    #: one-time passwords stop working then
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AuthSession(db.Model):
    """A signed-in browser. Deleting the row ends it at once, in every process."""

    __tablename__ = "auth_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: SHA-256 of the id in the cookie: who reads the table cannot take over a session
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: key of the authentication method
    method: Mapped[str] = mapped_column(String(64))
    #: JSON object: CSRF token and messages
    payload: Mapped[str] = mapped_column(Text, default="{}")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: when the person last proved who he is
    confirmed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: "" or "change_password": nothing else is open before that is done
    restricted: Mapped[str] = mapped_column(String(32), default="")
    #: digest of roles and headed departments; when it changes the session gets a new id
    authority: Mapped[str] = mapped_column(String(64), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")


class Throttle(db.Model):
    """Failed attempts behind one key: account, address, both, or a known device. Keys are digests."""

    __tablename__ = "auth_throttle"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    last_failure_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: no attempt is looked at before that moment
    blocked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
