"""The editor: a draft's table of contents, chapters, procedures, starters, forms, submission."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.sop import files, library
from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import arranging, attaching, drafting, editing, markdown, queries, reviewing, stepping
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.base import load_draft
from plugins.sop.manuals.checking import problems
from plugins.sop.manuals.comparing import compare_texts
from plugins.sop.manuals.forms import AttachForm, ChapterForm, NewProcedureForm, SubmitForm, read_procedure
from plugins.sop.manuals.inputs import ChapterInput, ProcedureInput, StepInput
from plugins.sop.manuals.models import (
    Attachment,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    VersionProcedure,
)
from plugins.sop.manuals.sight import may_see
from plugins.sop.manuals.views import department_options
from plugins.sop.permissions import USE
from plugins.sop.runs.queries import uses_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import Form, new_token, options
from portal.core.numbers import id_from
from portal.core.storage import StorageError, storage
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access
from portal.extensions import db
from portal.i18n import _, _n


def _draft(draft_id: int) -> ManualVersion:
    return load_draft(draft_id, current_actor())


@blueprint.get("/drafts/<int:draft_id>")
@access(USE)
def draft(draft_id: int) -> str:
    """A draft's contents, what is still to be mended, and what can be done."""
    return _overview(_draft(draft_id))


def _overview(version: ManualVersion, errors: list[str] | None = None) -> str:
    content = queries.manual_content(version.id)
    return render_template(
        "sop/manuals/draft.html",
        version=version,
        content=content,
        problems=problems(content),
        undo=editing.undo_units(version.id),
        errors=errors or [],
        words=words,
        today=clock.today(),
    )


@blueprint.post("/drafts/<int:draft_id>/arrange")
@access(USE)
def arrange(draft_id: int) -> str | Response | tuple[str, int]:
    """What the buttons of the table of contents do; `do` says which."""
    actor = current_actor()
    word, _colon, rest = request.form.get("do", "").partition(":")
    anchor = None
    try:
        with transaction():
            anchor = _arrange(draft_id, word, rest, actor)
    except Invalid as error:
        return _overview(_draft(draft_id), [str(message) for _field, message in error.errors]), 400
    except Conflict as error:
        flash(str(error.message), "warning")
    if request.headers.get("X-Requested-With") == "fetch":
        return Response(status=204)
    return redirect(url_for("sop.draft", draft_id=draft_id, _anchor=anchor))


def _arrange(draft_id: int, word: str, rest: str, actor: Any) -> str | None:
    key, procedure_id = rest[:32], id_from(rest)
    if word == "chapter_add":
        return f"chapter-{editing.add_chapter(draft_id, request.form.get('title', '').strip(), actor).key}"
    if word in ("chapter_up", "chapter_down"):
        editing.move_chapter(draft_id, key, -1 if word == "chapter_up" else 1, actor)
        return f"chapter-{key}"
    if word == "chapter_remove":
        editing.remove_chapter(draft_id, key, actor)
        flash(_("The chapter was removed. Undo brings it back."), "success")
        return None
    if word == "undo":
        done = editing.undo(draft_id, "list", actor)
        flash(_("The last removal was undone.") if done else _("There is nothing to undo."), "info")
        return None
    if procedure_id is None:
        raise NotFound()
    if word in ("up", "down"):
        arranging.shift_procedure(draft_id, procedure_id, -1 if word == "up" else 1, actor)
    elif word == "move":
        position = id_from(request.form.get(f"position-{procedure_id}") or request.form.get("position")) or 1
        chapter = request.form.get(f"chapter-{procedure_id}") or request.form.get("chapter") or ""
        arranging.move_procedure(draft_id, procedure_id, chapter[:32], position, actor)
    elif word == "duplicate":
        procedure_id = arranging.duplicate_procedure(draft_id, procedure_id, actor)
        flash(_("A copy was put behind the procedure."), "success")
    elif word == "remove":
        unlinked = arranging.remove_procedures(draft_id, [procedure_id], actor)
        flash(_removed(procedure_id, unlinked), "success")
        return None
    else:
        raise NotFound()
    return f"procedure-{procedure_id}"


