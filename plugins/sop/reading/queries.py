"""Reads for readers: finding procedures, a manual's tree, my reading, who has read what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, String, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased, contains_eager

from plugins.sop.manuals.indexing import INITIALS, NAME, PINYIN
from plugins.sop.manuals.models import (
    EVERYBODY,
    HEADS,
    PUBLISHED,
    Manual,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    ProcedureTerm,
    RevisionDepartment,
    RevisionRole,
    VersionProcedure,
)
from plugins.sop.manuals.queries import effective_on
from plugins.sop.permissions import READ
from plugins.sop.reading.audience import due_day, readers_of, since, state_of, to_be_read
from plugins.sop.reading.models import Acknowledgement
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.core.text import LIKE_ESCAPE, fold, is_latin, like_literal, lookup_prefix
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Department, User

PER_PAGE = 60
LAST = "\U0010ffff"


@dataclass(frozen=True)
class LibraryFilter:
    """What a reader looks for; empty fields leave nothing out. `mine`: meant for the reader's department or roles."""

    query: str = ""
    department_id: int | None = None
    role: str = ""
    mine: bool = False
    manual_id: int | None = None


@dataclass(frozen=True)
class FoundProcedure:
    """A procedure of an effective version."""

    procedure_id: int
    code: str
    title: str
    purpose: str
    manual_id: int
    manual: str
    number: str
    effective_from: date


def find_procedures(actor: Actor, wanted: LibraryFilter, limit: int = PER_PAGE) -> list[FoundProcedure]:
    """Effective procedures the actor may read, best hits first; one statement."""
    folded = fold(wanted.query)
    statement = _found_statement(visible(actor, READ), bool(folded), is_latin(folded), limit)
    parameters: dict[str, Any] = {"today": clock.today()}
    if folded:
        name_prefix, pinyin_prefix = lookup_prefix(wanted.query)
        parameters |= {"words": like_literal(folded), "name": name_prefix, "name_last": name_prefix + LAST}
        if pinyin_prefix:
            parameters |= {"pinyin": pinyin_prefix, "pinyin_last": pinyin_prefix + LAST}
    if wanted.department_id is not None:
        statement = statement.where(_of_department(wanted.department_id))
    if wanted.role:
        statement = statement.where(_of_roles([wanted.role]))
    if wanted.mine:
        statement = statement.where(for_person(actor))
    if wanted.manual_id is not None:
        statement = statement.where(Manual.id == wanted.manual_id)
    rows = db.session.execute(statement, parameters)
    return [
        FoundProcedure(
            row.procedure_id,
            row.code,
            row.title,
            row.purpose,
            row.manual_id,
            row.manual,
            f"{row.major}.{row.minor}",
            row.effective_from,
        )
        for row in rows
    ]


@lru_cache(maxsize=256)
def _found_statement(
    readable: ColumnElement[bool], searched: bool, latin: bool, limit: int
) -> Select[*tuple[Any, ...]]:
    """Readable procedures of the versions that hold on the day `today`, the best first.

    Built once for a condition, since every search of the portal asks.

    :param searched: only those one of whose terms begins with `name` (or, in Latin letters, with `pinyin`), or whose
        text contains `words`.
    """
    statement = _library_statement().where(readable)
    order: list[Any] = []
    if searched:
        by_term = VersionProcedure.revision_id.in_(_term_hits(latin))
        in_text = ProcedureRevision.search_text.contains(bindparam("words", type_=String), escape=LIKE_ESCAPE)
        statement = statement.where(or_(by_term, in_text))
        order.append(case((by_term, 0), else_=1))
    return statement.order_by(*order, Manual.code, VersionProcedure.position, VersionProcedure.procedure_id).limit(
        limit
    )


@cache
def _library_statement() -> Select[*tuple[Any, ...]]:
    return (
        select(
            VersionProcedure.procedure_id,
            Procedure.code,
            ProcedureRevision.title,
            ProcedureRevision.purpose,
            ManualVersion.manual_id,
            ManualVersion.title.label("manual"),
            ManualVersion.major,
            ManualVersion.minor,
            ManualVersion.effective_from,
        )
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
        .where(effective_on(bindparam("today", type_=Date)))
    )


