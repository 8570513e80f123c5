"""Tables of checklist runs, of the schedules and occasions that start them, and of their files."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from plugins.sop.manuals.models import ManualVersion, Procedure, ProcedureRevision, Step
from portal.core.database import BigId, UTCDateTime
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import Department, User

#: States of a run.
OPEN, DONE, CANCELLED = "open", "done", "cancelled"
#: States of a step: open, done, not applicable.
STEP_OPEN, STEP_DONE, STEP_SKIPPED = "open", "done", "skipped"

#: What starts runs by itself.
SCHEDULE, OCCASION = "schedule", "occasion"
DAILY, WEEKLY, MONTHLY, QUARTERLY, YEARLY = "daily", "weekly", "monthly", "quarterly", "yearly"
FREQUENCIES = (DAILY, WEEKLY, MONTHLY, QUARTERLY, YEARLY)
#: Who becomes responsible for a run that starts itself.
BY_PERSON, BY_ACCOUNT_MANAGER, BY_CAUSER = "person", "manager", "causer"


class SopRun(db.Model):
    """A checklist run (作业检查单) of one procedure; the version of its start is pinned."""

    __tablename__ = "sop_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "RUN-2026-000001"
    number: Mapped[str] = mapped_column(String(30), unique=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure.id"))
    #: the text it works by: a published one never changes
    revision_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure_revision.id"), index=True)
    #: the version of the manual that was effective when it began
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), info={"merge": "move", "label": _l("Checklist runs")}
    )
    #: the department whose figures it counts in: that of the person responsible when it began
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: who is responsible for the whole run
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: None: the portal itself
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    starts_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    #: open, done, cancelled
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_on: Mapped[date | None] = mapped_column(Date)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: why it was cancelled
    reason: Mapped[str] = mapped_column(String(1000), default="")
    steps_total: Mapped[int] = mapped_column(SmallInteger)
    #: done or not applicable
    steps_closed: Mapped[int] = mapped_column(SmallInteger, default=0)
    #: from the form: a double click starts one run
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: what started it by itself, once for each ("schedule:3:2026-11-23", "occasion:5:customer:12")
    origin: Mapped[str | None] = mapped_column(String(120), unique=True)
    #: grows with every change: takes the row's lock before steps are touched
    edit_version: Mapped[int] = mapped_column(Integer, default=1)

    procedure: Mapped[Procedure] = relationship()
    revision: Mapped[ProcedureRevision] = relationship()
    version: Mapped[ManualVersion] = relationship()
    customer: Mapped[Customer | None] = relationship()
    department: Mapped[Department] = relationship()
    owner: Mapped[User] = relationship(foreign_keys=[owner_id])
    started_by: Mapped[User | None] = relationship(foreign_keys=[started_by_id])
    closed_by: Mapped[User | None] = relationship(foreign_keys=[closed_by_id])

    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'cancelled')", name="state"),
        CheckConstraint("due_on IS NULL OR starts_on <= due_on", name="due_after_start"),
        CheckConstraint("steps_closed BETWEEN 0 AND steps_total", name="steps_closed"),
        CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="closed_has_date"),
        CheckConstraint("state <> 'cancelled' OR reason <> ''", name="cancelled_has_reason"),
        Index("ix_sop_run_owner_state", "owner_id", "state", "due_on"),
        Index("ix_sop_run_customer", "customer_id", "state", "started_at"),
        Index("ix_sop_run_department_starts_on", "department_id", "starts_on"),
        Index("ix_sop_run_state_due_on_id", "state", "due_on", "id"),
        Index("ix_sop_run_procedure", "procedure_id", "starts_on"),
        Index("ix_sop_run_starts_on_id", "starts_on", "id"),
    )

    def is_late(self, today: date) -> bool:
        """Whether it is over its date: closed after it, or open and past it."""
        return self.due_on is not None and (self.closed_on or today) > self.due_on and self.state != CANCELLED


class SopRunStep(db.Model):
    """A step of a run that is to be ticked. Its words are those of the pinned text."""

    __tablename__ = "sop_run_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sop_run.id", ondelete="CASCADE"))
    step_id: Mapped[int] = mapped_column(ForeignKey("sop_step.id"), index=True)
    #: number in the procedure
    position: Mapped[int] = mapped_column(SmallInteger)
    #: later steps are locked until it is done
    is_stop: Mapped[bool] = mapped_column(default=False)
    #: open, done, skipped
    state: Mapped[str] = mapped_column(String(8), default=STEP_OPEN)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_on: Mapped[date | None] = mapped_column(Date)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: what was found; why it does not apply
    note: Mapped[str] = mapped_column(String(1000), default="")
    #: None: whoever is responsible for the run
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    due_on: Mapped[date | None] = mapped_column(Date)
    #: last day on which somebody was reminded of it
    reminded_on: Mapped[date | None] = mapped_column(Date)

    step: Mapped[Step] = relationship()
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    closed_by: Mapped[User | None] = relationship(foreign_keys=[closed_by_id])

    __table_args__ = (
        UniqueConstraint("run_id", "step_id"),
        CheckConstraint("state IN ('open', 'done', 'skipped')", name="state"),
        CheckConstraint("state <> 'skipped' OR note <> ''", name="skipped_has_reason"),
        CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="closed_has_date"),
        Index("ix_sop_run_step_run_position", "run_id", "position"),
        Index("ix_sop_run_step_assignee", "assignee_id", "state", "due_on"),
        Index("ix_sop_run_step_state_due", "state", "due_on", "id"),
        Index("ix_sop_run_step_closed", "closed_by_id", "closed_on"),
    )


class SopRunEvent(db.Model):
    """What happened in a run, append-only: undone ticks stay readable."""

    __tablename__ = "sop_run_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sop_run.id"))
    #: number of the step; None: the whole run
    position: Mapped[int | None] = mapped_column(SmallInteger)
    #: started, ticked, skipped, undone, assigned, due, comment, file, file_removed, completed, reopened, cancelled
    kind: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_sop_run_event_run_id", "run_id", "id"),)


class SopRunFile(db.Model):
    """A photo or file of a step. Taken away: the row stays, with who and when."""

    __tablename__ = "sop_run_file"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sop_run.id"), index=True)
    run_step_id: Mapped[int | None] = mapped_column(ForeignKey("sop_run_step.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    #: bytes
    size: Mapped[int] = mapped_column(Integer)
    #: key of `portal.core.storage`, area "sop_run_files"
    storage_key: Mapped[str] = mapped_column(String(110))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    removed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    added_by: Mapped[User | None] = relationship(foreign_keys=[added_by_id])

    @property
    def is_picture(self) -> bool:
        """Whether it is shown as a picture."""
        return self.media_type.startswith("image/")


class SopSchedule(db.Model):
    """What starts runs by itself: days that come again, or an occasion such as a new customer."""

    __tablename__ = "sop_schedule"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure.id"), index=True)
    #: schedule, occasion
    kind: Mapped[str] = mapped_column(String(10))
    #: daily (working days), weekly, monthly, quarterly, yearly; "" for an occasion
    frequency: Mapped[str] = mapped_column(String(10), default="")
    #: 1 Monday … 7 Sunday
    weekday: Mapped[int | None] = mapped_column(SmallInteger)
    #: day of the month; the month's last day where it has no such day
    day: Mapped[int | None] = mapped_column(SmallInteger)
    #: month of the year, or of the quarter (1 … 3)
    month: Mapped[int | None] = mapped_column(SmallInteger)
    #: key of a registered occasion; "" for days
    occasion: Mapped[str] = mapped_column(String(60), default="")
    #: only customers of this department and below; None: all
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: a customer whom every run is for (days only)
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Schedules of checklist runs")}
    )
    #: person, manager (account manager of the customer), causer (who brought about the occasion)
    responsible: Mapped[str] = mapped_column(String(8), default=BY_PERSON)
    #: the person, and who stands in where there is no account manager
    owner_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: working days until the whole run is due; None: from the time limits of the steps
    due_days: Mapped[int | None] = mapped_column(SmallInteger)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    #: the last day that was dealt with
    last_on: Mapped[date | None] = mapped_column(Date)
    #: why it could not start a run last time
    problem: Mapped[str] = mapped_column(String(300), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    procedure: Mapped[Procedure] = relationship()
    owner: Mapped[User] = relationship(foreign_keys=[owner_id])
    department: Mapped[Department | None] = relationship()
    customer: Mapped[Customer | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("kind IN ('schedule', 'occasion')", name="kind"),
        CheckConstraint("(kind = 'occasion') = (occasion <> '')", name="occasion"),
        CheckConstraint("(kind = 'schedule') = (frequency <> '')", name="frequency"),
        CheckConstraint("responsible IN ('person', 'manager', 'causer')", name="responsible"),
        CheckConstraint("ends_on IS NULL OR starts_on <= ends_on", name="period"),
        CheckConstraint("due_days IS NULL OR due_days BETWEEN 0 AND 250", name="due_days"),
        Index("ix_sop_schedule_occasion", "occasion", "is_active"),
    )


class SopOccurrence(db.Model):
    """An occasion that happened and its run: once for each schedule and subject, whoever tells of it how often."""

    __tablename__ = "sop_occurrence"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("sop_schedule.id", ondelete="CASCADE"))
    #: what it was about ("customer:12")
    subject: Mapped[str] = mapped_column(String(80))
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customer.id"), index=True, info={"merge": "move", "label": _l("Occasions of checklist runs")}
    )
    #: who brought it about; None: the portal itself
    causer_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    happened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was dealt with
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("sop_run.id"), index=True)
    #: why there is no run
    problem: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (UniqueConstraint("schedule_id", "subject"),)
