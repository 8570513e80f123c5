"""Runs that start themselves: on days that come again and on occasions. Services flush; the caller commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, update

from plugins.sop.manuals.models import Procedure
from plugins.sop.manuals.queries import procedure_for_run
from plugins.sop.permissions import READ
from plugins.sop.runs.actions import RunAction
from plugins.sop.runs.models import (
    BY_ACCOUNT_MANAGER,
    BY_CAUSER,
    BY_PERSON,
    DAILY,
    FREQUENCIES,
    MONTHLY,
    OCCASION,
    OPEN,
    QUARTERLY,
    SCHEDULE,
    WEEKLY,
    YEARLY,
    SopOccurrence,
    SopRun,
    SopSchedule,
)
from plugins.sop.runs.permissions import SCHEDULES
from plugins.sop.runs.rules import Recurrence
from plugins.sop.runs.services import StartInput, call_off, lock_run, start_run
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.occasions import occasions
from portal.core.permissions import can, require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import SYSTEM, Actor
from portal.org.models import Department, User


@dataclass(frozen=True)
class ScheduleInput:
    """What starts runs by itself: days (`frequency`) or an occasion, never both."""

    procedure_id: int
    starts_on: date
    frequency: str = ""
    occasion: str = ""
    weekday: int | None = None
    day: int | None = None
    month: int | None = None
    department_id: int | None = None
    customer_id: int | None = None
    responsible: str = BY_PERSON
    owner_id: int | None = None
    due_days: int | None = None
    ends_on: date | None = None


def recurrence_of(schedule: SopSchedule) -> Recurrence:
    """The days of a schedule."""
    return Recurrence(schedule.frequency, schedule.weekday, schedule.day, schedule.month)


def next_run(schedule: SopSchedule, today: date) -> date | None:
    """When its next run begins; None for an occasion, one that is switched off, or one that is over."""
    if schedule.kind != SCHEDULE or not schedule.is_active:
        return None
    found = recurrence_of(schedule).next_run(_before(schedule, today))
    return None if schedule.ends_on is not None and found > schedule.ends_on else found


def _before(schedule: SopSchedule, today: date) -> date:
    """The day after which the next pattern day is looked for."""
    first = schedule.starts_on - timedelta(days=1)
    return max(first, schedule.last_on or first)


def save_schedule(schedule: SopSchedule | None, data: ScheduleInput, actor: Actor) -> SopSchedule:
    """Set up or change a recurring start. :raises Invalid: for what cannot be."""
    require(actor, SCHEDULES)
    _check(data, actor)
    is_new = schedule is None
    if schedule is None:
        schedule = SopSchedule(created_at=clock.now(), created_by_id=actor.user_id, kind=SCHEDULE, frequency=DAILY)
        db.session.add(schedule)
    pattern = (schedule.frequency, schedule.weekday, schedule.day, schedule.month, schedule.starts_on)
    schedule.procedure_id = data.procedure_id
    schedule.kind = OCCASION if data.occasion else SCHEDULE
    schedule.frequency, schedule.occasion = data.frequency, data.occasion
    schedule.weekday = data.weekday if data.frequency == WEEKLY else None
    schedule.day = data.day if data.frequency in (MONTHLY, QUARTERLY, YEARLY) else None
    schedule.month = data.month if data.frequency in (QUARTERLY, YEARLY) else None
    schedule.department_id = data.department_id if data.occasion else None
    schedule.customer_id = None if data.occasion else data.customer_id
    schedule.responsible = data.responsible
    assert data.owner_id is not None  # checked above
    schedule.owner_id, schedule.due_days = data.owner_id, data.due_days
    schedule.starts_on, schedule.ends_on = data.starts_on, data.ends_on
    schedule.problem = ""
    changed = (schedule.frequency, schedule.weekday, schedule.day, schedule.month, schedule.starts_on) != pattern
    if changed and not is_new:
        # A new pattern begins today; days of the old one that were missed are not made up.
        schedule.last_on = clock.today() - timedelta(days=1)
    db.session.flush()
    _record(schedule, RunAction.SCHEDULE_CREATED if is_new else RunAction.SCHEDULE_CHANGED, actor)
    return schedule


def switch_schedule(schedule: SopSchedule, is_active: bool, actor: Actor) -> None:
    """Switch a recurring start on or off; days that passed meanwhile are not made up."""
    require(actor, SCHEDULES)
    if schedule.is_active == is_active:
        return
    schedule.is_active = is_active
    if is_active:
        schedule.last_on = max(schedule.last_on or date.min, clock.today() - timedelta(days=1))
        schedule.problem = ""
    db.session.flush()
    _record(schedule, RunAction.SCHEDULE_CHANGED, actor)


def _check(data: ScheduleInput, actor: Actor) -> None:
    errors = ErrorList()
    if data.occasion:
        if data.occasion not in occasions():
            errors.add("frequency", _("This occasion is not known."))
    elif data.frequency not in FREQUENCIES:
        errors.add("frequency", _("Choose when runs begin."))
    if data.frequency == WEEKLY and data.weekday not in range(1, 8):
        errors.add("weekday", _("Choose a weekday."))
    if data.frequency in (MONTHLY, QUARTERLY, YEARLY) and data.day not in range(1, 32):
        errors.add("day", _("A day is 1 to 31."))
    if data.frequency == QUARTERLY and data.month not in range(1, 4):
        errors.add("month", _("Which month of the quarter: 1, 2 or 3."))
    if data.frequency == YEARLY and data.month not in range(1, 13):
        errors.add("month", _("A month is 1 to 12."))
    if data.ends_on is not None and data.ends_on < data.starts_on:
        errors.add("ends_on", _("The last day lies before the first one."))
    if not 2000 <= data.starts_on.year <= 2090:
        errors.add("starts_on", _("Enter a day between 2000 and 2090."))
    if data.due_days is not None and not 0 <= data.due_days <= 250:
        errors.add("due_days", _("Enter between 0 and 250 working days."))
    if data.responsible not in (BY_PERSON, BY_ACCOUNT_MANAGER, BY_CAUSER):
        errors.add("responsible", _("Choose who is responsible."))
    if data.responsible == BY_CAUSER and not data.occasion:
        errors.add("responsible", _("Only an occasion is brought about by somebody."))
    if data.responsible == BY_ACCOUNT_MANAGER and not data.occasion and data.customer_id is None:
        errors.add("responsible", _("Without a customer there is no account manager."))
    owner = db.session.get(User, data.owner_id) if data.owner_id is not None else None
    if owner is None or not owner.is_active:
        errors.add("owner_id", _("Name somebody who works here; he stands in where nobody else is responsible."))
    procedure = db.session.get(Procedure, data.procedure_id)
    if procedure is None or not can(actor, READ, procedure.manual_id):
        errors.add("procedure_id", _("Choose a procedure."))
    else:
        _check_effective(data.procedure_id, errors)
    if data.customer_id is not None and not can(actor, "customers.view", data.customer_id):
        errors.add("customer_id", _("Choose a customer whom you may see."))
    errors.raise_if_any()


def _check_effective(procedure_id: int, errors: ErrorList) -> None:
    try:
        procedure_for_run(procedure_id, clock.today())
    except NotFound:
        errors.add("procedure_id", _("No effective version has this procedure."))


# ---- starting ------------------------------------------------------------------------------------------------------


def due_schedules(today: date) -> list[int]:
    """Ids of the schedules of days that may have something to start."""
    statement = select(SopSchedule.id).where(
        SopSchedule.kind == SCHEDULE,
        SopSchedule.is_active,
        SopSchedule.starts_on <= today,
        (SopSchedule.last_on.is_(None)) | (SopSchedule.last_on < today),
    )
    return list(db.session.scalars(statement.order_by(SopSchedule.id)))


def start_due(schedule_id: int, today: date) -> SopRun | None:
    """Start the run of a schedule whose day has come; safe to call twice: `origin` names the day.

    Missed days make one run. What cannot be started is noted with the schedule and told to its owner's list.
    """
    schedule = db.session.get(SopSchedule, schedule_id, with_for_update=True)
    if schedule is None or not schedule.is_active or schedule.kind != SCHEDULE:
        return None
    day = recurrence_of(schedule).latest_due(_before(schedule, today), today)
    if day is None or (schedule.ends_on is not None and day > schedule.ends_on):
        return None
    schedule.last_on = day
    run = _start(schedule, f"schedule:{schedule.id}:{day}", schedule.customer_id, None)
    db.session.flush()
    return run


def note_occasion(occasion: str, subject: str, customer_id: int | None, actor: Actor) -> int:
    """An occasion happened: note one occurrence for each schedule that waits for it; how many are new.

    Cheap and in the caller's transaction; runs are started by a job afterwards. Told twice, noted once.
    """
    statement = select(SopSchedule).where(
        SopSchedule.occasion == occasion,
        SopSchedule.is_active,
        SopSchedule.starts_on <= clock.today(),
        (SopSchedule.ends_on.is_(None)) | (SopSchedule.ends_on >= clock.today()),
    )
    waiting = [item for item in db.session.scalars(statement) if _concerns(item, customer_id)]
    new = 0
    for schedule in waiting:
        known = select(SopOccurrence.id).where(
            SopOccurrence.schedule_id == schedule.id, SopOccurrence.subject == subject
        )
        if db.session.scalar(known) is not None:
            continue
        db.session.add(
            SopOccurrence(
                schedule_id=schedule.id,
                subject=subject[:80],
                customer_id=customer_id,
                causer_id=actor.user_id,
                happened_at=clock.now(),
            )
        )
        new += 1
    db.session.flush()
    return new


def _concerns(schedule: SopSchedule, customer_id: int | None) -> bool:
    """Whether the customer is one of the schedule's department or of those below it."""
    if schedule.department_id is None:
        return True
    if customer_id is None:
        return False
    department = db.session.get(Department, schedule.department_id)
    path = db.session.scalar(
        select(Department.path)
        .join(Customer, Customer.department_id == Department.id)
        .where(Customer.id == customer_id)
    )
    return department is not None and path is not None and path.startswith(department.path)


