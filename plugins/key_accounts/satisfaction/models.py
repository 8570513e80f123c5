"""Grades of satisfaction, and the health of key accounts as it was computed last."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Contact
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

#: Before, during and after purchase (购前、购中、购后).
PHASES = ("before", "during", "after")
#: 1 very dissatisfied … 5 very satisfied (R-SRV-3).
GRADES = (1, 2, 3, 4, 5)


class SatisfactionGrade(db.Model):
    """How satisfied a contact said to be on a day."""

    __tablename__ = "key_accounts_satisfaction"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Satisfaction surveys")}
    )
    #: None: said for the customer as a whole
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    surveyed_on: Mapped[date] = mapped_column(Date)
    #: PHASES
    phase: Mapped[str] = mapped_column(String(8))
    #: GRADES
    grade: Mapped[int] = mapped_column(Integer)
    remark: Mapped[str] = mapped_column(String(500), default="")
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: taken back; kept, counts nowhere
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    contact: Mapped[Contact | None] = relationship()
    recorded_by: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 5", name="grade"),
        CheckConstraint("phase IN ('before', 'during', 'after')", name="phase"),
        Index("ix_key_accounts_satisfaction_customer", "customer_id", "surveyed_on", "id"),
    )


class AccountHealth(db.Model):
    """Health of a key or important customer, 0 … 100, with its parts; kept current by `satisfaction.health`."""

    __tablename__ = "key_accounts_health"

    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        info={"merge": "rebuild"},
    )
    #: weighted mean of the parts that are known; None when none is
    score: Mapped[int | None] = mapped_column(Integer)
    #: parts 0 … 100; None: nothing known, the part does not count
    freshness: Mapped[int | None] = mapped_column(Integer)
    satisfaction: Mapped[int | None] = mapped_column(Integer)
    trend: Mapped[int | None] = mapped_column(Integer)
    plan: Mapped[int | None] = mapped_column(Integer)
    risk: Mapped[int | None] = mapped_column(Integer)
    #: lowest of the latest grades of the contacts; None: never asked
    grade: Mapped[int | None] = mapped_column(Integer)
    computed_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (CheckConstraint("score IS NULL OR score BETWEEN 0 AND 100", name="score"),)
