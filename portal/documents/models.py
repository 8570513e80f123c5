"""Tables of documents and of their numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import User

#: States of a document. The number is taken in the first and stays with the row whatever follows.
RESERVED, READY, FAILED, ERASED = "reserved", "ready", "failed", "erased"
STATES = (RESERVED, READY, FAILED, ERASED)


class DocumentNumber(db.Model):
    """The last number given out for a prefix and year. Taken in the transaction that writes the document's row, so
    that there are no gaps: a document that could not be made keeps its number as a failed one."""

    __tablename__ = "document_number"

    #: e.g. "CARD"
    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: calendar year in the organisation's zone
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer)


class Document(db.Model):
    """A numbered PDF (文件): what it was made from, by whom and when, and where its content is."""

    __tablename__ = "document"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the DocumentKind
    kind: Mapped[str] = mapped_column(String(80))
    #: e.g. "CARD-2026-000123"
    number: Mapped[str] = mapped_column(String(40), unique=True)
    #: counts the documents of the same kind about the same customer and subject: 1, 2, …
    version: Mapped[int] = mapped_column(Integer, default=1)
    title: Mapped[str] = mapped_column(String(300))
    #: what it is about, in words or as a key of the kind's own ("2026-W07")
    subject: Mapped[str] = mapped_column(String(300), default="")
    #: language of the text: zh_Hans_CN, zh_Hant or en
    language: Mapped[str] = mapped_column(String(16))
    #: about whom; a merge of customers takes the documents along
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), info={"merge": "move"})
    #: what the maker chose (period, parts …); no personal data
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: SHA-256 of the data the document shows, so that an unchanged document need not be made again
    data_digest: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16), default=RESERVED)
    #: why it failed or was erased, for people
    reason: Mapped[str] = mapped_column(Text, default="")
    #: of the PDF, once it is ready
    content_digest: Mapped[str] = mapped_column(String(64), default="")
    storage_key: Mapped[str] = mapped_column(String(120), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    pages: Mapped[int] = mapped_column(Integer, default=0)
    #: None: made by the portal itself
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    made_by: Mapped[User | None] = relationship(foreign_keys=[made_by_id])

    __table_args__ = (
        CheckConstraint("state IN ('reserved', 'ready', 'failed', 'erased')", name="state"),
        CheckConstraint("state <> 'ready' OR storage_key <> ''", name="ready_has_content"),
        Index("ix_document_customer_id_id", "customer_id", "id"),
        Index("ix_document_made_by_id_id", "made_by_id", "id"),
        Index("ix_document_kind_id", "kind", "id"),
    )

    @property
    def is_ready(self) -> bool:
        """Whether it can be downloaded."""
        return self.state == READY