def pending_occurrences(limit: int = 200) -> list[int]:
    """Ids of the occurrences that no run was started for yet."""
    statement = select(SopOccurrence.id).where(SopOccurrence.handled_at.is_(None)).order_by(SopOccurrence.id)
    return list(db.session.scalars(statement.limit(limit)))


def start_occurrence(occurrence_id: int) -> SopRun | None:
    """Start the run of an occurrence, once: whoever takes the row first does it."""
    taken = db.session.execute(
        update(SopOccurrence)
        .where(SopOccurrence.id == occurrence_id, SopOccurrence.handled_at.is_(None))
        .values(handled_at=clock.now())
    )
    if getattr(taken, "rowcount", 0) != 1:
        return None
    occurrence = db.session.get_one(SopOccurrence, occurrence_id, populate_existing=True)
    schedule = db.session.get_one(SopSchedule, occurrence.schedule_id)
    origin = f"occasion:{schedule.id}:{occurrence.subject}"
    run = _start(schedule, origin, occurrence.customer_id, occurrence.causer_id)
    occurrence.run_id = run.id if run else None
    occurrence.problem = "" if run else schedule.problem
    db.session.flush()
    return run


def _start(schedule: SopSchedule, origin: str, customer_id: int | None, causer_id: int | None) -> SopRun | None:
    data = StartInput(
        procedure_id=schedule.procedure_id,
        customer_id=customer_id,
        owner_id=_responsible(schedule, customer_id, causer_id),
        due_days=schedule.due_days,
        origin=origin,
    )
    try:
        run = start_run(data, SYSTEM)
    except NotFound:
        schedule.problem = _("No effective version has this procedure.")
    except (Invalid, Conflict) as error:
        schedule.problem = str(error)[:300]
    else:
        schedule.problem = ""
        return run
    return None


