"""Tables of the audit trail. Triggers (`ddl.py`) make the entries append-only in the database itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import Table

from portal.audit import ddl
from portal.core.database import BigId, UTCDateTime
from portal.extensions import db


class AuditEntry(db.Model):
    """One thing that was done, tried or refused.

    There are no foreign keys on purpose: an entry says what was true when it was written and outlives everything.
    """

    __tablename__ = "audit_entry"

    #: place in the chain, from 1 without gaps
    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: None: the portal itself
    actor_id: Mapped[int | None] = mapped_column(BigId)
    actor_name: Mapped[str] = mapped_column(String(100))
    #: "B for A": A's id, when B decided as A's delegate
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigId)
    #: "source:subject:verb"
    action: Mapped[str] = mapped_column(String(100))
    object_type: Mapped[str] = mapped_column(String(50))
    object_id: Mapped[int | None] = mapped_column(BigId)
    #: name of the object; belongs to the private part (it may be the name of a person)
    object_label: Mapped[str] = mapped_column(String(300), default="")
    customer_id: Mapped[int | None] = mapped_column(BigId)
    #: canonical JSON of the changed fields, before and after; None when nothing is to be compared
    old_values: Mapped[str | None] = mapped_column(Text)
    new_values: Mapped[str | None] = mapped_column(Text)
    #: canonical JSON of personal data; not in the chain, only `private_hash` is; cleared by an erasure
    private: Mapped[str | None] = mapped_column(Text)
    #: random, so that nobody finds the personal data by trying; cleared together with it
    private_salt: Mapped[str | None] = mapped_column(String(32))
    #: SHA-256 of salt, object label and personal data
    private_hash: Mapped[str] = mapped_column(String(64))
    ip: Mapped[str] = mapped_column(String(45), default="")
    #: first characters of the session's key: tells sessions apart without giving one away
    session_hint: Mapped[str] = mapped_column(String(12), default="")
    #: ok, refused, failed
    result: Mapped[str] = mapped_column(String(12), default="ok")
    reason: Mapped[str] = mapped_column(String(1000), default="")
    #: hash of entry seq − 1; 64 zeros for the first
    previous_hash: Mapped[str] = mapped_column(String(64))
    #: SHA-256 of the canonical form of everything above but label, private and private_salt
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entry_actor", "actor_id", "seq"),
        Index("ix_audit_entry_object", "object_type", "object_id", "seq"),
        Index("ix_audit_entry_action", "action", "seq"),
        Index("ix_audit_entry_at", "at", "seq"),
        Index(
            "ix_audit_entry_customer",
            "customer_id",
            "seq",
            postgresql_where=text("customer_id IS NOT NULL"),
            sqlite_where=text("customer_id IS NOT NULL"),
        ),
        Index(
            "ix_audit_entry_not_ok",
            "seq",
            postgresql_where=text("result <> 'ok'"),
            sqlite_where=text("result <> 'ok'"),
        ),
        CheckConstraint("result IN ('ok', 'refused', 'failed')", name="result"),
        CheckConstraint("seq > 0", name="seq"),
    )


class AuditHead(db.Model):
    """The end of the chain: one row; writers queue up at it."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigId)
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class AuditCheck(db.Model):
    """A verification of the whole chain and what came of it."""

    __tablename__ = "audit_check"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    is_whole: Mapped[bool]
    entries: Mapped[int] = mapped_column(BigId)
    #: first broken entry, when not whole
    broken_seq: Mapped[int | None] = mapped_column(BigId)
    #: stable code of what is wrong (`verify.PROBLEMS`)
    problem: Mapped[str] = mapped_column(String(40), default="")
    #: last anchor found, 0 for none
    anchor_seq: Mapped[int] = mapped_column(BigId, default=0)
    milliseconds: Mapped[int] = mapped_column(default=0)


def _run(statements: list[str], connection: Connection) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


@event.listens_for(AuditEntry.__table__, "after_create")
def _protect_entries(_table: Table, connection: Connection, **_kw: Any) -> None:
    _run(ddl.entry_statements(connection.dialect.name), connection)


@event.listens_for(AuditHead.__table__, "after_create")
def _protect_head(_table: Table, connection: Connection, **_kw: Any) -> None:
    _run(ddl.head_statements(connection.dialect.name), connection)
