"""The tick: starts what is due, sends lost words again, finds dead workers. Any number of processes may tick."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Iterable
from datetime import timedelta

from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from portal.core import clock
from portal.core.database import rows_changed
from portal.core.jobs import Job
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _
from portal.jobs.models import JobRun, JobSchedule, JobSlot, JobState, JobWorker
from portal.jobs.queue import send
from portal.jobs.running import ended, process_name, running_here
from portal.org.actor import SYSTEM

logger = logging.getLogger(__name__)

PULSE_SECONDS = 10
TICK_SECONDS = 60
#: A worker of this host whose process is gone is dead at once; any other after so long without a sign of life.
SILENT = timedelta(minutes=2)
#: Even a process that seems to be there is given up after so long (its number may be somebody else's by now).
GIVEN_UP = timedelta(minutes=20)
#: A queued run is announced again after so long.
ANNOUNCE_AGAIN = timedelta(minutes=2)
WORKER_FRESH = timedelta(seconds=60)
WORKER_KEPT = timedelta(hours=1)
SLOTS_KEPT = timedelta(days=2)


def tick(app: Flask) -> list[int]:
    """One minute's work. Returns the numbers of the runs that were announced."""
    with app.app_context():
        started = start_due()
        started += sweep()
        for run_id in started:
            send(app, run_id)
        db.session.remove()
    return started


def start_due() -> list[int]:
    """Start every scheduled job whose time has come: one run per job, however many slots were missed."""
    started = []
    jobs: Iterable[Job] = registry("jobs")
    rows = {row.job_key: row for row in db.session.execute(select(JobSchedule.__table__))}
    db.session.rollback()
    for job in jobs:
        if job.schedule is None:
            continue
        slot = job.schedule.latest(clock.now())
        if slot is None:
            continue
        row = rows.get(job.key)
        if row is None:
            # New: begins with its next time, it does not make up for the past.
            _insert_schedule(job.key, slot)
        elif row.is_enabled and row.last_slot < slot:
            run_id = _claim_slot(job, slot)
            if run_id is not None:
                started.append(run_id)
    return started


def _insert_schedule(job_key: str, slot: object) -> None:
    with transaction() as session:
        make = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
        session.execute(
            make(JobSchedule).values(job_key=job_key, last_slot=slot, is_enabled=True).on_conflict_do_nothing()
        )


def _claim_slot(job: Job, slot: object) -> int | None:
    """Write the run of a slot, once: the conditional update lets one process through, the unique slot no second."""
    now = clock.now()
    with transaction() as session:
        won = session.execute(
            update(JobSchedule)
            .where(JobSchedule.job_key == job.key, JobSchedule.last_slot < slot, JobSchedule.is_enabled)
            .values(last_slot=slot)
        )
        if rows_changed(won) != 1:
            return None
        session.execute(insert(JobSlot).values(job_key=job.key, slot=slot))
        session.execute(delete(JobSlot).where(JobSlot.slot < now - SLOTS_KEPT, JobSlot.job_key == job.key))
        key = f"schedule:{job.key}"
        busy = session.scalar(
            select(JobRun.id).where(JobRun.unique_key == key, JobRun.state.in_((JobState.QUEUED, JobState.RUNNING)))
        )
        if busy is not None:
            return None  # the last one has not ended yet; this slot is passed over
        run = JobRun(
            job_key=job.key,
            owner_id=SYSTEM.user_id,
            as_system=True,
            parameters=json.dumps({}),
            unique_key=key,
            slot=slot,
            created_at=now,
            sent_at=now,
        )
        session.add(run)
        session.flush()
        return run.id


def sweep() -> list[int]:
    """Announce queued runs again whose word was lost; bring runs of dead workers to an end.

    Returns the numbers of the runs to announce.
    """
    again = _requeue_dead()
    now = clock.now()
    with transaction() as session:
        lost = session.execute(
            update(JobRun)
            .where(JobRun.state == JobState.QUEUED, JobRun.sent_at < now - ANNOUNCE_AGAIN)
            .values(sent_at=now)
            .returning(JobRun.id)
        )
        found = [row.id for row in lost]
    if found:
        logger.info("queued runs announced again: %s", found)
    return again + [run_id for run_id in found if run_id not in again]


