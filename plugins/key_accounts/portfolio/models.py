"""Saved what-if scenarios of the portfolio."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import User


class Scenario(db.Model):
    """A what-if: hours moved between tiers, with the assumption and the figures of that day."""

    __tablename__ = "key_accounts_scenario"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: others who use the pages may open it; its figures are the owner's of that day
    is_shared: Mapped[bool] = mapped_column(Boolean, default=False)
    #: JSON: which tiers, hours moved, response, figures before (see portfolio.whatif)
    content: Mapped[str] = mapped_column(Text)
    #: whose customers the figures cover, as a sentence of that day
    scope: Mapped[str] = mapped_column(String(200), default="")
    remarks: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    owner: Mapped[User] = relationship()

    __table_args__ = (Index("ix_key_accounts_scenario_owner", "owner_id", "created_at", "id"),)
