"""Reads of checklist runs. What an actor sees goes through `visible(actor, RUN_VIEW)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Date, Integer, Select, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from plugins.sop.manuals.models import (
    EVERYBODY,
    HEADS,
    Manual,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionDepartment,
    RevisionRole,
    Step,
    VersionProcedure,
)
from plugins.sop.manuals.queries import effective_on
from plugins.sop.permissions import READ
from plugins.sop.runs.models import (
    OPEN,
    STEP_OPEN,
    SopOccurrence,
    SopRun,
    SopRunEvent,
    SopRunFile,
    SopRunStep,
    SopSchedule,
)
from plugins.sop.runs.permissions import RUN_VIEW
from plugins.sop.runs.rules import locked_after
from portal.core.errors import NotFound
from portal.core.permissions import can, only_visible, require
from portal.core.together import Question, any_of
from portal.core.transaction import once_a_page
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

#: Steps shown on "my steps".
MOST_STEPS = 200


# ---- one run -------------------------------------------------------------------------------------------------------


def load_run(run_id: int, actor: Actor) -> SopRun:
    """A run that the actor may see, with its names. :raises NotFound: otherwise."""
    require(actor, RUN_VIEW, run_id)
    run = db.session.scalars(
        select(SopRun)
        .where(SopRun.id == run_id)
        .options(
            joinedload(SopRun.procedure),
            joinedload(SopRun.revision),
            joinedload(SopRun.version).joinedload(ManualVersion.manual),
            joinedload(SopRun.customer),
            joinedload(SopRun.department),
            joinedload(SopRun.owner),
            joinedload(SopRun.started_by),
            joinedload(SopRun.closed_by),
        )
    ).first()
    if run is None:
        raise NotFound()
    return run


def run_of_step(run_step_id: int) -> int:
    """The run of a step. :raises NotFound: no such step."""
    found = db.session.scalar(select(SopRunStep.run_id).where(SopRunStep.id == run_step_id))
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True)
class StepLine:
    """A step of the procedure as the page of a run shows it; `run_step_id` None: nothing to tick, only to read."""

    run_step_id: int | None
    position: int
    who: str
    what: str
    record: str
    standard: str
    limit_amount: int | None
    limit_unit: str
    limit_text: str
    is_stop: bool
    state: str
    closed_at: datetime | None
    closed_by: str
    note: str
    assignee_id: int | None
    assignee: str
    due_on: date | None
    closed_on: date | None
    is_locked: bool = field(default=False, kw_only=True)
    files: list[Any] = field(default_factory=list, kw_only=True)

    def is_late(self, today: date) -> bool:
        """Whether it was, or still is, over its date."""
        return self.due_on is not None and (self.closed_on or today) > self.due_on


def step_lines(run: SopRun) -> list[StepLine]:
    """All steps of the pinned text with what was ticked; two statements."""
    closer, assignee = aliased(User), aliased(User)
    rows: Sequence[Any] = db.session.execute(
        select(
            SopRunStep.id,
            Step.position,
            Step.who,
            Step.what,
            Step.record,
            Step.standard,
            Step.limit_amount,
            Step.limit_unit,
            Step.limit_text,
            Step.is_stop,
            SopRunStep.state,
            SopRunStep.closed_at,
            func.coalesce(closer.name, ""),
            func.coalesce(SopRunStep.note, ""),
            SopRunStep.assignee_id,
            func.coalesce(assignee.name, ""),
            SopRunStep.due_on,
            SopRunStep.closed_on,
        )
        .select_from(Step)
        .outerjoin(SopRunStep, and_(SopRunStep.step_id == Step.id, SopRunStep.run_id == run.id))
        .outerjoin(closer, closer.id == SopRunStep.closed_by_id)
        .outerjoin(assignee, assignee.id == SopRunStep.assignee_id)
        .where(Step.revision_id == run.revision_id)
        .order_by(Step.position, Step.id)
    ).all()
    files: dict[int, list[Any]] = {}
    for found in db.session.scalars(
        select(SopRunFile)
        .where(SopRunFile.run_id == run.id, SopRunFile.removed_at.is_(None))
        .options(joinedload(SopRunFile.added_by))
        .order_by(SopRunFile.id)
    ):
        files.setdefault(found.run_step_id or 0, []).append(found)
    lines = [StepLine(*row, files=files.get(row[0] or 0, [])) for row in rows]
    ticked = [line for line in lines if line.run_step_id is not None]
    lock = locked_after(ticked)
    if lock is None:
        return lines
    return [StepLine(**{**vars(line), "is_locked": line.position > lock and line.state == STEP_OPEN}) for line in lines]


def events_of(run_id: int, limit: int = 200) -> list[SopRunEvent]:
    """What happened in a run, newest first."""
    statement = (
        select(SopRunEvent)
        .where(SopRunEvent.run_id == run_id)
        .options(joinedload(SopRunEvent.by))
        .order_by(SopRunEvent.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def load_file(run_file_id: int, actor: Actor) -> SopRunFile:
    """A file of a run that the actor may see. :raises NotFound: otherwise, or when it was taken away."""
    found = db.session.get(SopRunFile, run_file_id)
    if found is None or found.removed_at is not None:
        raise NotFound()
    require(actor, RUN_VIEW, found.run_id)
    return found


# ---- what can be started -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Startable:
    """A procedure of an effective version. `fits`: it is for the actor's department or one of his roles."""

    procedure_id: int
    code: str
    title: str
    manual: str
    fits: bool
    used: int


