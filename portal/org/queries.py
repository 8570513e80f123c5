"""Reads about people, departments and delegations. Nothing here is secret to a member of staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.errors import NotFound
from portal.core.text import clean_name
from portal.extensions import db
from portal.org.delegation import Grant, scope_from_text, usable
from portal.org.models import Delegation, Department, User, UserRole

#: Hits of a picker.
PICKED = 20


# ---- people --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonLine:
    """A person as pages show him."""

    id: int
    login: str
    name: str
    title: str
    email: str
    phone: str
    department_id: int
    department: str
    is_active: bool
    deactivated_at: datetime | None = None
    successor_id: int | None = None


def _person_select() -> tuple[Any, ...]:
    return (
        User.id,
        User.login,
        User.name,
        User.title,
        User.email,
        User.phone,
        User.department_id,
        Department.name.label("department"),
        User.is_active,
        User.deactivated_at,
        User.successor_id,
    )


def person_line(user_id: int) -> PersonLine:
    """One person, active or not. :raises NotFound: when there is none."""
    row = db.session.execute(
        select(*_person_select()).join(Department, Department.id == User.department_id).where(User.id == user_id)
    ).first()
    if row is None:
        raise NotFound()
    return PersonLine(**row._mapping)


def person(user_id: int) -> User:
    """The row of a person. :raises NotFound: when there is none."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound()
    return user


