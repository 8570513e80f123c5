"""Who may do what with key accounts. What one sees follows the customers one sees."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE

USE = "key_accounts.use"
LEAD = "key_accounts.lead"
DECIDE_TIER = "key_accounts.decide_tier"

PERMISSIONS = (
    Permission(USE, _l("Use the pages of key accounts, for the customers one may see")),
    Permission(LEAD, _l("Lead key accounts: policies, shared scenarios, recomputation, leadership of the accounts")),
    Permission(DECIDE_TIER, _l("Decide on the tiers of customers one may see")),
)


def _heads(actor: Actor) -> bool:
    return bool(actor.headed)


def _is_system(actor: Actor) -> bool:
    return actor.is_system


RULES = (
    Rule(USE, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(USE, "department_head", _l("heads a department"), _heads),
    Rule(USE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(LEAD, "department_head", _l("heads a department"), _heads),
    Rule(LEAD, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(LEAD, "system", _l("is the portal itself"), _is_system),
    Rule(DECIDE_TIER, "department_head", _l("heads a department"), _heads),
    Rule(DECIDE_TIER, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(DECIDE_TIER, "system", _l("is the portal itself"), _is_system),
)
