"""Pages for readers: the library, a manual, a procedure, my reading, who has read what."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.manuals import markdown, reviewing
from plugins.sop.manuals import queries as manuals
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.base import load_draft
from plugins.sop.manuals.models import PUBLISHED, Manual, ManualVersion
from plugins.sop.manuals.sight import load_seen
from plugins.sop.manuals.views import department_options, load_manual
from plugins.sop.permissions import EDIT, OVERSEE, READ, USE
from plugins.sop.reading import book, queries, services
from plugins.sop.reading.audience import in_tree, to_be_read, waits_for
from plugins.sop.reading.forms import QUESTION_FIELDS, RuleForm, read_questions
from plugins.sop.reading.models import ReadingRule
from plugins.sop.runs.permissions import SCHEDULES
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.forms import new_token, options
from portal.core.numbers import whole_from
from portal.core.permissions import can
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access, int_argument
from portal.extensions import db
from portal.i18n import LANGUAGE_TAGS, _
from portal.org.models import Department


@blueprint.get("/")
@access(USE)
def library() -> str:
    """Find procedures: by words, pinyin initials, department, role, "for me"."""
    actor = current_actor()
    department = int_argument("department", 0, 1, 2**53) or None
    role = request.args.get("role", "")
    wanted = queries.LibraryFilter(
        query=clean_name(request.args.get("q", ""))[:100],
        department_id=department,
        role=role if role in words.ROLES else "",
        mine=request.args.get("mine") == "1",
        manual_id=int_argument("manual", 0, 1, 2**53) or None,
    )
    found = queries.find_procedures(actor, wanted, queries.PER_PAGE + 1)
    filtered = wanted != queries.LibraryFilter()
    return render_template(
        "sop/reading/library.html",
        wanted=wanted,
        found=found[: queries.PER_PAGE],
        more=len(found) > queries.PER_PAGE,
        filtered=filtered,
        shelf=queries.shelf(actor),
        departments=department_options(),
        to_read=[row for row in to_be_read(actor, clock.today()) if not row.done],
        words=words,
    )


@blueprint.get("/manuals/<int:manual_id>/read")
@access(USE)
def read(manual_id: int) -> str:
    """Read a manual: the effective version, or an earlier one by its number; chapter by chapter."""
    actor = current_actor()
    version = _version_to_read(manual_id)
    tree = book.tree_of(version)
    chapter = tree.part(request.args.get("chapter", ""))
    today = clock.today()
    shown = version.shown_state(today)
    query = {} if shown == "effective" else {"version": version.id}
    context: dict[str, Any] = {}
    if chapter is not None:
        context = {
            "html": markdown.render(book.body_of(version, chapter.key)),
            "drawn_list": book.draw_list(version, chapter, query),
        }
    else:
        acknowledged = services.acknowledgement_of(version.id, actor.user_id)
        context = {
            "drawn_changes": book.draw_changes(version, query) if version.base_id else None,
            "record": manuals.revision_record(version.id),
            "acknowledged": acknowledged,
            "waits": acknowledged is None and waits_for(actor, version),
        }
    key = chapter.key if chapter else ""
    return render_template(
        "sop/reading/manual.html",
        version=version,
        manual=version.manual,
        tree=tree,
        drawn_tree=book.draw_tree(version, tree, query, book.address_of(version, query, chapter=key), key),
        chapter=chapter,
        shown=shown,
        query=query,
        words=words,
        lang=LANGUAGE_TAGS.get(version.manual.language, "zh-Hans-CN"),
        may_edit=can(actor, EDIT, manual_id),
        today=today,
        **context,
    )


def _version_to_read(manual_id: int) -> ManualVersion:
    """The effective version, or the one that ?version= names. :raises NotFound: neither, or not for this person."""
    wanted = int_argument("version", 0, 1, 2**53)
    if not wanted:
        return queries.effective_for(manual_id, current_actor())
    version = load_seen(wanted, current_actor())
    if version.manual_id != manual_id:
        raise NotFound()
    return version


@blueprint.get("/procedures/<int:procedure_id>")
@access(USE)
def procedure(procedure_id: int) -> str:
    """Read a procedure as the effective version has it, or another one that ?version= names."""
    actor = current_actor()
    wanted = int_argument("version", 0, 1, 2**53)
    today = clock.today()
    version = load_seen(wanted, actor) if wanted else queries.version_with(procedure_id, actor)
    query = {"version": version.id} if wanted else {}
    content = book.content_of(version, procedure_id)
    tree = book.tree_of(version)
    before, after = tree.neighbours(procedure_id)
    here = book.address_of(version, query, procedure=procedure_id)
    return render_template(
        "sop/reading/procedure.html",
        version=version,
        manual=version.manual,
        content=content,
        drawn_tree=book.draw_tree(version, tree, query, here, content.chapter_key),
        before=before,
        after=after,
        change=reviewing.change_of(version, procedure_id),
        shown=version.shown_state(today),
        is_effective=version.is_effective_on(today),
        query=query,
        words=words,
        lang=LANGUAGE_TAGS.get(version.manual.language, "zh-Hans-CN"),
        may_schedule=can(actor, SCHEDULES),
        start_token=new_token(),
    )


@blueprint.get("/reading")
@access(USE)
def my_reading() -> str:
    """What I must read, what I have read."""
    return render_template(
        "sop/reading/mine.html", items=queries.my_reading(current_actor()), today=clock.today(), words=words
    )


@blueprint.route("/versions/<int:version_id>/acknowledge", methods=["GET", "POST"])
@access(USE)
def acknowledge(version_id: int) -> str | Response | tuple[str, int]:
    """Acknowledge a version, after its questions."""
    actor = current_actor()
    version = load_seen(version_id, actor)
    questions = services.questions_of(version.id)
    errors: list[str] = []
    status = 200
    if request.method == "POST":
        answers = {
            item.id: chosen
            for item in questions
            if (chosen := whole_from(request.form.get(f"answer-{item.id}", ""), 3)) is not None
        }
        try:
            with transaction():
                done = services.acknowledge(version_id, answers, actor) is not None
        except Invalid as error:
            errors = [str(message) for _field, message in error.errors]
        else:
            if done:
                flash(_("Thank you: noted that you have read it."), "success")
                return redirect(url_for("sop.my_reading"))
            errors = [_("Not all answers are right. Look it up in the manual and try again.")]
        status = 400
        version = load_seen(version_id, actor)
        questions = services.questions_of(version_id)
    if version.state != PUBLISHED:
        raise Conflict(_("This version is not published: there is nothing to acknowledge yet."))
    page = render_template(
        "sop/reading/acknowledge.html",
        version=version,
        questions=questions,
        errors=errors,
        done=services.acknowledgement_of(version_id, actor.user_id),
        is_effective=version.is_effective_on(clock.today()),
    )
    return page, status


@blueprint.route("/manuals/<int:manual_id>/readers", methods=["GET", "POST"])
@access(USE)
def readers(manual_id: int) -> str | Response | tuple[str, int]:
    """Who must read a manual, and who has."""
    actor = current_actor()
    manual = load_manual(manual_id, READ)
    may_edit = can(actor, EDIT, manual)
    if not may_edit and not can(actor, OVERSEE):
        raise NotAllowed(_("Who has read what is for heads, executives, auditors and those who write the manual."))
    form = RuleForm()
    form.department_id.choices = options(department_options(), "—")
    status = 200
    if request.method == "POST":
        load_manual(manual_id, EDIT)
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.add_rule(manual_id, form.to_input(), actor)
            except Invalid as error:
                form.show(error)
            else:
                flash(_("Noted. Those who still have to read it have been told."), "success")
                return redirect(url_for("sop.readers", manual_id=manual_id))
        manual = load_manual(manual_id, EDIT)
    return _readers_page(manual, form, may_edit), status


def _readers_page(manual: Manual, form: RuleForm, may_edit: bool) -> str:
    actor = current_actor()
    version = manuals.effective_version(manual.id)
    within = None if may_edit or not actor.headed or actor.roles & {"executive", "auditor"} else actor.oversees
    people = queries.readers(version, actor, within) if version else []
    department_id = int_argument("department", 0, 1, 2**53) or None
    if department_id is not None:
        near = set(db.session.scalars(select(Department.id).where(in_tree(department_id))))
        people = [person for person in people if person.department_id in near]
    state = request.args.get("state", "")
    shown = [person for person in people if not state or person.state == state]
    rules = list(
        db.session.scalars(select(ReadingRule).where(ReadingRule.manual_id == manual.id).order_by(ReadingRule.id))
    )
    return render_template(
        "sop/reading/readers.html",
        manual=manual,
        version=version,
        people=shown[:500],
        more=max(0, len(shown) - 500),
        counts={key: sum(person.state == key for person in people) for key in ("done", "open", "late")},
        total=len(people),
        state=state,
        department_id=department_id,
        rules=rules,
        departments=dict(department_options()),
        form=form,
        may_edit=may_edit,
        may_oversee=can(actor, OVERSEE),
        words=words,
        today=clock.today(),
    )


@blueprint.post("/reading-rules/<int:rule_id>/remove")
@access(USE)
def remove_rule(rule_id: int) -> Response:
    """Take a reading rule back."""
    with transaction():
        manual_id = services.remove_rule(rule_id, current_actor()).id
    flash(_("The rule is gone. What was acknowledged stays."), "success")
    return redirect(url_for("sop.readers", manual_id=manual_id))


@blueprint.route("/drafts/<int:draft_id>/questions", methods=["GET", "POST"])
@access(USE)
def questions(draft_id: int) -> str | Response | tuple[str, int]:
    """The questions asked when a version is acknowledged."""
    actor = current_actor()
    version = load_draft(draft_id, actor)
    errors: list[str] = []
    rows = [
        {"question": item.question, "answers": [*item.answers, "", "", "", ""][:4], "correct": item.correct}
        for item in services.questions_of(version.id)
    ]
    status = 200
    if request.method == "POST":
        typed = read_questions(request.form)
        try:
            with transaction():
                services.set_questions(draft_id, tuple(typed), actor)
        except Invalid as error:
            errors = [str(message) for _field, message in error.errors]
            rows = [
                {"question": item.question, "answers": [*item.answers, "", "", "", ""][:4], "correct": item.correct}
                for item in typed
            ]
            status = 400
        else:
            flash(_("The questions were saved."), "success")
            return redirect(url_for("sop.draft", draft_id=draft_id))
        version = load_draft(draft_id, actor)
    rows += [{"question": "", "answers": ["", "", "", ""], "correct": 0}] * (QUESTION_FIELDS - len(rows))
    return render_template("sop/reading/questions.html", version=version, rows=rows, errors=errors), status
