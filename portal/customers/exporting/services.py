"""Asking for an export, making its file, fetching it. Functions flush; views and jobs commit."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.approvals.services import file_request
from portal.audit.models import AuditEntry
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Invalid, NotAllowed, NotFound
from portal.core.listing import Listing
from portal.core.permissions import require
from portal.core.rates import too_many
from portal.core.registry import registry
from portal.core.spreadsheets import Marks, Sheet, write_csv, write_xlsx
from portal.core.storage import storage
from portal.customers.actions import CustomerAction
from portal.customers.exporting.models import DataExport, ExportState
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.org.actor import Actor
from portal.org.models import User

AREA = "exports"
ENDPOINT = "exports.create"
KIND = "customers.export"
JOB = "customers.export"
FORMATS = ("xlsx", "csv")
#: Exports that one person may ask for in an hour.
LIMIT_SETTING = "customers.exports_hour"
#: Up to this size a file is made while the page waits.
AT_ONCE_ROWS = 2_000
#: No list is counted, and no file written, beyond this.
MAX_ROWS = 200_000
KEEP_SETTING = "customers.export_keep_days"
QUERY_LENGTH = 4_000
REASON_LENGTH = 500
#: An approved file may have grown by this share since it was asked for.
GROWTH = 1.1
#: Begins what is kept of an export: the ids of its rows, packed, then the file. What begins otherwise is a file alone.
PACKED = b"portal export 1\n"


@dataclass(frozen=True)
class ExportInput:
    """What is asked for. `token`: from the form, so that a double click asks once."""

    listing: str
    query: str
    format: str
    title: str
    filters: str
    reason: str = ""
    token: str = ""


def exportable(key: str, actor: Actor) -> Listing:
    """A list that this person may export. :raises NotFound: no such list. :raises NotAllowed: without permission."""
    listing: Listing | None = registry("listings").get(key)
    if listing is None or listing.export_permission is None or listing.export_endpoint != ENDPOINT:
        raise NotFound()
    require(actor, listing.export_permission)
    return listing


def arguments(query: str) -> MultiDict[str, str]:
    """A query string as a list reads it."""
    return MultiDict(parse_qsl(query[:QUERY_LENGTH], keep_blank_values=True))


def free_rows() -> int:
    """Exports above this number of rows need an approval."""
    return int(settings.option("EXPORT_FREE_ROWS"))


def ask(data: ExportInput, actor: Actor) -> DataExport:
    """Ask for an export: it becomes "sent" (make it at once), "queued" (a job makes it) or "waiting" (approval).

    :raises NotFound, NotAllowed: as `exportable`. :raises Invalid: too many rows, no reason.
    :raises TooMany: the actor asked for as many as he may in an hour.
    """
    listing = exportable(data.listing, actor)
    assert actor.user_id is not None
    checker = Checker()
    reason = checker.line("reason", data.reason, REASON_LENGTH)
    if data.format not in FORMATS:
        checker.add("format", _("Choose one of the list."))
    checker.done()
    _require_room(actor)
    rows = listing.count_up_to(actor, arguments(data.query), MAX_ROWS)
    if rows > MAX_ROWS:
        checker.add("", _("The list has more than %(limit)s rows. Narrow it with filters.", limit=f"{MAX_ROWS:,}"))
    needs_approval = rows > free_rows()
    if needs_approval and not reason:
        checker.add("reason", _("Say what the export is needed for; the approver reads it."))
    checker.done()
    export = DataExport(
        listing=listing.key,
        title=data.title[:200],
        filters=data.filters[:2000],
        query=data.query[:QUERY_LENGTH],
        format=data.format,
        owner_id=actor.user_id,
        state=ExportState.SENT.value,
        asked_rows=rows,
        reason=reason,
        created_at=clock.now(),
    )
    db.session.add(export)
    db.session.flush()
    if needs_approval:
        export.state = ExportState.WAITING.value
        request = file_request(
            KIND,
            actor,
            subject_type="export",
            subject_id=export.id,
            title=_("Export of %(rows)s rows: %(title)s", rows=f"{rows:,}", title=export.title),
            payload={
                "export": export.id,
                "listing": export.listing,
                "title": export.title,
                "filters": export.filters,
                "rows": rows,
                "format": export.format,
                "reason": reason,
            },
            department_id=actor.department_id,
            token=data.token,
        )
        export.request_id = request.id
        record(
            actor,
            CustomerAction.EXPORT_REQUEST,
            object_type="export",
            object_id=export.id,
            object_label=export.title,
            new={"listing": export.listing, "filters": export.filters, "rows": rows},
            reason=reason,
        )
    elif rows > AT_ONCE_ROWS:
        queue(export, actor)
    db.session.flush()
    return export


def _require_room(actor: Actor) -> None:
    """:raises TooMany: the actor asked for as many exports as he may in an hour."""
    # The person's row is the lock: parallel clicks are counted one after the other.
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    hour = timedelta(hours=1)
    limit = int(settings.get(LIMIT_SETTING))
    # The last of these must be older than an hour before there may be another.
    asked = db.session.scalars(
        select(DataExport.created_at)
        .where(DataExport.owner_id == actor.user_id, DataExport.created_at > clock.now() - hour)
        .order_by(DataExport.created_at.desc())
        .limit(limit)
    ).all()
    if len(asked) == limit:
        raise too_many(_("You have exported %(count)s times within an hour.", count=limit), asked[-1] + hour)


def queue(export: DataExport, actor: Actor) -> None:
    """Have a job make the file. :param actor: its owner, in whose name and with whose rights it is made."""
    export.state = ExportState.QUEUED.value
    run = enqueue(
        JOB,
        actor,
        title=_("Export: %(title)s", title=export.title),
        parameters={"export_id": export.id},
        unique_key=f"export:{export.id}",
    )
    export.run_id = run.id
    db.session.flush()


def own_export(export_id: int, actor: Actor) -> DataExport:
    """One's own export. :raises NotFound: somebody else's."""
    export = db.session.get(DataExport, export_id)
    if export is None or export.owner_id != actor.user_id:
        raise NotFound()
    return export


@contextmanager
def written(export: DataExport, actor: Actor, progress: Any = None) -> Iterator[tuple[Path, list[int]]]:
    """Write the file of an export into a temporary folder: (path, ids of the rows). What the actor may see now counts.

    :raises NotFound, NotAllowed: as `exportable`. :raises Invalid: when there are far more rows than were approved.
    """
    listing = exportable(export.listing, actor)
    most = max(int(export.asked_rows * GROWTH), free_rows()) if export.request_id else MAX_ROWS
    ids: list[int] = []
    headers, rows = listing.export_rows(actor, arguments(export.query), ids.append)
    marks = Marks(
        _("About this export"),
        [
            (_("List"), export.title),
            (_("Filters"), export.filters or _("none")),
            (_("Exported by"), f"{actor.name} ({actor.login})"),
            (_("Exported on"), clock.local(clock.now()).replace(tzinfo=None, microsecond=0)),
            (_("Number"), export.id),
        ],
        _("Rows"),
        [_("For internal use. Every export is recorded.")],
    )
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / f"export.{export.format}"
        counted = _counted(rows, most, progress)
        if export.format == "xlsx":
            write_xlsx(path, [Sheet(export.title, headers, counted)], marks)
        else:
            write_csv(path, headers, counted, marks)
        yield path, ids


def _counted(rows: Iterator[list[Any]], most: int, progress: Any) -> Iterator[list[Any]]:
    for number, row in enumerate(rows, start=1):
        if number > most:
            raise Invalid(_("The list has far more rows now than were asked for. Ask for the export again."))
        if progress is not None and number % 500 == 0:
            progress(number)
        yield [str(value) if hasattr(value, "__html__") else value for value in row]


def note_made(export: DataExport, rows: int, actor: Actor) -> None:
    """The file was written: keep the number of rows and tell the trail, with the rights it was made with."""
    export.rows, export.ready_at = rows, clock.now()
    record(
        actor,
        CustomerAction.EXPORT,
        object_type="export",
        object_id=export.id,
        object_label=export.title,
        new={
            "listing": export.listing,
            "filters": export.filters,
            "query": export.query,
            "format": export.format,
            "rows": rows,
            "request_id": export.request_id,
            **_rights(actor),
        },
    )
    db.session.flush()


def _rights(actor: Actor) -> dict[str, list[Any]]:
    """What decides, for a person, which rows a list has."""
    return {"roles": sorted(actor.roles), "departments": sorted(actor.oversees)}


def _has_lost_rights(export: DataExport, actor: Actor) -> bool:
    """Whether the file was made with rights that its owner has no more: he may not see all of it now."""
    values = db.session.scalar(
        select(AuditEntry.new_values)
        .where(
            AuditEntry.object_type == "export",
            AuditEntry.object_id == export.id,
            AuditEntry.action == CustomerAction.EXPORT,
        )
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    )
    then, now = json.loads(values or "{}"), _rights(actor)
    return any(set(then.get(name, ())) - set(held) for name, held in now.items())


def keep_file(export: DataExport, content: bytes, ids: Sequence[int]) -> None:
    """Keep the file for the days of the setting, with the ids of its rows; made anew, it is kept no longer."""
    before, export.storage_key = export.storage_key, storage().put(AREA, _pack(content, ids)).key
    export.state = ExportState.READY.value
    if export.expires_at is None:
        export.expires_at = clock.now() + timedelta(days=int(settings.get(KEEP_SETTING)))
    db.session.flush()
    _delete(before)


def _pack(content: bytes, ids: Sequence[int]) -> bytes:
    packed = zlib.compress(json.dumps(list(ids)).encode())
    return b"%s%d\n%s%s" % (PACKED, len(packed), packed, content)


def _unpack(kept: bytes) -> tuple[list[int] | None, bytes]:
    """(ids of the rows, the file); None for a file that was kept without them."""
    if not kept.startswith(PACKED):
        return None, kept
    length, _newline, rest = kept.removeprefix(PACKED).partition(b"\n")
    return json.loads(zlib.decompress(rest[: int(length)])), rest[int(length) :]


def fetch(export: DataExport, actor: Actor) -> bytes | None:
    """The kept file; every fetch is recorded. None: it holds rows that the list does not show its owner any more, and
    is being made anew; what was approved stays approved.

    :raises NotFound: not there (any more). :raises NotAllowed: the owner lost rights since.
    """
    if export.state != ExportState.READY or export.expires_at is None or export.expires_at <= clock.now():
        raise NotFound()
    listing = exportable(export.listing, actor)
    if _has_lost_rights(export, actor):
        raise NotAllowed(
            _("You may see less than when this file was made. Ask for the export again."),
            permission=listing.export_permission,
        )
    ids, content = _unpack(storage().get(export.storage_key))
    if ids is None or not listing.shows_all(actor, ids):
        queue(export, actor)
        return None
    record(
        actor,
        CustomerAction.EXPORT_DOWNLOAD,
        object_type="export",
        object_id=export.id,
        object_label=export.title,
        new={"rows": export.rows},
    )
    return content


def _delete(key: str) -> None:
    """Delete a file that an export had, unless another one has the same."""
    if key and db.session.scalar(select(DataExport.id).where(DataExport.storage_key == key).limit(1)) is None:
        storage().delete(key)


def expire() -> int:
    """Delete files whose time is over. Returns how many."""
    count = 0
    for export in db.session.scalars(
        select(DataExport).where(DataExport.storage_key != "", DataExport.expires_at <= clock.now())
    ):
        if export.state != ExportState.QUEUED:
            export.state = ExportState.EXPIRED.value
        key, export.storage_key = export.storage_key, ""
        db.session.flush()
        _delete(key)
        count += 1
    db.session.flush()
    return count


def file_name(export: DataExport) -> str:
    """Name under which the file is saved."""
    return f"{export.title[:60]} {clock.local(export.created_at):%Y-%m-%d %H%M}.{export.format}"
