"""Tables of product samples."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db

ASKED, SENT, REFUSED = "asked", "sent", "refused"


class SampleDelivery(db.Model):
    """A sample for a customer."""

    __tablename__ = "sample_delivery"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info={"merge": "move"})
    #: what is sent
    product: Mapped[str] = mapped_column(String(100))
    #: asked, sent or refused
    state: Mapped[str] = mapped_column(String(10), default=ASKED)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), unique=True)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: photograph of the parcel (portal.core.storage); "" when there is none
    photo_key: Mapped[str] = mapped_column(String(120), default="")

    __table_args__ = (
        CheckConstraint("state IN ('asked', 'sent', 'refused')", name="state"),
        Index("ix_sample_delivery_customer_id_id", "customer_id", "id"),
    )


class SampleDiary(db.Model):
    """One line for each event that the plugin was told of."""

    __tablename__ = "sample_diary"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: name of the hook
    event: Mapped[str] = mapped_column(String(40))
    #: what it was about, as text
    about: Mapped[str] = mapped_column(String(200), default="")
