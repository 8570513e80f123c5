"""Pages of checklist runs: start, lists, the run itself."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.manuals.queries import procedure_for_run
from plugins.sop.permissions import READ, USE
from plugins.sop.runs import paper, queries, services
from plugins.sop.runs import vocabulary as words
from plugins.sop.runs.forms import CancelForm, CommentForm, NoteForm, OwnerForm, RunForm, StartForm, StepForm
from plugins.sop.runs.listings import RUNS
from plugins.sop.runs.models import OPEN, SopRun
from plugins.sop.runs.permissions import RUN_WORK, SCHEDULES
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.forms import new_token
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access, next_url
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _

#: Newest lines of the history that are shown at once.
SHOWN_EVENTS = 60


@blueprint.get("/runs/")
@access(USE)
def runs() -> str:
    """All runs that one may see."""
    page = RUNS.page(current_actor(), request.args)
    return render_template("sop/runs/index.html", page=page, may_schedule=can(current_actor(), SCHEDULES))


@blueprint.get("/runs/mine")
@access(USE)
def my_steps() -> str:
    """My steps: late, today, later."""
    today = clock.today()
    steps = queries.my_steps(current_actor())
    groups = [
        ("late", _("Overdue"), [step for step in steps if step.due_on is not None and step.due_on < today]),
        ("today", _("Due today"), [step for step in steps if step.due_on == today]),
        ("later", _("Later"), [step for step in steps if step.due_on is not None and step.due_on > today]),
        ("open", _("Without a date"), [step for step in steps if step.due_on is None]),
    ]
    return render_template("sop/runs/mine.html", groups=groups, total=len(steps), today=today)


@blueprint.get("/runs/start")
@access(USE)
def start() -> str:
    """Choose a procedure; each starts with one click."""
    actor = current_actor()
    customer = _customer(request.args.get("customer_id", ""))
    text = clean_name(request.args.get("q", ""))[:100]
    found = queries.startable(actor, clock.today(), text, limit=60)
    return render_template(
        "sop/runs/start.html",
        found=found,
        text=text,
        customer=customer,
        tokens={item.procedure_id: new_token() for item in found},
    )


def _customer(text: str) -> Customer | None:
    """The customer of the address, when one may see it."""
    customer_id = id_from(text)
    customer = db.session.get(Customer, customer_id) if customer_id is not None else None
    return customer if customer is not None and can(current_actor(), "customers.view", customer) else None


@blueprint.post("/runs/start")
@access(USE)
def start_run() -> Response:
    """Start a run with one click."""
    form = StartForm()
    if not form.validate():
        flash(" ".join(str(text) for texts in form.errors.values() for text in texts), "warning")
        return redirect(next_url(url_for("sop.start")))
    try:
        with transaction():
            run_id = services.start_run(form.to_input(form.procedure_id.data), current_actor()).id
    except Invalid as error:
        flash(str(error), "warning")
        return redirect(next_url(url_for("sop.start")))
    return redirect(url_for("sop.run", run_id=run_id))


@blueprint.route("/procedures/<int:procedure_id>/start", methods=["GET", "POST"])
@access(USE)
def start_with(procedure_id: int) -> str | Response | tuple[str, int]:
    """Start a run for a customer, with other dates or for somebody else."""
    actor = current_actor()
    template = procedure_for_run(procedure_id, clock.today())
    require(actor, READ, template.manual_id)
    form = RunForm(data={"starts_on": clock.today(), "owner_id": actor.user_id, "token": new_token()})
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                run_id = services.start_run(form.to_input(procedure_id), actor).id
        except Invalid as error:
            form.show(error)
        else:
            return redirect(url_for("sop.run", run_id=run_id))
    page = render_template("sop/runs/start_with.html", form=form, template=template)
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/runs/<int:run_id>")
@access(USE)
def run(run_id: int) -> str:
    """The checklist: steps to tick, history."""
    return _page(run_id)


def _page(run_id: int, **forms: Any) -> str:
    actor = current_actor()
    found = queries.load_run(run_id, actor)
    lines = queries.step_lines(found)
    return render_template(
        "sop/runs/show.html",
        run=found,
        lines=lines,
        events=queries.events_of(found.id, SHOWN_EVENTS),
        words=words,
        today=clock.today(),
        may_work=can(actor, RUN_WORK, found.id),
        may_open_customer=queries.may_open_customer(found, actor),
        open_step=forms.get("open_step"),
        note=forms.get("note") or NoteForm(formdata=None),
        comment=forms.get("comment") or CommentForm(formdata=None),
        cancel=forms.get("cancel") or CancelForm(formdata=None),
        owner=forms.get("owner") or OwnerForm(formdata=None, owner_id=found.owner_id),
    )


def _back(run_id: int, position: int | None = None) -> Response:
    anchor = f"step-{position}" if position is not None else None
    return redirect(url_for("sop.run", run_id=run_id, _anchor=anchor))


@blueprint.post("/runs/steps/<int:run_step_id>/<any(tick, skip, undo):step_action>")
@access(USE)
def change_step(run_step_id: int, step_action: str) -> str | Response | tuple[str, int]:
    """Tick a step, say that it does not apply, or take that back."""
    actor = current_actor()
    run_id = queries.run_of_step(run_step_id)
    require(actor, RUN_WORK, run_id)
    form = NoteForm()
    note = form.note.data or ""
    if not form.validate():
        return _page(run_id, open_step=run_step_id, note=form), 400
    try:
        with transaction():
            if step_action == "tick":
                services.tick_step(run_step_id, note, actor)
            elif step_action == "skip":
                services.skip_step(run_step_id, note, actor)
            else:
                services.undo_step(run_step_id, actor)
    except Invalid as error:
        form.show(error)
        return _page(run_id, open_step=run_step_id, note=form), 400
    except Conflict as error:
        flash(str(error), "warning")
        return _back(run_id, _position(run_step_id))
    closed = db.session.get(SopRun, run_id)
    if closed is not None and closed.state != OPEN:
        flash(_("All steps are closed: the checklist is completed."), "success")
        return _back(run_id)
    following = _next_open(run_id) if step_action != "undo" else _position(run_step_id)
    return _back(run_id, following)


def _position(run_step_id: int) -> int | None:
    from plugins.sop.runs.models import SopRunStep

    step = db.session.get(SopRunStep, run_step_id)
    return step.position if step is not None else None


def _next_open(run_id: int) -> int | None:
    run = queries.load_run(run_id, current_actor())
    return next((line.position for line in queries.step_lines(run) if line.run_step_id and line.state == OPEN), None)


@blueprint.route("/runs/steps/<int:run_step_id>/plan", methods=["GET", "POST"])
@access(USE)
def plan_step(run_step_id: int) -> str | Response | tuple[str, int]:
    """Give a step to a colleague, set its date."""
    actor = current_actor()
    run_id = queries.run_of_step(run_step_id)
    require(actor, RUN_WORK, run_id)
    found = queries.load_run(run_id, actor)
    line = next(line for line in queries.step_lines(found) if line.run_step_id == run_step_id)
    form = StepForm(data={"assignee_id": line.assignee_id, "due_on": line.due_on})
    if form.validate_on_submit():
        try:
            with transaction():
                services.assign_step(run_step_id, form.assignee_id.data, actor)
                if form.due_on.data != line.due_on:
                    services.set_due(run_step_id, form.due_on.data, actor)
        except Invalid as error:
            for name, sentence in error.errors:
                field = form["assignee_id" if name == "owner_id" else name]
                field.errors = [*field.errors, str(sentence)]
        except Conflict as error:
            flash(str(error), "warning")
            return _back(run_id, line.position)
        else:
            flash(_("The step was saved."), "success")
            return _back(run_id, line.position)
    page = render_template("sop/runs/plan.html", form=form, run=queries.load_run(run_id, actor), line=line, words=words)
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/runs/<int:run_id>/comment")
@access(USE)
def comment_run(run_id: int) -> str | Response | tuple[str, int]:
    """Write a remark."""
    form = CommentForm()
    require(current_actor(), RUN_WORK, run_id)
    if not form.validate():
        return _page(run_id, comment=form), 400
    with transaction():
        services.comment(run_id, form.text.data or "", current_actor())
    return redirect(url_for("sop.run", run_id=run_id, _anchor="history"))


@blueprint.post("/runs/<int:run_id>/cancel")
@access(USE)
def cancel_run(run_id: int) -> str | Response | tuple[str, int]:
    """Call a run off, with a reason."""
    form = CancelForm()
    require(current_actor(), RUN_WORK, run_id)
    if not form.validate():
        return _page(run_id, cancel=form), 400
    try:
        with transaction():
            services.cancel_run(run_id, form.reason.data or "", current_actor())
    except Conflict as error:
        flash(str(error), "warning")
    else:
        flash(_("The checklist was called off."), "success")
    return _back(run_id)


@blueprint.post("/runs/<int:run_id>/owner")
@access(USE)
def hand_over_run(run_id: int) -> str | Response | tuple[str, int]:
    """Make somebody else responsible."""
    form = OwnerForm()
    require(current_actor(), RUN_WORK, run_id)
    if form.validate():
        try:
            with transaction():
                services.hand_over(run_id, form.owner_id.data, current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error), "warning")
            return _back(run_id)
        else:
            if not can(current_actor(), "sop.run_view", run_id):
                flash(_("The checklist was handed over."), "success")
                return redirect(url_for("sop.runs"))
            flash(_("The checklist was handed over."), "success")
            return _back(run_id)
    return _page(run_id, owner=form), 400


@blueprint.post("/runs/<int:run_id>/pdf")
@access(USE)
def print_run(run_id: int) -> Response:
    """The run, filled or not, as a numbered PDF."""
    actor = current_actor()
    found = queries.load_run(run_id, actor)
    document = paper.run_document(found, queries.step_lines(found), queries.events_of(found.id, 200), actor)
    return redirect(url_for("documents.download", document_id=document.id))


@blueprint.post("/runs/blank/<int:procedure_id>")
@access(USE)
def print_blank(procedure_id: int) -> Response:
    """A blank checklist of the effective text, to be filled with a pen."""
    document = paper.blank_document(procedure_id, current_actor())
    return redirect(url_for("documents.download", document_id=document.id))
