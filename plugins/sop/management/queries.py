"""Sums of checklist runs: per department, person, procedure and month. Summed by the database, never row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, extract, func, or_, select, true

from plugins.sop.manuals.models import Procedure, ProcedureRevision, Step
from plugins.sop.reading.audience import in_tree
from plugins.sop.runs.models import CANCELLED, DONE, OPEN, STEP_OPEN, SopRun, SopRunStep
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User

DEPARTMENT, PERSON, PROCEDURE = "department", "person", "procedure"
GROUPS = (DEPARTMENT, PERSON, PROCEDURE)
#: Groups that one page shows.
MOST_GROUPS = 200


@dataclass(frozen=True)
class Figures:
    """Runs that began in a period.

    :ivar started: all of them but those called off. :ivar on_time, late: completed by, or after, their date.
    :ivar undated: completed, without a date to compare with. :ivar overdue: open and past their date.
    :ivar running: open and not past it.
    """

    started: int
    on_time: int
    late: int
    undated: int
    overdue: int
    running: int
    cancelled: int

    @property
    def done(self) -> int:
        """Completed runs."""
        return self.on_time + self.late + self.undated

    @property
    def completion(self) -> int | None:
        """Percent of the runs that are completed; None of none."""
        return None if not self.started else self.done * 100 // self.started

    @property
    def punctuality(self) -> int | None:
        """Percent completed in time of those that had to be by now; None when nothing had to be."""
        due = self.on_time + self.late + self.overdue
        return None if not due else self.on_time * 100 // due


@dataclass(frozen=True)
class Group:
    """The figures of one department, person or procedure."""

    key: str
    name: str
    hint: str
    figures: Figures


def scope(actor: Actor) -> ColumnElement[bool]:
    """Whose runs the figures count: executives all, heads their departments and below, everybody his own."""
    if EXECUTIVE in actor.roles:
        return true()
    own = SopRun.owner_id == (actor.user_id or 0)
    if actor.oversees:
        return or_(own, SopRun.department_id.in_(sorted(actor.oversees)))
    return own


def _period(actor: Actor, first: date, last: date, department_id: int | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [SopRun.starts_on >= first, SopRun.starts_on <= last, scope(actor)]
    if department_id is not None:
        found.append(SopRun.department_id.in_(select(Department.id).where(in_tree(department_id))))
    return found


def _sums(today: date) -> tuple[Any, ...]:
    def count(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0).cast(Integer)

    dated = SopRun.due_on.is_not(None)
    return (
        count(SopRun.state != CANCELLED),
        count(and_(SopRun.state == DONE, dated, SopRun.closed_on <= SopRun.due_on)),
        count(and_(SopRun.state == DONE, dated, SopRun.closed_on > SopRun.due_on)),
        count(and_(SopRun.state == DONE, SopRun.due_on.is_(None))),
        count(and_(SopRun.state == OPEN, dated, SopRun.due_on < today)),
        count(and_(SopRun.state == OPEN, or_(SopRun.due_on.is_(None), SopRun.due_on >= today))),
        count(SopRun.state == CANCELLED),
    )


def total(actor: Actor, first: date, last: date, today: date, department_id: int | None = None) -> Figures:
    """All runs of the period that count for the actor; one statement."""
    row = db.session.execute(select(*_sums(today)).where(*_period(actor, first, last, department_id))).one()
    return Figures(*(int(value) for value in row))


def groups(
    actor: Actor, by: str, first: date, last: date, today: date, department_id: int | None = None
) -> list[Group]:
    """The figures per department, person or procedure, the most runs first; one statement.

    :param by: one of GROUPS.
    """
    where = _period(actor, first, last, department_id)
    if by == DEPARTMENT:
        keys: tuple[Any, ...] = (Department.id, Department.name, Department.code)
        statement = select(*keys, *_sums(today)).join(SopRun, SopRun.department_id == Department.id)
    elif by == PERSON:
        keys = (User.login, User.name, Department.name)
        statement = (
            select(*keys, *_sums(today))
            .join(SopRun, SopRun.owner_id == User.id)
            .join(Department, Department.id == User.department_id)
        )
    else:
        newest = (
            select(func.max(ProcedureRevision.id))
            .where(ProcedureRevision.procedure_id == Procedure.id)
            .correlate(Procedure)
            .scalar_subquery()
        )
        keys = (Procedure.code, ProcedureRevision.title, Procedure.id)
        statement = (
            select(*keys, *_sums(today))
            .join(SopRun, SopRun.procedure_id == Procedure.id)
            .join(ProcedureRevision, ProcedureRevision.id == newest)
        )
    rows = db.session.execute(
        statement.where(*where).group_by(*keys).order_by(func.count(SopRun.id).desc(), *keys[:1]).limit(MOST_GROUPS)
    )
    return [Group(str(row[0]), row[1], str(row[2]), Figures(*(int(value) for value in row[3:]))) for row in rows]


def by_month(
    actor: Actor, first: date, last: date, today: date, department_id: int | None = None
) -> list[tuple[str, Figures]]:
    """("2026-03", figures) of every month of the period, those without runs too; one statement."""
    year, month = extract("year", SopRun.starts_on), extract("month", SopRun.starts_on)
    rows = db.session.execute(
        select(year, month, *_sums(today)).where(*_period(actor, first, last, department_id)).group_by(year, month)
    )
    found = {f"{int(row[0]):04d}-{int(row[1]):02d}": Figures(*(int(value) for value in row[2:])) for row in rows}
    nothing = Figures(0, 0, 0, 0, 0, 0, 0)
    return [(name, found.get(name, nothing)) for name in months(first, last)]


def months(first: date, last: date) -> list[str]:
    """ "2026-03" for every month from the first to the last day."""
    begin, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [f"{index // 12:04d}-{index % 12 + 1:02d}" for index in range(begin, end + 1)]


def slow_steps(actor: Actor, first: date, last: date, today: date, limit: int = 10) -> Sequence[Any]:
    """Steps that are most often over their date: where a procedure sticks; one statement.

    Rows: code, title, position, what, closed or due (how many), late (how many of them).
    """
    late = case(
        (func.coalesce(SopRunStep.closed_on, today) > SopRunStep.due_on, 1),
        else_=0,
    )
    late_sum = func.sum(late)
    return db.session.execute(
        select(
            Procedure.code,
            ProcedureRevision.title,
            Step.position,
            Step.what,
            func.count(SopRunStep.id).label("number"),
            late_sum.label("late"),
        )
        .join(Step, Step.id == SopRunStep.step_id)
        .join(SopRun, SopRun.id == SopRunStep.run_id)
        .join(Procedure, Procedure.id == SopRun.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == SopRun.revision_id)
        .where(
            SopRun.starts_on >= first,
            SopRun.starts_on <= last,
            SopRun.state != CANCELLED,
            scope(actor),
            SopRunStep.due_on.is_not(None),
            or_(SopRunStep.state != STEP_OPEN, SopRunStep.due_on < today),
        )
        .group_by(Procedure.code, ProcedureRevision.title, Step.id, Step.position, Step.what)
        .having(late_sum > 0)
        .order_by(late_sum.desc(), func.count(SopRunStep.id).desc(), Step.id)
        .limit(limit)
    ).all()
