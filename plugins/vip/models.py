"""Tables of VIP applications, memberships and points."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from plugins.vip import ddl
from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import Contact, Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

SILVER, GOLD, DIAMOND = "silver", "gold", "diamond"
LEVELS = (SILVER, GOLD, DIAMOND)

ACTIVE, SUSPENDED, WITHDRAWN, LAPSED = "active", "suspended", "withdrawn", "lapsed"

#: Ways into membership: the customer applied, the company proposed, a membership is renewed.
BY_CUSTOMER, BY_COMPANY, BY_RENEWAL = "customer", "company", "renewal"

EARNED, REDEEMED, REVERSED, CORRECTED = "earned", "redeemed", "reversed", "corrected"

CANDIDATE_OPEN, CANDIDATE_PROPOSED, CANDIDATE_DISMISSED = "open", "proposed", "dismissed"


class VipApplication(db.Model):
    """An application, a proposal or a renewal: the condition met and its evidence as the portal found them."""

    __tablename__ = "vip_application"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("VIP applications")}
    )
    #: the person who becomes the member, when it is not the customer itself (condition "rank")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    #: "customer", "company" or "renewal"
    route: Mapped[str] = mapped_column(String(10))
    #: "single", "period", "rank" or "exception"
    condition: Mapped[str] = mapped_column(String(10))
    #: amount that meets the condition, yuan
    amount: Mapped[Decimal | None] = mapped_column(Money)
    period_first: Mapped[date | None] = mapped_column(Date)
    period_last: Mapped[date | None] = mapped_column(Date)
    #: why, for an exception; remarks otherwise
    reason: Mapped[str] = mapped_column(String(1000), default="")
    #: level that the purchases of twelve months give
    level: Mapped[str] = mapped_column(String(10))
    #: the present round of the request
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    #: the membership that is to be renewed
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("vip_membership.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()
    evidence: Mapped[list[VipEvidence]] = relationship(cascade="all, delete-orphan", order_by="VipEvidence.id")

    __table_args__ = (
        CheckConstraint("condition IN ('single', 'period', 'rank', 'exception')", name="condition"),
        CheckConstraint("condition <> 'exception' OR reason <> ''", name="exception_has_reason"),
        CheckConstraint("condition <> 'rank' OR contact_id IS NOT NULL", name="rank_has_person"),
    )


class VipEvidence(db.Model):
    """A purchase that an application rests on, with its figures as they were."""

    __tablename__ = "vip_evidence"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("vip_application.id", ondelete="CASCADE"), index=True)
    purchase_id: Mapped[int] = mapped_column(ForeignKey("purchase.id"))
    number: Mapped[str] = mapped_column(String(60))
    purchased_on: Mapped[date] = mapped_column(Date)
    #: the part of the amount that counts, yuan
    amount: Mapped[Decimal] = mapped_column(Money)

    __table_args__ = (UniqueConstraint("application_id", "purchase_id"),)


class VipMembership(db.Model):
    """A membership of a customer, or of one person of a unit."""

    __tablename__ = "vip_membership"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "VIP-2026-000001"
    number: Mapped[str] = mapped_column(String(30), unique=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("VIP memberships")}
    )
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    level: Mapped[str] = mapped_column(String(10))
    valid_from: Mapped[date] = mapped_column(Date)
    #: last day of the term
    valid_until: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default=ACTIVE)
    #: condition that was met when it was granted last
    condition: Mapped[str] = mapped_column(String(10))
    #: balance of the ledger, never negative
    points: Mapped[int] = mapped_column(Integer, default=0)
    #: the approval behind it
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    contact: Mapped[Contact | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("points >= 0", name="points_not_negative"),
        CheckConstraint("valid_from <= valid_until", name="term"),
        CheckConstraint("state IN ('active', 'suspended', 'withdrawn', 'lapsed')", name="state"),
        # One live membership for a customer, one for each person of his.
        Index(
            "uq_vip_membership_live_customer",
            "customer_id",
            unique=True,
            postgresql_where=text("contact_id IS NULL AND state IN ('active', 'suspended')"),
            sqlite_where=text("contact_id IS NULL AND state IN ('active', 'suspended')"),
        ),
        Index(
            "uq_vip_membership_live_contact",
            "contact_id",
            unique=True,
            postgresql_where=text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
            sqlite_where=text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
        ),
        Index("ix_vip_membership_valid_until_id", "valid_until", "id"),
        Index("ix_vip_membership_state_valid_until", "state", "valid_until", "id"),
    )

    def is_valid_on(self, day: date) -> bool:
        """Whether the benefits hold on a day; right even when the nightly job did not run."""
        return self.state == ACTIVE and self.valid_from <= day <= self.valid_until


class VipMembershipEvent(db.Model):
    """What happened to a membership, append-only."""

    __tablename__ = "vip_membership_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("vip_membership.id"), index=True)
    #: granted, renewed, suspended, reinstated, withdrawn, lapsed, level
    kind: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()


class VipBenefit(db.Model):
    """A benefit (会员权益): free for a level and above, or in exchange for points."""

    __tablename__ = "vip_benefit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(500), default="")
    #: lowest level that has it
    level: Mapped[str] = mapped_column(String(10))
    #: points for one; 0: included in the membership
    cost: Mapped[int] = mapped_column(Integer, default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(Integer, default=1)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("cost >= 0", name="cost"),)


class VipPointEntry(db.Model):
    """A line of the points ledger, append-only; `balance` is the balance after it."""

    __tablename__ = "vip_point_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("vip_membership.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: earned, redeemed, reversed, corrected
    kind: Mapped[str] = mapped_column(String(10))
    points: Mapped[int] = mapped_column(Integer)
    balance: Mapped[int] = mapped_column(Integer)
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"), index=True)
    benefit_id: Mapped[int | None] = mapped_column(ForeignKey("vip_benefit.id"))
    #: from the form: a double click redeems once
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    benefit: Mapped[VipBenefit | None] = relationship()
    by: Mapped[User | None] = relationship()

    __table_args__ = (
        CheckConstraint("points <> 0", name="points"),
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        Index("ix_vip_point_entry_membership_id_id", "membership_id", "id"),
    )


class VipCandidate(db.Model):
    """A customer (or a person) who meets the conditions and has not applied, as the nightly search found him."""

    __tablename__ = "vip_candidate"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("VIP candidates")}
    )
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    condition: Mapped[str] = mapped_column(String(10))
    #: amount that meets the condition; 0 for a rank
    amount: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    state: Mapped[str] = mapped_column(String(10), default=CANDIDATE_OPEN)
    found_on: Mapped[date] = mapped_column(Date)
    #: last night on which the conditions still held
    seen_on: Mapped[date] = mapped_column(Date)
    dismissed_reason: Mapped[str] = mapped_column(String(500), default="")
    dismissed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        Index("ix_vip_candidate_state_amount_id", "state", "amount", "id"),
        Index(
            "uq_vip_candidate_customer",
            "customer_id",
            unique=True,
            postgresql_where=text("contact_id IS NULL"),
            sqlite_where=text("contact_id IS NULL"),
        ),
        Index(
            "uq_vip_candidate_contact",
            "contact_id",
            unique=True,
            postgresql_where=text("contact_id IS NOT NULL"),
            sqlite_where=text("contact_id IS NOT NULL"),
        ),
    )


for _table in (VipPointEntry.__table__, VipMembershipEvent.__table__):
    event.listen(_table, "after_create", ddl.protect)
