"""The editor of a procedure: new ones, starters, steps, attached forms."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.sop import files, library
from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import arranging, attaching, editing, queries, stepping
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.comparing import compare_texts
from plugins.sop.manuals.editor import draft_of, not_saved
from plugins.sop.manuals.forms import AttachForm, NewProcedureForm, read_procedure
from plugins.sop.manuals.inputs import ProcedureInput, StepInput
from plugins.sop.manuals.models import Attachment, ManualVersion, Procedure, ProcedureRevision, VersionProcedure
from plugins.sop.manuals.sight import may_see
from plugins.sop.manuals.views import department_options
from plugins.sop.permissions import USE
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.storage import StorageError, storage
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access
from portal.extensions import db
from portal.i18n import _, _n


@blueprint.route("/drafts/<int:draft_id>/procedures/new", methods=["GET", "POST"])
@access(USE)
def new_procedure(draft_id: int) -> str | Response | tuple[str, int]:
    """Add an empty procedure."""
    version = draft_of(draft_id)
    form = NewProcedureForm()
    chapters = queries.chapters_of(version.id)
    form.chapter.choices = options((row.key, row.title) for row in chapters)
    after = id_from(request.values.get("after"))
    if request.method == "GET":
        wanted = request.args.get("chapter", "")
        known = any(row.key == wanted for row in chapters)
        form.chapter.data = wanted if known else chapters[-1].key if chapters else ""
        last = queries.procedures_of(version.id)
        form.code.data = arranging.free_code(version.manual_id, last[-1].code if last else "P-001")
    if form.validate_on_submit():
        try:
            with transaction():
                made = arranging.add_procedure(
                    draft_id, form.chapter.data, form.code.data, form.title.data, current_actor(), after
                )
        except Invalid as error:
            form.show(error)
        else:
            return redirect(url_for("sop.edit_procedure", draft_id=draft_id, procedure_id=made))
    page = render_template("sop/manuals/new_procedure.html", form=form, version=draft_of(draft_id), after=after)
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/drafts/<int:draft_id>/starters", methods=["GET", "POST"])
@access(USE)
def starters(draft_id: int) -> str | Response | tuple[str, int]:
    """Take procedures from the library."""
    version = draft_of(draft_id)
    chapters = queries.chapters_of(version.id)
    errors: list[str] = []
    if request.method == "POST":
        departments = {
            kind: number
            for kind in library.DEPARTMENT_KINDS
            if (number := id_from(request.form.get(f"kind-{kind}"))) is not None
        }
        chosen = request.form.getlist("keys")[:200]
        try:
            if not chosen:
                raise Invalid(_("Choose at least one procedure."))
            if set(departments.values()) - {key for key, _name in department_options()}:
                raise Invalid(_("Choose departments from the list."))
            with transaction():
                made = arranging.take_starters(
                    draft_id, chosen, departments, request.form.get("chapter", "")[:32], current_actor()
                )
        except Invalid as error:
            errors = [str(message) for _field, message in error.errors]
        else:
            flash(_n("%(num)s procedure was taken over.", "%(num)s procedures were taken over.", len(made)), "success")
            return redirect(url_for("sop.draft", draft_id=draft_id))
        version = draft_of(draft_id)
    there = set(
        db.session.scalars(
            select(Procedure.starter)
            .join(VersionProcedure, VersionProcedure.procedure_id == Procedure.id)
            .where(VersionProcedure.version_id == version.id)
        )
    )
    page = render_template(
        "sop/manuals/starters.html",
        version=version,
        starters=library.starters(version.manual.language),
        there=there,
        chapters=chapters,
        kinds=words.DEPARTMENT_KINDS,
        departments=department_options(),
        errors=errors,
        chosen=request.form.getlist("keys"),
        words=words,
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/drafts/<int:draft_id>/procedures/<int:procedure_id>", methods=["GET", "POST"])
@access(USE)
def edit_procedure(draft_id: int, procedure_id: int) -> str | Response | tuple[str | Response, int]:
    """Write a procedure: its facts and its steps. Every button works without script: it saves and shows the page."""
    actor = current_actor()
    version = draft_of(draft_id)
    content = queries.procedure_content(version.id, procedure_id)
    if request.method == "GET":
        return _procedure_page(version, procedure_id, _as_input(content, _mark(content.revision_id)))
    command = request.form.get("do", "save")
    if command == "undo":
        with transaction():
            done = editing.undo(draft_id, f"procedure:{procedure_id}", actor)
        flash(_("The last change was undone.") if done else _("There is nothing to undo."), "info")
        return redirect(url_for("sop.edit_procedure", draft_id=draft_id, procedure_id=procedure_id))
    codes = {row.code.casefold(): row.procedure_id for row in queries.procedures_of(version.id)}
    data, unknown = read_procedure(request.form, codes)
    steps, shown = stepping.apply(data.steps, command)
    errors = [("related", _("This manual has no procedure %(codes)s.", codes=_(", ").join(unknown)))] if unknown else []
    problem: Conflict | None = None
    if not errors:
        try:
            with transaction():
                wanted = _with_steps(data, steps)
                mark = editing.mark_of(editing.save_procedure(draft_id, procedure_id, wanted, actor))
        except Invalid as error:
            errors = [(field, str(message)) for field, message in error.errors]
        except Conflict as error:
            problem = error
    if command == "autosave":
        if errors or problem is not None:
            return not_saved(None, problem, [message for _field, message in errors])
        saved = queries.procedure_content(draft_id, procedure_id)
        keys = [step.key for step in saved.steps]
        return jsonify(seen=mark, keys=keys, at=clock.local(clock.now()).strftime("%H:%M"))
    if errors or problem is not None:
        status = 409 if problem else 400
        return _procedure_page(draft_of(draft_id), procedure_id, data, errors, problem), status
    if command == "close":
        flash(_("The procedure was saved."), "success")
        return redirect(url_for("sop.draft", draft_id=draft_id, _anchor=f"procedure-{procedure_id}"))
    if shown is None:
        flash(_("The procedure was saved."), "success")
    anchor = f"step-{shown}" if shown is not None else None
    return redirect(url_for("sop.edit_procedure", draft_id=draft_id, procedure_id=procedure_id, _anchor=anchor))


def _with_steps(data: ProcedureInput, steps: list[StepInput]) -> ProcedureInput:
    return ProcedureInput(**{**data.__dict__, "steps": tuple(steps)})


def _mark(revision_id: int) -> str:
    return editing.mark_of(db.session.get_one(ProcedureRevision, revision_id))


def _as_input(content: Any, seen: str) -> ProcedureInput:
    """What stands in the database, as the form shows it."""
    return ProcedureInput(
        title=content.title,
        seen=seen,
        code=content.code,
        trigger=content.trigger,
        purpose=content.purpose,
        records=content.records,
        measures=content.measures,
        departments=tuple((part.department_id, part.raci) for part in content.departments),
        roles=content.roles,
        related=tuple((item.procedure_id, item.kind) for item in content.related),
        steps=tuple(StepInput.of(step) for step in content.steps),
    )


def _procedure_page(
    version: ManualVersion,
    procedure_id: int,
    data: ProcedureInput,
    errors: list[tuple[str, str]] | None = None,
    conflict: Conflict | None = None,
    attach: AttachForm | None = None,
) -> str:
    content = queries.procedure_content(version.id, procedure_id)
    tree = queries.procedures_of(version.id)
    codes = {row.procedure_id: row.code for row in tree}
    ids = [row.procedure_id for row in tree]
    index = ids.index(procedure_id)
    typed = {kind: request.form.get(f"related-{kind}") for kind in words.RELATIONS} if errors else {}
    related = {
        kind: typed.get(kind)
        if typed.get(kind) is not None
        else ", ".join(codes.get(other, "") for other, its in data.related if its == kind)
        for kind in words.RELATIONS
    }
    return render_template(
        "sop/manuals/procedure.html",
        version=version,
        content=content,
        data=data,
        departments=department_options(),
        letters=dict(data.departments),
        related=related,
        tree=tree,
        before=ids[index - 1] if index else None,
        after=ids[index + 1] if index + 1 < len(ids) else None,
        errors=errors or [],
        conflict=conflict,
        theirs=_as_input(content, "") if conflict else None,
        present=_mark(content.revision_id),
        compare=compare_texts,
        attach=attach or AttachForm(formdata=None),
        accept=files.ACCEPT,
        may_undo=f"procedure:{procedure_id}" in editing.undo_units(version.id),
        code_fixed=editing.was_published(procedure_id),
        words=words,
        limits=editing.LENGTHS,
    )


@blueprint.post("/drafts/<int:draft_id>/procedures/<int:procedure_id>/forms")
@access(USE)
def attach(draft_id: int, procedure_id: int) -> str | Response | tuple[str, int]:
    """Attach a form, or take one off."""
    actor = current_actor()
    version = draft_of(draft_id)
    back = url_for("sop.edit_procedure", draft_id=draft_id, procedure_id=procedure_id, _anchor="forms")
    removed = id_from(request.form.get("remove"))
    if removed is not None:
        with transaction():
            attaching.remove_form(draft_id, procedure_id, removed, actor)
        flash(_("The form was taken off. Undo brings it back."), "success")
        return redirect(back)
    form = AttachForm()
    if form.validate():
        upload = form.file.data
        try:
            checked = files.check_file(clean_name(upload.filename or ""), upload.stream.read(files.LARGEST + 1))
            with transaction():
                attaching.attach_form(
                    draft_id, procedure_id, form.form_code.data or "", form.form_title.data or "", checked, actor
                )
        except Invalid as error:
            form.show(error)
            form.form_errors.extend(str(text) for field, text in error.errors if field not in form._fields)
        else:
            flash(_("The form was attached."), "success")
            return redirect(back)
    content = queries.procedure_content(version.id, procedure_id)
    data = _as_input(content, _mark(content.revision_id))
    return _procedure_page(draft_of(draft_id), procedure_id, data, attach=form), 400


@blueprint.get("/forms/<int:attachment_id>")
@access(USE)
def form_file(attachment_id: int) -> Response:
    """Download a form of a version that the actor may look at."""
    found = db.session.get(Attachment, attachment_id)
    if found is None:
        raise NotFound()
    versions = db.session.scalars(
        select(ManualVersion)
        .join(VersionProcedure, VersionProcedure.version_id == ManualVersion.id)
        .where(VersionProcedure.revision_id == found.revision_id)
        .order_by(ManualVersion.state.desc(), ManualVersion.id.desc())
        .limit(20)
    )
    if not any(may_see(version, current_actor()) for version in versions):
        raise NotFound()
    try:
        content = storage().get(found.storage_key)
    except StorageError:
        raise NotFound(_("The content of this form is missing. Please tell the administrator.")) from None
    answer = send_file(
        BytesIO(content), mimetype=found.media_type, as_attachment=True, download_name=found.file_name, max_age=0
    )
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
