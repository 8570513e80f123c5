"""Reading about jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.core import clock
from portal.core.errors import NotFound
from portal.core.jobs import Job
from portal.core.permissions import Actor
from portal.core.registry import registry
from portal.extensions import db
from portal.i18n import _
from portal.jobs.models import ACTIVE_STATES, JobRun, JobSchedule, JobState, JobWorker
from portal.jobs.permissions import may_see_run
from portal.jobs.words import result_word

RECENT = timedelta(days=7)


@dataclass(frozen=True)
class JobLine:
    """One job on the administrator's page."""

    job: Job
    title: str
    last_run_id: int | None
    last_state: str
    last_at: datetime | None
    last_seconds: float | None
    next_at: datetime | None
    is_enabled: bool
    failures: int
    is_active: bool


@dataclass(frozen=True)
class RunView:
    """A run, ready for its page."""

    id: int
    title: str
    state: str
    done: int
    total: int | None
    label: str
    message: str
    url: str
    file: str
    facts: list[tuple[str, Any]]
    error: str
    error_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested: bool
    is_active: bool
    has_failed_outcome: bool


def title_of(run_title: str, job_key: str) -> str:
    """What a run is called: its own words, else the job's title, else the key."""
    job = registry("jobs").get(job_key)
    return run_title or (str(job.title) if job is not None else job_key)


def run_for(actor: Actor, run_id: int) -> JobRun:
    """A run whose page the actor may see. :raises NotFound: otherwise, existing or not."""
    run = db.session.get(JobRun, run_id)
    if run is None or not may_see_run(actor, run):
        raise NotFound()
    return run


def job_keys() -> list[str]:
    """Keys of all jobs."""
    return [job.key for job in registry("jobs")]


def job_title(key: str) -> Any:
    """What a job is called; None for a job of a plugin that is switched off."""
    job = registry("jobs").get(key)
    return job.title if job is not None else None


def view_of(run: JobRun, *, is_owner: bool, may_fetch: bool) -> RunView:
    """A run as its page shows it. What a job found out is its owner's; others see that it ended."""
    result: Mapping[str, Any] = json.loads(run.result) if run.result else {}
    known = {"url", "message", "file", "failed"}
    show = is_owner or run.owner_id is None
    return RunView(
        id=run.id,
        title=title_of(run.title, run.job_key),
        state=run.state,
        done=run.progress_done,
        total=run.progress_total,
        label=run.progress_label,
        message=str(result.get("message", "")) if show else "",
        url=str(result.get("url", "")) if show else "",
        file=str(result.get("file", "")) if may_fetch else "",
        facts=[(result_word(name), value) for name, value in result.items() if name not in known] if show else [],
        error=run.error,
        error_id=run.error_id,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        cancel_requested=run.cancel_requested,
        is_active=run.state in ACTIVE_STATES,
        has_failed_outcome=bool(result.get("failed")),
    )


def job_lines() -> list[JobLine]:
    """Every registered job with its last run, next time and failures of the last week; three statements."""
    last_ids = select(func.max(JobRun.id)).group_by(JobRun.job_key).scalar_subquery()
    last = {
        row.job_key: row
        for row in db.session.execute(
            select(
                JobRun.id, JobRun.job_key, JobRun.state, JobRun.created_at, JobRun.started_at, JobRun.finished_at
            ).where(JobRun.id.in_(last_ids))
        )
    }
    failures = {
        row.job_key: row.number
        for row in db.session.execute(
            select(JobRun.job_key, func.count().label("number"))
            .where(JobRun.state == JobState.FAILED, JobRun.finished_at >= clock.now() - RECENT)
            .group_by(JobRun.job_key)
        )
    }
    schedules = {row.job_key: row for row in db.session.execute(select(JobSchedule.__table__))}
    now = clock.now()
    lines = []
    for job in registry("jobs"):
        run, schedule = last.get(job.key), schedules.get(job.key)
        enabled = schedule.is_enabled if schedule else True
        seconds = None
        if run is not None and run.started_at and run.finished_at:
            seconds = (run.finished_at - run.started_at).total_seconds()
        lines.append(
            JobLine(
                job=job,
                title=str(job.title),
                last_run_id=run.id if run else None,
                last_state=run.state if run else "",
                last_at=(run.finished_at or run.started_at or run.created_at) if run else None,
                last_seconds=seconds,
                next_at=job.schedule.following(now) if job.schedule and enabled else None,
                is_enabled=enabled,
                failures=failures.get(job.key, 0),
                is_active=bool(run and run.state in ACTIVE_STATES),
            )
        )
    return lines


def workers() -> list[Any]:
    """The worker processes seen within the last hour, the freshest first."""
    return list(
        db.session.execute(
            select(JobWorker.name, JobWorker.started_at, JobWorker.seen_at).order_by(JobWorker.seen_at.desc())
        )
    )


def freshest_beat() -> datetime | None:
    """The last sign of life of any worker."""
    return db.session.scalar(select(func.max(JobWorker.seen_at)))


STATE_TONES = {
    JobState.QUEUED: "neutral",
    JobState.RUNNING: "info",
    JobState.DONE: "success",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "warning",
}


def state_text(state: str) -> str:
    """A state in words."""
    return {
        JobState.QUEUED: _("Waiting"),
        JobState.RUNNING: _("Running"),
        JobState.DONE: _("Done"),
        JobState.FAILED: _("Failed"),
        JobState.CANCELLED: _("Cancelled"),
    }.get(JobState(state), state)