def _requeue_dead() -> list[int]:
    now = clock.now()
    rows = db.session.execute(
        select(JobRun.id, JobRun.job_key, JobRun.attempt, JobRun.claimed_by, JobRun.heartbeat_at).where(
            JobRun.state == JobState.RUNNING
        )
    ).all()
    db.session.rollback()
    again = []
    for row in rows:
        silent = now - row.heartbeat_at if row.heartbeat_at else GIVEN_UP
        if not _is_dead(row.claimed_by, silent):
            continue
        job: Job | None = registry("jobs").get(row.job_key)
        may_repeat = job is not None and job.idempotent and row.attempt < job.attempts
        with transaction() as session:
            same = update(JobRun).where(
                JobRun.id == row.id, JobRun.state == JobState.RUNNING, JobRun.claimed_by == row.claimed_by
            )
            if may_repeat:
                done = session.execute(same.values(state=JobState.QUEUED, claimed_by="", sent_at=now))
            else:
                sentence = _("The worker stopped in the middle. What had been done until then is kept.")
                done = session.execute(same.values(state=JobState.FAILED, finished_at=now, error=sentence))
                if rows_changed(done):
                    ended(row.id)
        if rows_changed(done):
            logger.warning("run %s of %s was left by a dead worker", row.id, row.job_key)
            if may_repeat:
                again.append(row.id)
    return again


def _is_dead(claimed_by: str, silent: timedelta) -> bool:
    if silent >= GIVEN_UP:
        return True
    host, _colon, rest = claimed_by.partition(":")
    if host != socket.gethostname()[:60]:
        return silent >= SILENT
    number = rest.partition(":")[0]
    if claimed_by == process_name():
        return False
    if number == str(os.getpid()):
        return True  # the same number, an earlier life
    return not _process_exists(number)


def _process_exists(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return not _is_zombie(number)


def _is_zombie(number: str) -> bool:
    """A process that has ended but whose parent has not looked yet."""
    try:
        with open(f"/proc/{number}/stat", encoding="ascii", errors="replace") as handle:
            return handle.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def beat(app: Flask) -> None:
    """A sign of life of this process and of what it runs."""
    with app.app_context():
        now = clock.now()
        name = process_name()
        mine = running_here()
        with transaction() as session:
            touched = session.execute(update(JobWorker).where(JobWorker.name == name).values(seen_at=now))
            if rows_changed(touched) == 0:
                session.add(JobWorker(name=name, started_at=now, seen_at=now))
                session.execute(delete(JobWorker).where(JobWorker.seen_at < now - WORKER_KEPT))
            if mine:
                session.execute(
                    update(JobRun)
                    .where(JobRun.id.in_(mine), JobRun.state == JobState.RUNNING, JobRun.claimed_by == name)
                    .values(heartbeat_at=now)
                )
        db.session.remove()


def sign_off(app: Flask) -> None:
    """Take this process off the list of workers (a clean stop)."""
    with app.app_context():
        with transaction() as session:
            session.execute(delete(JobWorker).where(JobWorker.name == process_name()))
        db.session.remove()


class Pulse(threading.Thread):
    """Beats and ticks beside the workers, so that a long job holds neither up."""

    def __init__(self, app: Flask, pulse: float = PULSE_SECONDS, ticks: float = TICK_SECONDS) -> None:
        super().__init__(name="pulse", daemon=True)
        self.app = app
        self.pulse = pulse
        self.ticks = ticks
        self.stopping = threading.Event()

    def run(self) -> None:
        """Beat every `pulse` seconds, tick every `ticks` seconds, until stopped."""
        waited = self.ticks
        while not self.stopping.is_set():
            for step in (beat, tick) if waited >= self.ticks else (beat,):
                try:
                    step(self.app)
                except Exception:
                    logger.warning("%s failed, tried again soon", step.__name__, exc_info=True)
            waited = self.pulse if waited >= self.ticks else waited + self.pulse
            self.stopping.wait(self.pulse)

    def stop(self) -> None:
        """End the thread soon."""
        self.stopping.set()
