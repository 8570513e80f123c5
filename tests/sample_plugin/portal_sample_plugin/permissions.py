"""Who works with samples: whoever works with customers."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE

USE = "sample.use"

PERMISSIONS = (Permission(USE, _l("Ask for samples and see those of one's customers")),)


def _heads(actor: Actor) -> bool:
    return bool(actor.headed)


RULES = (
    Rule(USE, "account_manager", _l("is an account manager"), has_role(ACCOUNT_MANAGER)),
    Rule(USE, "department_head", _l("heads a department"), _heads),
    Rule(USE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
)
