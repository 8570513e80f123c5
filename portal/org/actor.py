"""Who acts: a frozen picture of a person, as rules and services need it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Integer, bindparam, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from portal.core.errors import NotFound
from portal.extensions import db
from portal.org.models import Department, User, UserRole


@dataclass(frozen=True)
class Actor:
    """A signed-in person, or the system itself (jobs, commands).

    :ivar headed: ids of departments the person heads or deputises.
    :ivar oversees: those departments and all below them.
    """

    user_id: int | None
    name: str
    login: str = ""
    department_id: int | None = None
    roles: frozenset[str] = frozenset()
    headed: frozenset[int] = frozenset()
    oversees: frozenset[int] = frozenset()
    is_system: bool = False
    person_key: str = ""
    language: str = ""
    theme: str = "auto"
    ip: str = ""
    session_key: str = ""

    def __hash__(self) -> int:
        # A page asks hundreds of times what is remembered for an actor; whether two are equal all fields still say.
        return hash((self.user_id, self.login, self.session_key))

    @property
    def is_head(self) -> bool:
        """Whether the person heads or deputises a department."""
        return bool(self.headed)


#: The portal itself: schedules, commands, imports of the demo. It has no user row.
SYSTEM = Actor(user_id=None, name="system", is_system=True)


@dataclass(frozen=True)
class Authority:
    """What a person may act for: roles, departments headed, and those with all below them."""

    roles: frozenset[str]
    headed: frozenset[int]
    oversees: frozenset[int]


def authority_of(user_id: int) -> Authority:
    """Roles and departments of a person, in one statement."""
    found: dict[str, set[Any]] = {"role": set(), "headed": set(), "oversees": set()}
    for what, word, number in db.session.execute(_authority_statement(), {"person": user_id}):
        found[what].add(word if what == "role" else number)
    return Authority(frozenset(found["role"]), frozenset(found["headed"]), frozenset(found["oversees"]))


@cache
def _authority_statement() -> CompoundSelect[Any]:
    """Built once: every request asks it."""
    user_id = bindparam("person", type_=Integer)
    headed = aliased(Department)
    heads = (or_(headed.head_id == user_id, headed.deputy_id == user_id), headed.is_active)
    # Paths consist of digits and slashes alone, so they need no escaping in LIKE.
    below = Department.path.like(headed.path + "%")
    return union_all(
        select(literal("role").label("what"), UserRole.role.label("word"), literal(0).label("number")).where(
            UserRole.user_id == user_id
        ),
        select(literal("headed"), literal(""), headed.id).where(*heads),
        select(literal("oversees"), literal(""), Department.id).join(headed, below).where(*heads),
    )


def actor_from_user(user: User, ip: str = "", session_key: str = "") -> Actor:
    """Build the actor of a user row; one further statement."""
    authority = authority_of(user.id)
    return Actor(
        user_id=user.id,
        name=user.name,
        login=user.login,
        department_id=user.department_id,
        roles=authority.roles,
        headed=authority.headed,
        oversees=authority.oversees,
        person_key=user.person_key,
        language=user.language,
        theme=user.theme,
        ip=ip,
        session_key=session_key,
    )


def load_actor(user_id: int) -> Actor:
    """The actor of an active user. :raises NotFound: when there is none."""
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise NotFound()
    return actor_from_user(user)


def users_with_role(role: str) -> list[int]:
    """Ids of the active people who hold a role."""
    return list(
        db.session.scalars(
            select(User.id).join(UserRole).where(UserRole.role == role, User.is_active).order_by(User.id)
        )
    )
