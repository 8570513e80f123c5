"""Jobs that keep the module itself tidy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from portal.core import clock
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.statistics import take_statistics
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l
from portal.jobs.models import ACTIVE_STATES, JobRun
from portal.jobs.running import remove_files

#: Files that jobs made may hold customers' data: they are not kept for long.
FILES_KEPT = timedelta(days=7)
RUNS_KEPT = timedelta(days=180)
_CHUNK = 500


def tidy(context: JobContext) -> dict[str, Any]:
    """Remove files of runs older than a week and runs older than half a year."""
    now = clock.now()
    old_files = list(
        db.session.scalars(
            select(JobRun.id).where(JobRun.finished_at < now - FILES_KEPT, JobRun.finished_at > now - FILES_KEPT * 5)
        )
    )
    db.session.rollback()
    for run_id in old_files:
        remove_files(run_id)
    removed = 0
    while not context.cancelled():
        with transaction() as session:
            numbers = list(
                session.scalars(
                    select(JobRun.id)
                    .where(JobRun.finished_at < now - RUNS_KEPT, JobRun.state.not_in(ACTIVE_STATES))
                    .limit(_CHUNK)
                )
            )
            session.execute(delete(JobRun).where(JobRun.id.in_(numbers)))
        for run_id in numbers:
            remove_files(run_id)
        removed += len(numbers)
        if len(numbers) < _CHUNK:
            break
    return {"removed": removed}


def count_tables(_context: JobContext) -> dict[str, Any]:
    """Let the embedded database count its tables, so that it joins them in a good order."""
    return {"empty": take_statistics()}


JOBS = [
    Job(
        "jobs.statistics",
        _l("Count the rows of the tables"),
        count_tables,
        Schedule(minute="35", hour="3"),
        idempotent=True,
        quiet=True,
        help=_l("The embedded database chooses its ways by it; PostgreSQL does so itself."),
    ),
    Job(
        "jobs.tidy",
        _l("Tidy up finished jobs"),
        tidy,
        Schedule(minute="15", hour="3"),
        idempotent=True,
        quiet=True,
        help=_l("Files of jobs are removed after 7 days, runs after 180 days."),
    ),
]
