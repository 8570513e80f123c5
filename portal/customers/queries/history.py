"""What happened to a customer's record, and who can see it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select
from sqlalchemy.orm import joinedload

from portal.audit.models import AuditEntry
from portal.core.permissions import Reason, holders
from portal.customers.actions import CustomerAction
from portal.customers.models import Customer, CustomerQualification, CustomerStageChange
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.models import Department, User


def stage_changes_of(customer_id: int) -> list[CustomerStageChange]:
    """All changes of the stage, newest first."""
    return list(db.session.scalars(_stage_changes_statement(), {"customer_id": customer_id}))


@cache
def _stage_changes_statement() -> Select[CustomerStageChange]:
    return (
        select(CustomerStageChange)
        .where(CustomerStageChange.customer_id == bindparam("customer_id"))
        .options(joinedload(CustomerStageChange.changed_by).lazyload(User.roles))
        .order_by(CustomerStageChange.changed_at.desc(), CustomerStageChange.id.desc())
        .limit(100)
    )


def qualification_of(customer_id: int) -> CustomerQualification | None:
    """The assessment that counts."""
    return db.session.scalars(_qualification_statement(), {"customer_id": customer_id}).first()


@cache
def _qualification_statement() -> Select[CustomerQualification]:
    return (
        select(CustomerQualification)
        .where(CustomerQualification.customer_id == bindparam("customer_id"))
        .options(joinedload(CustomerQualification.assessed_by).lazyload(User.roles))
        .order_by(CustomerQualification.assessed_at.desc(), CustomerQualification.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class ChangeRow:
    """A change out of the audit trail: when, who, what, old and new values of the public fields."""

    at: datetime
    actor: str
    action: str
    reason: str
    old: dict[str, Any]
    new: dict[str, Any]
    fields: tuple[str, ...]


#: What the time line shows as changes; interactions and stages have entries of their own.
CHANGE_ACTIONS = (
    CustomerAction.MERGE,
    CustomerAction.UNMERGE,
    CustomerAction.REVEAL,
    CustomerAction.STEP_PLAN,
    CustomerAction.STEP_CANCEL,
    CustomerAction.CREATE,
    CustomerAction.CHANGE,
    CustomerAction.ASSIGN,
    CustomerAction.HAND_OVER,
    CustomerAction.QUALIFY,
    CustomerAction.CONTACT_ADD,
    CustomerAction.CONTACT_CHANGE,
    CustomerAction.CONTACT_DEACTIVATE,
    CustomerAction.CONTACT_REACTIVATE,
)


def changes_of(customer_id: int, before: datetime | None, limit: int, actions: Sequence[str] = ()) -> list[ChangeRow]:
    """Changes of a customer and its contacts, newest first. Personal values are named, not shown."""
    parameters = {
        "customer_id": customer_id,
        "actions": [str(action) for action in actions or CHANGE_ACTIONS],
        "before": before,
        "limit": limit,
    }
    return [_change_row(row) for row in db.session.execute(_changes_statement(before is not None), parameters)]


@cache
def _changes_statement(older: bool) -> Select[datetime, str, str, str, str | None, str | None, str | None]:
    statement = select(
        AuditEntry.at,
        AuditEntry.actor_name,
        AuditEntry.action,
        AuditEntry.reason,
        AuditEntry.old_values,
        AuditEntry.new_values,
        AuditEntry.private,
    ).where(
        AuditEntry.customer_id == bindparam("customer_id"),
        AuditEntry.result == "ok",
        AuditEntry.action.in_(bindparam("actions", expanding=True)),
    )
    if older:
        statement = statement.where(AuditEntry.at < bindparam("before", type_=AuditEntry.at.type))
    return statement.order_by(AuditEntry.seq.desc()).limit(bindparam("limit", type_=Integer))


def _change_row(row: Any) -> ChangeRow:
    old = json.loads(row.old_values) if row.old_values else {}
    new = json.loads(row.new_values) if row.new_values else {}
    private = json.loads(row.private) if row.private else {}
    hidden = private.get("new", {}) if isinstance(private, dict) else {}
    fields = tuple(dict.fromkeys([*new, *hidden]))
    return ChangeRow(row.at, row.actor_name, row.action, row.reason, old, new, fields)


def names_of_users(ids: Iterable[int]) -> dict[int, str]:
    """id → name of people."""
    wanted = {value for value in ids if isinstance(value, int)}
    if not wanted:
        return {}
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}


def names_of_departments(ids: Iterable[int]) -> dict[int, str]:
    """id → name of departments."""
    wanted = {value for value in ids if isinstance(value, int)}
    if not wanted:
        return {}
    rows = db.session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True)
class Viewer:
    """Somebody who can see a customer, and why."""

    name: str
    department: str
    title: str
    reasons: tuple[Reason, ...]


def viewers_of(customer: Customer) -> list[Viewer]:
    """Who can see a customer and why; people with the customer's department first, then by name."""
    found = holders(VIEW, customer)
    rows = db.session.execute(
        select(User.id, User.name, User.title, User.department_id, Department.name.label("department"))
        .join(Department, User.department_id == Department.id)
        .where(User.id.in_(found))
        .order_by((User.department_id == customer.department_id).desc(), User.name_sort, User.id)
    )
    return [Viewer(row.name, row.department, row.title, tuple(found[row.id])) for row in rows]
