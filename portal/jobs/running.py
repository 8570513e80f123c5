"""Running one run: claim it, run it, say how it ended. The only place where a job's code is called."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g
from sqlalchemy import select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Invalid, NotFound, PortalError
from portal.core.jobs import Job, JobCancelled
from portal.core.registry import registry
from portal.core.transaction import in_transaction, transaction
from portal.extensions import db
from portal.i18n import _
from portal.jobs.actions import JobAction
from portal.jobs.models import JobRun, JobState
from portal.org.actor import SYSTEM, Actor, load_actor
from portal.pluginmanager import manager

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.5
LOOK_SECONDS = 1.0
LABEL_LENGTH = 300
ERROR_LENGTH = 500
FOLDER = "jobs"

#: This process: host, number, and something that a successor with the same number does not have.
PROCESS = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(6)}"
#: Numbers of the runs that this process is running, for its signs of life.
_running: set[int] = set()
_lock = threading.Lock()


def process_name() -> str:
    """Name of the present process; made anew in a forked child."""
    global PROCESS
    if PROCESS.split(":")[-2] != str(os.getpid()):
        PROCESS = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(6)}"
        _running.clear()
    return PROCESS


def running_here() -> list[int]:
    """Numbers of the runs in progress in this process."""
    with _lock:
        return sorted(_running)


class RunContext:
    """What a running job may use; see `portal.core.jobs.JobContext`."""

    def __init__(self, run_id: int, actor: Actor, folder: Path) -> None:
        self.run_id = run_id
        self.actor = actor
        self._folder = folder
        self._state: dict[str, Any] = {}
        self._written_at = 0.0
        self._looked_at = 0.0
        self._cancelled = False

    @property
    def folder(self) -> Path:
        """A folder of this run alone."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        """Say how far the job is; see `portal.core.jobs.JobContext.progress`."""
        self._state = {"progress_done": done, "progress_total": total, "progress_label": str(label)[:LABEL_LENGTH]}
        if time.monotonic() - self._written_at >= PROGRESS_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what `progress` remembers, unless the job's own transaction holds the database."""
        if self._state and not in_transaction():
            values, self._state = self._state, {}
            with transaction() as session:
                session.execute(
                    update(JobRun).where(JobRun.id == self.run_id).values(heartbeat_at=clock.now(), **values)
                )
            self._written_at = time.monotonic()

    def cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        if not self._cancelled and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            # A connection of its own: the job's open transaction may see an older state.
            with db.engine.connect() as connection:
                self._cancelled = bool(
                    connection.execute(select(JobRun.cancel_requested).where(JobRun.id == self.run_id)).scalar()
                )
        return self._cancelled

    def check_cancelled(self) -> None:
        """Raise `JobCancelled` when the job was asked to stop."""
        if self.cancelled():
            raise JobCancelled()


def run_folder(run_id: int) -> Path:
    """Where the files of a run are kept."""
    return Path(current_app.config["DATA_DIR"]) / FOLDER / str(run_id)


def execute_run(app: Flask, run_id: int) -> str | None:
    """Run a queued run. Returns its final state, or None when somebody else has it or it is not queued any more."""
    with app.app_context():
        claimed = claim(run_id)
        if claimed is None:
            return None
        with _lock:
            _running.add(run_id)
        try:
            return _run_claimed(run_id, *claimed)
        finally:
            with _lock:
                _running.discard(run_id)
            db.session.remove()


def claim(run_id: int) -> tuple[str, str] | None:
    """Take a queued run for this process: (key of the job, parameters as JSON). None when it is not to be had."""
    now = clock.now()
    with transaction() as session:
        row = session.execute(
            update(JobRun)
            .where(JobRun.id == run_id, JobRun.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                claimed_by=process_name(),
                started_at=now,
                heartbeat_at=now,
                attempt=JobRun.attempt + 1,
                progress_done=0,
                progress_total=None,
                progress_label="",
            )
            .returning(JobRun.job_key, JobRun.parameters)
        ).first()
    return (row.job_key, row.parameters) if row else None


