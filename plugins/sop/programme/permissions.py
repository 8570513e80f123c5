"""Who may see and who may lead the introduction. The plan itself is for everybody: it is everybody's work."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, has_role
from portal.i18n import _l
from portal.org.models import EXECUTIVE, SOP_EDITOR

PROGRAMME = "sop.programme"
PROGRAMME_MANAGE = "sop.programme_manage"

PERMISSIONS = (
    Permission(PROGRAMME, _l("See budget, self-assessments and scorecard of introduction programmes")),
    Permission(PROGRAMME_MANAGE, _l("Plan introduction programmes, decide on their budget, assess")),
)


def _heads(actor: Actor) -> bool:
    return bool(actor.headed)


RULES = (
    Rule(PROGRAMME, "department_head", _l("heads a department"), _heads),
    Rule(PROGRAMME, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(PROGRAMME, "sop_editor", _l("edits the procedures"), has_role(SOP_EDITOR)),
    Rule(PROGRAMME_MANAGE, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(PROGRAMME_MANAGE, "sop_editor", _l("edits the procedures"), has_role(SOP_EDITOR)),
)
