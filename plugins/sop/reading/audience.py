"""Who must read what: reading rules as SQL, from both sides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, bindparam, func, or_, select, true, union_all
from sqlalchemy.orm import aliased

from plugins.sop.manuals.models import HEADS, PUBLISHED, ManualVersion
from plugins.sop.manuals.queries import effective_on
from plugins.sop.permissions import meant, must_read, reading_roles
from plugins.sop.reading.models import ALL_STAFF, DEPARTMENT, ROLE, Acknowledgement, ReadingRule
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User, UserRole

__all__ = ["must_read", "readers_of", "state_of", "to_be_read"]


def readers_of(manual_id: int | None = None) -> Select[Any]:
    """(manual_id, user_id, due_days) of everybody whom a reading rule means; the shortest time of several rules."""
    own = aliased(Department)
    parts = [
        select(ReadingRule.manual_id, User.id.label("user_id"), ReadingRule.due_days)
        .select_from(ReadingRule)
        .join(User, true())
        .where(ReadingRule.audience == ALL_STAFF, User.is_active),
        select(ReadingRule.manual_id, User.id, ReadingRule.due_days)
        .join(Department, Department.id == ReadingRule.department_id)
        .join(own, own.path.like(Department.path + "%"))
        .join(User, User.department_id == own.id)
        .where(ReadingRule.audience == DEPARTMENT, User.is_active),
        select(ReadingRule.manual_id, User.id, ReadingRule.due_days)
        .join(UserRole, UserRole.role == ReadingRule.role)
        .join(User, User.id == UserRole.user_id)
        .where(ReadingRule.audience == ROLE, User.is_active),
        select(ReadingRule.manual_id, User.id, ReadingRule.due_days)
        .join(Department, and_(Department.is_active, ReadingRule.role == HEADS))
        .join(User, or_(User.id == Department.head_id, User.id == Department.deputy_id))
        .where(ReadingRule.audience == ROLE, User.is_active),
    ]
    if manual_id is not None:
        parts = [part.where(ReadingRule.manual_id == manual_id) for part in parts]
    rows = union_all(*parts).subquery()
    return select(rows.c.manual_id, rows.c.user_id, func.min(rows.c.due_days).label("due_days")).group_by(
        rows.c.manual_id, rows.c.user_id
    )


def read_enough(user_id: Any, version: Any = ManualVersion) -> ColumnElement[bool]:
    """SQL: whether a person has acknowledged this version or an earlier minor one of the same whole number."""
    seen = aliased(ManualVersion)
    return (
        select(Acknowledgement.id)
        .join(seen, seen.id == Acknowledgement.version_id)
        .where(
            Acknowledgement.user_id == user_id,
            seen.manual_id == version.manual_id,
            seen.major == version.major,
        )
        .exists()
    )


def since(version: Any = ManualVersion) -> Any:
    """SQL: first day of a version's whole number (2.0 for 2.3): from then on its time for reading runs."""
    first = aliased(ManualVersion)
    return (
        select(func.min(first.effective_from))
        .where(first.manual_id == version.manual_id, first.major == version.major, first.state == PUBLISHED)
        .scalar_subquery()
    )


def to_be_read(actor: Actor, day: date) -> Sequence[Any]:
    """(version_id, manual_id, title, code, major, minor, effective_from, since, due_days, done) of the effective
    versions that the actor must read; one statement. `done`: acknowledged."""
    parameters = {
        "department_id": actor.department_id or 0,
        "roles": reading_roles(actor),
        "user_id": actor.user_id,
        "day": day,
    }
    return db.session.execute(_to_be_read_statement(), parameters).all()


@cache
def _to_be_read_statement() -> Select[Any]:
    """Built once: the home page and the menu of everybody ask it."""
    rules = (
        select(ReadingRule.manual_id, func.min(ReadingRule.due_days).label("due_days"))
        .where(meant(bindparam("department_id"), bindparam("roles", expanding=True)))
        .group_by(ReadingRule.manual_id)
        .subquery()
    )
    return (
        select(
            ManualVersion.id.label("version_id"),
            ManualVersion.manual_id,
            ManualVersion.title,
            ManualVersion.major,
            ManualVersion.minor,
            ManualVersion.summary,
            ManualVersion.effective_from,
            since().label("since"),
            rules.c.due_days,
            read_enough(bindparam("user_id")).label("done"),
        )
        .join(rules, rules.c.manual_id == ManualVersion.manual_id)
        .where(effective_on(bindparam("day", type_=Date)))
        .order_by(since(), ManualVersion.id)
    )


def waits_for(actor: Actor, version: ManualVersion) -> bool:
    """Whether the actor must read a version and has acknowledged none of its whole number; one statement."""
    rule = select(ReadingRule.id).where(ReadingRule.manual_id == version.manual_id, must_read(actor))
    seen = (
        select(Acknowledgement.id)
        .join(ManualVersion, ManualVersion.id == Acknowledgement.version_id)
        .where(
            Acknowledgement.user_id == actor.user_id,
            ManualVersion.manual_id == version.manual_id,
            ManualVersion.major == version.major,
        )
    )
    must, done = db.session.execute(select(rule.exists(), seen.exists())).one()
    return bool(must) and not done


def in_tree(department_id: int) -> ColumnElement[bool]:
    """SQL condition on Department: this one with all below it."""
    path = select(Department.path).where(Department.id == department_id).correlate(None).scalar_subquery()
    return Department.path.like(path + "%")


def due_day(first_day: date | str, due_days: int) -> date:
    """Last day for reading."""
    begin = date.fromisoformat(first_day) if isinstance(first_day, str) else first_day
    return begin + timedelta(days=due_days)


def state_of(done: bool, due: date, day: date) -> str:
    """done, late or open."""
    return "done" if done else "late" if due < day else "open"
