"""Sums of reading: who must read what is effective, how many have, per manual and per department."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from plugins.sop.manuals.models import Manual, ManualVersion
from plugins.sop.manuals.queries import effective_on
from plugins.sop.permissions import READ
from plugins.sop.reading.audience import due_day, in_tree, read_enough, readers_of, since, state_of
from portal.core.permissions import visible
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import AUDITOR, EXECUTIVE, SOP_EDITOR, Department, User

MANUAL, DEPARTMENT = "manual", "department"
GROUPS = (MANUAL, DEPARTMENT)


@dataclass(frozen=True)
class ReadingFigures:
    """People who must read: those who have, those who still have time, those who are late."""

    done: int = 0
    open: int = 0
    late: int = 0

    @property
    def total(self) -> int:
        """All who must read."""
        return self.done + self.open + self.late

    @property
    def percent(self) -> int | None:
        """Percent of them who have; None when nobody must."""
        return None if not self.total else self.done * 100 // self.total

    def plus(self, state: str, count: int) -> ReadingFigures:
        """These and so many more in a state: done, open or late."""
        return ReadingFigures(
            self.done + (count if state == "done" else 0),
            self.open + (count if state == "open" else 0),
            self.late + (count if state == "late" else 0),
        )


@dataclass(frozen=True)
class ReadingGroup:
    """The figures of a manual or a department. `hint`: the manual's version."""

    id: int
    name: str
    hint: str
    figures: ReadingFigures


def whose(actor: Actor) -> ColumnElement[bool]:
    """SQL condition on Department: whose reading the actor looks after; heads that of their own people."""
    if actor.roles & {EXECUTIVE, AUDITOR, SOP_EDITOR}:
        return true()
    return Department.id.in_(sorted(actor.oversees))


def sums(actor: Actor, today: date, department_id: int | None = None) -> list[Any]:
    """(manual, title, major, minor, department, department's name, state, count) of effective versions; one statement.

    The database counts people with the same date, so that the rows do not grow with the staff.
    """
    readers = readers_of().subquery()
    each = (
        select(
            ManualVersion.manual_id,
            ManualVersion.title,
            ManualVersion.major,
            ManualVersion.minor,
            Department.id.label("department_id"),
            Department.name.label("department"),
            Department.path,
            readers.c.due_days,
            since().label("since"),
            read_enough(readers.c.user_id).label("done"),
        )
        .select_from(readers)
        .join(ManualVersion, ManualVersion.manual_id == readers.c.manual_id)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .join(User, User.id == readers.c.user_id)
        .join(Department, Department.id == User.department_id)
        .where(effective_on(today), visible(actor, READ), whose(actor))
    )
    if department_id is not None:
        each = each.where(in_tree(department_id))
    people = each.subquery()
    columns = list(people.c)
    rows = db.session.execute(
        select(*columns, func.count().label("people"))
        .group_by(*columns)
        .order_by(people.c.title, people.c.manual_id, people.c.path)
    )
    return [
        (
            row.manual_id,
            row.title,
            row.major,
            row.minor,
            row.department_id,
            row.department,
            state_of(bool(row.done), due_day(row.since, row.due_days), today),
            row.people,
        )
        for row in rows
    ]


def grouped(rows: Iterable[Any], by: str) -> list[ReadingGroup]:
    """The sums per manual or per department, the lowest share first: that is where somebody has to ask."""
    names: dict[int, tuple[str, str]] = {}
    figures: dict[int, ReadingFigures] = {}
    for manual_id, title, major, minor, department_id, department, state, count in rows:
        key = manual_id if by == MANUAL else department_id
        names[key] = (title, f"{major}.{minor}") if by == MANUAL else (department, "")
        figures[key] = figures.get(key, ReadingFigures()).plus(state, count)
    found = [ReadingGroup(key, *names[key], figures[key]) for key in names]
    return sorted(found, key=lambda group: (group.figures.percent or 0, -group.figures.total, group.name))


def total(rows: Iterable[Any]) -> ReadingFigures:
    """All sums together; a person counts once for each manual that is his to read."""
    found = ReadingFigures()
    for row in rows:
        found = found.plus(row[-2], row[-1])
    return found
