"""The editor of a chapter, with its live preview."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop import library
from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import editing, markdown
from plugins.sop.manuals.comparing import compare_texts
from plugins.sop.manuals.editor import draft_of, not_saved
from plugins.sop.manuals.forms import ChapterForm
from plugins.sop.manuals.inputs import ChapterInput
from plugins.sop.manuals.models import ManualVersion
from plugins.sop.permissions import USE
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.numbers import id_from
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _


@blueprint.route("/drafts/<int:draft_id>/chapters/<string:key>", methods=["GET", "POST"])
@access(USE)
def chapter(draft_id: int, key: str) -> str | Response | tuple[str | Response, int]:
    """Write a chapter in Markdown; with a preview."""
    actor = current_actor()
    version = draft_of(draft_id)
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
        return not_saved(form, problem)
    version = draft_of(draft_id)
    found = editing.load_chapter(version, key)
    return _chapter_page(version, found, form, conflict=problem), 409 if problem else 400


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
    draft_of(draft_id)
    body = request.form.get("body", "")[: markdown.LENGTH + 1].replace("\r\n", "\n")
    troubles = [{"line": item.line, "message": item.message} for item in markdown.check(body)]
    return jsonify(html=str(markdown.render(body)), troubles=troubles)
