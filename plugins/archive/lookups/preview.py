"""Looking a scan over right after its upload: is it the right one, are all pages there and readable?

Only whoever uploaded it, only for the minutes of a view, only as page images with his name; each look is recorded. He
had the paper in his hands a moment ago; later he asks for a look-up as everybody else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from plugins.archive.actions import ArchiveAction
from plugins.archive.dossiers.models import CURRENT, UPLOADED, ArchiveFile
from plugins.archive.permissions import MAINTAIN
from portal.audit.chain import canonical
from portal.audit.queries import viewed_lately
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import Actor


def until(file: ArchiveFile) -> datetime:
    """The moment after which a scan is not looked over any more."""
    return file.made_at + timedelta(minutes=settings.get("archive.view_minutes"))


def may_preview(file: ArchiveFile, actor: Actor) -> bool:
    """Whether the actor may look the scan over now. Strict paper mode switches this off as well."""
    return (
        file.origin == UPLOADED
        and file.state == CURRENT
        and file.made_by_id == actor.user_id
        and until(file) > clock.now()
        and not settings.get("archive.paper_only")
        and can(actor, MAINTAIN)
    )


def load(file_id: int, actor: Actor) -> ArchiveFile:
    """The scan, when the actor may look it over now. :raises NotFound: otherwise."""
    file = db.session.get(ArchiveFile, file_id)
    if file is None or not may_preview(file, actor):
        raise NotFound()
    return file


def note(file: ArchiveFile, page: int, actor: Actor) -> None:
    """Write the look into the trail, once for each page. Opens a transaction of its own."""
    new = {"page": page}
    if viewed_lately(actor.user_id, ArchiveAction.FILE_PREVIEWED, canonical(new), file.made_at):
        return
    with transaction():
        record(
            actor,
            ArchiveAction.FILE_PREVIEWED,
            object_type="archive_file",
            object_id=file.id,
            object_label=f"{file.title} {file.number}".strip(),
            customer_id=file.customer_id,
            new=new,
        )
