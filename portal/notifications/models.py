"""Tables of notices, choices and the outbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db


class Channel(StrEnum):
    """How a person wants to hear of a kind. Mail and digest come besides the portal."""

    MAIL = "mail"
    DIGEST = "digest"
    PORTAL = "portal"
    NONE = "none"


class OutboxState(StrEnum):
    """queued → sending → sent (or spooled without a mail server); after too many tries or a refusal: failed."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SPOOLED = "spooled"
    FAILED = "failed"


_UNREAD = text("read_at IS NULL")
_DIGEST = text("is_for_digest")
_OPEN = text("state IN ('queued', 'sending')")


class Notice(db.Model):
    """A notice (通知) for one person."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    kind: Mapped[str] = mapped_column(String(80))
    #: what it is about, e.g. "request:12"; a newer unread notice about the same takes the place of the older
    about: Mapped[str] = mapped_column(String(100), default="")
    #: see `kinds.encode`
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, default="")
    #: path within the portal
    url: Mapped[str] = mapped_column(String(500), default="")
    #: who caused it; None: the portal
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    actor_name: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: waits for the next digest
    is_for_digest: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("ix_notice_unread", "user_id", "id", postgresql_where=_UNREAD, sqlite_where=_UNREAD),
        Index("ix_notice_user", "user_id", "id"),
        Index("ix_notice_digest", "user_id", "id", postgresql_where=_DIGEST, sqlite_where=_DIGEST),
    )


class NoticePreference(db.Model):
    """What a person chose for a kind; no row means the kind's default."""

    __tablename__ = "notice_preference"

    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(80), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12))

    __table_args__ = (CheckConstraint("channel IN ('mail', 'digest', 'portal', 'none')", name="channel"),)


class OutboxMessage(db.Model):
    """A message that leaves the portal. Written in the transaction of its cause, sent after the commit."""

    __tablename__ = "outbox_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(12), default="mail")
    #: kind of notice, or the purpose of a message to somebody who is no user
    kind: Mapped[str] = mapped_column(String(80), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: as in the notice: a message that still waits is replaced by a newer one about the same
    about: Mapped[str] = mapped_column(String(100), default="")
    to_address: Mapped[str] = mapped_column(String(254))
    #: language the reader had chosen; "" means the portal's
    language: Mapped[str] = mapped_column(String(16), default="")
    #: see `kinds.encode`
    subject: Mapped[str] = mapped_column(Text)
    #: JSON list of items {"title", "body", "url", "at"}: one for a notice, several for a digest
    items: Mapped[str] = mapped_column(Text)
    #: "notice" or "digest": which template
    template: Mapped[str] = mapped_column(String(20), default="notice")
    #: fixed, so that a message sent twice is recognised as one
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(12), default=OutboxState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_by: Mapped[str] = mapped_column(String(40), default="")
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        Index("ix_outbox_message_open", "next_at", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_outbox_message_state", "state", "id"),
        CheckConstraint("state IN ('queued', 'sending', 'sent', 'spooled', 'failed')", name="state"),
    )
