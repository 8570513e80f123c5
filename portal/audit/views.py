"""The auditor's pages. Looking at the trail is written into the trail."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    after_this_request,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from portal.audit import queries
from portal.audit.actions import AuditAction
from portal.audit.anchors import FILE_NAME, AnchorError, last_anchor
from portal.audit.chain import canonical
from portal.audit.labels import RESULTS, action_text, object_text, problem_text
from portal.audit.listing import LISTING
from portal.audit.models import AuditEntry
from portal.audit.permissions import READ, may_see_values
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import Actor
from portal.core.spreadsheets import Marks, Sheet, write_csv, write_xlsx
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.extensions import db
from portal.i18n import _

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

#: A spreadsheet holds no more; a longer period is exported in parts.
EXPORT_LIMIT = 50_000
#: The same look within this time is one entry.
SAME_LOOK = timedelta(minutes=10)
CURSORS = ("after", "before")


def _actor() -> Actor:
    # This module lies below `portal.org`; the guard has put the person here.
    actor: Actor = g.actor
    return actor


def anchor_path() -> Path:
    """Where the anchors are kept."""
    return Path(current_app.config["DATA_DIR"]) / FILE_NAME


@blueprint.get("/")
@access(READ)
def index() -> str:
    """The list with the state of the chain above it."""
    actor = _actor()
    page = LISTING.page(actor, request.args)
    filters = {key: request.args.getlist(key) for key in request.args if key not in CURSORS}
    _record_look(actor, {"filters": filters})
    problem = ""
    try:
        anchor = last_anchor(anchor_path())
    except AnchorError:
        anchor, problem = None, problem_text("anchor_file")
    check = queries.last_check()
    return render_template(
        "audit/index.html",
        page=page,
        check=check,
        check_problem=problem_text(check.problem) if check and check.problem else "",
        head=queries.head(),
        anchor=anchor,
        anchor_problem=problem,
    )


def _record_look(actor: Actor, what: dict[str, object]) -> None:
    since = clock.now() - SAME_LOOK
    if queries.viewed_lately(actor.user_id, AuditAction.LOG_VIEWED, canonical(what), since):
        return
    with transaction():
        record(actor, AuditAction.LOG_VIEWED, object_type="audit_log", object_id=None, new=what)


@blueprint.get("/<int:seq>")
@access(READ)
def show(seq: int) -> str:
    """One entry: what changed, and its place in the chain."""
    actor = _actor()
    entry = db.session.get(AuditEntry, refuse_large_id(seq))
    if entry is None:
        raise NotFound()
    may_see = may_see_values(actor, entry.customer_id)
    context = {
        "seq": entry.seq,
        "entry": entry,
        "who": queries.person_text(entry.actor_id, entry.actor_name, queries.on_behalf_of(entry)),
        "title": action_text(entry.action),
        "object": object_text(entry.object_type, entry.object_id, entry.object_label),
        "result": RESULTS[entry.result],
        "may_see": may_see,
        "changes": queries.changes_of(entry, show_values=may_see),
        "proves": queries.proves_itself(entry),
        "erased": entry.private_salt is None,
        "neighbours": {row.seq - entry.seq: row for row in queries.neighbours(entry.seq)},
    }
    page = render_template("audit/show.html", **context)
    if not entry.action.startswith("audit:"):
        db.session.rollback()
        with transaction():
            record(actor, AuditAction.ENTRY_VIEWED, object_type="audit_entry", object_id=seq)
    return page


@blueprint.get("/export")
@access(READ)
def export() -> str | BaseResponse:
    """Ask for the format: an export is recorded, so it is a POST."""
    count = LISTING.count_up_to(_actor(), request.args, EXPORT_LIMIT)
    query = request.query_string.decode("utf-8", "replace")
    return render_template("audit/export.html", count=count, limit=EXPORT_LIMIT, query=query)


@blueprint.post("/export")
@access(READ)
def export_file() -> Response | BaseResponse:
    """Write exactly these columns and filters into a file."""
    actor = _actor()
    kind = "csv" if request.form.get("format") == "csv" else "xlsx"
    count = LISTING.count_up_to(actor, request.args, EXPORT_LIMIT)
    if count > EXPORT_LIMIT:
        flash(_("More than %(limit)s entries: choose a shorter period.", limit=f"{EXPORT_LIMIT:,}"), "warning")
        return redirect(f"{url_for('audit.export')}?{request.query_string.decode('utf-8', 'replace')}")
    filters = {key: request.args.getlist(key) for key in request.args if key not in CURSORS}
    with transaction():
        record(
            actor,
            AuditAction.LOG_EXPORTED,
            object_type="audit_log",
            object_id=None,
            new={"filters": filters, "format": kind, "rows": count},
        )
    headers, rows = LISTING.export_rows(actor, request.args)
    now = clock.local(clock.now())
    marks = Marks(
        _("About this file"),
        [
            (_("Exported by"), actor.name),
            (_("Exported at"), now.strftime("%Y-%m-%d %H:%M")),
            (_("Last entry of the trail"), "{} {}".format(*queries.head())),
        ],
        _("Rows"),
    )
    folder = tempfile.TemporaryDirectory(prefix="audit-")
    path = Path(folder.name) / f"audit.{kind}"
    if kind == "csv":
        write_csv(path, headers, rows, marks)
    else:
        write_xlsx(path, [Sheet(_("Audit trail"), headers, rows)], marks)
    handle = path.open("rb")

    @after_this_request
    def _tidy(response: Response) -> Response:
        folder.cleanup()  # the open handle keeps the content until it is sent
        return response

    name = _("Audit trail") + now.strftime("_%Y%m%d_%H%M.") + kind
    return send_file(handle, as_attachment=True, download_name=name)
