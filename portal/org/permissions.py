"""Who may see and change people and departments."""

from __future__ import annotations

from portal.core.permissions import Permission, Rule, anyone, has_role
from portal.i18n import _l
from portal.org.models import ADMINISTRATOR

#: Create and edit people and departments, roles, leaving.
MANAGE = "org.manage"
#: Staff directory and organisation chart.
DIRECTORY = "org.directory"
#: Name a delegate for one's approvals.
DELEGATE = "org.delegate"

PERMISSIONS = (
    Permission(MANAGE, _l("Look after people and departments"), step_up=True),
    Permission(DIRECTORY, _l("Look people and departments up")),
    Permission(DELEGATE, _l("Delegate one's approvals")),
)

RULES = (
    Rule(MANAGE, "administrator", _l("is an administrator"), has_role(ADMINISTRATOR)),
    Rule(DIRECTORY, "everybody", _l("is a member of staff"), anyone),
    Rule(DELEGATE, "head", _l("heads or deputises a department"), lambda actor: bool(actor.headed)),
)