def names_of(user_ids: Iterable[int | None]) -> dict[int, str]:
    """id → name, for all ids at once."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    if not wanted:
        return {}
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}


def roles_of(user_ids: Sequence[int]) -> dict[int, list[str]]:
    """id → roles, for all ids at once."""
    found: dict[int, list[str]] = {}
    rows = select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(user_ids)).order_by(UserRole.role)
    for row in db.session.execute(rows):
        found.setdefault(row.user_id, []).append(row.role)
    return found


def name_matches(text: str) -> ColumnElement[bool]:
    """Condition: the text is part of the name, the log-in name or the telephone number, or the beginning of the pinyin
    or its initials (see `portal.org.names`)."""
    typed = clean_name(text)[:100]
    letters = typed.casefold().replace(" ", "")
    return or_(
        User.name.contains(typed, autoescape=True),
        User.login.contains(letters, autoescape=True),
        func.replace(User.name_sort, " ", "").startswith(letters, autoescape=True),
        User.name_sort.contains("  " + letters, autoescape=True),
        User.phone.contains(letters, autoescape=True),
    )


@dataclass(frozen=True)
class Choice:
    """One hit of a picker."""

    value: int
    label: str
    hint: str


def user_choices(q: str, *, exclude: Iterable[int] = ()) -> list[Choice]:
    """Active people for a picker, by name, pinyin, initials or log-in name; best first; one statement."""
    statement = (
        select(User.id, User.name, User.login, Department.name.label("department"))
        .join(Department, Department.id == User.department_id)
        .where(User.is_active, User.id.not_in(list(exclude)))
        .order_by(User.name_sort, User.id)
        .limit(PICKED)
    )
    if clean_name(q):
        statement = statement.where(name_matches(q))
    return [Choice(row.id, row.name, f"{row.department} · {row.login}") for row in db.session.execute(statement)]


def find_user(text: str) -> int | None:
    """The one active person a typed text means: log-in name, or a name that only one has; else None."""
    typed = clean_name(text)
    if not typed:
        return None
    by_login = db.session.scalar(select(User.id).where(User.login == typed.casefold(), User.is_active))
    if by_login is not None:
        return by_login
    found = list(db.session.scalars(select(User.id).where(User.name == typed, User.is_active).limit(2)))
    return found[0] if len(found) == 1 else None


def supervisor_of(user_id: int) -> int | None:
    """Direct superior (R-ORG-1): the one named, else the head of the department, else of the one above.

    A head is not his own superior. Superiors who left do not count.
    """
    user = person(user_id)
    if user.supervisor_id is not None:
        named = db.session.get(User, user.supervisor_id)
        if named is not None and named.is_active:
            return named.id
    for link in approver_chain(user.department_id):
        if link.head_id is not None and link.head_id != user_id:
            return link.head_id
    return None


# ---- departments ---------------------------------------------------------------------------------------------------


@dataclass
class DepartmentNode:
    """A department in the tree."""

    id: int
    name: str
    code: str
    parent_id: int | None
    path: str
    is_active: bool
    head_id: int | None
    head: str
    head_is_active: bool
    deputy_id: int | None
    deputy: str
    people: int
    children: list[DepartmentNode] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """0 for a root."""
        return self.path.count("/") - 2

    @property
    def people_below(self) -> int:
        """Active people here and in all departments below."""
        return self.people + sum(child.people_below for child in self.children)

    def walk(self) -> Iterable[DepartmentNode]:
        """This department and all below it, from the top down."""
        yield self
        for child in self.children:
            yield from child.walk()


def departments_tree(*, closed: bool = False) -> list[DepartmentNode]:
    """The roots with everything below them, by name; one statement.

    :param closed: closed departments too.
    """
    head, deputy = aliased(User), aliased(User)
    count = (
        select(func.count()).where(User.department_id == Department.id, User.is_active).correlate(Department)
    ).scalar_subquery()
    statement = (
        select(
            Department.id,
            Department.name,
            Department.code,
            Department.parent_id,
            Department.path,
            Department.is_active,
            Department.head_id,
            func.coalesce(head.name, "").label("head"),
            func.coalesce(head.is_active, False).label("head_is_active"),
            Department.deputy_id,
            func.coalesce(deputy.name, "").label("deputy"),
            count.label("people"),
        )
        .outerjoin(head, head.id == Department.head_id)
        .outerjoin(deputy, deputy.id == Department.deputy_id)
        .order_by(Department.code)
    )
    if not closed:
        statement = statement.where(Department.is_active)
    nodes = {row.id: DepartmentNode(**row._mapping) for row in db.session.execute(statement)}
    roots: list[DepartmentNode] = []
    for node in nodes.values():
        parent = nodes.get(node.parent_id or 0)
        (parent.children if parent else roots).append(node)
    return roots


def department(department_id: int) -> Department:
    """The row of a department. :raises NotFound: when there is none."""
    found = db.session.get(Department, department_id)
    if found is None:
        raise NotFound()
    return found


def department_choices(q: str = "", *, limit: int = PICKED) -> list[Choice]:
    """Open departments for a picker, by name or code; the hint is the department above."""
    above = aliased(Department)
    statement = (
        select(Department.id, Department.name, Department.code, above.name.label("above"))
        .outerjoin(above, above.id == Department.parent_id)
        .where(Department.is_active)
        .order_by(Department.path)
        .limit(limit)
    )
    typed = clean_name(q)[:100]
    if typed:
        statement = statement.where(
            or_(
                Department.name.contains(typed, autoescape=True),
                func.lower(Department.code).startswith(typed.lower(), autoescape=True),
            )
        )
    rows = db.session.execute(statement)
    return [Choice(row.id, row.name, " · ".join(part for part in (row.above, row.code) if part)) for row in rows]


def departments_indented() -> list[tuple[int, str]]:
    """(id, name) of all open departments for a select field, each below its parent and indented."""
    return [(node.id, "\u3000" * node.depth + node.name) for root in departments_tree() for node in root.walk()]


@dataclass(frozen=True)
class ChainLink:
    """A department on the way up, with its active head and deputy."""

    department_id: int
    name: str
    head_id: int | None
    deputy_id: int | None


def approver_chain(department_id: int) -> list[ChainLink]:
    """The department and those above it, nearest first; people who left are not named; one statement.

    Departments without an active head are in the chain with `head_id` None: the next one decides (R-ORG-3).
    """
    here, head, deputy = aliased(Department), aliased(User), aliased(User)
    rows = db.session.execute(
        select(Department.id, Department.name, head.id.label("head_id"), deputy.id.label("deputy_id"))
        .join(here, here.path.like(Department.path + "%"))
        .outerjoin(head, (head.id == Department.head_id) & head.is_active)
        .outerjoin(deputy, (deputy.id == Department.deputy_id) & deputy.is_active)
        .where(here.id == department_id, Department.is_active)
        .order_by(func.length(Department.path).desc())
    )
    return [ChainLink(row.id, row.name, row.head_id, row.deputy_id) for row in rows]


# ---- delegations ---------------------------------------------------------------------------------------------------


def grants(*conditions: ColumnElement[bool]) -> list[Grant]:
    """Delegations that were not revoked and whose two people are still here, for the pure rules."""
    delegator, delegate = aliased(User), aliased(User)
    rows = db.session.execute(
        select(
            Delegation.id,
            Delegation.delegator_id,
            Delegation.delegate_id,
            Delegation.begins_at,
            Delegation.ends_at,
            Delegation.kinds,
            Delegation.departments,
        )
        .join(delegator, delegator.id == Delegation.delegator_id)
        .join(delegate, delegate.id == Delegation.delegate_id)
        .where(Delegation.revoked_at.is_(None), delegator.is_active, delegate.is_active, *conditions)
        .order_by(Delegation.begins_at, Delegation.id)
    )
    return [
        Grant(
            row.id,
            row.delegator_id,
            row.delegate_id,
            row.begins_at,
            row.ends_at,
            scope_from_text(row.kinds, row.departments),
        )
        for row in rows
    ]


def active_delegations(at: datetime | None = None) -> list[Grant]:
    """All delegations that count at the moment (now): in their window, not revoked, in no circle; one statement.

    Whether the delegator still has the authority is for whoever uses it to check: "all" in a scope means all of what
    the delegator has at that time.
    """
    moment = at or clock.now()
    return usable(grants(Delegation.begins_at <= moment, Delegation.ends_at > moment), moment)


@dataclass(frozen=True)
class DelegationLine:
    """A delegation for a page."""

    id: int
    delegator_id: int
    delegator: str
    delegate_id: int
    delegate: str
    begins_at: datetime
    ends_at: datetime
    kinds: str
    departments: str
    reason: str
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """revoked, over, active or coming."""
        if self.revoked_at is not None:
            return "revoked"
        if self.ends_at <= now:
            return "over"
        return "active" if self.begins_at <= now else "coming"


def delegation_lines(user_id: int, *, given: bool, limit: int = 50) -> list[DelegationLine]:
    """Delegations a person gave (or received), newest first; revoked and past ones too."""
    delegator, delegate = aliased(User), aliased(User)
    mine = Delegation.delegator_id if given else Delegation.delegate_id
    rows = db.session.execute(
        select(
            Delegation.id,
            Delegation.delegator_id,
            delegator.name.label("delegator"),
            Delegation.delegate_id,
            delegate.name.label("delegate"),
            Delegation.begins_at,
            Delegation.ends_at,
            Delegation.kinds,
            Delegation.departments,
            Delegation.reason,
            Delegation.revoked_at,
        )
        .join(delegator, delegator.id == Delegation.delegator_id)
        .join(delegate, delegate.id == Delegation.delegate_id)
        .where(mine == user_id)
        .order_by(Delegation.begins_at.desc(), Delegation.id.desc())
        .limit(limit)
    )
    return [DelegationLine(**row._mapping) for row in rows]


def department_names(department_ids: Iterable[int]) -> dict[int, str]:
    """id → name, for all ids at once."""
    wanted = set(department_ids)
    if not wanted:
        return {}
    rows = db.session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in rows}


# ---- leaving -------------------------------------------------------------------------------------------------------


def headed_departments(user_id: int) -> list[tuple[int, str]]:
    """(id, name) of the open departments a person heads."""
    rows = db.session.execute(
        select(Department.id, Department.name)
        .where(Department.head_id == user_id, Department.is_active)
        .order_by(Department.path)
    )
    return [(row.id, row.name) for row in rows]
