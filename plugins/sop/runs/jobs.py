"""Work of the clock: runs that start themselves, reminders of steps and plans."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from plugins.sop.programme.models import SopProgramme, SopProgrammeStep
from plugins.sop.programme.queries import LIVE
from plugins.sop.programme.services import NOTICE as PROGRAMME_NOTICE
from plugins.sop.runs import scheduling
from plugins.sop.runs.models import OPEN, STEP_OPEN, SopRun, SopRunStep
from plugins.sop.runs.services import NOTICE
from portal.core import clock, settings
from portal.core.calendar import add_working_days
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.paths import path_for
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _l
from portal.notifications.kinds import message, message_n
from portal.notifications.services import notify

START_OCCASIONS = "sop.start_occasions"
CHUNK = 200


def start_schedules(context: JobContext) -> dict[str, Any]:
    """Start the runs whose day has come."""
    today = clock.today()
    ids = scheduling.due_schedules(today)
    started = 0
    for number, schedule_id in enumerate(ids, start=1):
        context.check_cancelled()
        with transaction():
            started += scheduling.start_due(schedule_id, today) is not None
        context.progress(number, len(ids))
    return {"started": started}


def start_occasions(context: JobContext) -> dict[str, Any]:
    """Start the runs of occasions that happened; each in a transaction of its own."""
    started = 0
    while ids := scheduling.pending_occurrences(CHUNK):
        for occurrence_id in ids:
            context.check_cancelled()
            with transaction():
                started += scheduling.start_occurrence(occurrence_id) is not None
    return {"started": started}


def remind(context: JobContext) -> dict[str, Any]:
    """Tell people once a working day what of theirs is due today or late: steps of runs, steps of programmes."""
    context.check_cancelled()
    return {"people": _remind_runs(), "plan_steps": _remind_plans()}


def _remind_runs() -> int:
    today = clock.today()
    with transaction():
        rows = db.session.execute(
            select(SopRunStep.id, SopRunStep.assignee_id, SopRun.owner_id, SopRunStep.due_on)
            .join(SopRun, SopRun.id == SopRunStep.run_id)
            .where(
                SopRun.state == OPEN,
                SopRunStep.state == STEP_OPEN,
                SopRunStep.due_on <= today,
                (SopRunStep.reminded_on.is_(None)) | (SopRunStep.reminded_on < today),
            )
            .order_by(SopRunStep.id)
            .limit(5000)
        ).all()
        people: dict[int, int] = {}
        for row in rows:
            person = row.assignee_id or row.owner_id
            people[person] = people.get(person, 0) + 1
        ids = [row.id for row in rows]
        for start in range(0, len(ids), CHUNK):
            db.session.execute(
                SopRunStep.__table__.update()
                .where(SopRunStep.id.in_(ids[start : start + CHUNK]))
                .values(reminded_on=today)
            )
        for person, count in people.items():
            notify(
                [person],
                NOTICE,
                title=message_n(
                    "%(num)s step of your checklists is due or late",
                    "%(num)s steps of your checklists are due or late",
                    count,
                ),
                url=path_for("sop.my_steps"),
                about=f"sop_steps:{today}",
            )
    return len(people)


def _remind_plans() -> int:
    today = clock.today()
    soon = add_working_days(today, settings.get("sop.plan_reminder_days"))
    with transaction():
        steps = db.session.scalars(
            select(SopProgrammeStep)
            .join(SopProgramme, SopProgramme.id == SopProgrammeStep.programme_id)
            .where(
                SopProgramme.state.in_(LIVE),
                SopProgrammeStep.finished_on.is_(None),
                SopProgrammeStep.owner_id.is_not(None),
                SopProgrammeStep.ends_on <= soon,
                # Once when the end comes near, then once a week.
                (SopProgrammeStep.reminded_on.is_(None)) | (SopProgrammeStep.reminded_on <= today - timedelta(days=7)),
            )
        ).all()
        for step in steps:
            step.reminded_on = today
            notify(
                [step.owner_id or 0],
                PROGRAMME_NOTICE,
                title=message(
                    "Step %(position)s of “%(programme)s” ends on %(until)s; it is at %(percent)s%%",
                    position=step.position,
                    programme=step.programme.title,
                    until=step.ends_on,
                    percent=step.progress,
                ),
                url=path_for("sop.report_plan_step", plan_step_id=step.id),
                about=f"sop_programme_step:{step.id}",
            )
    return len(steps)


JOBS = (
    Job(
        "sop.start_schedules",
        _l("Start recurring checklists"),
        start_schedules,
        schedule=Schedule(minute="15", hour="6-20/2"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        START_OCCASIONS,
        _l("Start checklists of occasions"),
        start_occasions,
        schedule=Schedule(minute="*/15"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        "sop.remind_steps",
        _l("Remind of checklist steps and of the introduction plan"),
        remind,
        schedule=Schedule(minute="30", hour="8", working_days=True),
        idempotent=True,
        quiet=True,
    ),
)
