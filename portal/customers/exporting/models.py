"""Exports: what was asked for, by whom, and where the file is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import User


class ExportState(StrEnum):
    """waiting for the approval → queued → ready → expired; refused and failed are ends; "sent" was made at once.

    A file that holds what its owner does not see any more goes from ready back to queued.
    """

    WAITING = "waiting"
    REFUSED = "refused"
    QUEUED = "queued"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    SENT = "sent"


class DataExport(db.Model):
    """One export of one list."""

    __tablename__ = "data_export"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the list
    listing: Mapped[str] = mapped_column(String(60))
    #: what the list is called and which filters were chosen, in the words of the moment
    title: Mapped[str] = mapped_column(String(200))
    filters: Mapped[str] = mapped_column(Text, default="")
    #: query string: columns, filters, order
    query: Mapped[str] = mapped_column(Text, default="")
    #: xlsx or csv
    format: Mapped[str] = mapped_column(String(4))
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    state: Mapped[str] = mapped_column(String(10))
    #: rows when it was asked for
    asked_rows: Mapped[int] = mapped_column(Integer)
    #: rows in the file
    rows: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(500), default="")
    #: number of the approval request, when one was needed
    request_id: Mapped[int | None] = mapped_column(BigId)
    run_id: Mapped[int | None] = mapped_column(BigId)
    #: where the file is (portal.core.storage); "" when there is none
    storage_key: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ready_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: until when the file can be fetched
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str] = mapped_column(String(500), default="")

    owner: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("format IN ('xlsx', 'csv')", name="format"),
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in ExportState)})", name="state"),
        Index("ix_data_export_owner", "owner_id", "created_at"),
        Index("ix_data_export_expires_at", "expires_at"),
    )
