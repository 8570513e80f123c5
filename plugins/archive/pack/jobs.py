"""The job that makes an audit pack."""

from __future__ import annotations

from typing import Any

from plugins.archive.pack import services
from plugins.archive.permissions import PACK
from portal.core.jobs import Job, JobContext
from portal.i18n import _, _l, _n

JOB = "archive.make_pack"


def run(context: JobContext, kind: str, subject_id: int) -> dict[str, Any]:
    """Make a pack into the run's folder; run again after a crash it makes another one."""

    def progress(done: int, total: int) -> None:
        context.progress(done, total, _("Proving the trail"))
        context.check_cancelled()

    pack = services.make_pack(kind, subject_id, context.folder, context.actor, progress)
    message = _n("%(num)s entry.", "%(num)s entries.", pack.entries)
    if not pack.is_whole:
        message += " " + _("The trail is broken: look at the verification.")
    return {"file": pack.path.name, "message": message, "digest": pack.digest}


JOBS = [Job(JOB, _l("Audit pack"), run, idempotent=True, tell_owner=True, permission=PACK)]
