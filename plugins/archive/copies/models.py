"""Tables of paper copies: the register (副本登记) and what happened to each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from plugins.archive.copies import ddl
from plugins.archive.copies.states import RESERVED, STATES
from plugins.archive.lookups.models import ArchiveGrant
from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

SIGNATURE, PORTAL = "signature", "portal"


class ArchiveCopy(db.Model):
    """A paper copy. Row and number exist before anything is printed; the state follows `copies.states`."""

    __tablename__ = "archive_copy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "FB-2026-000001-64", with check digits, on every page
    number: Mapped[str] = mapped_column(String(30), unique=True)
    #: in the QR code; 192 random bits
    token: Mapped[str] = mapped_column(String(64), unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("archive_grant.id"), index=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Paper copies")}
    )
    holder_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: name and department as they are on the paper
    holder_name: Mapped[str] = mapped_column(String(100))
    holder_department: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), default=RESERVED)
    #: counted up by every step
    version: Mapped[int] = mapped_column(Integer, default=1)
    #: pages that were made; 0 before
    pages: Mapped[int] = mapped_column(Integer, default=0)
    #: the day it must be back: the end of the grant, or earlier when it is called back
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reserved_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reserved_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: when the pages went to the printer
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    issued_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: how it was handed over: signature or portal
    issued_how: Mapped[str] = mapped_column(String(10), default="")
    #: called back because the grant ended
    recalled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    recall_reason: Mapped[str] = mapped_column(String(300), default="")
    #: the copy that this one was printed instead of
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("archive_copy.id"), index=True)
    #: why making the pages failed last
    problem: Mapped[str] = mapped_column(String(500), default="")
    #: background job that makes or made the pages
    run_id: Mapped[int | None] = mapped_column(BigId)
    #: key of the sealed pages while they wait; forgotten when they were sent, and with it the pages
    seal: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: from the form: a double click reserves one
    form_token: Mapped[str] = mapped_column(String(64), unique=True)
    #: how many reminders its holder had: before the day, on it, each third day after
    reminders: Mapped[int] = mapped_column(Integer, default=0)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    grant: Mapped[ArchiveGrant] = relationship()
    customer: Mapped[Customer] = relationship()
    holder: Mapped[User] = relationship(foreign_keys=[holder_id])
    reserved_by: Mapped[User | None] = relationship(foreign_keys=[reserved_by_id])
    replaces: Mapped[ArchiveCopy | None] = relationship(remote_side=[id], foreign_keys=[replaces_id])
    files: Mapped[list[ArchiveCopyFile]] = relationship(order_by="ArchiveCopyFile.position")
    events: Mapped[list[ArchiveCopyEvent]] = relationship(order_by="ArchiveCopyEvent.id")

    __table_args__ = (
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        CheckConstraint("pages >= 0", name="pages"),
        CheckConstraint("state <> 'issued' OR issued_at IS NOT NULL", name="issued"),
        Index("ix_archive_copy_state", "state", "due_at", "id"),
        Index("ix_archive_copy_holder_id", "holder_id", "state", "due_at"),
        Index("ix_archive_copy_customer_id", "customer_id", "id"),
        Index("ix_archive_copy_reserved_at", "reserved_at", "id"),
    )


class ArchiveCopyFile(db.Model):
    """A file as it was when the copy was reserved."""

    __tablename__ = "archive_copy_file"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    copy_id: Mapped[int] = mapped_column(ForeignKey("archive_copy.id"))
    position: Mapped[int] = mapped_column(Integer)
    file_id: Mapped[int] = mapped_column(ForeignKey("archive_file.id"), index=True)
    digest: Mapped[str] = mapped_column(ForeignKey("archive_content.digest"), index=True)
    part: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(20))
    pages: Mapped[int] = mapped_column(Integer)

    __table_args__ = (UniqueConstraint("copy_id", "position"),)


class ArchiveCopyEvent(db.Model):
    """A step in the life of a copy; append-only."""

    __tablename__ = "archive_copy_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    copy_id: Mapped[int] = mapped_column(ForeignKey("archive_copy.id"), index=True)
    #: a step of `copies.states`, "reserve" or "recall"
    step: Mapped[str] = mapped_column(String(10))
    state_before: Mapped[str] = mapped_column(String(10), default="")
    state_after: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: who saw the destruction
    witness_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: sheets counted
    sheets: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(String(500), default="")

    by: Mapped[User | None] = relationship(foreign_keys=[by_id])
    witness: Mapped[User | None] = relationship(foreign_keys=[witness_id])

    __table_args__ = (CheckConstraint("witness_id IS NULL OR witness_id <> by_id", name="witness"),)


for _table in (ArchiveCopy.__table__, ArchiveCopyEvent.__table__):
    event.listen(_table, "after_create", ddl.protect)