def _term_hits(latin: bool) -> Any:
    """Revisions one of whose names, pinyins or initials contains the query."""
    ranges = [_range(NAME, "name")]
    if latin:
        ranges += [_range(PINYIN, "pinyin"), _range(INITIALS, "name")]
    return select(ProcedureTerm.revision_id).where(or_(*ranges))


def _range(kind: int, prefix: str) -> ColumnElement[bool]:
    """Terms of a kind between two parameters of the statement."""
    first, last = bindparam(prefix, type_=String), bindparam(f"{prefix}_last", type_=String)
    return and_(ProcedureTerm.kind == kind, ProcedureTerm.term >= first, ProcedureTerm.term < last)


def _of_department(department_id: int) -> ColumnElement[bool]:
    return VersionProcedure.revision_id.in_(
        select(RevisionDepartment.revision_id).where(RevisionDepartment.department_id == department_id)
    )


def _of_roles(roles: Sequence[str]) -> ColumnElement[bool]:
    return VersionProcedure.revision_id.in_(
        select(RevisionRole.revision_id).where(RevisionRole.role.in_([*roles, EVERYBODY]))
    )


def roles_of(actor: Actor) -> list[str]:
    """The roles of a person as procedures name them."""
    return [*sorted(actor.roles), *([HEADS] if actor.headed else [])]


def for_person(actor: Actor) -> ColumnElement[bool]:
    """SQL condition on VersionProcedure: meant for this person, by department (or one above it) or by role.

    A procedure that names roles is for these; one that names none is for everybody of its departments.
    """
    has_roles = select(RevisionRole.revision_id).where(RevisionRole.revision_id == VersionProcedure.revision_id)
    parts = [_of_roles(roles_of(actor))]
    if actor.department_id is not None:
        own = select(Department.path).where(Department.id == actor.department_id).scalar_subquery()
        near = select(RevisionDepartment.revision_id).join(
            Department, Department.id == RevisionDepartment.department_id
        )
        parts.append(
            and_(~has_roles.exists(), VersionProcedure.revision_id.in_(near.where(own.like(Department.path + "%"))))
        )
    return or_(*parts)


@dataclass(frozen=True)
class ShelfManual:
    """A manual as the library shows it."""

    manual_id: int
    code: str
    title: str
    department: str
    number: str
    effective_from: date
    procedures: int
    classification: str


def shelf(actor: Actor) -> list[ShelfManual]:
    """Manuals with an effective version that the actor may read; one statement."""
    count = (
        select(func.count())
        .select_from(VersionProcedure)
        .where(VersionProcedure.version_id == ManualVersion.id)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Manual.id,
            Manual.code,
            ManualVersion.title,
            Manual.classification,
            Department.name,
            ManualVersion.major,
            ManualVersion.minor,
            ManualVersion.effective_from,
            count.label("procedures"),
        )
        .join(ManualVersion, ManualVersion.manual_id == Manual.id)
        .join(Department, Department.id == Manual.department_id)
        .where(effective_on(clock.today()), visible(actor, READ))
        .order_by(Manual.code)
        .limit(200)
    )
    return [
        ShelfManual(
            row.id,
            row.code,
            row.title,
            row.name,
            f"{row.major}.{row.minor}",
            row.effective_from,
            row.procedures,
            row.classification,
        )
        for row in rows
    ]


def effective_for(manual_id: int, actor: Actor) -> ManualVersion:
    """The effective version of a manual, with the manual; one statement.

    :raises NotFound: not his to read, or none is effective.
    """
    version = db.session.scalars(
        _with_manual(actor).where(ManualVersion.manual_id == manual_id, effective_on(clock.today()))
    ).one_or_none()
    if version is None:
        raise NotFound()
    return version


def version_with(procedure_id: int, actor: Actor) -> ManualVersion:
    """The effective version that has a procedure, else the newest published one, with the manual; one statement.

    :raises NotFound: none that the actor may read.
    """
    holds = case((effective_on(clock.today()), 0), else_=1)
    version = db.session.scalars(
        _with_manual(actor)
        .join(VersionProcedure, VersionProcedure.version_id == ManualVersion.id)
        .where(VersionProcedure.procedure_id == procedure_id, ManualVersion.state == PUBLISHED)
        .order_by(holds, ManualVersion.major.desc(), ManualVersion.minor.desc())
        .limit(1)
    ).one_or_none()
    if version is None:
        raise NotFound()
    return version