def _run_claimed(run_id: int, job_key: str, parameters: str) -> str:
    job: Job | None = registry("jobs").get(job_key)
    if job is None:
        # Its plugin was switched off meanwhile.
        return _finish(run_id, JobState.FAILED, error=_("This job belongs to a plugin that is switched off."))
    try:
        actor = _actor_of(run_id)
    except NotFound:
        return _finish(run_id, JobState.FAILED, error=_("The person who started this job has left."))
    with _language(actor.language):
        context = RunContext(run_id, actor, run_folder(run_id))
        try:
            context.check_cancelled()
            result = job.run(context, **json.loads(parameters))
            encoded = json.dumps(dict(result or {}), ensure_ascii=False, default=str)
        except JobCancelled:
            db.session.rollback()
            _write_quietly(context)
            return _finish(run_id, JobState.CANCELLED)
        except PortalError as error:
            # A rule refused it: the sentence is meant for people.
            db.session.rollback()
            _write_quietly(context)
            return _finish(run_id, JobState.FAILED, error=_sentence(error))
        except Exception as error:
            db.session.rollback()
            error_id = secrets.token_hex(4)
            logger.error("job %s, run %s failed: error %s", job_key, run_id, error_id, exc_info=error)
            _write_quietly(context)
            return _finish(
                run_id,
                JobState.FAILED,
                error=_("Something went wrong. The administrator finds the details under this number."),
                error_id=error_id,
            )
        db.session.rollback()
        _write_quietly(context)
        return _finish(run_id, JobState.DONE, result=encoded)


def _write_quietly(context: RunContext) -> None:
    try:
        context.write()
    except Exception:  # the end of the run matters more than its last bar
        logger.warning("progress of run %s could not be written", context.run_id, exc_info=True)
        db.session.rollback()


def _sentence(error: PortalError) -> str:
    if isinstance(error, Invalid):
        return " ".join(str(message) for _field, message in error.errors)
    return str(error.message) or _("This is not allowed.")


def _actor_of(run_id: int) -> Actor:
    row = db.session.execute(select(JobRun.owner_id, JobRun.as_system).where(JobRun.id == run_id)).one()
    actor = SYSTEM if row.owner_id is None or row.as_system else load_actor(row.owner_id)
    db.session.rollback()
    return actor


@contextmanager
def _language(code: str) -> Iterator[None]:
    """Texts of the job are in its owner's language."""
    g.language = code
    try:
        yield
    finally:
        g.pop("language", None)


def _finish(run_id: int, state: JobState, *, result: str | None = None, error: str = "", error_id: str = "") -> str:
    """Write the end of a run, if it is still this process's. A lock that is held for long is waited for."""
    for waited in (0, 1, 5, 15, 30):
        time.sleep(waited)
        try:
            return _write_end(run_id, state, result, error[:ERROR_LENGTH], error_id)
        except Exception:
            db.session.rollback()
            logger.warning("the end of run %s could not be written, trying again", run_id, exc_info=True)
    # The sweeper finds it without a sign of life.
    logger.error("the end of run %s (%s) could not be written", run_id, state)
    return state


def _write_end(run_id: int, state: JobState, result: str | None, error: str, error_id: str) -> str:
    with transaction() as session:
        row = session.execute(
            update(JobRun)
            .where(JobRun.id == run_id, JobRun.state == JobState.RUNNING, JobRun.claimed_by == process_name())
            .values(state=state, finished_at=clock.now(), result=result, error=error, error_id=error_id)
            .returning(JobRun.id)
        ).first()
        if row is None:
            return str(session.scalar(select(JobRun.state).where(JobRun.id == run_id)) or state)
        ended(run_id)
    return state


def ended(run_id: int) -> None:
    """What follows the end of a run, in the transaction that wrote it: audit of failures, event, tidying."""
    run = db.session.get(JobRun, run_id, populate_existing=True)
    if run is None:
        return
    job: Job | None = registry("jobs").get(run.job_key)
    if run.state == JobState.FAILED:
        record(
            SYSTEM,
            JobAction.FAILED,
            object_type="job_run",
            object_id=run.id,
            object_label=run.job_key,
            new={"error_id": run.error_id, "attempt": run.attempt},
            result="failed",
        )
    if job is not None:
        manager().hook.job_finished(run=run, job=job)
        if job.quiet and run.slot is not None and run.state == JobState.DONE:
            _forget_earlier(run)


def _forget_earlier(run: JobRun) -> None:
    """Of a quiet job's good scheduled runs only the last is kept."""
    db.session.execute(
        JobRun.__table__.delete().where(
            JobRun.job_key == run.job_key,
            JobRun.id < run.id,
            JobRun.slot.is_not(None),
            JobRun.state == JobState.DONE,
        )
    )


def remove_files(run_id: int) -> None:
    """Remove the files of a run."""
    shutil.rmtree(run_folder(run_id), ignore_errors=True)
