"""Pages of checklists, figures and introduction programmes of the plugin sop; a run of anna's for her customer."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from plugins.sop.files import CheckedFile
from plugins.sop.programme import assessing
from plugins.sop.programme import services as programmes
from plugins.sop.programme.models import SopProgrammeStep
from plugins.sop.runs import filing, scheduling, services
from plugins.sop.runs.models import SopRunStep
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.access.letters import HIDDEN, STAFF
from tests.sop_work import publish
from tests.world import World

#: heads, executives and the editor of the procedures
LEADERS_AND_EDITOR = "l---ooo----o"
#: heads, executives, auditors, the editor
OVERSEE = "l---oooo---o"
#: executives and the editor
MANAGERS = "l-----o----o"
#: whoever is responsible for the step (anna), executives, the editor
STEP_OWNER = "l-o---o----o"
#: a confidential manual of the office: those who work there, executives, auditors, the editor
OFFICE = "lo????ooo??o"

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {}
MATRIX = {
    "GET /sop/figures": STAFF,
    "GET /sop/figures/reading": OVERSEE,
    "GET /sop/runs/": STAFF,
    "GET /sop/runs/mine": STAFF,
    "GET /sop/runs/start": STAFF,
    "POST /sop/runs/start": STAFF,
    "GET /sop/procedures/<int:procedure_id>/start": STAFF,
    "POST /sop/procedures/<int:procedure_id>/start": STAFF,
    "GET /sop/runs/<int:run_id>": HIDDEN,
    "POST /sop/runs/<int:run_id>/cancel": HIDDEN,
    "POST /sop/runs/<int:run_id>/comment": HIDDEN,
    "POST /sop/runs/<int:run_id>/owner": HIDDEN,
    "POST /sop/runs/<int:run_id>/pdf": HIDDEN,
    "POST /sop/runs/blank/<int:procedure_id>": OFFICE,
    "GET /sop/runs/files/<int:run_file_id>": HIDDEN,
    "POST /sop/runs/files/<int:run_file_id>/remove": HIDDEN,
    "POST /sop/runs/steps/<int:run_step_id>/<any(tick, skip, undo):step_action>": HIDDEN,
    "POST /sop/runs/steps/<int:run_step_id>/files": HIDDEN,
    "GET /sop/runs/steps/<int:run_step_id>/plan": HIDDEN,
    "POST /sop/runs/steps/<int:run_step_id>/plan": HIDDEN,
    "GET /sop/schedules": LEADERS_AND_EDITOR,
    "GET /sop/schedules/new": LEADERS_AND_EDITOR,
    "POST /sop/schedules/new": LEADERS_AND_EDITOR,
    "GET /sop/schedules/<int:schedule_id>": LEADERS_AND_EDITOR,
    "POST /sop/schedules/<int:schedule_id>": LEADERS_AND_EDITOR,
    "POST /sop/schedules/<int:schedule_id>/<any(on, off):switch>": LEADERS_AND_EDITOR,
    "GET /sop/programmes": STAFF,
    "GET /sop/programmes/<int:programme_id>": STAFF,
    "POST /sop/programmes/<int:programme_id>/<any(running, finished, stopped):state>": MANAGERS,
    "GET /sop/programmes/<int:programme_id>/assessment": LEADERS_AND_EDITOR,
    "GET /sop/programmes/<int:programme_id>/assessment/new": MANAGERS,
    "POST /sop/programmes/<int:programme_id>/assessment/new": MANAGERS,
    "GET /sop/programmes/<int:programme_id>/budget": LEADERS_AND_EDITOR,
    "POST /sop/programmes/<int:programme_id>/budget": MANAGERS,
    "GET /sop/programmes/<int:programme_id>/edit": MANAGERS,
    "POST /sop/programmes/<int:programme_id>/edit": MANAGERS,
    "GET /sop/programmes/<int:programme_id>/scorecard": LEADERS_AND_EDITOR,
    "GET /sop/programmes/<int:programme_id>/scorecard/<any(before, after):side>": MANAGERS,
    "POST /sop/programmes/<int:programme_id>/scorecard/<any(before, after):side>": MANAGERS,
    "GET /sop/programmes/assessments/<int:assessment_id>": MANAGERS,
    "POST /sop/programmes/assessments/<int:assessment_id>": MANAGERS,
    "GET /sop/programmes/new": MANAGERS,
    "POST /sop/programmes/new": MANAGERS,
    "GET /sop/programmes/steps/<int:plan_step_id>": MANAGERS,
    "POST /sop/programmes/steps/<int:plan_step_id>": MANAGERS,
    "GET /sop/programmes/steps/<int:plan_step_id>/progress": STEP_OWNER,
    "POST /sop/programmes/steps/<int:plan_step_id>/progress": STEP_OWNER,
}


def build(stage: Any, world: World) -> None:
    """A run of anna's with a file, a schedule, a programme with her as owner of its steps, an assessment."""
    anna, edda = world.actor("anna"), world.actor("edda")
    stage.ids |= {
        "sop.change_programme_state:state": "running",
        "sop.edit_scores:side": "before",
        "sop.save_scores:side": "before",
        "sop.change_step:step_action": "tick",
        "sop.switch_schedule:switch": "off",
    }
    procedure = publish(world, code="XS-901")
    stage.ids["sop.print_blank:procedure_id"] = publish(world, code="XS-902", classification="confidential")
    with transaction():
        data = services.StartInput(procedure, customer_id=stage.ids["customer_id"])
        run_id = services.start_run(data, anna).id
    # "run_id" alone is a background job's.
    for page in ("run", "cancel_run", "comment_run", "hand_over_run", "print_run"):
        stage.ids[f"sop.{page}:run_id"] = run_id
    with transaction():
        steps = select(SopRunStep.id).where(SopRunStep.run_id == run_id).order_by(SopRunStep.position)
        stage.ids["run_step_id"] = db.session.scalars(steps).first()
        stage.ids["run_file_id"] = filing.add_file(
            stage.ids["run_step_id"], CheckedFile("记录.pdf", "application/pdf", b"%PDF-1.7 x"), anna
        ).id
        weekly = scheduling.ScheduleInput(procedure, clock.today(), frequency="daily", owner_id=anna.user_id)
        stage.ids["schedule_id"] = scheduling.save_schedule(None, weekly, edda).id
        programme = programmes.create_programme(
            programmes.ProgrammeInput("导入计划", date(2026, 3, 2), owner_id=edda.user_id), edda
        )
        stage.ids["programme_id"] = programme.id
        for step in programme.steps:
            step.owner_id = anna.user_id
        stage.ids["plan_step_id"] = db.session.scalars(select(SopProgrammeStep.id)).first()
        answers = {"customers.1": assessing.AnswerInput(2, 3, "一客多档")}
        filled = assessing.AssessmentInput("start", date(2026, 3, 2), answers=answers)
        stage.ids["assessment_id"] = assessing.save_assessment(programme, None, filled, edda).id
