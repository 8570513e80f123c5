"""The import wizard: file, sheet, columns, rules, check, import, undo. Works without script."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, after_this_request, flash, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.registry import registry
from portal.core.spreadsheets import DELIMITERS, ENCODINGS, Marks, Sheet, write_xlsx
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id
from portal.customers import queries
from portal.customers.importing import reading, services
from portal.customers.importing.listing import IMPORTS, STATES
from portal.customers.importing.models import BUSY_STATES, BatchState, ImportBatch, ImportRow
from portal.customers.importing.permissions import IMPORT
from portal.customers.importing.targets import POLICIES, UPDATE, ImportTarget, Rules, import_targets
from portal.extensions import db
from portal.i18n import _, _l
from portal.jobs.models import JobRun
from portal.org.actor import Actor

blueprint = Blueprint("customers_import", __name__, url_prefix="/imports")

STEPS = (_l("File"), _l("Sheet"), _l("Columns"), _l("Rules"), _l("Check"), _l("Import"))
POLICY_LABELS = {
    "update": (_l("Update"), _l("What the file says replaces what is known; empty cells change nothing.")),
    "skip": (_l("Skip"), _l("Customers that exist already stay exactly as they are.")),
    "create": (
        _l("Create anyway"),
        _l("Only the credit code and the number of the other system identify a customer; equal names are allowed."),
    ),
}
#: What the numbers of an import count.
COUNTS = {
    "create": _l("New"),
    "update": _l("Will be changed"),
    "unchanged": _l("Stay as they are"),
    "skip": _l("Skip"),
    "refused": _l("Refused"),
    "part": _l("Further rows of a record"),
    "refused_rows": _l("Refused rows"),
    "rows": _l("Rows"),
    "created": _l("Newly created"),
    "updated": _l("Changed"),
    "failed": _l("Failed"),
    "undone": _l("Taken back"),
    "kept": _l("Left as they are"),
}
DELIMITER_LABELS = {",": _l("Comma"), "\t": _l("Tab"), ";": _l("Semicolon"), "|": _l("Vertical bar")}
#: Refused rows shown on the page; the sheet has all of them.
SHOWN_ROWS = 20


def _targets(actor: Actor) -> list[ImportTarget]:
    return [target for target in import_targets() if can(actor, target.permission)]


def _steps(current: int) -> list[dict[str, Any]]:
    return [
        {"label": label, "state": "done" if number < current else "current" if number == current else "todo"}
        for number, label in enumerate(STEPS, start=1)
    ]


@blueprint.get("/")
@access(IMPORT)
def index() -> str:
    """One's own imports."""
    return render_template(
        "customers_import/index.html", page=registry("listings")[IMPORTS].page(current_actor(), request.args)
    )


# ---- file ----------------------------------------------------------------------------------------------------------


@blueprint.get("/new")
@access(IMPORT)
def start() -> str:
    """Choose what is imported, and the file."""
    return _start(request.args.get("target", ""), [])


def _start(chosen: str, problems: list[str]) -> str:
    targets = _targets(current_actor())
    keys = [target.key for target in targets]
    return render_template(
        "customers_import/start.html",
        targets=targets,
        chosen=chosen if chosen in keys else keys[0],
        problems=problems,
        steps=_steps(1),
        limit=f"{reading.MAX_ROWS:,}",
    )


@blueprint.post("/new")
@access(IMPORT)
def upload() -> BaseResponse | tuple[str, int]:
    """Take the file."""
    actor = current_actor()
    key = request.form.get("target", "")
    target = next((target for target in _targets(actor) if target.key == key), None)
    if target is None:
        raise NotFound()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _start(key, [_("Choose a file.")]), 400
    try:
        content, kind = reading.receive(file.stream)
        with transaction():
            batch_id = services.create_batch(target, file.filename, content, kind, actor).id
    except Invalid as error:
        return _start(key, [str(message) for _field, message in error.errors]), 400
    return redirect(url_for("customers_import.sheet", batch_id=batch_id))


