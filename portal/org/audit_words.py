"""What the audit trail calls people, departments and roles, which it keeps by number and key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.audit.labels import AuditFinder, AuditTerm, value_words
from portal.core.transaction import while_unchanged
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.models import Department, User
from portal.org.roles import ROLE_NAMES

#: Fields that hold a person, or several, whichever module writes them.
PEOPLE = (
    "account_manager_id",
    "approver",
    "approvers",
    "asked",
    "assignee",
    "delegate_id",
    "deputy_id",
    "editors",
    "head_id",
    "manager_id",
    "organiser_id",
    "owner",
    "owner_id",
    "signer",
    "successor_id",
    "supervisor_id",
    "to",
    "user_id",
)
#: Fields that hold a department, or several.
DEPARTMENTS = ("applicant_department_id", "department_id", "departments", "parent_id")


def person(value: Any, _entry: Any = None) -> str | None:
    """The name of the person with a number."""
    if type(value) is not int:
        return None
    statement = select(User.id, User.name)
    return while_unchanged(person, lambda: {row.id: row.name for row in db.session.execute(statement)}).get(value)


def department(value: Any, _entry: Any = None) -> str | None:
    """The name of the department with a number; of several, where they stand in one text."""
    if isinstance(value, str) and value.replace(" ", "").isdecimal():
        return _(", ").join(department(int(number)) or number for number in value.split())
    if type(value) is not int:
        return None
    statement = select(Department.id, Department.name)
    return while_unchanged(department, lambda: {row.id: row.name for row in db.session.execute(statement)}).get(value)


def people(source: str, *fields: str) -> list[AuditTerm]:
    """Fields of a module's entries that hold people."""
    return [AuditFinder("names", f"{source}:{field}", person) for field in fields]


#: Names of fields that only this module keeps, or means in its own way.
_FIELDS = {
    "code": _l("Code"),
    "deputy_id": _l("Deputy"),
    "head_id": _l("Head"),
    "parent_id": _l("Belongs to"),
    "person_key": _l("Staff number"),
}

AUDIT_WORDS: list[AuditTerm] = [
    AuditFinder("fields", "org", _FIELDS.get),
    *people("*", *PEOPLE),
    *(AuditFinder("names", f"*:{field}", department) for field in DEPARTMENTS),
    *(word for source in ("org", "customers") for word in value_words(source, (("roles", ROLE_NAMES),))),
]
