"""Who may do what with manuals, and the permissions of the other areas gathered.

Everybody in the company reads what is effective; a confidential manual is read by those who are to read it, by its
department and by those who keep order. The existence of a manual one may not read is a secret.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, or_, select

from plugins.sop.manuals.models import INTERNAL, Manual, ManualEditor
from plugins.sop.reading.models import ALL_STAFF, DEPARTMENT, ROLE, ReadingRule
from portal.core.permissions import Actor, Permission, Rule, anyone, has_role
from portal.i18n import _l
from portal.org.models import AUDITOR, EXECUTIVE, SOP_EDITOR, Department

#: Open the library of procedures at all.
USE = "sop.use"
#: Begin new manuals, look at all of them.
WRITE = "sop.write"
#: Read one manual.
READ = "sop.read"
#: Change the draft of one manual, submit and retire it, say who must read it.
EDIT = "sop.edit"
#: See who has read what, and the figures of checklists.
OVERSEE = "sop.oversee"

PERMISSIONS = (
    Permission(USE, _l("Read procedures and work with them")),
    Permission(WRITE, _l("Begin manuals and keep them")),
    Permission(READ, _l("Read a manual"), entity=Manual, secret=True),
    Permission(EDIT, _l("Write a manual, submit and retire it, say who must read it"), entity=Manual, secret=True),
    Permission(OVERSEE, _l("See who has read what and how procedures are followed")),
)


def heads(actor: Actor) -> bool:
    """For `Rule.applies`: heads or deputies of departments."""
    return bool(actor.headed)


def _internal(_actor: Actor) -> ColumnElement[bool]:
    return Manual.classification == INTERNAL


def _own_department(actor: Actor) -> ColumnElement[bool]:
    return Manual.department_id == actor.department_id


def _headed(actor: Actor) -> ColumnElement[bool]:
    return Manual.department_id.in_(actor.oversees) if actor.oversees else false()


def _writes(actor: Actor) -> ColumnElement[bool]:
    return Manual.id.in_(select(ManualEditor.manual_id).where(ManualEditor.user_id == actor.user_id))


def meant(department_id: Any, roles: Any) -> ColumnElement[bool]:
    """SQL condition of the reading rules that mean somebody of a department with some roles: values or parameters."""
    # A rule for a department holds for those below it: its path is the beginning of theirs.
    own = select(Department.path).where(Department.id == department_id).scalar_subquery()
    above = select(Department.id).where(own.like(Department.path + "%"))
    return or_(
        ReadingRule.audience == ALL_STAFF,
        (ReadingRule.audience == DEPARTMENT) & ReadingRule.department_id.in_(above),
        (ReadingRule.audience == ROLE) & ReadingRule.role.in_(roles),
    )


def reading_roles(actor: Actor) -> list[str]:
    """The words by which reading rules name a person."""
    return sorted(actor.roles) + (["head"] if actor.headed else [])


def must_read(actor: Actor) -> ColumnElement[bool]:
    """SQL condition of the reading rules that mean this person."""
    return meant(actor.department_id or 0, reading_roles(actor))


def _is_to_read(actor: Actor) -> ColumnElement[bool]:
    return Manual.id.in_(select(ReadingRule.manual_id).where(must_read(actor)))


RULES = (
    Rule(USE, "everybody", _l("is a member of staff"), anyone),
    Rule(WRITE, "sop_editor", _l("is an SOP editor"), has_role(SOP_EDITOR)),
    Rule(READ, "internal", _l("it is for everybody in the company"), anyone, _internal, lasting=True),
    Rule(READ, "must_read", _l("is to read it"), anyone, _is_to_read, lasting=True),
    Rule(READ, "department", _l("works in the department that keeps it"), anyone, _own_department, lasting=True),
    Rule(READ, "head", _l("heads the department that keeps it"), heads, _headed, lasting=True),
    Rule(READ, "writes", _l("writes it"), anyone, _writes, lasting=True),
    Rule(READ, "sop_editor", _l("is an SOP editor"), has_role(SOP_EDITOR)),
    Rule(READ, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(READ, "auditor", _l("is an auditor"), has_role(AUDITOR)),
    Rule(EDIT, "sop_editor", _l("is an SOP editor"), has_role(SOP_EDITOR)),
    Rule(EDIT, "writes", _l("writes it"), anyone, _writes),
    Rule(EDIT, "head", _l("heads the department that keeps it"), heads, _headed),
    Rule(OVERSEE, "sop_editor", _l("is an SOP editor"), has_role(SOP_EDITOR)),
    Rule(OVERSEE, "head", _l("heads a department"), heads),
    Rule(OVERSEE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(OVERSEE, "auditor", _l("is an auditor"), has_role(AUDITOR)),
)