@blueprint.get("/template/<key>")
@access(IMPORT)
def template(key: str) -> Response:
    """An empty sheet with all headings."""
    target = next((target for target in _targets(current_actor()) if target.key == key), None)
    if target is None:
        raise NotFound()
    headers = [str(field.label) for field in target.fields()]
    return _send_sheet(str(target.title), [Sheet(str(target.title), headers, [])], None)


# ---- sheet ---------------------------------------------------------------------------------------------------------


def _batch(batch_id: int, lock: bool = False) -> ImportBatch:
    return services.open_batch(refuse_large_id(batch_id), current_actor(), lock)


@blueprint.get("/<int:batch_id>/sheet")
@access(IMPORT)
def sheet(batch_id: int) -> BaseResponse | str:
    """Encoding and sheet, with the first rows as they would be read."""
    batch = _batch(batch_id)
    if batch.state not in (BatchState.DRAFT, BatchState.CHECKED):
        return redirect(url_for("customers_import.show", batch_id=batch.id))
    return _sheet(batch, batch.sheet if batch.kind != "csv" else "", batch.encoding, batch.delimiter)


def _sheet(batch: ImportBatch, sheet: str, encoding: str, delimiter: str) -> str:
    problems: list[str] = []
    view = None
    with reading.opened(batch) as path:
        try:
            view = reading.preview(
                batch,
                path,
                request.args.get("sheet", sheet)[:200],
                _one_of(request.args.get("encoding", encoding), ENCODINGS),
                _one_of(_delimiter(request.args.get("delimiter", delimiter)), DELIMITERS),
            )
        except Invalid as error:
            problems = [str(message) for _field, message in error.errors]
    return render_template(
        "customers_import/sheet.html",
        batch=batch,
        view=view,
        problems=problems,
        encodings=ENCODINGS,
        chosen_encoding=request.args.get("encoding", encoding),
        delimiters=[(_named(mark), label) for mark, label in DELIMITER_LABELS.items()],
        chosen_delimiter=_named(view.delimiter) if view else "",
        steps=_steps(2),
    )


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    return value if value in allowed else ""


#: Names of the delimiters in addresses.
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}


def _named(mark: str) -> str:
    return _NAMES.get(mark, "")


def _delimiter(name: str) -> str:
    return next((mark for mark, known in _NAMES.items() if name in (known, mark)), "")


@blueprint.post("/<int:batch_id>/sheet")
@access(IMPORT)
def choose_sheet(batch_id: int) -> BaseResponse | tuple[str, int]:
    """Take the choice."""
    batch = _batch(batch_id)
    name, encoding = request.form.get("sheet", "")[:200], _one_of(request.form.get("encoding", ""), ENCODINGS)
    delimiter = _delimiter(request.form.get("delimiter", ""))
    try:
        with reading.opened(batch) as path:
            view = reading.preview(batch, path, name if batch.kind != "csv" else "", encoding, delimiter)
        with transaction():
            services.choose_sheet(_batch(batch_id, lock=True), view)
    except Invalid:
        return _sheet(batch, name, encoding, delimiter), 400
    return redirect(url_for("customers_import.columns", batch_id=batch_id))


# ---- columns -------------------------------------------------------------------------------------------------------


@blueprint.get("/<int:batch_id>/columns")
@access(IMPORT)
def columns(batch_id: int) -> BaseResponse | str:
    """What each column means."""
    batch = _batch(batch_id)
    if batch.state not in (BatchState.DRAFT, BatchState.CHECKED):
        return redirect(url_for("customers_import.show", batch_id=batch.id))
    if not batch.headers:
        return redirect(url_for("customers_import.sheet", batch_id=batch.id))
    target = services.target_of(batch.target)
    mapping = batch.mapping or reading.guess_mapping(target, batch.headers, current_actor().user_id)
    return _columns(batch, target, mapping, [])


def _columns(batch: ImportBatch, target: ImportTarget, mapping: dict[int, str], problems: list[str]) -> str:
    with reading.opened(batch) as path:
        view = reading.preview(batch, path, batch.sheet if batch.kind != "csv" else "", batch.encoding, batch.delimiter)
    groups: dict[str, list[Any]] = {}
    for field in target.fields():
        groups.setdefault(str(field.group), []).append(field)
    lines = [
        (
            number,
            header,
            [row[number] for row in view.rows if number < len(row) and row[number]][:3],
            mapping.get(number, ""),
        )
        for number, header in enumerate(batch.headers)
    ]
    missing = [field.label for field in target.fields() if field.required and field.key not in mapping.values()]
    return render_template(
        "customers_import/columns.html",
        batch=batch,
        lines=lines,
        groups=groups,
        problems=problems,
        missing=missing,
        mapped=len(mapping),
        steps=_steps(3),
    )


