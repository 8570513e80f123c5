"""Pages of exports: what will leave the portal, where it stands, fetching the file."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response as BaseResponse

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.error_pages import note_refusal
from portal.core.errors import Invalid, NotFound, TooMany
from portal.core.listing import Listing, ListPage
from portal.core.transaction import transaction
from portal.core.web import refuse_large_id, signed_in
from portal.customers.exporting import services
from portal.customers.exporting.models import DataExport, ExportState
from portal.customers.exporting.services import ExportInput
from portal.extensions import db
from portal.i18n import _, _l

blueprint = Blueprint("exports", __name__, url_prefix="/exports")

STATES = {
    ExportState.WAITING.value: (_l("Waiting for approval"), "warning"),
    ExportState.REFUSED.value: (_l("Not approved"), "danger"),
    ExportState.QUEUED.value: (_l("Being made"), "info"),
    ExportState.READY.value: (_l("Ready"), "success"),
    ExportState.FAILED.value: (_l("Making failed"), "danger"),
    ExportState.EXPIRED.value: (_l("Deleted"), "neutral"),
    ExportState.SENT.value: (_l("Downloaded"), "neutral"),
}
TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}
NOT_QUERY = ("listing", "after", "before")


@dataclass
class Asked:
    """What stands on the page."""

    listing: Listing
    query: str
    page: ListPage
    rows: int
    filters: list[str] = field(default_factory=list)

    @property
    def filter_text(self) -> str:
        """The filters in one line."""
        return _("; ").join(self.filters)


def _asked(key: str, query: str) -> Asked:
    actor = current_actor()
    listing = services.exportable(key, actor)
    args = services.arguments(query)
    try:
        page = listing.page(actor, args)
    except BuildError:
        # A list that belongs to one object has no page of its own.
        raise NotFound() from None
    rows = listing.count_up_to(actor, args, services.MAX_ROWS)
    filters = [str(scene.label) for scene in page.scenes[1:] if scene.active] + [chip.label for chip in page.chips]
    return Asked(listing, query, page, rows, filters)


@blueprint.get("/new")
@signed_in
def create() -> str:
    """What will be exported, how much, and whether somebody must approve."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name not in NOT_QUERY]
    return _create(_asked(request.args.get("listing", ""), urlencode(pairs)), [], "xlsx", "", secrets.token_hex(16))


def _create(asked: Asked, problems: list[tuple[str, str]], chosen: str, reason: str, token: str) -> str:
    free = services.free_rows()
    return render_template(
        "exports/create.html",
        asked=asked,
        needs_approval=asked.rows > free,
        free=free,
        too_many=asked.rows > services.MAX_ROWS,
        limit=services.MAX_ROWS,
        problems=[message for name, message in problems if name != "reason"],
        reason_problems=[message for name, message in problems if name == "reason"],
        chosen=chosen,
        reason=reason,
        token=token,
        back=f"{asked.page.path}?{asked.query}" if asked.query else asked.page.path,
    )


@blueprint.post("/new")
@signed_in
def make() -> BaseResponse | tuple[str, int]:
    """Ask for it; a small one is sent at once."""
    actor = current_actor()
    form = request.form
    asked = _asked(form.get("listing", ""), form.get("query", "")[: services.QUERY_LENGTH])
    data = ExportInput(
        asked.listing.key,
        asked.query,
        form.get("format", "xlsx"),
        str(asked.page.title),
        asked.filter_text,
        form.get("reason", ""),
        form.get("token", "")[:64],
    )
    try:
        with transaction():
            export = services.ask(data, actor)
            export_id, state = export.id, export.state
    except Invalid as error:
        problems = [(name, str(message)) for name, message in error.errors]
        return _create(asked, problems, data.format, data.reason, data.token), 400
    except TooMany as error:
        note_refusal(error)
        return _create(asked, [("", str(error.message))], data.format, data.reason, data.token), error.status
    if state == ExportState.SENT:
        return _send_now(export_id)
    return redirect(url_for("exports.show", export_id=export_id))


def _send_now(export_id: int) -> Response:
    actor = current_actor()
    export = services.own_export(export_id, actor)
    with services.written(export, actor) as (path, ids):
        content = path.read_bytes()
    db.session.rollback()
    with transaction():
        export = services.own_export(export_id, actor)
        services.note_made(export, len(ids), actor)
        name, kind = services.file_name(export), export.format
    return _file(content, name, kind)


def _file(content: bytes, name: str, kind: str) -> Response:
    answer = send_file(io.BytesIO(content), mimetype=TYPES[kind], as_attachment=True, download_name=name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@blueprint.get("/<int:export_id>")
@signed_in
def show(export_id: int) -> str:
    """Where an export stands."""
    export = services.own_export(refuse_large_id(export_id), current_actor())
    return render_template(
        "exports/show.html",
        export=export,
        state=STATES[export.state],
        ready=export.state == ExportState.READY and export.expires_at is not None and export.expires_at > clock.now(),
    )


@blueprint.post("/<int:export_id>/file")
@signed_in
def file(export_id: int) -> BaseResponse:
    """The file; its applicant's alone. A POST, because every fetch is recorded."""
    with transaction():
        export: DataExport = services.own_export(refuse_large_id(export_id), current_actor())
        content = services.fetch(export, current_actor())
        name, kind = services.file_name(export), export.format
    if content is None:
        flash(_("The list shows you less than when this file was made. It is being made anew."), "info")
        return redirect(url_for(".show", export_id=export_id))
    return _file(content, name, kind)
