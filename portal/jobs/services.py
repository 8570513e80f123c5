"""Starting, cancelling and repeating jobs. All of it flushes in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.audit.services import record
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.registry import registry
from portal.core.transaction import after_commit
from portal.extensions import db
from portal.i18n import _
from portal.jobs.actions import JobAction
from portal.jobs.models import ACTIVE_STATES, JobRun, JobSchedule, JobState
from portal.jobs.queue import wake
from portal.org.actor import Actor

TITLE_LENGTH = 300


def enqueue(
    job_key: str,
    actor: Actor,
    *,
    title: str = "",
    parameters: Mapping[str, Any] | None = None,
    unique_key: str | None = None,
    as_system: bool = False,
) -> JobRun:
    """Have a job run soon. The row is written in the caller's transaction, the worker is told after the commit.

    :param title: what this run does, shown to the owner; "" means the job's own title.
    :param parameters: JSON values, given to the job's `run` by name.
    :param unique_key: while a run with this key is queued or running, that one is returned instead of a second.
    :param as_system: the job acts as the portal itself, though the actor started it and sees its page.
    :raises KeyError: for an unknown job. :raises TypeError: for parameters that JSON cannot carry.
    """
    job = registry("jobs")[job_key]
    encoded = json.dumps(dict(parameters or {}), ensure_ascii=False)
    if unique_key is not None:
        active = _active_with(unique_key)
        if active is not None:
            return active
    now = clock.now()
    run = JobRun(
        job_key=job.key,
        title=title[:TITLE_LENGTH],
        owner_id=actor.user_id,
        as_system=as_system,
        parameters=encoded,
        unique_key=unique_key,
        created_at=now,
        sent_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError:
        # Another process was faster with the same key.
        active = _active_with(unique_key) if unique_key is not None else None
        if active is None:
            raise
        return active
    after_commit(_waker(run.id))
    return run


def _waker(run_id: int) -> Callable[[], None]:
    return lambda: wake(run_id)


def _active_with(unique_key: str) -> JobRun | None:
    return db.session.scalar(
        select(JobRun).where(JobRun.unique_key == unique_key, JobRun.state.in_(ACTIVE_STATES)).limit(1)
    )


def cancel_run(run: JobRun, actor: Actor) -> JobRun:
    """Ask a run to stop: a queued one is cancelled at once, a running one at its next look.

    :raises Conflict: when it has ended already.
    """
    now = clock.now()
    at_once = db.session.execute(
        update(JobRun)
        .where(JobRun.id == run.id, JobRun.state == JobState.QUEUED)
        .values(state=JobState.CANCELLED, cancel_requested=True, finished_at=now)
    )
    if rows_changed(at_once) == 0:
        asked = db.session.execute(
            update(JobRun).where(JobRun.id == run.id, JobRun.state == JobState.RUNNING).values(cancel_requested=True)
        )
        if rows_changed(asked) == 0:
            raise Conflict(_("This job has ended already."))
    db.session.refresh(run)
    record(actor, JobAction.CANCELLED, object_type="job_run", object_id=run.id, object_label=run.job_key)
    return run


def start_by_hand(job_key: str, actor: Actor) -> JobRun:
    """Run a job now, as the portal itself, on behalf of nobody (the administrator's "run now").

    :raises NotFound: when no such job is registered.
    """
    if job_key not in registry("jobs"):
        raise NotFound()
    run = enqueue(job_key, actor, unique_key=f"by-hand:{job_key}", as_system=True)
    record(actor, JobAction.STARTED_BY_HAND, object_type="job_run", object_id=run.id, object_label=job_key)
    return run


def retry_run(run: JobRun, actor: Actor) -> JobRun:
    """Repeat a failed or cancelled run with the same parameters and for the same person.

    :raises Conflict: when it has not failed. :raises Invalid: when its plugin is switched off.
    """
    if run.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise Conflict(_("Only a failed or cancelled job can be repeated."))
    if run.job_key not in registry("jobs"):
        raise Invalid(_("This job belongs to a plugin that is switched off."))
    now = clock.now()
    if run.unique_key is not None:
        active = _active_with(run.unique_key)
        if active is not None:
            return active
    again = JobRun(
        job_key=run.job_key,
        title=run.title,
        owner_id=run.owner_id,
        as_system=run.as_system,
        parameters=run.parameters,
        unique_key=run.unique_key,
        created_at=now,
        sent_at=now,
        retry_of_id=run.id,
    )
    db.session.add(again)
    db.session.flush()
    record(actor, JobAction.RETRIED, object_type="job_run", object_id=again.id, object_label=run.job_key)
    after_commit(_waker(again.id))
    return again


def set_schedule(job_key: str, is_enabled: bool, actor: Actor) -> JobSchedule:
    """Let the clock start a job, or not. :raises NotFound: when the job has no schedule."""
    job = registry("jobs").get(job_key)
    if job is None or job.schedule is None:
        raise NotFound()
    row = db.session.get(JobSchedule, job_key)
    if row is None:
        row = JobSchedule(job_key=job_key, last_slot=job.schedule.latest(clock.now()) or clock.now())
        db.session.add(row)
    was = row.is_enabled if row.is_enabled is not None else True
    row.is_enabled = is_enabled
    if is_enabled and not was:
        row.last_slot = clock.now()  # what was passed over while it was off stays passed over
    db.session.flush()
    record(
        actor,
        JobAction.SCHEDULE_CHANGED,
        object_type="job",
        object_id=None,
        object_label=job_key,
        old={"is_enabled": was},
        new={"is_enabled": is_enabled},
    )
    return row