def _with_manual(actor: Actor) -> Select[Any]:
    """Versions of manuals that the actor may read."""
    return (
        select(ManualVersion)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .options(contains_eager(ManualVersion.manual))
        .where(visible(actor, READ))
    )


@dataclass(frozen=True)
class ReadingItem:
    """A line of "my reading". `state`: late, open, done or superseded."""

    version_id: int
    manual_id: int
    title: str
    number: str
    state: str
    due: date | None
    done_at: datetime | None


def my_reading(actor: Actor) -> list[ReadingItem]:
    """What the actor must read, has read, and what of it is superseded; two statements."""
    today = clock.today()
    done = {
        row.version_id: row
        for row in db.session.execute(
            select(
                Acknowledgement.version_id,
                Acknowledgement.at,
                ManualVersion.manual_id,
                ManualVersion.title,
                ManualVersion.major,
                ManualVersion.minor,
            )
            .join(ManualVersion, ManualVersion.id == Acknowledgement.version_id)
            .where(Acknowledgement.user_id == actor.user_id)
            .order_by(Acknowledgement.at.desc())
            .limit(300)
        )
    }
    items = []
    current: set[int] = set()
    for row in to_be_read(actor, today):
        due = due_day(row.since, row.due_days)
        seen = next(
            (one for one in done.values() if one.manual_id == row.manual_id and one.major == row.major),
            None,
        )
        current.update(key for key, one in done.items() if one.manual_id == row.manual_id and one.major == row.major)
        items.append(
            ReadingItem(
                row.version_id,
                row.manual_id,
                row.title,
                f"{row.major}.{row.minor}",
                state_of(bool(row.done), due, today),
                due,
                seen.at if seen else None,
            )
        )
    effective = set(
        db.session.scalars(select(ManualVersion.id).where(effective_on(today), ManualVersion.id.in_(list(done))))
    )
    for version_id, row in done.items():
        if version_id not in current:
            state = "done" if version_id in effective else "superseded"
            number = f"{row.major}.{row.minor}"
            items.append(ReadingItem(version_id, row.manual_id, row.title, number, state, None, row.at))
    order = {"late": 0, "open": 1, "done": 2, "superseded": 3}
    return sorted(items, key=lambda item: (order[item.state], item.due or date.max, item.version_id))


@dataclass(frozen=True)
class Reader:
    """A person who must read a version."""

    user_id: int
    name: str
    department_id: int
    department: str
    due: date
    done_at: datetime | None
    tries: int
    state: str


def readers(version: ManualVersion, actor: Actor, within: frozenset[int] | None = None) -> list[Reader]:
    """Who must read a version, and who has; one statement. Checks nobody's permission.

    :param within: only people of these departments (a head sees his own).
    """
    wanted = readers_of(version.manual_id).subquery()
    counted = aliased(ManualVersion)
    best = (
        select(
            Acknowledgement.user_id,
            func.min(Acknowledgement.at).label("at"),
            func.min(Acknowledgement.tries).label("tries"),
        )
        .join(counted, counted.id == Acknowledgement.version_id)
        .where(counted.manual_id == version.manual_id, counted.major == version.major)
        .group_by(Acknowledgement.user_id)
        .subquery()
    )
    statement = (
        select(
            User.id,
            User.name,
            Department.id.label("department_id"),
            Department.name.label("department"),
            wanted.c.due_days,
            since().label("since"),
            best.c.at,
            best.c.tries,
        )
        .select_from(wanted)
        .join(User, User.id == wanted.c.user_id)
        .join(Department, Department.id == User.department_id)
        .join(ManualVersion, ManualVersion.manual_id == wanted.c.manual_id)
        .outerjoin(best, best.c.user_id == User.id)
        .where(ManualVersion.id == version.id)
        .order_by(Department.path, User.name_sort, User.id)
    )
    if within is not None:
        statement = statement.where(Department.id.in_(within))
    today = clock.today()
    found = []
    for row in db.session.execute(statement):
        due = due_day(row.since, row.due_days)
        done = row.at is not None
        found.append(
            Reader(
                row.id,
                row.name,
                row.department_id,
                row.department,
                due,
                row.at,
                row.tries or 0,
                state_of(done, due, today),
            )
        )
    return found
