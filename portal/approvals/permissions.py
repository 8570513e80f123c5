"""Permissions of this module. Deciding is no permission: it follows from a seat (`portal.approvals.authority`)."""

from __future__ import annotations

from portal.core.permissions import Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ADMINISTRATOR, AUDITOR

#: Give a request that nobody can decide, or whose approver is away, to somebody else. Never includes deciding.
REASSIGN = "approvals.reassign"
#: See the status of all requests (not their content).
OVERSEE = "approvals.oversee"

PERMISSIONS = (
    Permission(REASSIGN, _l("Assign requests to another approver")),
    Permission(OVERSEE, _l("See the status of all requests")),
)

RULES = (
    Rule(REASSIGN, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR)),
    Rule(OVERSEE, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR)),
    Rule(OVERSEE, "auditor", _l("is an auditor"), has_role(AUDITOR)),
)
