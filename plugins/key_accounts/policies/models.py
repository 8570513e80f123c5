"""Policies and value propositions per group of customers, segments, and what a customer buys by."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

#: Segments of value propositions (技术复杂型、服务响应型、一般).
TECHNICAL, RESPONSIVE, STANDARD = "technical", "responsive", "standard"
SEGMENTS = (TECHNICAL, RESPONSIVE, STANDARD)

#: What customers buy by (R-KA-8).
EMPHASES = ("price", "quality", "timeliness", "rebate", "payment_term", "brand")


class Policy(db.Model):
    """How a group of customers is treated, for a time. The group: a tier, a kind of customer, or both."""

    __tablename__ = "key_accounts_policy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    #: tier; "" any
    tier: Mapped[str] = mapped_column(String(10), default="")
    #: CustomerKind; "" any
    kind: Mapped[str] = mapped_column(String(16), default="")
    valid_from: Mapped[date] = mapped_column(Date)
    #: last day; None: until further notice
    valid_until: Mapped[date | None] = mapped_column(Date)
    #: service standard: a visit at least every so many days; None: none promised
    visit_days: Mapped[int | None] = mapped_column(Integer)
    #: a contact of any kind at least every so many days
    contact_days: Mapped[int | None] = mapped_column(Integer)
    #: credit granted, yuan; None: none
    credit_limit: Mapped[Decimal | None] = mapped_column(Money)
    #: days of credit
    credit_days: Mapped[int | None] = mapped_column(Integer)
    minimum_order: Mapped[Decimal | None] = mapped_column(Money)
    #: per cent off the list price, hundredths
    discount: Mapped[int | None] = mapped_column(Integer)
    stock: Mapped[str] = mapped_column(Text, default="")
    sales: Mapped[str] = mapped_column(Text, default="")
    delivery: Mapped[str] = mapped_column(Text, default="")
    finance: Mapped[str] = mapped_column(Text, default="")
    risk: Mapped[str] = mapped_column(Text, default="")
    pricing: Mapped[str] = mapped_column(Text, default="")
    appraisal: Mapped[str] = mapped_column(Text, default="")
    service: Mapped[str] = mapped_column(Text, default="")
    promotion: Mapped[str] = mapped_column(Text, default="")
    outlets: Mapped[str] = mapped_column(Text, default="")
    #: how many of our people look after the group, and when they visit
    people: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    updated_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="term"),
        CheckConstraint("tier IN ('', 'key', 'important', 'ordinary')", name="tier"),
        Index("ix_key_accounts_policy_valid", "valid_from", "valid_until"),
    )

    def holds_on(self, day: date) -> bool:
        """Whether the policy is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class ValueProposition(db.Model):
    """What we promise a segment, for a time."""

    __tablename__ = "key_accounts_proposition"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: SEGMENTS
    segment: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(100))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    #: whom it is for
    target: Mapped[str] = mapped_column(Text, default="")
    #: such as 2 × standard, 10–15 % above rivals, at par
    price_position: Mapped[str] = mapped_column(String(200), default="")
    advantages: Mapped[str] = mapped_column(Text, default="")
    price: Mapped[str] = mapped_column(Text, default="")
    quality: Mapped[str] = mapped_column(Text, default="")
    delivery: Mapped[str] = mapped_column(Text, default="")
    trading: Mapped[str] = mapped_column(Text, default="")
    service: Mapped[str] = mapped_column(Text, default="")
    payment: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    updated_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="term"),
        CheckConstraint("segment IN ('technical', 'responsive', 'standard')", name="segment"),
    )

    def holds_on(self, day: date) -> bool:
        """Whether the promise is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class CustomerSegment(db.Model):
    """The segment of value propositions a customer belongs to."""

    __tablename__ = "key_accounts_segment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), unique=True, info={"merge": "move", "unique_with": (), "label": _l("Segments")}
    )
    segment: Mapped[str] = mapped_column(String(12))

    __table_args__ = (CheckConstraint("segment IN ('technical', 'responsive', 'standard')", name="segment"),)


class BuyingEmphasis(db.Model):
    """What a customer buys by, in his order, and whether we meet it."""

    __tablename__ = "key_accounts_emphasis"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"),
        info={"merge": "move", "unique_with": ("factor",), "label": _l("Emphases of the offer")},
    )
    #: EMPHASES
    factor: Mapped[str] = mapped_column(String(16))
    #: 1 is what he looks at first
    position: Mapped[int] = mapped_column(Integer)
    is_met: Mapped[bool] = mapped_column(Boolean, default=False)
    note: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (UniqueConstraint("customer_id", "factor"),)