@cache
def _startable_statement() -> Select[Any]:
    """Procedures that hold on the day `today`, of all manuals; built once, since building costs more than asking."""
    revision = VersionProcedure.revision_id
    roles: Any = bindparam("roles", expanding=True)
    for_role = exists().where(RevisionRole.revision_id == revision, RevisionRole.role.in_(roles))
    for_department = exists().where(
        RevisionDepartment.revision_id == revision, RevisionDepartment.department_id == bindparam("department_id")
    )
    used = (
        select(func.count(SopRun.id))
        .where(SopRun.procedure_id == Procedure.id, SopRun.owner_id == bindparam("owner_id"))
        .correlate(Procedure)
        .scalar_subquery()
        .label("used")
    )
    fits = case((or_(for_role, for_department), 1), else_=0).label("fits")
    return (
        select(
            Procedure.id,
            Procedure.code,
            ProcedureRevision.title,
            Manual.title.label("manual"),
            fits,
            used,
        )
        .select_from(VersionProcedure)
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == revision)
        .where(effective_on(bindparam("today", type_=Date)))
        # Counts are never negative: the most used first is also the used before the unused.
        .order_by(used.desc(), fits.desc(), Manual.title, Procedure.code)
        .limit(bindparam("limit", type_=Integer))
    )


def startable(actor: Actor, today: date, text: str = "", limit: int = 400) -> list[Startable]:
    """What the actor can start, his own first: by use, then by fit; one statement."""
    statement = only_visible(_startable_statement(), actor, READ)
    typed = text.strip()[:100]
    if typed:
        statement = statement.where(
            or_(
                ProcedureRevision.title.contains(typed, autoescape=True),
                func.upper(Procedure.code).startswith(typed.upper(), autoescape=True),
                ProcedureRevision.search_text.contains(typed.casefold(), autoescape=True),
            )
        )
    parameters = {
        "roles": [EVERYBODY, *sorted(actor.roles), *([HEADS] if actor.headed else [])],
        "department_id": actor.department_id or 0,
        "owner_id": actor.user_id or 0,
        "today": today,
        "limit": limit,
    }
    return [
        Startable(row.id, row.code, row.title, row.manual, bool(row.fits), row.used)
        for row in db.session.execute(statement, parameters)
    ]


def procedure_choices(actor: Actor, today: date) -> list[tuple[int, str]]:
    """(id, "code title") of all procedures that can be started, for a select field."""
    return sorted(
        ((item.procedure_id, f"{item.code} {item.title}") for item in startable(actor, today)), key=lambda item: item[1]
    )


# ---- other pages ---------------------------------------------------------------------------------------------------


