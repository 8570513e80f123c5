"""Tables of the background jobs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import User


class JobState(StrEnum):
    """States of a run. queued → running → done, failed or cancelled; a dead worker's run goes back or fails."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING)
_ACTIVE = text("state IN ('queued', 'running')")


class JobRun(db.Model):
    """One run of a job. The row is the truth; a message to the worker is only a hint."""

    __tablename__ = "job_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the job's definition
    job_key: Mapped[str] = mapped_column(String(80))
    #: what it does, in the words of the moment; "" means the definition's title
    title: Mapped[str] = mapped_column(String(300), default="")
    #: who started it and sees its page; None: the clock or a command
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: runs as the portal itself although a person started it (a scheduled job started by hand)
    as_system: Mapped[bool] = mapped_column(default=False)
    #: JSON object
    parameters: Mapped[str] = mapped_column(Text, default="{}")
    #: at most one queued or running run has the same key
    unique_key: Mapped[str | None] = mapped_column(String(200))
    #: the scheduled time it was started for
    slot: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state: Mapped[str] = mapped_column(String(12), default=JobState.QUEUED)
    attempt: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when the worker was last told
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: last sign of life of the worker that runs it
    heartbeat_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: "host:pid:random" of the process that runs it
    claimed_by: Mapped[str] = mapped_column(String(120), default="")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    progress_done: Mapped[int] = mapped_column(BigId, default=0)
    #: None: not known yet
    progress_total: Mapped[int | None] = mapped_column(BigId)
    progress_label: Mapped[str] = mapped_column(String(300), default="")
    #: JSON object that the job returned
    result: Mapped[str | None] = mapped_column(Text)
    #: one sentence for the owner; the whole story stands in the log under `error_id`
    error: Mapped[str] = mapped_column(String(500), default="")
    error_id: Mapped[str] = mapped_column(String(16), default="")
    #: the failed run that this one repeats
    retry_of_id: Mapped[int | None] = mapped_column(ForeignKey("job_run.id", ondelete="SET NULL"))

    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])

    __table_args__ = (
        Index("ux_job_run_unique_key", "unique_key", unique=True, postgresql_where=_ACTIVE, sqlite_where=_ACTIVE),
        Index("ix_job_run_active", "state", "id", postgresql_where=_ACTIVE, sqlite_where=_ACTIVE),
        Index("ix_job_run_job_key", "job_key", "id"),
        Index("ix_job_run_owner", "owner_id", "id"),
        Index("ix_job_run_state_finished", "state", "finished_at"),
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    )


class JobSchedule(db.Model):
    """When the clock last started a scheduled job. One row per job; claiming a slot is one conditional update."""

    __tablename__ = "job_schedule"

    job_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    #: the latest slot that has been started or passed over
    last_slot: Mapped[datetime] = mapped_column(UTCDateTime)
    is_enabled: Mapped[bool] = mapped_column(default=True)


class JobSlot(db.Model):
    """A slot that was started: the database itself refuses to start it twice."""

    __tablename__ = "job_slot"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job_key: Mapped[str] = mapped_column(String(80))
    slot: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    __table_args__ = (UniqueConstraint("job_key", "slot"),)


class JobWorker(db.Model):
    """A worker process and its last sign of life."""

    __tablename__ = "job_heartbeat"

    #: "host:pid:random"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
