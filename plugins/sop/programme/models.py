"""Tables of introduction programmes: plan, budget decisions, self-assessments, scorecards."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.extensions import db
from portal.org.models import User

PLANNED, RUNNING, FINISHED, STOPPED = "planned", "running", "finished", "stopped"
BEFORE, AFTER = "before", "after"


class SopProgramme(db.Model):
    """An introduction of the procedures (导入): three stages of three steps with dates."""

    __tablename__ = "sop_programme"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    goal: Mapped[str] = mapped_column(String(1000), default="")
    #: the day that the plan was made from
    starts_on: Mapped[date] = mapped_column(Date)
    #: who leads the introduction
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: whole company when empty
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: planned, running, finished, stopped
    state: Mapped[str] = mapped_column(String(10), default=PLANNED)
    state_reason: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    steps: Mapped[list[SopProgrammeStep]] = relationship(
        cascade="all, delete-orphan", order_by="SopProgrammeStep.position", back_populates="programme"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("state IN ('planned', 'running', 'finished', 'stopped')", name="state"),)


class SopProgrammeStep(db.Model):
    """A step of a programme with its planned and its present dates."""

    __tablename__ = "sop_programme_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("sop_programme.id", ondelete="CASCADE"))
    #: 1 … 9
    position: Mapped[int] = mapped_column(Integer)
    #: 1 … 3
    stage: Mapped[int] = mapped_column(Integer)
    #: key of the template; its words follow the reader's language
    key: Mapped[str] = mapped_column(String(20))
    #: words of the company's own; "": those of the template
    title: Mapped[str] = mapped_column(String(200), default="")
    #: working days
    days: Mapped[int] = mapped_column(Integer)
    begins_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    #: as first planned, for comparison
    planned_begins_on: Mapped[date] = mapped_column(Date)
    planned_ends_on: Mapped[date] = mapped_column(Date)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: percent
    progress: Mapped[int] = mapped_column(Integer, default=0)
    note: Mapped[str] = mapped_column(String(2000), default="")
    finished_on: Mapped[date | None] = mapped_column(Date)
    #: last day on which its owner was reminded, so that nobody is told twice a day
    reminded_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, default=1)

    programme: Mapped[SopProgramme] = relationship(back_populates="steps")
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("programme_id", "position"),
        CheckConstraint("begins_on <= ends_on", name="dates"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
        CheckConstraint("days BETWEEN 1 AND 250", name="days"),
        Index("ix_sop_programme_step_owner_ends", "owner_id", "finished_on", "ends_on"),
    )


class SopProgrammeEvent(db.Model):
    """What was changed in a plan, append-only."""

    __tablename__ = "sop_programme_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("sop_programme.id"), index=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("sop_programme_step.id"))
    #: created, moved, progress, finished, reopened, owner, state, budget
    kind: Mapped[str] = mapped_column(String(10))
    #: dates and figures before and after, or the reason
    detail: Mapped[str] = mapped_column(String(1000), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship(foreign_keys=[by_id])
    step: Mapped[SopProgrammeStep | None] = relationship(foreign_keys=[step_id])


class SopBudgetChoice(db.Model):
    """A decision for one mode with its reason, append-only: the newest of a programme counts."""

    __tablename__ = "sop_budget_choice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("sop_programme.id"), index=True)
    mode: Mapped[str] = mapped_column(String(10))
    days: Mapped[int | None] = mapped_column(Integer)
    #: yuan a day at that time
    rate: Mapped[Decimal | None] = mapped_column(Money)
    amount: Mapped[Decimal] = mapped_column(Money)
    reason: Mapped[str] = mapped_column(String(1000))
    #: JSON: all modes as they were compared, amounts as texts of yuan
    compared: Mapped[str] = mapped_column(Text)
    #: from the form: a double click decides once
    token: Mapped[str] = mapped_column(String(64), unique=True)
    chosen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    chosen_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    chosen_by: Mapped[User | None] = relationship(foreign_keys=[chosen_by_id])

    __table_args__ = (
        CheckConstraint("mode IN ('own', 'short', 'deep', 'manual', 'assisted', 'tailored')", name="mode"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("reason <> ''", name="reason"),
    )


class SopAssessment(db.Model):
    """A self-assessment (现状诊断) of a programme at one time."""

    __tablename__ = "sop_assessment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("sop_programme.id"), index=True)
    #: start, interim, end
    moment: Mapped[str] = mapped_column(String(8))
    assessed_on: Mapped[date] = mapped_column(Date)
    #: who took part
    participants: Mapped[str] = mapped_column(String(500), default="")
    summary: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    answers: Mapped[list[SopAssessmentAnswer]] = relationship(
        cascade="all, delete-orphan", order_by="SopAssessmentAnswer.id"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("moment IN ('start', 'interim', 'end')", name="moment"),)


class SopAssessmentAnswer(db.Model):
    """The levels of one question, and the problems seen."""

    __tablename__ = "sop_assessment_answer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("sop_assessment.id", ondelete="CASCADE"), index=True)
    question: Mapped[str] = mapped_column(String(24))
    #: 1 … 5
    own: Mapped[int | None] = mapped_column(Integer)
    industry: Mapped[int | None] = mapped_column(Integer)
    problem: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        UniqueConstraint("assessment_id", "question"),
        CheckConstraint("own IS NULL OR own BETWEEN 1 AND 5", name="own"),
        CheckConstraint("industry IS NULL OR industry BETWEEN 1 AND 5", name="industry"),
    )


class SopScorecardValue(db.Model):
    """A measure of the scorecard before or after, append-only: the newest of its kind counts."""

    __tablename__ = "sop_scorecard_value"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("sop_programme.id"))
    measure: Mapped[str] = mapped_column(String(24))
    #: before, after
    side: Mapped[str] = mapped_column(String(6))
    #: in the measure’s unit, two decimals as with money; None: taken back
    value: Mapped[Decimal | None] = mapped_column(Money)
    #: the period it stands for
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    #: computed by the portal (else typed)
    is_computed: Mapped[bool] = mapped_column(default=False)
    #: where it comes from
    source: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User | None] = relationship(foreign_keys=[by_id])

    __table_args__ = (
        CheckConstraint("side IN ('before', 'after')", name="side"),
        CheckConstraint("first <= last", name="period"),
        Index("ix_sop_scorecard_value_programme", "programme_id", "measure", "side", "id"),
    )
