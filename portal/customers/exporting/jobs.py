"""Making large exports, deleting old files."""

from __future__ import annotations

from typing import Any

from portal.core.errors import Invalid, PortalError
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.customers.exporting import services
from portal.customers.exporting.models import DataExport, ExportState
from portal.extensions import db
from portal.i18n import _, _l, _n


def make(context: JobContext, export_id: int) -> dict[str, Any]:
    """Write the file of an export and keep it; made again after a worker died, it replaces the same content."""
    actor = context.actor
    export = services.own_export(export_id, actor)
    page = f"/exports/{export_id}"
    if export.state != ExportState.QUEUED:
        return {"url": page}
    total = export.asked_rows

    def progress(number: int) -> None:
        # Only between reads: nothing is written while the rows stream.
        if context.cancelled():
            raise Invalid(_("The export was cancelled."))

    try:
        context.progress(0, total, _("Writing the rows"))
        export = services.own_export(export_id, actor)
        with services.written(export, actor, progress) as (path, ids):
            content = path.read_bytes()
    except PortalError as error:
        _failed(export_id, str(error))
        raise
    except Exception:
        _failed(export_id, _("Something went wrong while the file was made."))
        raise
    db.session.rollback()
    with transaction():
        export = services.own_export(export_id, actor)
        services.keep_file(export, content, ids)
        services.note_made(export, len(ids), actor)
    return {"url": page, "message": _n("%(num)s row was exported.", "%(num)s rows were exported.", len(ids))}


def _failed(export_id: int, problem: str) -> None:
    db.session.rollback()
    with transaction():
        export = db.session.get(DataExport, export_id)
        if export is not None:
            export.state, export.problem = ExportState.FAILED.value, problem[:500]


def tidy(_context: JobContext) -> dict[str, Any]:
    """Delete files whose time is over."""
    with transaction():
        return {"deleted": services.expire()}


JOBS = [
    Job(services.JOB, _l("Export"), make, idempotent=True, tell_owner=True),
    Job(
        "customers.export_tidy",
        _l("Deletion of old export files"),
        tidy,
        schedule=Schedule(minute="20", hour="*"),
        idempotent=True,
        quiet=True,
    ),
]