def _step_titles() -> tuple[Any, ...]:
    return (Step.what, ProcedureRevision.title.label("procedure"), Customer.name.label("customer"))


@cache
def _my_steps() -> Select[Any]:
    """Built once: every home page asks it. Steps of one's own that can be worked on: not behind an open stop-step."""
    before = aliased(SopRunStep)
    person = bindparam("person", type_=Integer)
    locked = exists().where(
        before.run_id == SopRunStep.run_id,
        before.is_stop,
        before.state == STEP_OPEN,
        before.position < SopRunStep.position,
    )
    return (
        select(
            SopRunStep.id,
            SopRunStep.run_id,
            SopRunStep.position,
            SopRunStep.due_on,
            SopRun.number,
            SopRun.steps_total,
            SopRun.steps_closed,
            *_step_titles(),
        )
        .join(SopRun, SopRun.id == SopRunStep.run_id)
        .join(Step, Step.id == SopRunStep.step_id)
        .join(ProcedureRevision, ProcedureRevision.id == SopRun.revision_id)
        .outerjoin(Customer, Customer.id == SopRun.customer_id)
        .where(
            SopRunStep.state == STEP_OPEN,
            SopRun.state == OPEN,
            or_(
                SopRunStep.assignee_id == person,
                and_(SopRunStep.assignee_id.is_(None), SopRun.owner_id == person),
            ),
            ~locked,
        )
        .order_by(
            case((SopRunStep.due_on.is_(None), 1), else_=0), SopRunStep.due_on, SopRunStep.run_id, SopRunStep.position
        )
        .limit(bindparam("most", type_=Integer))
    )


def my_steps(actor: Actor, limit: int = MOST_STEPS) -> Sequence[Any]:
    """Open steps of the actor that can be worked on, the most urgent first; one statement."""
    parameters = {"person": actor.user_id or 0, "most": limit}
    return once_a_page((my_steps, actor.user_id, limit), lambda: db.session.execute(_my_steps(), parameters).all())


def any_question(customer_id: int) -> Question:
    """Whether there is or was a run for the customer."""
    return Question(_any_statement(), {"customer_id": customer_id})


@cache
def _any_statement() -> Select[bool]:
    return any_of(SopRun, SopRun.customer_id == bindparam("customer_id", type_=Integer))


def runs_of_customer(customer_id: int, limit: int = 6) -> Sequence[Any]:
    """Open runs of a customer, the most urgent first; one statement. The caller checked the customer."""
    return db.session.execute(_runs_of_customer(), {"customer_id": customer_id, "limit": limit}).all()


@cache
def _runs_of_customer() -> Select[*tuple[Any, ...]]:
    return (
        select(
            SopRun.id,
            SopRun.number,
            SopRun.due_on,
            SopRun.steps_total,
            SopRun.steps_closed,
            ProcedureRevision.title,
            User.name.label("owner"),
        )
        .join(ProcedureRevision, ProcedureRevision.id == SopRun.revision_id)
        .join(User, User.id == SopRun.owner_id)
        .where(SopRun.customer_id == bindparam("customer_id"), SopRun.state == OPEN)
        .order_by(case((SopRun.due_on.is_(None), 1), else_=0), SopRun.due_on, SopRun.id)
        .limit(bindparam("limit", type_=Integer))
    )


def timeline_of(customer_id: int, before: datetime | None, limit: int) -> Sequence[Any]:
    """Beginnings and ends of a customer's runs, newest first; one statement."""
    statement = _timeline_statement(before is not None)
    return db.session.execute(statement, {"customer_id": customer_id, "before": before, "limit": limit}).all()


