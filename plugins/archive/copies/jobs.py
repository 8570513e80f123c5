"""Background work of look-ups and copies: making pages, looking after what is over, reminding."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from plugins.archive.copies import endings, sealing, states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.copies.services import JOB
from plugins.archive.permissions import PRINT
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l


def make_pages(context: JobContext, copy_id: int) -> dict[str, Any]:
    """The pages of a reserved copy."""
    from plugins.archive.copies import printing  # the libraries that draw, for this job alone

    return printing.run(context, copy_id)


def look_after(_context: JobContext) -> dict[str, Any]:
    """Settle grants that are over, mark uncounted copies as suspect, remove sealed pages that a crash left behind."""
    settled, suspect = endings.unsettled(), endings.uncounted()
    for grant_id in settled:
        with transaction():
            endings.settle_one(grant_id)
    for copy_id in suspect:
        with transaction():
            endings.doubt(copy_id)
    sealing.sweep_unfinished()
    left = sealing.left_behind()
    waiting = set(
        db.session.scalars(
            select(ArchiveCopy.id).where(ArchiveCopy.id.in_(left), ArchiveCopy.state.in_(states.UNPRINTED))
        )
    )
    for copy_id in left:
        if copy_id not in waiting:
            sealing.forget(copy_id)
    return {"grants": len(settled), "suspect": len(suspect)}


def remind(_context: JobContext) -> dict[str, Any]:
    """Remind the holders of copies that are due or overdue."""
    due = endings.to_remind()
    for copy_id in due:
        with transaction():
            endings.remind(copy_id)
    return {"reminded": len(due)}


JOBS = [
    Job(
        JOB,
        _l("Pages of a paper copy"),
        make_pages,
        idempotent=True,
        permission=PRINT,
        help=_l("Made at the print station."),
    ),
    Job(
        "archive.look_after",
        _l("Grants that are over, copies nobody counted"),
        look_after,
        schedule=Schedule(minute="*/5"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        "archive.remind_copies",
        _l("Reminders for paper copies"),
        remind,
        schedule=Schedule(minute="10", hour="8", working_days=True),
        idempotent=True,
        quiet=True,
    ),
]