@blueprint.post("/<int:batch_id>/columns")
@access(IMPORT)
def choose_columns(batch_id: int) -> BaseResponse | tuple[str, int]:
    """Take the choice."""
    batch = _batch(batch_id)
    target = services.target_of(batch.target)
    known = {field.key for field in target.fields()}
    mapping = {
        number: key
        for number in range(len(batch.headers))
        if (key := request.form.get(f"column_{number}", "")) in known
    }
    try:
        with transaction():
            services.choose_columns(_batch(batch_id, lock=True), mapping, current_actor())
    except Invalid as error:
        return _columns(batch, target, mapping, [str(message) for _field, message in error.errors]), 400
    return redirect(url_for("customers_import.rules", batch_id=batch_id))


# ---- rules ---------------------------------------------------------------------------------------------------------


@blueprint.get("/<int:batch_id>/rules")
@access(IMPORT)
def rules(batch_id: int) -> BaseResponse | str:
    """What happens with customers that exist already, and what holds for all rows."""
    batch = _batch(batch_id)
    if batch.state not in (BatchState.DRAFT, BatchState.CHECKED):
        return redirect(url_for("customers_import.show", batch_id=batch.id))
    if not batch.mapping:
        return redirect(url_for("customers_import.columns", batch_id=batch.id))
    present = services.rules_of(batch) if batch.options else Rules()
    return _rules(batch, present, [])


def _rules(batch: ImportBatch, present: Rules, problems: list[str]) -> str:
    actor = current_actor()
    target = services.target_of(batch.target)
    people = queries.possible_managers(actor) if target.assigns else []
    departments = queries.possible_departments(actor) if target.assigns else []
    mine = actor.user_id if any(key == actor.user_id for key, _name in people) and not batch.options else None
    policies = [key for key in POLICIES if key != "create" or target.assigns]
    return render_template(
        "customers_import/rules.html",
        batch=batch,
        target=target,
        present=present,
        manager=present.manager_id or mine,
        people=people,
        departments=departments,
        policies=[(key, *POLICY_LABELS[key]) for key in policies],
        mapped=set(batch.mapping.values()),
        earlier=services.earlier_imports(batch),
        problems=problems,
        steps=_steps(4),
    )


@blueprint.post("/<int:batch_id>/rules")
@access(IMPORT)
def choose_rules(batch_id: int) -> BaseResponse | tuple[str, int]:
    """Begin the dry run."""
    batch = _batch(batch_id)
    target = services.target_of(batch.target)
    defaults = {key: request.form.get(f"default_{key}", "")[:40] for key, _label, _choices in target.defaults()}
    present = Rules(
        request.form.get("policy", UPDATE),
        defaults,
        id_from(request.form.get("manager")) if target.assigns else None,
        id_from(request.form.get("department")) if target.assigns else None,
    )
    try:
        with transaction():
            services.start_check(_batch(batch_id, lock=True), present, current_actor())
    except Invalid as error:
        return _rules(batch, present, [str(message) for _field, message in error.errors]), 400
    return redirect(url_for("customers_import.show", batch_id=batch_id))


# ---- check, import, result -----------------------------------------------------------------------------------------


