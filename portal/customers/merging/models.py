"""Tables that a merge is traced by and undone from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.models import User

#: The merge itself stays with the records that it was about.
KEEP = {"merge": "keep"}


class CustomerMerge(db.Model):
    """One merge: `merged` became part of `kept`."""

    __tablename__ = "customer_merge"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True, info=KEEP)
    merged_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True, info=KEEP)
    #: status of the merged record before
    former_status: Mapped[str] = mapped_column(String(12))
    #: JSON: column of the kept record → [before, after]
    fields_json: Mapped[str] = mapped_column("fields", Text, default="{}")
    #: JSON: "table.column" → rows that stayed with the merged record because the kept one has such a row already
    stayed_json: Mapped[str] = mapped_column("stayed", Text, default="{}")
    merged_at: Mapped[datetime] = mapped_column(UTCDateTime)
    merged_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    kept: Mapped[Customer] = relationship(foreign_keys=[kept_id])
    merged: Mapped[Customer] = relationship(foreign_keys=[merged_id])
    merged_by: Mapped[User | None] = relationship(foreign_keys=[merged_by_id])
    undone_by: Mapped[User | None] = relationship(foreign_keys=[undone_by_id])

    __table_args__ = (
        CheckConstraint("kept_id <> merged_id", name="two_records"),
        Index("ix_customer_merge_merged_at", "merged_at", "id"),
    )


class CustomerMergeRow(db.Model):
    """One value that a merge changed in a row of some table, or a row that it added."""

    __tablename__ = "customer_merge_row"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merge_id: Mapped[int] = mapped_column(ForeignKey("customer_merge.id", ondelete="CASCADE"))
    table_name: Mapped[str] = mapped_column(String(63))
    row_id: Mapped[int] = mapped_column(BigId)
    #: "" for a row that was added
    column_name: Mapped[str] = mapped_column(String(63))
    #: JSON of the value before and after
    before: Mapped[str] = mapped_column(Text, default="null")
    after: Mapped[str] = mapped_column(Text, default="null")

    __table_args__ = (Index("ix_customer_merge_row_merge", "merge_id", "table_name", "column_name", "row_id"),)
