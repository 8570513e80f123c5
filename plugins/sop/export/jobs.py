"""Big exports run in the background and say how many pages they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.sop.export import services
from plugins.sop.export.services import DOCX, ExportInput
from plugins.sop.manuals.sight import load_seen
from portal.core.errors import NotFound
from portal.core.jobs import Job, JobContext
from portal.core.paths import path_for
from portal.i18n import _, _l, _n

EXPORT = "sop.export_manual"


def export_manual(
    context: JobContext, version_id: int, part: str, file_format: str, checklists: bool, indexes: bool
) -> dict[str, Any]:
    """Make the PDF or DOCX of a version. May run twice: the second time finds what the first one made."""
    wanted = ExportInput(part, file_format, checklists, indexes)
    version = load_seen(version_id, context.actor)
    paper = services.paper_for(version, wanted)
    if file_format == DOCX:
        name = f"{paper['facts']['code']}-{paper['facts']['number']}.docx"
        from plugins.sop.export.docx import manual_docx  # a large library, for this job alone

        content = manual_docx(paper)
        (context.folder / name).write_bytes(content)
        return {"file": name, "message": _("The Word file is ready.")}

    def progress(done: int, total: int) -> None:
        context.check_cancelled()
        context.progress(done, total, _l("Pages laid out"))

    document = services.export_pdf(version, paper, context.actor, progress)
    return {
        "url": path_for("documents.show", document_id=document.id),
        "message": _n("The PDF has %(num)s page.", "The PDF has %(num)s pages.", document.pages),
    }


def _still_sees(actor: Any, parameters: Mapping[str, Any]) -> bool:
    """Whether the version may still be read: it may be secret by now, or its review over."""
    try:
        return load_seen(int(parameters["version_id"]), actor) is not None
    except NotFound:
        return False


JOBS = (
    Job(
        EXPORT,
        _l("Export of a manual"),
        export_manual,
        idempotent=True,
        tell_owner=True,
        may_fetch=_still_sees,
    ),
)
