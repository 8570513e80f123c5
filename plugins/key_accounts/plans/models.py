"""Tables of account plans (R-KA-6) and emergency plans (R-KA-12)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers.models import MOVE, Contact, Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

PREPARE, PLAN, REVIEW, MONITOR = "prepare", "plan", "review", "monitor"
PHASES = (PREPARE, PLAN, REVIEW, MONITOR)
#: The state of the paper: being written, waiting for the head, approved, put away.
DRAFT, SUBMITTED, APPROVED, ARCHIVED = "draft", "submitted", "approved", "archived"
STATES = (DRAFT, SUBMITTED, APPROVED, ARCHIVED)
OPEN, DONE, DROPPED = "open", "done", "dropped"


class AccountPlan(db.Model):
    """An account plan (大客户计划): one live plan a customer."""

    __tablename__ = "key_accounts_plan"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), info={**MOVE, "unique_with": ("live",), "label": _l("Account plans")}
    )
    title: Mapped[str] = mapped_column(String(200))
    first_year: Mapped[int] = mapped_column(SmallInteger)
    #: 1 … 3
    years: Mapped[int] = mapped_column(SmallInteger, default=1)
    phase: Mapped[str] = mapped_column(String(10), default=PREPARE)
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    #: 1 while the plan is the customer's present one, else its own id
    live: Mapped[int] = mapped_column(BigId, default=1)
    #: development cost and other money invested in the account, yuan
    invested: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    customer: Mapped[Customer] = relationship()
    created_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("phase IN ('prepare', 'plan', 'review', 'monitor')", name="phase"),
        CheckConstraint("state IN ('draft', 'submitted', 'approved', 'archived')", name="state"),
        CheckConstraint("years BETWEEN 1 AND 3", name="years"),
        CheckConstraint("invested >= 0", name="invested"),
        Index("uq_key_accounts_plan_live", "customer_id", "live", unique=True),
        Index("ix_key_accounts_plan_updated", "updated_at", "id"),
    )


class PlanSection(db.Model):
    """The text of one section; its version shows when two people write at once."""

    __tablename__ = "key_accounts_plan_section"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_plan.id"))
    key: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(default=1)

    updated_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (UniqueConstraint("plan_id", "key"),)


class PlanTarget(db.Model):
    """A target of one year."""

    __tablename__ = "key_accounts_plan_target"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_plan.id"))
    #: "sales" and "margin" are compared with the purchases; others are words of the plan's own
    measure: Mapped[str] = mapped_column(String(60))
    year: Mapped[int] = mapped_column(SmallInteger)
    #: in the measure's own unit, two decimals (kept as an amount: hundredths)
    value: Mapped[Decimal] = mapped_column(Money)

    __table_args__ = (UniqueConstraint("plan_id", "measure", "year"),)


class PlanAction(db.Model):
    """Something that is to be done: by whom, until when."""

    __tablename__ = "key_accounts_plan_action"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_plan.id"), index=True)
    task: Mapped[str] = mapped_column(String(300))
    #: None: its owner left and nobody took over
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(8), default=OPEN)
    result: Mapped[str] = mapped_column(String(500), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the due date about which the owner was told that it is over
    reminded_for: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[User | None] = relationship()
    plan: Mapped[AccountPlan] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'dropped')", name="state"),
        Index(
            "ix_key_accounts_plan_action_open",
            "owner_id",
            "due_on",
            "id",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )


class PlanReview(db.Model):
    """A date on which the plan is looked at again, and what came of it."""

    __tablename__ = "key_accounts_plan_review"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_plan.id"), index=True)
    due_on: Mapped[date] = mapped_column(Date, index=True)
    held_on: Mapped[date | None] = mapped_column(Date)
    result: Mapped[str] = mapped_column(String(2000), default="")
    reminded_for: Mapped[date | None] = mapped_column(Date)

    plan: Mapped[AccountPlan] = relationship()


class PlanVersion(db.Model):
    """The whole plan as it was when it was filed, approved or kept; append-only."""

    __tablename__ = "key_accounts_plan_version"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_plan.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    #: why it was kept: "submitted", "approved" or "kept"
    occasion: Mapped[str] = mapped_column(String(10))
    #: JSON: title, years, sections, targets, actions, reviews
    content: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    made_by: Mapped[User | None] = relationship()

    __table_args__ = (UniqueConstraint("plan_id", "number"),)


class EmergencyPlan(db.Model):
    """What is done when an incident of one kind happens at a customer, and who on both sides."""

    __tablename__ = "key_accounts_emergency_plan"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "label": _l("Emergency plans")}
    )
    incident: Mapped[str] = mapped_column(String(120))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    #: one step a line
    steps: Mapped[str] = mapped_column(Text, default="")
    #: hours within which the customer hears from us
    answer_hours: Mapped[int] = mapped_column(SmallInteger, default=4)
    is_active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User | None] = relationship()
    contact: Mapped[Contact | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class IncidentEntry(db.Model):
    """A line of the log of an emergency plan; append-only."""

    __tablename__ = "key_accounts_incident_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    emergency_id: Mapped[int] = mapped_column(ForeignKey("key_accounts_emergency_plan.id"), index=True)
    #: "begun", "note" or "ended"
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(1000))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()

    __table_args__ = (CheckConstraint("kind IN ('begun', 'note', 'ended')", name="kind"),)