@cache
def _timeline_statement(older: bool) -> Select[*tuple[Any, ...]]:
    """Built once: every record page asks it. :param older: only what was before the moment `before`."""
    kinds = ("started", "completed", "cancelled")
    statement = (
        select(
            SopRunEvent.at,
            SopRunEvent.kind,
            SopRunEvent.text,
            SopRunEvent.run_id,
            ProcedureRevision.title,
            SopRun.number,
            User.name.label("by"),
        )
        .join(SopRun, SopRun.id == SopRunEvent.run_id)
        .join(ProcedureRevision, ProcedureRevision.id == SopRun.revision_id)
        .outerjoin(User, User.id == SopRunEvent.by_id)
        .where(SopRun.customer_id == bindparam("customer_id"), SopRunEvent.kind.in_(kinds))
        .order_by(SopRunEvent.at.desc(), SopRunEvent.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )
    return statement.where(SopRunEvent.at < bindparam("before", type_=SopRunEvent.at.type)) if older else statement


@dataclass(frozen=True)
class Uses:
    """What hangs on a procedure: runs, those of them still open, recurring starts that are switched on."""

    runs: int
    open: int
    schedules: int


def uses_of(procedure_id: int) -> Uses:
    """What hangs on a procedure; one statement. Whatever has runs is left out of the next version, never deleted."""
    counted = select(func.count()).where(SopRun.procedure_id == procedure_id)
    waiting = select(func.count()).where(SopSchedule.procedure_id == procedure_id, SopSchedule.is_active)
    statement = select(
        counted.scalar_subquery(), counted.where(SopRun.state == OPEN).scalar_subquery(), waiting.scalar_subquery()
    )
    return Uses(*(int(value) for value in db.session.execute(statement).one()))


def automatic_rows(customer_ids: Sequence[int]) -> list[tuple[str, int]]:
    """(table, id) of what began by itself for customers: occurrences, and runs with which nobody has worked."""
    worked = exists().where(SopRunEvent.run_id == SopRun.id, SopRunEvent.kind.not_in(("started", "cancelled")))
    runs = select(SopRun.id).where(SopRun.customer_id.in_(customer_ids), SopRun.origin.is_not(None), ~worked)
    occurrences = select(SopOccurrence.id).where(SopOccurrence.customer_id.in_(customer_ids))
    return [
        *((SopRun.__tablename__, found) for found in db.session.scalars(runs)),
        *((SopOccurrence.__tablename__, found) for found in db.session.scalars(occurrences)),
    ]


def may_open_customer(run: SopRun, actor: Actor) -> bool:
    """Whether the page of a run's customer may be linked."""
    return run.customer_id is not None and can(actor, "customers.view", run.customer_id)


def schedules(actor: Actor) -> list[SopSchedule]:
    """All recurring starts with their names; one statement."""
    statement = (
        select(SopSchedule)
        .options(
            joinedload(SopSchedule.procedure),
            joinedload(SopSchedule.owner),
            joinedload(SopSchedule.department),
            joinedload(SopSchedule.customer),
        )
        .order_by(SopSchedule.is_active.desc(), SopSchedule.id.desc())
    )
    return list(db.session.scalars(statement))


def titles_of(procedure_ids: Sequence[int], day: date) -> dict[int, str]:
    """procedure id → "code title" of the text that holds on a day, else the newest text's; two statements."""
    if not procedure_ids:
        return {}
    newest = (
        select(func.max(ProcedureRevision.id))
        .where(ProcedureRevision.procedure_id.in_(procedure_ids))
        .group_by(ProcedureRevision.procedure_id)
    )
    rows = db.session.execute(
        select(Procedure.id, Procedure.code, ProcedureRevision.title)
        .join(ProcedureRevision, ProcedureRevision.procedure_id == Procedure.id)
        .where(ProcedureRevision.id.in_(newest))
    )
    found = {row.id: f"{row.code} {row.title}" for row in rows}
    held = db.session.execute(
        select(Procedure.id, Procedure.code, ProcedureRevision.title)
        .join(VersionProcedure, VersionProcedure.procedure_id == Procedure.id)
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .join(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
        .where(Procedure.id.in_(procedure_ids), effective_on(day))
    )
    found.update({row.id: f"{row.code} {row.title}" for row in held})
    return found


def load_schedule(schedule_id: int) -> SopSchedule:
    """A recurring start. :raises NotFound: when there is none."""
    found = db.session.get(SopSchedule, schedule_id)
    if found is None:
        raise NotFound()
    return found
