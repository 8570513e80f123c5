"""Who may merge: heads and executives, on customers they may edit."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import EXECUTIVE

MERGE = "customers.merge"

PERMISSIONS = (Permission(MERGE, _l("Merge customers that are there twice, and undo it")),)


def _is_head(actor: Actor) -> bool:
    return bool(actor.oversees)


RULES = (
    Rule(MERGE, "department_head", _l("heads a department"), _is_head),
    Rule(MERGE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
)