def _removed(procedure_id: int, unlinked: list[str]) -> str:
    text = _("The procedure was removed from this draft. Undo brings it back.")
    if editing.was_published(procedure_id):
        text += " " + _("Published versions keep it.")
    uses = uses_of(procedure_id)
    if uses.runs:
        text += " " + _n(
            "%(num)s checklist was made by it (%(open)s under way); it keeps the text it began with.",
            "%(num)s checklists were made by it (%(open)s under way); they keep the text they began with.",
            uses.runs,
            open=uses.open,
        )
    if uses.schedules:
        text += " " + _n(
            "%(num)s recurring start names it: once this revision is effective, it starts nothing. Change it first.",
            "%(num)s recurring starts name it: once this revision is effective, they start nothing. Change them first.",
            uses.schedules,
        )
    if unlinked:
        text += " " + _("It is no longer named as related by %(codes)s.", codes=", ".join(unlinked))
    return text


# ---- chapters ------------------------------------------------------------------------------------------------------


@blueprint.route("/drafts/<int:draft_id>/chapters/<string:key>", methods=["GET", "POST"])
@access(USE)
def chapter(draft_id: int, key: str) -> str | Response | tuple[str | Response, int]:
    """Write a chapter in Markdown; with a preview."""
    actor = current_actor()
    version = _draft(draft_id)
    found = editing.load_chapter(version, key)
    form = ChapterForm()
    if request.method == "GET":
        form.title.data, form.body.data, form.seen.data = found.title, found.body, str(found.edit_version)
        return _chapter_page(version, found, form)
    command = request.form.get("do", "save")
    if command == "preview":
        return _chapter_page(version, found, form, preview=True)
    if command == "undo":
        with transaction():
            done = editing.undo(draft_id, f"chapter:{key}", actor)
        flash(_("The last change was undone.") if done else _("There is nothing to undo."), "info")
        return redirect(url_for("sop.chapter", draft_id=draft_id, key=key))
    seen = id_from(form.seen.data) or 0
    data = ChapterInput(form.title.data or "", form.body.data or "", seen, command == "autosave")
    problem: Conflict | None = None
    if form.validate():
        try:
            with transaction():
                saved = editing.save_chapter(draft_id, key, data, actor).edit_version
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            problem = error
        else:
            if command == "autosave":
                return jsonify(seen=str(saved), at=clock.local(clock.now()).strftime("%H:%M"))
            flash(_("The chapter was saved."), "success")
            target = "sop.draft" if command == "close" else "sop.chapter"
            values = {"draft_id": draft_id} if command == "close" else {"draft_id": draft_id, "key": key}
            return redirect(url_for(target, **values))
    if command == "autosave":
        return _not_saved(form, problem)
    version = _draft(draft_id)
    found = editing.load_chapter(version, key)
    return _chapter_page(version, found, form, conflict=problem), 409 if problem else 400


def _not_saved(form: Form | None, problem: Conflict | None, errors: list[str] | None = None) -> tuple[Response, int]:
    """What a script is told when it could not save."""
    if problem is not None:
        return jsonify(problem=str(problem.message), by=problem.details.get("by", "")), 409
    found = errors or [str(message) for field in form or () for message in field.errors]
    return jsonify(problem=" ".join(found)), 400


def _chapter_page(
    version: ManualVersion, found: Any, form: ChapterForm, preview: bool = False, conflict: Conflict | None = None
) -> str:
    guidance = {item.key: item.guidance for item in library.template(version.manual.language)}
    html = markdown.render(form.body.data or "")
    return render_template(
        "sop/manuals/chapter.html",
        version=version,
        chapter=found,
        form=form,
        html=html,
        troubles=markdown.check(form.body.data or "") if preview else [],
        preview=preview,
        guidance=guidance.get(found.key, ""),
        conflict=conflict,
        pieces=compare_texts(found.body, (form.body.data or "").replace("\r\n", "\n")) if conflict else (),
        may_undo=f"chapter:{found.key}" in editing.undo_units(version.id),
    )


@blueprint.post("/drafts/<int:draft_id>/preview")
@access(USE)
def preview(draft_id: int) -> Response:
    """HTML of a Markdown text, for the live preview; changes nothing."""
    _draft(draft_id)
    body = request.form.get("body", "")[: markdown.LENGTH + 1].replace("\r\n", "\n")
    troubles = [{"line": item.line, "message": item.message} for item in markdown.check(body)]
    return jsonify(html=str(markdown.render(body)), troubles=troubles)


# ---- procedures ----------------------------------------------------------------------------------------------------


