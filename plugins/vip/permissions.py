"""Who may do what with VIP memberships. What one sees follows the customers one sees."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE

USE = "vip.use"
MANAGE = "vip.manage"

PERMISSIONS = (
    Permission(USE, _l("See VIP customers among the customers one may see, and file VIP applications")),
    Permission(MANAGE, _l("Suspend, withdraw and reinstate memberships, correct points, maintain benefits")),
)


def _heads(actor: Actor) -> bool:
    return bool(actor.headed)


RULES = (
    Rule(USE, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(USE, "department_head", _l("heads a department"), _heads),
    Rule(USE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(MANAGE, "department_head", _l("heads a department"), _heads),
    Rule(MANAGE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
)
