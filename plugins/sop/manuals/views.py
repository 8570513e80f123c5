"""Pages for keeping manuals: list, versions, what changes, remarks, look-through, retirement."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import commenting, drafting, listing, queries, reviewing
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.base import open_version
from plugins.sop.manuals.forms import EditorsForm, ManualForm, NoteForm, RetireForm
from plugins.sop.manuals.models import Manual, ManualEditor, ManualVersion
from plugins.sop.manuals.sight import load_seen, may_comment
from plugins.sop.permissions import EDIT, OVERSEE, READ, USE, WRITE
from portal.approvals.queries import history
from portal.auth.current import current_actor
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import new_token, options
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.extensions import db
from portal.i18n import _, current_language
from portal.org.models import Department, User


def department_options() -> list[tuple[int, str]]:
    """Open departments in the order of the tree."""
    rows = db.session.execute(
        select(Department.id, Department.name).where(Department.is_active).order_by(Department.path)
    )
    return [(row.id, row.name) for row in rows]


def load_manual(manual_id: int, permission: str) -> Manual:
    """A manual on which the actor has a permission. :raises NotFound: otherwise."""
    manual = db.session.get(Manual, manual_id)
    if manual is None:
        raise NotFound()
    require(current_actor(), permission, manual)
    return manual


@blueprint.get("/manuals")
@access(USE)
def manuals() -> str:
    """Manuals the actor keeps, and those he may read."""
    actor = current_actor()
    return render_template(
        "sop/manuals/index.html",
        rows=listing.kept_manuals(actor),
        words=words,
        may_write=can(actor, WRITE),
        today=clock.today(),
    )


@blueprint.route("/manuals/new", methods=["GET", "POST"])
@access(WRITE)
def new_manual() -> str | Response | tuple[str, int]:
    """Begin a manual."""
    actor = current_actor()
    form = ManualForm()
    form.department_id.choices = options(department_options())
    if request.method == "GET":
        form.language.data = current_language() or "zh_Hans_CN"
        form.classification.data = "internal"
        form.department_id.data = actor.department_id
        form.company.data = settings.option("ORGANISATION")
    if form.validate_on_submit():
        try:
            with transaction():
                draft_id = drafting.create_manual(form.to_input(), actor).id
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The manual was begun. Its chapters are waiting for you."), "success")
            return redirect(url_for("sop.draft", draft_id=draft_id))
    page = render_template("sop/manuals/form.html", form=form, manual=None)
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/manuals/<int:manual_id>")
@access(USE)
def manual(manual_id: int) -> str:
    """A manual: its versions, what happened to them, what can be done."""
    return _manual(load_manual(manual_id, READ), NoteForm(formdata=None))


def _manual(found: Manual, note: NoteForm) -> str:
    actor = current_actor()
    today = clock.today()
    versions = listing.versions_of(found.id, drafts=can(actor, EDIT, found))
    return render_template(
        "sop/manuals/show.html",
        manual=found,
        versions=versions,
        effective=next((version for version in versions if version.is_effective_on(today)), None),
        draft=next((version for version in versions if version.state != "published"), None),
        events=listing.events_of(found.id) if can(actor, EDIT, found) else [],
        requests=history("sop_manual", found.id) if can(actor, EDIT, found) else [],
        may_edit=can(actor, EDIT, found),
        may_follow=can(actor, EDIT, found) or can(actor, OVERSEE),
        note=note,
        words=words,
        today=today,
    )


@blueprint.route("/manuals/<int:manual_id>/settings", methods=["GET", "POST"])
@access(USE)
def manual_settings(manual_id: int) -> str | Response | tuple[str, int]:
    """What is said about a manual, and who writes it."""
    actor = current_actor()
    found = load_manual(manual_id, EDIT)
    draft = open_version(found.id)
    form = ManualForm(obj=draft if request.method == "GET" and draft is not None else found)
    form.department_id.choices = options(department_options())
    editors = EditorsForm()
    editors.editors.choices = options(
        (row.id, f"{row.name} · {row.department}")
        for row in db.session.execute(
            select(User.id, User.name, Department.name.label("department"))
            .join(Department, Department.id == User.department_id)
            .where(User.is_active)
            .order_by(User.name_sort, User.id)
            .limit(2000)
        )
    )
    if request.method == "GET":
        for name in ("code", "language", "classification", "department_id", "review_months"):
            form[name].data = getattr(found, name)
        writers = select(ManualEditor.user_id).where(ManualEditor.manual_id == found.id)
        editors.editors.data = list(db.session.scalars(writers))
    elif form.validate() and editors.validate():
        try:
            with transaction():
                drafting.change_manual(manual_id, form.to_input(), actor)
                drafting.set_editors(manual_id, editors.editors.data or [], actor)
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The manual was saved."), "success")
            return redirect(url_for("sop.manual", manual_id=manual_id))
    found = load_manual(manual_id, EDIT)
    page = render_template("sop/manuals/form.html", form=form, editors=editors, manual=found)
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/manuals/<int:manual_id>/revise")
@access(USE)
def revise(manual_id: int) -> Response:
    """Begin the next version."""
    try:
        with transaction():
            draft_id = drafting.start_draft(manual_id, current_actor()).id
    except Conflict as error:
        flash(str(error.message), "warning")
        return redirect(url_for("sop.manual", manual_id=manual_id))
    flash(_("The next version was begun with everything the last one says."), "success")
    return redirect(url_for("sop.draft", draft_id=draft_id))


@blueprint.post("/versions/<int:version_id>/look-through")
@access(USE)
def look_through(version_id: int) -> str | Response | tuple[str, int]:
    """Confirm that the effective version is still right."""
    form = NoteForm()
    manual_id = queries.load_version(version_id).manual_id
    load_manual(manual_id, EDIT)
    if form.validate():
        try:
            with transaction():
                reviewing.confirm_review(version_id, form.note.data or "", current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("Noted. The next look-through has moved on."), "success")
            return redirect(url_for("sop.manual", manual_id=manual_id))
    return _manual(load_manual(manual_id, EDIT), form), 400


@blueprint.route("/manuals/<int:manual_id>/retire", methods=["GET", "POST"])
@access(USE)
def retire(manual_id: int) -> str | Response | tuple[str, int]:
    """Ask the heads to retire a manual."""
    found = load_manual(manual_id, EDIT)
    form = RetireForm()
    if request.method == "GET":
        form.on.data, form.token.data = clock.today(), new_token()
    if form.validate_on_submit():
        try:
            with transaction():
                filed = reviewing.ask_retirement(
                    manual_id, form.on.data, form.reason.data or "", form.token.data or new_token(), current_actor()
                ).id
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The heads concerned have been asked to retire the manual."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    found = load_manual(manual_id, EDIT)
    page = render_template("sop/manuals/retire.html", form=form, manual=found)
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/versions/<int:version_id>/changes")
@access(USE)
def changes(version_id: int) -> str:
    """What a version changes, step by step and word by word, with the remarks on it."""
    return _changes(load_seen(version_id, current_actor()))


def _changes(version: ManualVersion, problem: str = "") -> str:
    actor = current_actor()
    others = [
        other
        for other in listing.versions_of(version.manual_id, drafts=False)
        if other.id != version.id and load_seen(other.id, actor)
    ]
    wanted = request.args.get("against", "")
    against = next((other for other in others if str(other.id) == wanted), None)
    if against is None:
        against = next((other for other in others if other.id == version.base_id), None)
    threads = commenting.threads_of(version.id) if may_comment(version, actor) else []
    return render_template(
        "sop/manuals/changes.html",
        version=version,
        others=others,
        against=against,
        comparison=reviewing.comparison_of(version, against.id if against else None),
        tree=queries.procedures_of(version.id),
        chapters=queries.chapters_of(version.id),
        threads=threads,
        may_comment=may_comment(version, actor),
        may_edit=can(actor, EDIT, version.manual_id),
        words=words,
        problem=problem,
        today=clock.today(),
    )


@blueprint.post("/versions/<int:version_id>/remarks")
@access(USE)
def remark(version_id: int) -> Response | tuple[str, int]:
    """Write a remark, or answer one."""
    actor = current_actor()
    load_seen(version_id, actor)
    text = request.form.get("text", "")
    thread_id = id_from(request.form.get("thread"))
    try:
        with transaction():
            written = commenting.write_comment(version_id, _place(), text, actor, thread_id)
            anchor = written.thread_id or written.id
    except Invalid as error:
        return _changes(load_seen(version_id, actor), str(error)), 400
    return redirect(url_for("sop.changes", version_id=version_id, _anchor=f"remark-{anchor}"))


def _place() -> commenting.Place:
    """ "chapter:purpose", "procedure:12", "step:12:ab34…" or nothing."""
    word, _colon, rest = request.form.get("place", "").partition(":")
    if word == "chapter":
        return commenting.Place(chapter_key=rest[:32])
    number, _colon, step = rest.partition(":")
    procedure_id = id_from(number)
    if word in ("procedure", "step") and procedure_id is not None:
        return commenting.Place(procedure_id=procedure_id, step_key=step[:12] if word == "step" else "")
    return commenting.Place()


@blueprint.post("/remarks/<int:comment_id>/settle")
@access(USE)
def settle(comment_id: int) -> Response:
    """Settle a thread, or open it again."""
    with transaction():
        comment = commenting.resolve_comment(comment_id, request.form.get("open") != "1", current_actor())
        version_id = comment.version_id
    return redirect(url_for("sop.changes", version_id=version_id, _anchor=f"remark-{comment_id}"))
