"""Pages of introduction programmes: overview, plan, steps."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.programme import pictures, plan, queries, services
from plugins.sop.programme import settings as weeks_settings
from plugins.sop.programme import vocabulary as words
from plugins.sop.programme.forms import ProgrammeForm, ProgressForm, StateForm, StepForm
from plugins.sop.programme.models import SopProgramme, SopProgrammeStep
from plugins.sop.programme.permissions import PROGRAMME, PROGRAMME_MANAGE
from portal.auth.current import current_actor
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access, signed_in
from portal.i18n import _, _n


@blueprint.get("/programmes")
@signed_in
def programmes() -> str:
    """All introduction programmes with their progress."""
    today = clock.today()
    return render_template(
        "sop/programme/index.html",
        lines=queries.programme_lines(today),
        words=words,
        may_manage=can(current_actor(), PROGRAMME_MANAGE),
    )


@blueprint.route("/programmes/new", methods=["GET", "POST"])
@access(PROGRAMME_MANAGE)
def new_programme() -> str | Response | tuple[str, int]:
    """Plan a programme."""
    form = ProgrammeForm()
    if request.method == "GET":
        form.starts_on.data = clock.today()
        form.weeks_1.data, form.weeks_2.data, form.weeks_3.data = weeks_settings.weeks()
    if form.validate_on_submit():
        try:
            with transaction():
                made = services.create_programme(form.to_input(), current_actor()).id
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The plan was made."), "success")
            return redirect(url_for("sop.programme", programme_id=made))
    page = render_template("sop/programme/form.html", form=form, programme=None)
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/programmes/<int:programme_id>/edit", methods=["GET", "POST"])
@access(PROGRAMME_MANAGE)
def edit_programme(programme_id: int) -> str | Response | tuple[str, int]:
    """Change name, goal and leader."""
    programme = queries.load_programme(programme_id)
    form = ProgrammeForm(obj=programme)
    for name in ("starts_on", "weeks_1", "weeks_2", "weeks_3"):
        delattr(form, name)
    if form.validate_on_submit():
        try:
            with transaction():
                data = services.ProgrammeInput(
                    title=form.title.data or "",
                    starts_on=programme.starts_on,
                    goal=form.goal.data or "",
                    owner_id=form.owner_id.data,
                )
                services.change_programme(queries.load_programme(programme_id), data, current_actor())
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The programme was saved."), "success")
            return redirect(url_for("sop.programme", programme_id=programme_id))
    page = render_template("sop/programme/form.html", form=form, programme=queries.load_programme(programme_id))
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/programmes/<int:programme_id>")
@signed_in
def programme(programme_id: int) -> str:
    """The plan: picture, steps with dates, owners and progress, history."""
    found = queries.load_programme(programme_id)
    today = clock.today()
    time = _slack(found)
    return render_template(
        "sop/programme/show.html",
        programme=found,
        words=words,
        chart=pictures.gantt(found, time, today),
        slack=time,
        progress=queries.overall_progress(found.steps),
        expected=queries.expected_overall(found.steps, today),
        history=queries.events_of(found.id),
        tabs=tabs(found, "plan"),
        today=today,
        state_forms={state: StateForm(formdata=None) for state in services.FOLLOWING[found.state]},
        may_manage=can(current_actor(), PROGRAMME_MANAGE),
        may_report=[step.id for step in found.steps if services.may_report(step, current_actor())],
    )


def _slack(programme: SopProgramme) -> plan.Slack:
    ends_on = max(step.ends_on for step in programme.steps)
    return plan.slack(
        programme.steps[0].begins_on, ends_on, settings.get("sop.slack_fewest"), settings.get("sop.slack_most")
    )


def tabs(programme: SopProgramme, active: str) -> list[dict[str, Any]]:
    """The parts of a programme; budget, assessment and scorecard for those who may see them."""
    found = [("plan", _("Plan"), "sop.programme")]
    if can(current_actor(), PROGRAMME):
        found += [
            ("budget", _("Budget"), "sop.programme_budget"),
            ("assessment", _("Self-assessment"), "sop.programme_assessment"),
            ("scorecard", _("Scorecard"), "sop.programme_scorecard"),
        ]
    return [
        {"label": label, "url": url_for(endpoint, programme_id=programme.id), "active": key == active, "count": None}
        for key, label, endpoint in found
    ]


@blueprint.post("/programmes/<int:programme_id>/<any(running, finished, stopped):state>")
@access(PROGRAMME_MANAGE)
def change_programme_state(programme_id: int, state: str) -> Response:
    """Begin, finish, stop or take up a programme."""
    try:
        with transaction():
            programme = queries.load_programme(programme_id)
            services.change_state(programme, state, request.form.get("reason", ""), current_actor())
    except (Invalid, Conflict) as error:
        flash(str(error), "warning")
    else:
        flash(_("The state of the programme was changed."), "success")
    return redirect(url_for("sop.programme", programme_id=programme_id))


@blueprint.route("/programmes/steps/<int:plan_step_id>", methods=["GET", "POST"])
@access(PROGRAMME_MANAGE)
def edit_plan_step(plan_step_id: int) -> str | Response | tuple[str, int]:
    """Move a step; later ones follow."""
    step = queries.load_step(plan_step_id)
    form = StepForm(obj=step)
    if form.validate_on_submit():
        try:
            with transaction():
                later = services.change_step(queries.load_step(plan_step_id), form.to_input(), current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error), "warning")
        else:
            if later:
                flash(_n("%(num)s later step followed.", "%(num)s later steps followed.", later), "success")
            else:
                flash(_("The step was saved."), "success")
            return redirect(url_for("sop.programme", programme_id=queries.load_step(plan_step_id).programme_id))
    return _step_page("sop/programme/step.html", queries.load_step(plan_step_id), form)


@blueprint.route("/programmes/steps/<int:plan_step_id>/progress", methods=["GET", "POST"])
@signed_in
def report_plan_step(plan_step_id: int) -> str | Response | tuple[str, int]:
    """Say how far a step is."""
    actor = current_actor()
    step = queries.load_step(plan_step_id)
    if not services.may_report(step, actor):
        services.refuse_report()
    form = ProgressForm(obj=step)
    if form.validate_on_submit():
        try:
            with transaction():
                services.report_progress(queries.load_step(plan_step_id), form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error), "warning")
        else:
            flash(_("Progress was noted."), "success")
            return redirect(url_for("sop.programme", programme_id=queries.load_step(plan_step_id).programme_id))
    return _step_page("sop/programme/progress.html", queries.load_step(plan_step_id), form)


def _step_page(template: str, step: SopProgrammeStep, form: Any) -> tuple[str, int]:
    page = render_template(template, form=form, step=step, programme=step.programme, words=words)
    return page, 400 if request.method == "POST" else 200
