"""What people call the stored words of manuals."""

from __future__ import annotations

from typing import Any

from plugins.sop.manuals import models
from portal.i18n import _, _l, _n
from portal.org import models as org

STATES: dict[str, Any] = {
    models.DRAFT: _l("Being written"),
    models.IN_REVIEW: _l("In review"),
    models.APPROVED: _l("Approved, not in force yet"),
    models.EFFECTIVE: _l("Effective"),
    models.SUPERSEDED: _l("Superseded"),
    models.RETIRED: _l("Retired"),
}
STATE_TONES = {
    models.DRAFT: "neutral",
    models.IN_REVIEW: "warning",
    models.APPROVED: "info",
    models.EFFECTIVE: "success",
    models.SUPERSEDED: "neutral",
    models.RETIRED: "danger",
}
CLASSIFICATIONS: dict[str, Any] = {
    models.INTERNAL: _l("Internal: everybody in the company"),
    models.CONFIDENTIAL: _l("Confidential: only those who must read it"),
}
#: Kinds of department in the library of starters.
DEPARTMENT_KINDS: dict[str, Any] = {
    "sales": _l("Sales department"),
    "service": _l("Customer service department"),
    "finance": _l("Finance department"),
    "logistics": _l("Logistics department"),
    "marketing": _l("Marketing department"),
    "archive": _l("Archive department"),
    "management": _l("Management department"),
}
ROLES: dict[str, Any] = {
    models.EVERYBODY: _l("Everybody"),
    models.HEADS: _l("Department heads"),
    org.ACCOUNT_MANAGER: _l("Account manager"),
    org.ARCHIVE_MAINTAINER: _l("Archive maintainer"),
    org.PRINT_OPERATOR: _l("Print operator"),
    org.SOP_EDITOR: _l("SOP editor"),
    org.EXECUTIVE: _l("Executive"),
    org.AUDITOR: _l("Auditor"),
    org.ADMINISTRATOR: _l("Administrator"),
}
RELATIONS: dict[str, Any] = {models.AFTER: _l("begins after"), models.SEE_ALSO: _l("see also")}
RACI: dict[str, Any] = {
    "R": _l("R: does it"),
    "A": _l("A: answers for it"),
    "C": _l("C: is asked before"),
    "I": _l("I: is told"),
}
UNITS: dict[str, Any] = {
    models.MINUTES: _l("minutes"),
    models.HOURS: _l("hours"),
    models.WORKING_DAYS: _l("working days"),
    models.DAYS: _l("days"),
    models.WEEKS: _l("weeks"),
    models.MONTHS: _l("months"),
}
FIELDS: dict[str, Any] = {
    "title": _l("Title"),
    "body": _l("Text"),
    "trigger": _l("Trigger"),
    "purpose": _l("Aim of the procedure"),
    "records": _l("Records kept"),
    "measures": _l("Measures of success"),
    "departments": _l("Departments"),
    "roles": _l("Roles"),
    "related": _l("Related procedures"),
    "forms": _l("Forms"),
    "who": _l("Who does it"),
    "what": _l("What is done"),
    "record": _l("Form or record"),
    "limit": _l("Time limit"),
    "standard": _l("Standard"),
    "marks": _l("Marks"),
}
EVENTS: dict[str, Any] = {
    "drafted": _l("Begun"),
    "submitted": _l("Submitted for review"),
    "withdrawn": _l("Taken back from review"),
    "rejected": _l("Rejected"),
    "returned": _l("Sent back"),
    "expired": _l("Review ran out"),
    "cancelled": _l("Review cancelled"),
    "approved": _l("Approved by all heads"),
    "effective": _l("Took effect"),
    "reviewed": _l("Looked through"),
    "review_due": _l("Look-through called to mind"),
    "retired": _l("Retired"),
}
KINDS: dict[str, Any] = {
    "added": _l("New"),
    "changed": _l("Reworded"),
    "removed": _l("Removed"),
    "moved": _l("Moved"),
}
KIND_TONES = {"added": "success", "changed": "warning", "removed": "danger", "moved": "info"}


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


def limit(step: Any) -> str:
    """A step's time limit in words ("2 working days, before noon"); "" when there is none."""
    parts = []
    if step.limit_amount:
        parts.append(_amount(step.limit_amount, step.limit_unit))
    if step.limit_text:
        parts.append(step.limit_text)
    return _("%(amount)s, %(text)s", amount=parts[0], text=parts[1]) if len(parts) == 2 else "".join(parts)


def _amount(count: int, unit: str) -> str:
    if unit == models.MINUTES:
        return _n("%(num)s minute", "%(num)s minutes", count)
    if unit == models.HOURS:
        return _n("%(num)s hour", "%(num)s hours", count)
    if unit == models.WORKING_DAYS:
        return _n("%(num)s working day", "%(num)s working days", count)
    if unit == models.WEEKS:
        return _n("%(num)s week", "%(num)s weeks", count)
    if unit == models.MONTHS:
        return _n("%(num)s month", "%(num)s months", count)
    return _n("%(num)s day", "%(num)s days", count)


def roles(names: Any) -> str:
    """Roles in words."""
    return _(", ").join(word(ROLES, name) for name in names)
