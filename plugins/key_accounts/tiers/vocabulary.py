"""What people call the stored words of tiers."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures import rules
from plugins.key_accounts.tiers import models
from portal.i18n import _l

TIERS: dict[str, Any] = {
    models.KEY: _l("Key customer"),
    models.IMPORTANT: _l("Important customer"),
    models.ORDINARY: _l("Ordinary customer"),
}
UNDECIDED = _l("Not decided")
TONES = {models.KEY: "accent", models.IMPORTANT: "info", models.ORDINARY: "neutral", "": "neutral"}
ROLES: dict[str, Any] = {
    "role_customers": _l("Opens customers for us"),
    "role_reputation": _l("Builds the product's reputation"),
    "role_direction": _l("Sets the product's direction"),
    "role_region": _l("Opens a region"),
}
ANSWERS: dict[str, Any] = {
    models.ACCEPTED: _l("Proposal accepted"),
    models.DECLINED: _l("Proposal declined"),
    models.OTHER: _l("Decided otherwise"),
    models.BY_HAND: _l("Decided without a proposal"),
}
REASONS: dict[str, Any] = {
    rules.TOP: _l("Among the largest customers by sales"),
    rules.NEXT: _l("Among the next largest customers by sales"),
    rules.REST: _l("Behind the larger customers by sales"),
    rules.NO_SALES: _l("No purchases in twelve months"),
    rules.TOO_SMALL: _l("Below the smallest sales of a key customer"),
    rules.LOSS: _l("Negative profit contribution: one tier lower"),
    rules.NOT_REPEATED: _l("Bought in too few years for a key customer"),
    rules.ROLE: _l("Has a strategic role: at least important"),
}
EASE: dict[int, Any] = {
    5: _l("very easy to develop"),
    4: _l("easy to develop"),
    3: _l("of medium ease"),
    2: _l("hard to develop"),
    1: _l("very hard to develop"),
}


def tier_word(tier: str) -> str:
    """The word for a tier; "" is a customer nobody decided on."""
    return str(TIERS.get(tier, UNDECIDED))


def word(table: dict[Any, Any], value: Any) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))
