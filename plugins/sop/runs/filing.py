"""Photos and files of steps: added, taken away."""

from __future__ import annotations

from sqlalchemy import func, select

from plugins.sop.files import CheckedFile
from plugins.sop.runs.actions import RunAction
from plugins.sop.runs.models import CANCELLED, SopRunFile, SopRunStep
from plugins.sop.runs.permissions import RUN_WORK
from plugins.sop.runs.services import lock_run, note_event, note_record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.permissions import require
from portal.core.storage import storage
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

AREA = "sop_run_files"
#: Files of one step.
MOST_FILES = 10


def add_file(run_step_id: int, checked: CheckedFile, actor: Actor) -> SopRunFile:
    """Keep a photo or file with a step, of an open or completed run.

    :param checked: by `files.check_file`, before the transaction begins. :raises Invalid: for too many files.
    """
    run_id = db.session.scalar(select(SopRunStep.run_id).where(SopRunStep.id == run_step_id))
    if run_id is None:
        raise NotFound()
    require(actor, RUN_WORK, run_id)
    run = lock_run(run_id, only_open=False)
    if run.state == CANCELLED:
        raise Conflict(_("This checklist was called off."))
    count = db.session.scalar(
        select(func.count(SopRunFile.id)).where(SopRunFile.run_step_id == run_step_id, SopRunFile.removed_at.is_(None))
    )
    if (count or 0) >= MOST_FILES:
        raise Invalid([("file", _("A step holds at most %(n)s files.", n=MOST_FILES))])
    step = db.session.get_one(SopRunStep, run_step_id)
    stored = storage().put(AREA, checked.content)
    kept = SopRunFile(
        run_id=run_id,
        run_step_id=run_step_id,
        file_name=checked.name,
        media_type=checked.media_type,
        size=stored.size,
        storage_key=stored.key,
        added_at=clock.now(),
        added_by_id=actor.user_id,
    )
    db.session.add(kept)
    db.session.flush()
    note_event(run_id, step.position, "file", checked.name, actor)
    note_record(run, RunAction.FILE_ADDED, actor, new={"step": step.position, "digest": stored.digest})
    return kept


def remove_file(run_file_id: int, actor: Actor) -> SopRunFile:
    """Take a file away: it is no longer shown; who did it stays in the history."""
    found = db.session.get(SopRunFile, run_file_id)
    if found is None:
        raise NotFound()
    require(actor, RUN_WORK, found.run_id)
    run = lock_run(found.run_id, only_open=False)
    if found.removed_at is not None:
        raise Conflict(_("The file was taken away already."))
    found.removed_at, found.removed_by_id = clock.now(), actor.user_id
    db.session.flush()
    step = db.session.get(SopRunStep, found.run_step_id) if found.run_step_id else None
    note_event(run.id, step.position if step else None, "file_removed", found.file_name, actor)
    note_record(run, RunAction.FILE_REMOVED, actor, old={"file": found.id})
    return found
