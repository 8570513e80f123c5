"""Starting runs and working on them. Services flush; the caller commits.

Every change of a run begins with taking its row's lock, so that two people who tick at once meet one after the other:
the second sees what the first did, and nothing is counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, select, update

from plugins.sop.manuals.content import RunTemplate
from plugins.sop.manuals.queries import procedure_for_run
from plugins.sop.permissions import READ
from plugins.sop.runs import rules
from plugins.sop.runs.actions import RunAction
from plugins.sop.runs.models import (
    CANCELLED,
    DONE,
    OPEN,
    STEP_DONE,
    STEP_OPEN,
    STEP_SKIPPED,
    SopRun,
    SopRunEvent,
    SopRunStep,
)
from plugins.sop.runs.permissions import RUN_WORK
from portal.audit.services import record
from portal.core import clock
from portal.core.calendar import add_working_days
from portal.core.database import rows_changed
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.paths import path_for
from portal.core.permissions import require
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor
from portal.org.models import User

NOTICE = "sop.run"
NUMBER_PREFIX = "RUN"
NOTE_LENGTH = 1000
#: Steps that one run can have.
MOST_STEPS = 300


@dataclass(frozen=True)
class StartInput:
    """What starts a run: the procedure; all else has its default.

    :ivar starts_on: first day, default today. :ivar due_on: last day, default by the steps' time limits.
    :ivar due_days: working days until the whole run is due, instead of `due_on`.
    :ivar owner_id: who is responsible, default whoever starts it.
    :ivar origin: what starts it by itself: one run for each.
    """

    procedure_id: int
    token: str | None = None
    customer_id: int | None = None
    starts_on: date | None = None
    due_on: date | None = None
    due_days: int | None = None
    owner_id: int | None = None
    origin: str | None = None


def start_run(data: StartInput, actor: Actor) -> SopRun:
    """Start a run of the text that is effective today; the version is pinned. Sent twice: the first answer again.

    :raises NotFound: no effective version has the procedure, or the actor may not read it.
    :raises Invalid: for a last day before the first one, or a procedure without steps.
    """
    repeated = _started_before(data)
    if repeated is not None:
        return repeated
    today = clock.today()
    template = procedure_for_run(data.procedure_id, today)
    if not actor.is_system:
        require(actor, READ, template.manual_id)
        if data.customer_id is not None:
            require(actor, "customers.view", data.customer_id)
    owner = _owner(data.owner_id or actor.user_id)
    steps = [step for step in template.steps if step.is_check] or list(template.steps)
    starts_on = data.starts_on or today
    dates = rules.due_days(starts_on, steps)
    due_on = data.due_on or max((day for day in dates if day is not None), default=None)
    if data.due_days is not None and data.due_on is None:
        due_on = add_working_days(starts_on, data.due_days)
    _check_start(starts_on, due_on, len(steps))
    now = clock.now()
    # Whoever takes the number second waits here for the first, and then sees his run: the number is given back.
    with db.session.begin_nested() as savepoint:
        number = take_number(NUMBER_PREFIX, clock.local(now).year)
        is_repeated = _started_before(data) is not None
        if is_repeated:
            savepoint.rollback()
    if is_repeated:
        repeated = _started_before(data)
        assert repeated is not None
        return repeated
    run = SopRun(
        number=number,
        procedure_id=template.procedure_id,
        revision_id=template.revision_id,
        version_id=template.version_id,
        customer_id=data.customer_id,
        department_id=owner.department_id,
        owner_id=owner.id,
        started_by_id=actor.user_id,
        started_at=now,
        starts_on=starts_on,
        due_on=due_on,
        state=OPEN,
        steps_total=len(steps),
        token=data.token[:64] if data.token else None,
        origin=data.origin,
    )
    db.session.add(run)
    db.session.flush()
    db.session.execute(
        insert(SopRunStep),
        [
            {
                "run_id": run.id,
                "step_id": step.step_id,
                "position": step.number,
                "is_stop": step.is_stop,
                "state": STEP_OPEN,
                "note": "",
                "due_on": day if day is None or due_on is None else min(day, due_on),
            }
            for step, day in zip(steps, dates, strict=True)
        ],
    )
    _event(run.id, None, "started", _started_text(template), actor)
    _record(run, RunAction.STARTED, actor, new={"procedure": template.code, "version": template.version_number})
    if owner.id != actor.user_id:
        _tell(
            owner.id,
            run,
            message("Checklist “%(title)s” was started for you (%(number)s)", title=template.title, number=run.number),
            actor,
        )
    return run


def _started_before(data: StartInput) -> SopRun | None:
    for column, value in ((SopRun.token, data.token), (SopRun.origin, data.origin)):
        if value:
            found = db.session.scalars(select(SopRun).where(column == value)).first()
            if found is not None:
                return found
    return None


def _owner(user_id: int | None) -> User:
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None or not user.is_active:
        raise Invalid([("owner_id", _("Choose somebody who works here."))])
    return user


def _check_start(starts_on: date, due_on: date | None, steps: int) -> None:
    errors = ErrorList()
    if not steps:
        errors.add("procedure_id", _("This procedure has no steps to tick."))
    if steps > MOST_STEPS:
        errors.add("procedure_id", _("A checklist has at most %(n)s steps.", n=MOST_STEPS))
    if not 2000 <= starts_on.year <= 2090:
        errors.add("starts_on", _("Enter a day between 2000 and 2090."))
    if due_on is not None and due_on < starts_on:
        errors.add("due_on", _("The last day lies before the first one."))
    errors.raise_if_any()


def _started_text(template: RunTemplate) -> str:
    return f"{template.code} {template.title} · {template.manual_title} {template.version_number}"


# ---- steps ---------------------------------------------------------------------------------------------------------


def _lock(run_id: int, *, only_open: bool = True) -> SopRun:
    """Take the lock of a run's row and read it afresh.

    :raises NotFound: no such run. :raises Conflict: it was completed or called off meanwhile.
    """
    statement = update(SopRun).where(SopRun.id == run_id).values(edit_version=SopRun.edit_version + 1)
    if rows_changed(db.session.execute(statement)) != 1:
        raise NotFound()
    run = db.session.get_one(SopRun, run_id, populate_existing=True)
    if only_open and run.state != OPEN:
        if run.state == DONE:
            raise Conflict(_("This checklist is completed."))
        raise Conflict(_("This checklist was called off."))
    return run


def _step(run_step_id: int, actor: Actor, *, only_open: bool = True) -> tuple[SopRun, SopRunStep]:
    run_id = db.session.scalar(select(SopRunStep.run_id).where(SopRunStep.id == run_step_id))
    if run_id is None:
        raise NotFound()
    require(actor, RUN_WORK, run_id)
    run = _lock(run_id, only_open=only_open)
    return run, db.session.get_one(SopRunStep, run_step_id, populate_existing=True)


def tick_step(run_step_id: int, note: str, actor: Actor) -> bool:
    """Tick a step. False: the actor himself had ticked it already (a double click).

    :raises Conflict: somebody else was faster (the message says who and when), or an earlier stop-step is open.
    """
    return _close_step(run_step_id, STEP_DONE, note.strip(), actor)


def skip_step(run_step_id: int, reason: str, actor: Actor) -> bool:
    """Say that a step does not apply, with a reason. Otherwise as `tick_step`."""
    if not reason.strip():
        raise Invalid([("note", _("Say why the step does not apply."))])
    return _close_step(run_step_id, STEP_SKIPPED, reason.strip(), actor)


def _close_step(run_step_id: int, state: str, note: str, actor: Actor) -> bool:
    if len(note) > NOTE_LENGTH:
        raise Invalid([("note", _("At most %(n)s characters.", n=NOTE_LENGTH))])
    run, step = _step(run_step_id, actor, only_open=False)
    if step.state != STEP_OPEN:
        if step.closed_by_id == actor.user_id and step.state == state:
            return False
        raise _taken(step)
    if run.state != OPEN:
        _lock(run.id)  # says in which state it is
    _require_unlocked(run, step)
    changed = db.session.execute(
        update(SopRunStep)
        .where(SopRunStep.id == step.id, SopRunStep.state == STEP_OPEN)
        .values(state=state, closed_at=clock.now(), closed_on=clock.today(), closed_by_id=actor.user_id, note=note)
    )
    if rows_changed(changed) != 1:
        raise _taken(db.session.get_one(SopRunStep, step.id, populate_existing=True))
    kind, action = ("ticked", RunAction.TICKED) if state == STEP_DONE else ("skipped", RunAction.SKIPPED)
    _event(run.id, step.position, kind, note, actor)
    _record(run, action, actor, new={"step": step.position}, reason=note if state == STEP_SKIPPED else "")
    run.steps_closed += 1
    if run.steps_closed == run.steps_total:
        _close_run(run, DONE, actor)
        _event(run.id, None, "completed", "", actor)
        _record(run, RunAction.COMPLETED, actor, new={"late": run.is_late(clock.today())})
    db.session.flush()
    return True


def _taken(step: SopRunStep) -> Conflict:
    who = step.closed_by.name if step.closed_by else _("the portal")
    when = clock.local(step.closed_at).strftime("%Y-%m-%d %H:%M") if step.closed_at else ""
    return Conflict(
        _("Step %(number)s was closed by %(name)s already (%(when)s).", number=step.position, name=who, when=when),
        who=who,
        when=when,
    )


def _require_unlocked(run: SopRun, step: SopRunStep) -> None:
    rows = db.session.execute(
        select(SopRunStep.position, SopRunStep.is_stop, SopRunStep.state).where(SopRunStep.run_id == run.id)
    ).all()
    lock = rules.locked_after(rows)
    if lock is not None and step.position > lock:
        raise Conflict(_("Step %(number)s has to be done first.", number=lock))


def undo_step(run_step_id: int, actor: Actor) -> None:
    """Take a tick back; the history keeps it. A completed run is taken up again.

    :raises Conflict: nothing to take back, or the run was called off.
    """
    run, step = _step(run_step_id, actor, only_open=False)
    if run.state == CANCELLED:
        raise Conflict(_("This checklist was called off."))
    if step.state == STEP_OPEN:
        raise Conflict(_("The step is open already."))
    was = step.note
    step.state, step.closed_at, step.closed_on, step.closed_by_id, step.note = STEP_OPEN, None, None, None, ""
    run.steps_closed -= 1
    if run.state == DONE:
        run.state, run.closed_at, run.closed_on, run.closed_by_id = OPEN, None, None, None
        _event(run.id, None, "reopened", "", actor)
    db.session.flush()
    _event(run.id, step.position, "undone", was, actor)
    _record(run, RunAction.UNDONE, actor, old={"step": step.position, "note": was})


def assign_step(run_step_id: int, user_id: int | None, actor: Actor) -> None:
    """Give a step to a colleague (None: back to whoever is responsible for the run)."""
    run, step = _step(run_step_id, actor)
    if step.state != STEP_OPEN:
        raise _taken(step)
    person = _owner(user_id) if user_id is not None else None
    if step.assignee_id == user_id:
        return
    old, step.assignee_id, step.reminded_on = step.assignee_id, user_id, None
    db.session.flush()
    _event(run.id, step.position, "assigned", person.name if person else "", actor)
    _record(run, RunAction.ASSIGNED, actor, old={"assignee": old}, new={"step": step.position, "assignee": user_id})
    if person is not None and person.id != actor.user_id:
        words = message(
            "Step %(position)s of checklist %(number)s is yours: %(what)s",
            position=step.position,
            number=run.number,
            what=" ".join(step.step.what.split())[:80],
        )
        _tell(person.id, run, words, actor, about=f"sop_run_step:{step.id}")


def set_due(run_step_id: int, day: date | None, actor: Actor) -> None:
    """Set or take away the date of a step. :raises Invalid: before the first day of the run."""
    run, step = _step(run_step_id, actor)
    if day is not None and day < run.starts_on:
        raise Invalid([("due_on", _("The date lies before the first day of the run (%(day)s).", day=run.starts_on))])
    if day is not None and day.year > 2090:
        raise Invalid([("due_on", _("Enter a day between 2000 and 2090."))])
    old, step.due_on, step.reminded_on = step.due_on, day, None
    if day is not None and run.due_on is not None and day > run.due_on:
        run.due_on = day
    db.session.flush()
    _event(run.id, step.position, "due", f"{old or '—'} → {day or '—'}", actor)
    _record(run, RunAction.DUE_CHANGED, actor, old={"due_on": old}, new={"step": step.position, "due_on": day})


# ---- the whole run -------------------------------------------------------------------------------------------------


def comment(run_id: int, text: str, actor: Actor) -> None:
    """Write a remark on a run, in any state."""
    require(actor, RUN_WORK, run_id)
    words = text.strip()
    if not words:
        raise Invalid([("text", _("Write something."))])
    if len(words) > NOTE_LENGTH:
        raise Invalid([("text", _("At most %(n)s characters.", n=NOTE_LENGTH))])
    run = _lock(run_id, only_open=False)
    _event(run.id, None, "comment", words, actor)
    _record(run, RunAction.COMMENTED, actor)
    people = {run.owner_id} - {actor.user_id}
    for person in people:
        words_for = message("%(name)s wrote a comment on checklist %(number)s", name=actor.name, number=run.number)
        _tell(person, run, words_for, actor, about=f"sop_run_comment:{run.id}")


def cancel_run(run_id: int, reason: str, actor: Actor) -> None:
    """Call a run off, with a reason; what was ticked stays readable."""
    require(actor, RUN_WORK, run_id)
    if not reason.strip():
        raise Invalid([("reason", _("Give a reason."))])
    if len(reason.strip()) > NOTE_LENGTH:
        raise Invalid([("reason", _("At most %(n)s characters.", n=NOTE_LENGTH))])
    call_off(_lock(run_id), reason.strip(), actor)


def call_off(run: SopRun, reason: str, actor: Actor) -> None:
    """Close an open run whose lock is held, as `cancel_run` does; for what happens by itself."""
    run.reason = reason
    _close_run(run, CANCELLED, actor)
    db.session.flush()
    _event(run.id, None, "cancelled", run.reason, actor)
    _record(run, RunAction.CANCELLED, actor, reason=run.reason)


def hand_over(run_id: int, user_id: int | None, actor: Actor) -> None:
    """Make somebody else responsible for an open run."""
    require(actor, RUN_WORK, run_id)
    person = _owner(user_id)
    run = _lock(run_id)
    if run.owner_id == person.id:
        return
    old, run.owner_id = run.owner_id, person.id
    db.session.flush()
    _event(run.id, None, "owner", person.name, actor)
    _record(run, RunAction.HANDED_OVER, actor, old={"owner": old}, new={"owner": person.id})
    words = message("You are responsible for checklist %(number)s", number=run.number)
    if person.id != actor.user_id:
        _tell(person.id, run, words, actor)


def hand_over_all(user_id: int, successor_id: int, actor: Actor) -> int:
    """Give everything open of a person who leaves to the successor; how many runs. Steps that were his go along."""
    mine = select(SopRun.id).where(SopRun.owner_id == user_id, SopRun.state == OPEN)
    ids = list(db.session.scalars(mine))
    for run_id in ids:
        run = _lock(run_id)
        run.owner_id = successor_id
        _event(run.id, None, "owner", "", actor)
        _record(run, RunAction.HANDED_OVER, actor, old={"owner": user_id}, new={"owner": successor_id})
    db.session.flush()
    db.session.execute(
        update(SopRunStep)
        .where(SopRunStep.assignee_id == user_id, SopRunStep.state == STEP_OPEN)
        .values(assignee_id=successor_id)
        .execution_options(synchronize_session=False)
    )
    return len(ids)


def _close_run(run: SopRun, state: str, actor: Actor) -> None:
    run.state, run.closed_at, run.closed_on, run.closed_by_id = state, clock.now(), clock.today(), actor.user_id


def _event(run_id: int, position: int | None, kind: str, text: str, actor: Actor) -> None:
    db.session.add(
        SopRunEvent(
            run_id=run_id, position=position, kind=kind, text=text[:NOTE_LENGTH], at=clock.now(), by_id=actor.user_id
        )
    )
    db.session.flush()


note_event = _event


def _record(run: SopRun, action: RunAction, actor: Actor, **fields: Any) -> None:
    record(
        actor,
        action,
        object_type="sop_run",
        object_id=run.id,
        object_label=run.number,
        customer_id=run.customer_id,
        **fields,
    )


note_record = _record
lock_run = _lock


def _tell(user_id: int, run: SopRun, title: object, actor: Actor, about: str = "") -> None:
    notify(
        [user_id],
        NOTICE,
        title=title,
        url=path_for("sop.run", run_id=run.id),
        actor=actor,
        about=about or f"sop_run:{run.id}",
    )
