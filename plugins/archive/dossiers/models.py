"""Tables of dossiers, their files, requests to change them, and supplements (R-ARC-1, R-ARC-3, R-ARC-4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from plugins.archive import ddl
from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

#: The four parts of a dossier (R-ARC-1), in their order.
CARD, ASSESSMENT, CONTRACT, STATISTICS = "card", "assessment", "contract", "statistics"
PARTS = (CARD, ASSESSMENT, CONTRACT, STATISTICS)

#: States of a file. Only current files are looked up, viewed and printed.
CURRENT, SUPERSEDED, WITHDRAWN, QUARANTINED = "current", "superseded", "withdrawn", "quarantined"
FILE_STATES = (CURRENT, SUPERSEDED, WITHDRAWN, QUARANTINED)

UPLOADED, PRODUCED = "uploaded", "produced"
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"

#: What a request to change a dossier asks for.
NEW_CUSTOMER, CHANGE, SUPPLEMENT = "new", "change", "supplement"
CHANGE_KINDS = (NEW_CUSTOMER, CHANGE, SUPPLEMENT)
OPEN, POSTED, REFUSED, TAKEN_BACK = "open", "posted", "refused", "withdrawn"


class ArchiveContent(db.Model):
    """A content in the vault. The row comes first, the content after it, whoever refers to it last.

    Whatever column refers to `digest` by foreign key keeps the content; what nothing refers to is an orphan after a
    time of grace counted from `reserved_at` (see `plugins.archive.vault`).
    """

    __tablename__ = "archive_content"

    #: SHA-256 of the content, hexadecimal
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: bytes, before encryption
    size: Mapped[int] = mapped_column(Integer)
    #: where it lies in the storage; "": it is being put just now, or the attempt was cut off
    storage_key: Mapped[str] = mapped_column(String(120), default="", index=True)
    #: last time somebody began to put this content
    reserved_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: last time it was read and found whole; None: never looked at
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: what the last look found: "", "missing" or "damaged"
    trouble: Mapped[str] = mapped_column(String(10), default="")

    __table_args__ = (CheckConstraint("trouble IN ('', 'missing', 'damaged')", name="trouble"),)


class Dossier(db.Model):
    """The dossier (客户档案) of a customer; opened with its first part or request."""

    __tablename__ = "archive_dossier"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), unique=True, info={"merge": "move", "unique_with": (), "label": _l("Dossiers")}
    )
    #: "ARC-2026-000001"
    number: Mapped[str] = mapped_column(String(30), unique=True)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: last change of a part (a file came, was replaced or withdrawn; a change was posted)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    customer: Mapped[Customer] = relationship()


class ArchiveFile(db.Model):
    """A file in a part of a dossier. Its content lies in the vault under its digest."""

    __tablename__ = "archive_file"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Files of dossiers")}
    )
    #: card, assessment, contract or statistics
    part: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(200))
    #: number of the contract, or of the produced document
    number: Mapped[str] = mapped_column(String(100), default="")
    #: parties of a contract, as written on it
    parties: Mapped[str] = mapped_column(String(400), default="")
    #: day of signature, or of production
    dated_on: Mapped[date] = mapped_column(Date)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    #: first and last day that a produced report covers
    period_first: Mapped[date | None] = mapped_column(Date)
    period_last: Mapped[date | None] = mapped_column(Date)
    #: a scan of a paper original: shown and printed with the mark "copy" (复印件)
    is_copy: Mapped[bool] = mapped_column(Boolean, default=False)
    remarks: Mapped[str] = mapped_column(String(500), default="")
    #: pages (1 for a picture)
    pages: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(ForeignKey("archive_content.digest"), index=True)
    #: bytes
    size: Mapped[int] = mapped_column(Integer)
    #: uploaded or produced
    origin: Mapped[str] = mapped_column(String(10))
    #: name of the uploaded file, cleaned
    original_name: Mapped[str] = mapped_column(String(200), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    state: Mapped[str] = mapped_column(String(12), default=CURRENT)
    #: why it was withdrawn or is kept in quarantine
    state_reason: Mapped[str] = mapped_column(String(500), default="")
    state_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the file that this one replaced
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("archive_file.id"), index=True)
    #: from the form: a double click keeps one file
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    made_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("part IN ('card', 'assessment', 'contract', 'statistics')", name="part"),
        CheckConstraint("state IN ('current', 'superseded', 'withdrawn', 'quarantined')", name="state"),
        CheckConstraint("origin IN ('uploaded', 'produced')", name="origin"),
        CheckConstraint("media_type IN ('application/pdf', 'image/jpeg', 'image/png')", name="media_type"),
        CheckConstraint("pages > 0 AND size > 0", name="not_empty"),
        CheckConstraint("valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until", name="validity"),
        Index("ix_archive_file_customer_id_part_state", "customer_id", "part", "state", "dated_on"),
        Index("ix_archive_file_state_part_valid_until", "state", "part", "valid_until"),
    )

    @property
    def is_picture(self) -> bool:
        """Whether the content is a picture rather than a PDF."""
        return self.media_type != PDF


class ArchiveChange(db.Model):
    """A request to change a dossier, with the values before and after (R-ARC-3, R-ARC-4)."""

    __tablename__ = "archive_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: new, change or supplement
    kind: Mapped[str] = mapped_column(String(12))
    #: None until the new customer was made
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Changes of dossiers")}
    )
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: field → value when it was filed
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: field → value wanted
    after: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: field → value just before it was posted (what really was replaced)
    replaced: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(String(1000), default="")
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default=OPEN)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    customer: Mapped[Customer | None] = relationship()
    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id])

    __table_args__ = (
        CheckConstraint("kind IN ('new', 'change', 'supplement')", name="kind"),
        CheckConstraint("state IN ('open', 'posted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("kind = 'new' OR customer_id IS NOT NULL", name="customer"),
        Index(
            "ix_archive_change_open",
            "created_at",
            "id",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )


class ArchiveSupplement(db.Model):
    """Dynamic information of a customer, condensed by the supervisor and posted by a maintainer (R-ARC-3)."""

    __tablename__ = "archive_supplement"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Supplements of dossiers")}
    )
    change_id: Mapped[int | None] = mapped_column(ForeignKey("archive_change.id"), unique=True)
    #: phase of the course it belongs to: prospect, first_contact, contract or daily_care
    phase: Mapped[str] = mapped_column(String(14))
    dated_on: Mapped[date] = mapped_column(Date)
    body: Mapped[str] = mapped_column(Text)
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    posted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    posted_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    written_by: Mapped[User | None] = relationship(foreign_keys=[written_by_id])

    __table_args__ = (
        CheckConstraint("phase IN ('prospect', 'first_contact', 'contract', 'daily_care')", name="phase"),
        Index("ix_archive_supplement_customer_id_dated_on", "customer_id", "dated_on", "id"),
    )


event.listen(ArchiveSupplement.__table__, "after_create", ddl.protect)
