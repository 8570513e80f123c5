"""Pages of runs that start themselves."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.sop.blueprint import blueprint
from plugins.sop.runs import queries, scheduling
from plugins.sop.runs import vocabulary as words
from plugins.sop.runs.forms import ScheduleForm
from plugins.sop.runs.models import FREQUENCIES, SopSchedule
from plugins.sop.runs.permissions import SCHEDULES
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.occasions import occasions
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _
from portal.org.queries import departments_indented


@blueprint.get("/schedules")
@access(SCHEDULES)
def schedules() -> str:
    """All recurring starts."""
    today = clock.today()
    found = queries.schedules(current_actor())
    return render_template(
        "sop/runs/schedules.html",
        schedules=found,
        titles=queries.titles_of([item.procedure_id for item in found], today),
        next_runs={item.id: scheduling.next_run(item, today) for item in found},
        occasions=occasions(),
        words=words,
    )


@blueprint.route("/schedules/new", methods=["GET", "POST"])
@access(SCHEDULES)
def new_schedule() -> str | Response | tuple[str, int]:
    """Set up a recurring start."""
    form = ScheduleForm()
    if request.method == "GET":
        form.starts_on.data = clock.today()
        form.owner_id.show(current_actor().user_id)
        form.procedure_id.data = id_from(request.args.get("procedure_id", ""))
    return _edit(None, form)


@blueprint.route("/schedules/<int:schedule_id>", methods=["GET", "POST"])
@access(SCHEDULES)
def edit_schedule(schedule_id: int) -> str | Response | tuple[str, int]:
    """Change a recurring start."""
    schedule = queries.load_schedule(schedule_id)
    form = ScheduleForm(obj=schedule)
    if request.method == "GET" and schedule.occasion:
        form.frequency.data = f"on:{schedule.occasion}"
    return _edit(schedule, form)


def _edit(schedule: SopSchedule | None, form: ScheduleForm) -> str | Response | tuple[str, int]:
    actor = current_actor()
    schedule_id = schedule.id if schedule is not None else None
    form.procedure_id.choices = options(queries.procedure_choices(actor, clock.today()), _("Choose"))
    days = [(key, words.word(words.FREQUENCIES, key)) for key in FREQUENCIES]
    happening = [(f"on:{item.key}", _("Occasion: %(what)s", what=item.title)) for item in occasions()]
    form.frequency.choices = options([*days, *happening])
    form.department_id.choices = options(departments_indented(), _("All departments"))
    if form.validate_on_submit():
        try:
            with transaction():
                kept = queries.load_schedule(schedule_id) if schedule_id is not None else None
                scheduling.save_schedule(kept, form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The recurring start was saved."), "success")
            return redirect(url_for("sop.schedules"))
    page = render_template("sop/runs/schedule.html", form=form, schedule_id=schedule_id)
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/schedules/<int:schedule_id>/<any(on, off):switch>")
@access(SCHEDULES)
def switch_schedule(schedule_id: int, switch: str) -> Response:
    """Switch a recurring start on or off."""
    with transaction():
        scheduling.switch_schedule(queries.load_schedule(schedule_id), switch == "on", current_actor())
    flash(_("Switched on.") if switch == "on" else _("Switched off."), "success")
    return redirect(url_for("sop.schedules"))