@blueprint.route("/drafts/<int:draft_id>/procedures/new", methods=["GET", "POST"])
@access(USE)
def new_procedure(draft_id: int) -> str | Response | tuple[str, int]:
    """Add an empty procedure."""
    version = _draft(draft_id)
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
    page = render_template("sop/manuals/new_procedure.html", form=form, version=_draft(draft_id), after=after)
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/drafts/<int:draft_id>/starters", methods=["GET", "POST"])
@access(USE)
def starters(draft_id: int) -> str | Response | tuple[str, int]:
    """Take procedures from the library."""
    version = _draft(draft_id)
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
        version = _draft(draft_id)
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
    version = _draft(draft_id)
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
    errors = [("related", _("This manual has no procedure %(codes)s.", codes=", ".join(unknown)))] if unknown else []
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
            return _not_saved(None, problem, [message for _field, message in errors])
        saved = queries.procedure_content(draft_id, procedure_id)
        keys = [step.key for step in saved.steps]
        return jsonify(seen=mark, keys=keys, at=clock.local(clock.now()).strftime("%H:%M"))
    if errors or problem is not None:
        status = 409 if problem else 400
        return _procedure_page(_draft(draft_id), procedure_id, data, errors, problem), status
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
        steps=tuple(
            StepInput(
                step.key,
                step.who,
                step.what,
                step.record,
                step.limit_amount,
                step.limit_unit,
                step.limit_text,
                step.standard,
                step.is_check,
                step.is_stop,
            )
            for step in content.steps
        ),
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
    version = _draft(draft_id)
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
            with transaction():
                attaching.attach_form(
                    draft_id,
                    procedure_id,
                    form.form_code.data or "",
                    form.form_title.data or "",
                    clean_name(upload.filename or ""),
                    upload.stream.read(files.LARGEST + 1),
                    actor,
                )
        except Invalid as error:
            form.show(error)
            form.form_errors.extend(str(text) for field, text in error.errors if field not in form._fields)
        else:
            flash(_("The form was attached."), "success")
            return redirect(back)
    content = queries.procedure_content(version.id, procedure_id)
    data = _as_input(content, _mark(content.revision_id))
    return _procedure_page(_draft(draft_id), procedure_id, data, attach=form), 400


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


# ---- on the way to the heads ---------------------------------------------------------------------------------------


@blueprint.route("/drafts/<int:draft_id>/submit", methods=["GET", "POST"])
@access(USE)
def submit(draft_id: int) -> str | Response | tuple[str, int]:
    """Submit a draft: what changed, from when, who signs."""
    version = _draft(draft_id)
    form = SubmitForm()
    concerned = reviewing.departments_concerned(version)
    taken = {key for key, _name in concerned}
    form.departments.choices = options(option for option in department_options() if option[0] not in taken)
    first = version.base_id is None
    names = {
        kind: ".".join(str(part) for part in reviewing.number_for(version, kind == "major"))
        for kind in ("major", "minor")
    }
    kinds = [
        ("major", _("Version %(number)s: everybody concerned reads it again", number=names["major"])),
        ("minor", _("Version %(number)s: corrections, nobody has to read it again", number=names["minor"])),
    ]
    form.change.choices = options(kinds[:1] if first else kinds)
    if request.method == "GET":
        form.token.data = new_token()
        form.change.data = "major" if first else "minor"
        form.summary.data = version.summary or (_("First version") if first else "")
        form.wanted_from.data = version.wanted_from
    if form.validate_on_submit():
        try:
            with transaction():
                filed = reviewing.submit(draft_id, form.to_input(), current_actor()).id
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The version was submitted. All heads concerned have been asked to sign."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    version = _draft(draft_id)
    content = queries.manual_content(version.id)
    page = render_template(
        "sop/manuals/submit.html",
        form=form,
        version=version,
        concerned=concerned,
        problems=problems(content),
        comparison=reviewing.comparison_of(version),
        words=words,
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/drafts/<int:draft_id>/discard", methods=["GET", "POST"])
@access(USE)
def discard(draft_id: int) -> str | Response:
    """Throw a draft away."""
    version = _draft(draft_id)
    if request.method == "GET":
        return render_template(
            "sop/manuals/discard.html",
            version=version,
            comparison=reviewing.comparison_of(version),
            procedures=len(queries.procedures_of(version.id)),
        )
    with transaction():
        kept = drafting.discard_draft(draft_id, current_actor())
        manual_id = kept.id if kept else None
    if manual_id is None:
        flash(_("The draft and its manual were deleted; nothing of it had been published."), "success")
        return redirect(url_for("sop.manuals"))
    flash(_("The draft was thrown away. The published versions are untouched."), "success")
    return redirect(url_for("sop.manual", manual_id=manual_id))
