"""Who may import: whoever creates customers. What he may change by it is decided customer by customer."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE

IMPORT = "customers.import"

PERMISSIONS = (Permission(IMPORT, _l("Import customers and purchases from spreadsheets")),)


def _is_head(actor: Actor) -> bool:
    return bool(actor.oversees)


RULES = (
    Rule(IMPORT, "account_manager", _l("has the role of an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(IMPORT, "department_head", _l("heads a department"), _is_head),
    Rule(IMPORT, "executive", _l("is an executive"), has_role(EXECUTIVE)),
)
