"""Tables of the care of key accounts (R-KA-9)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import MOVE, Contact, Customer, Interaction
from portal.documents.models import Document
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User
from portal.purchases.models import Purchase

#: The ten duties, in their order.
DUTIES = (
    "supply",
    "sales_force",
    "new_products",
    "events",
    "executive_visits",
    "promotion",
    "staff_feedback",
    "incentives",
    "information",
    "yearly_meeting",
)
PLANNED, HELD, CANCELLED = "planned", "held", "cancelled"
OPEN, DONE = "open", "done"


class CareDuty(db.Model):
    """One of the ten duties for one customer: owner, rhythm, next due day."""

    __tablename__ = "key_accounts_duty"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={**MOVE, "unique_with": ("duty",), "label": _l("Care duties")}
    )
    duty: Mapped[str] = mapped_column(String(20))
    #: None: its owner left and nobody took over
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    rhythm_months: Mapped[int] = mapped_column(SmallInteger)
    due_on: Mapped[date] = mapped_column(Date)
    #: a duty that makes no sense with this customer is put aside, with the reason in `note`
    is_needed: Mapped[bool] = mapped_column(Boolean, default=True)
    note: Mapped[str] = mapped_column(String(300), default="")
    reminded_for: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[User | None] = relationship()
    customer: Mapped[Customer] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("customer_id", "duty"),
        CheckConstraint("rhythm_months BETWEEN 1 AND 24", name="rhythm"),
        Index("ix_key_accounts_duty_owner", "owner_id", "is_needed", "due_on", "id"),
    )


class DutyRecord(db.Model):
    """A duty that was done: when, by whom, with what evidence."""

    __tablename__ = "key_accounts_duty_record"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    duty_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_duty.id"))
    done_on: Mapped[date] = mapped_column(Date)
    #: the day it was due
    due_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(String(1000), default="")
    interaction_id: Mapped[int | None] = mapped_column(ForeignKey("interaction.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: taken back; kept, counts nowhere
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    interaction: Mapped[Interaction | None] = relationship()
    document: Mapped[Document | None] = relationship()
    purchase: Mapped[Purchase | None] = relationship()
    by: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_key_accounts_duty_record_of", "duty_id", "done_on", "id"),)


class ExecutiveVisit(db.Model):
    """A planned visit of an executive (高层拜访)."""

    __tablename__ = "key_accounts_visit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Executive visits")}
    )
    executive_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    minutes: Mapped[int] = mapped_column(SmallInteger, default=90)
    place: Mapped[str] = mapped_column(String(200), default="")
    purpose: Mapped[str] = mapped_column(String(500))
    #: what is to be said and asked, one point a line
    talking_points: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default=PLANNED)
    result: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: also the SEQUENCE of the calendar entry
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship()
    executive: Mapped[User] = relationship(foreign_keys=[executive_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state IN ('planned', 'held', 'cancelled')", name="state"),
        CheckConstraint("minutes BETWEEN 15 AND 1440", name="minutes"),
        Index("ix_key_accounts_visit_starts", "starts_at", "id"),
        Index("ix_key_accounts_visit_executive", "executive_id", "starts_at", "id"),
    )


class CalendarFeed(db.Model):
    """A private address of a person's calendar; only the digest of its token is kept."""

    __tablename__ = "key_accounts_feed"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: SHA-256 of the token, hexadecimal
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Meeting(db.Model):
    """A meeting with key accounts: the yearly one (大客户年会) or one of both sides' executives."""

    __tablename__ = "key_accounts_meeting"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    #: "yearly" or "executives"
    kind: Mapped[str] = mapped_column(String(12), default="yearly")
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    minutes: Mapped[int] = mapped_column(SmallInteger, default=240)
    place: Mapped[str] = mapped_column(String(200), default="")
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: one point a line
    agenda: Mapped[str] = mapped_column(Text, default="")
    #: what was said and agreed (会议纪要)
    record: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default=PLANNED)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    organiser: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("kind IN ('yearly', 'executives')", name="kind"),
        CheckConstraint("state IN ('planned', 'held', 'cancelled')", name="state"),
    )


class MeetingGuest(db.Model):
    """A customer's person who is invited."""

    __tablename__ = "key_accounts_meeting_guest"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_meeting.id"))
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Guests of meetings")}
    )
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    #: "invited", "accepted", "declined" or "came"
    answer: Mapped[str] = mapped_column(String(10), default="invited")
    invited_at: Mapped[datetime] = mapped_column(UTCDateTime)

    contact: Mapped[Contact] = relationship()
    customer: Mapped[Customer] = relationship()

    __table_args__ = (
        UniqueConstraint("meeting_id", "contact_id"),
        CheckConstraint("answer IN ('invited', 'accepted', 'declined', 'came')", name="answer"),
    )


class MeetingAction(db.Model):
    """Something agreed in a meeting."""

    __tablename__ = "key_accounts_meeting_action"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_meeting.id"), index=True)
    task: Mapped[str] = mapped_column(String(300))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8), default=OPEN)

    owner: Mapped[User | None] = relationship()
    meeting: Mapped[Meeting] = relationship()

    __table_args__ = (CheckConstraint("state IN ('open', 'done')", name="state"),)


class DemandForecast(db.Model):
    """What a customer says in one month it will need in another: six rows a round."""

    __tablename__ = "key_accounts_forecast"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={**MOVE, "unique_with": ("made_in", "month"), "label": _l("Sales forecasts")}
    )
    #: first day of the month in which it was given
    made_in: Mapped[date] = mapped_column(Date)
    #: first day of the month that is forecast
    month: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Money)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        UniqueConstraint("customer_id", "made_in", "month"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("month >= made_in", name="ahead"),
    )


class Incentive(db.Model):
    """An incentive granted to a customer, as a record."""

    __tablename__ = "key_accounts_incentive"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Incentives")}
    )
    #: "discount", "rebate", "allowance" or "contest"
    kind: Mapped[str] = mapped_column(String(12))
    terms: Mapped[str] = mapped_column(String(500))
    amount: Mapped[Decimal | None] = mapped_column(Money)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    result: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        CheckConstraint("kind IN ('discount', 'rebate', 'allowance', 'contest')", name="kind"),
        CheckConstraint("valid_from <= valid_until", name="term"),
    )
