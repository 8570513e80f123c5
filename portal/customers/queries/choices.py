"""People and departments among whom somebody chooses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, or_, select, true

from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User, UserRole


def possible_managers(actor: Actor, present: int | None = None, limit: int = 500) -> list[tuple[int, str]]:
    """People whom the actor may make account manager: (id, name · department), by pinyin.

    Executives and the portal choose among all account managers and heads, heads among the people of the departments
    they oversee, everybody else only himself. `present` is always among them.
    """
    among_all = EXECUTIVE in actor.roles or actor.is_system
    parameters: dict[str, Any] = {"present": present or 0, "limit": limit}
    if not among_all:
        parameters |= {"overseen": sorted(actor.oversees), "user_id": actor.user_id or 0}
    rows = db.session.execute(_managers_statement(among_all), parameters)
    return [(row.id, f"{row.name} · {row.department}") for row in rows]


@cache
def _managers_statement(among_all: bool) -> Select[int, str, str]:
    """Built once: each list of customers offers them in a filter."""
    if among_all:
        manages = User.id.in_(select(UserRole.user_id).where(UserRole.role == ACCOUNT_MANAGER))
        leads = User.id.in_(select(Department.head_id).where(Department.head_id.is_not(None)))
        condition = or_(manages, leads)
    else:
        below = User.department_id.in_(bindparam("overseen", expanding=True))
        condition = or_(below, User.id == bindparam("user_id", type_=Integer))
    return (
        select(User.id, User.name, Department.name.label("department"))
        .join(Department, User.department_id == Department.id)
        .where(or_(and_(condition, User.is_active), User.id == bindparam("present", type_=Integer)))
        .order_by(User.name_sort, User.id)
        .limit(bindparam("limit", type_=Integer))
    )


def possible_departments(actor: Actor, present: int | None = None) -> list[tuple[int, str]]:
    """Departments that the actor may make owner: (id, name)."""
    among_all = EXECUTIVE in actor.roles or actor.is_system
    parameters: dict[str, Any] = {"present": present or 0}
    if not among_all:
        parameters["own"] = sorted({*actor.oversees, *([actor.department_id] if actor.department_id else [])})
    rows = db.session.execute(_departments_statement(among_all), parameters)
    return [(row.id, row.name) for row in rows]


@cache
def _departments_statement(among_all: bool) -> Select[int, str]:
    condition = true() if among_all else Department.id.in_(bindparam("own", expanding=True))
    return (
        select(Department.id, Department.name)
        .where(or_(and_(condition, Department.is_active), Department.id == bindparam("present", type_=Integer)))
        .order_by(Department.path)
    )


def colleagues_of(actor: Actor, customer: Customer, also: Iterable[int] = (), limit: int = 60) -> list[tuple[int, str]]:
    """People one may name as taking part: of one's own and of the customer's department, by pinyin."""
    departments = {department for department in (actor.department_id, customer.department_id) if department}
    kept = list(also)
    near = and_(User.department_id.in_(sorted(departments)), User.is_active, User.id != (actor.user_id or 0))
    rows = db.session.execute(
        select(User.id, User.name).where(or_(near, User.id.in_(kept))).order_by(User.name_sort, User.id).limit(limit)
    )
    return [(row.id, row.name) for row in rows]
