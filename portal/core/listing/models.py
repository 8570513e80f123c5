"""Saved views: a person's filters, sorting and columns of a list under a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db


class SavedView(db.Model):
    """A saved view of a list; private unless shared."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the list
    listing: Mapped[str] = mapped_column(String(60))
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    name: Mapped[str] = mapped_column(String(60))
    #: query string without cursor
    query: Mapped[str] = mapped_column(Text, default="")
    is_shared: Mapped[bool] = mapped_column(Boolean, default=False)
    is_pinned: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("listing", "owner_id", "name"),
        Index("ix_saved_view_listing_shared", "listing", "is_shared"),
    )