def let_go_of(customer_ids: Sequence[int], actor: Actor) -> None:
    """Customers are taken out again: runs that began by themselves for them are called off, none begins any more."""
    reason = str(_("The customer was taken back with the import that had brought it."))
    for run_id in db.session.scalars(select(SopRun.id).where(SopRun.customer_id.in_(customer_ids))).all():
        run = lock_run(run_id, only_open=False)
        if run.state == OPEN:
            call_off(run, reason, actor)
        run.customer_id = None
    pending = update(SopOccurrence).where(SopOccurrence.customer_id.in_(customer_ids))
    for statement in (
        pending.where(SopOccurrence.handled_at.is_(None)).values(handled_at=clock.now(), problem=reason),
        pending.values(customer_id=None),
    ):
        db.session.execute(statement.execution_options(synchronize_session="fetch"))
    db.session.flush()


def _responsible(schedule: SopSchedule, customer_id: int | None, causer_id: int | None) -> int:
    """Who is responsible; the person named stands in for those who are missing or left."""
    wanted: int | None = schedule.owner_id
    if schedule.responsible == BY_CAUSER:
        wanted = causer_id
    elif schedule.responsible == BY_ACCOUNT_MANAGER and customer_id is not None:
        wanted = db.session.scalar(select(Customer.account_manager_id).where(Customer.id == customer_id))
    user = db.session.get(User, wanted) if wanted is not None else None
    return user.id if user is not None and user.is_active else schedule.owner_id


def hand_over_schedules(user_id: int, successor_id: int) -> None:
    """Recurring starts of a person who leaves name the successor from now on."""
    db.session.execute(
        update(SopSchedule)
        .where(SopSchedule.owner_id == user_id)
        .values(owner_id=successor_id)
        .execution_options(synchronize_session="fetch")
    )


def _record(schedule: SopSchedule, action: RunAction, actor: Actor) -> None:
    record(
        actor,
        action,
        object_type="sop_schedule",
        object_id=schedule.id,
        object_label=schedule.occasion or schedule.frequency,
        customer_id=schedule.customer_id,
        new={
            "procedure": schedule.procedure_id,
            "frequency": schedule.frequency,
            "occasion": schedule.occasion,
            "is_active": schedule.is_active,
            "owner": schedule.owner_id,
        },
    )
