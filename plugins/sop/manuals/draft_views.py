"""A draft as a whole: its table of contents, submission, throwing it away."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import arranging, drafting, editing, queries, reviewing
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.checking import problems
from plugins.sop.manuals.editor import draft_of
from plugins.sop.manuals.forms import SubmitForm
from plugins.sop.manuals.models import ManualVersion
from plugins.sop.manuals.views import department_options
from plugins.sop.permissions import USE
from plugins.sop.runs.queries import uses_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import new_token, options
from portal.core.numbers import id_from
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _, _n


@blueprint.get("/drafts/<int:draft_id>")
@access(USE)
def draft(draft_id: int) -> str:
    """A draft's contents, what is still to be mended, and what can be done."""
    return _overview(draft_of(draft_id))


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
        return _overview(draft_of(draft_id), [str(message) for _field, message in error.errors]), 400
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
        text += " " + _("It is no longer named as related by %(codes)s.", codes=_(", ").join(unlinked))
    return text


@blueprint.route("/drafts/<int:draft_id>/submit", methods=["GET", "POST"])
@access(USE)
def submit(draft_id: int) -> str | Response | tuple[str, int]:
    """Submit a draft: what changed, from when, who signs."""
    version = draft_of(draft_id)
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
    version = draft_of(draft_id)
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
    version = draft_of(draft_id)
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