@blueprint.get("/<int:batch_id>")
@access(IMPORT)
def show(batch_id: int) -> BaseResponse | str:
    """Where the import is: progress, what the check found, what was done."""
    batch = _batch(batch_id)
    if batch.state == BatchState.DRAFT:
        if batch.problem:
            flash(batch.problem, "danger")
        step = "rules" if batch.mapping else "columns" if batch.headers else "sheet"
        return redirect(url_for(f"customers_import.{step}", batch_id=batch.id))
    target = services.target_of(batch.target)
    run = db.session.get(JobRun, batch.run_id) if batch.run_id else None
    labels = {field.key: str(field.label) for field in target.fields()}
    refused = [
        (row.number, [(labels.get(field, ""), message) for field, message in row.reasons])
        for row in services.refused_rows(batch.id, SHOWN_ROWS)
    ]
    current = 5 if batch.state in (BatchState.CHECKING, BatchState.CHECKED) else 6
    return render_template(
        "customers_import/show.html",
        batch=batch,
        target=target,
        run=run,
        busy=batch.state in BUSY_STATES,
        counts=batch.counts,
        refused=refused,
        examples=_examples(batch, target) if batch.state in (BatchState.DONE, BatchState.UNDONE) else [],
        undoable=services.undoable(batch.id) if batch.state in (BatchState.DONE, BatchState.UNDONE) else 0,
        state=STATES[batch.state],
        steps=_steps(7 if batch.state in (BatchState.DONE, BatchState.UNDONE) else current),
        shown_rows=SHOWN_ROWS,
    )


def _examples(batch: ImportBatch, target: ImportTarget) -> list[tuple[int, str]]:
    rows = db.session.execute(
        select(ImportRow.number, ImportRow.target_id)
        .where(ImportRow.batch_id == batch.id, ImportRow.state == "applied", ImportRow.target_id.is_not(None))
        .order_by(ImportRow.number)
        .limit(5)
    )
    return [(row.number, target.url(row.target_id)) for row in rows]


@blueprint.get("/<int:batch_id>/refused.xlsx")
@access(IMPORT)
def refused(batch_id: int) -> Response:
    """The refused rows as they were, with the reasons in columns of their own."""
    batch = _batch(batch_id)
    target = services.target_of(batch.target)
    labels = {field.key: str(field.label) for field in target.fields()}
    width = len(batch.headers)

    def rows() -> Iterator[list[Any]]:
        for row in services.refused_rows(batch.id):
            cells = (row.cells + [""] * width)[:width]
            why = "\n".join(f"{labels[f]}{_(': ')}{text}" if f in labels else text for f, text in row.reasons)
            yield [*cells, row.number, why]

    headers = [*batch.headers, _("Row in the file"), _("Why it was refused")]
    marks = Marks(
        _("About this sheet"),
        [
            (_("File"), batch.file_name),
            (_("Made by"), current_actor().name),
            (_("Made on"), clock.local(clock.now()).replace(tzinfo=None, microsecond=0)),
        ],
        _("Rows"),
    )
    stem = Path(batch.file_name).stem
    return _send_sheet(_("%(file)s – refused rows", file=stem), [Sheet(_("Refused rows"), headers, rows())], marks)


def _send_sheet(name: str, sheets: list[Sheet], marks: Marks | None) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="import-")
    path = Path(folder.name) / "sheet.xlsx"
    write_xlsx(path, sheets, marks)

    @after_this_request
    def _clean(response: Response) -> Response:
        response.call_on_close(folder.cleanup)
        return response

    return send_file(path, as_attachment=True, download_name=f"{name[:80]}.xlsx")


@blueprint.post("/<int:batch_id>/run")
@access(IMPORT)
def run(batch_id: int) -> BaseResponse:
    """Begin the import."""
    _do(batch_id, services.start_import)
    return redirect(url_for("customers_import.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/undo")
@access(IMPORT)
def undo(batch_id: int) -> BaseResponse:
    """Begin to take it back."""
    _do(batch_id, services.start_undo)
    return redirect(url_for("customers_import.show", batch_id=batch_id))


def _do(batch_id: int, service: Any) -> None:
    try:
        with transaction():
            service(_batch(batch_id, lock=True), current_actor())
    except Conflict as error:
        flash(str(error.message), "warning")


@blueprint.post("/<int:batch_id>/discard")
@access(IMPORT)
def discard(batch_id: int) -> BaseResponse:
    """Throw it away before anything was written."""
    try:
        with transaction():
            services.discard(_batch(batch_id, lock=True), current_actor())
    except Conflict as error:
        flash(str(error.message), "warning")
        return redirect(url_for("customers_import.show", batch_id=batch_id))
    flash(_("The import was thrown away. Nothing was written."), "success")
    return redirect(url_for("customers_import.index"))
