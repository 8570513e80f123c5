"""What people call the stored words of this plugin."""

from __future__ import annotations

from typing import Any

from plugins.vip import conditions, models
from plugins.vip.actions import VipAction
from portal.audit.labels import AuditWord, told_words, value_words
from portal.i18n import _l

LEVELS: dict[str, Any] = {
    models.SILVER: _l("Silver"),
    models.GOLD: _l("Gold"),
    models.DIAMOND: _l("Diamond"),
}
STATES: dict[str, Any] = {
    models.ACTIVE: _l("In force"),
    models.SUSPENDED: _l("Suspended"),
    models.WITHDRAWN: _l("Membership revoked"),
    models.LAPSED: _l("Lapsed"),
}
STATE_TONES = {
    models.ACTIVE: "success",
    models.SUSPENDED: "warning",
    models.WITHDRAWN: "danger",
    models.LAPSED: "neutral",
}
CONDITIONS: dict[str, Any] = {
    conditions.SINGLE: _l("Single purchase"),
    conditions.PERIOD: _l("Accumulated purchases"),
    conditions.RANK: _l("Administrative rank"),
    conditions.EXCEPTION: _l("Exception"),
}
ROUTES: dict[str, Any] = {
    models.BY_CUSTOMER: _l("Applied by the customer"),
    models.BY_COMPANY: _l("Proposed by the company"),
    models.BY_RENEWAL: _l("Renewal"),
}
EVENTS: dict[str, Any] = {
    "granted": _l("Granted"),
    "renewed": _l("Renewed"),
    "suspended": _l("Suspended"),
    "reinstated": _l("Reinstated"),
    "withdrawn": _l("Membership revoked"),
    "lapsed": _l("Lapsed"),
    "level": _l("Level changed"),
}
POINTS: dict[str, Any] = {
    models.EARNED: _l("Earned"),
    models.REDEEMED: _l("Redeemed"),
    models.REVERSED: _l("Points taken back"),
    models.CORRECTED: _l("Corrected"),
}


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


#: What the audit trail calls this plugin's things.
AUDIT_WORDS = (
    AuditWord("object", "vip_application", _l("VIP application")),
    AuditWord("object", "vip_membership", _l("VIP membership")),
    AuditWord("object", "vip_benefit", _l("VIP benefit")),
    AuditWord("object", "vip_candidate", _l("VIP candidate")),
    AuditWord("subject", "application", _l("VIP application")),
    AuditWord("subject", "membership", _l("VIP membership")),
    AuditWord("subject", "points", _l("VIP points")),
    AuditWord("subject", "benefit", _l("VIP benefit")),
    AuditWord("subject", "candidate", _l("VIP candidate")),
    AuditWord("field", "route", _l("Way in")),
    AuditWord("field", "condition", _l("Condition")),
    AuditWord("field", "points", _l("Points")),
    AuditWord("field", "balance", _l("Balance of points")),
    *told_words(
        _l("VIP membership"),
        VipAction.GRANTED,
        VipAction.RENEWED,
        VipAction.SUSPENDED,
        VipAction.REINSTATED,
        VipAction.WITHDRAWN,
        VipAction.LAPSED,
        VipAction.LEVEL_CHANGED,
    ),
    *value_words("vip", (("level", LEVELS), ("state", STATES), ("route", ROUTES), ("condition", CONDITIONS))),
)
