"""What people call the stored words of opportunities."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.opportunities import models
from portal.i18n import _l

STAGES: dict[str, Any] = {
    models.IDENTIFIED: _l("Opportunity identified"),
    models.QUALIFIED: _l("Need confirmed"),
    models.PROPOSAL: _l("Proposal made"),
    models.NEGOTIATION: _l("In negotiation"),
    models.WON: _l("Deal won"),
    models.LOST: _l("Deal lost"),
}
STAGE_TONES = {
    models.IDENTIFIED: "neutral",
    models.QUALIFIED: "info",
    models.PROPOSAL: "info",
    models.NEGOTIATION: "accent",
    models.WON: "success",
    models.LOST: "danger",
}
SOURCES: dict[str, Any] = {
    models.MORE_USE: _l("More use"),
    models.CROSS_SELLING: _l("Cross-selling"),
    models.PRICE_MIX: _l("Price and mix"),
    models.DROP: _l("Drop unprofitable business"),
    models.CORE_INDUSTRY: _l("New customer in a core industry"),
    models.UNRELATED: _l("New customer in an unrelated industry"),
}
WIN_REASONS: dict[str, Any] = {
    "price": _l("Price"),
    "quality": _l("Quality"),
    "delivery": _l("Delivery"),
    "service": _l("Service"),
    "relation": _l("Relationship"),
    "solution": _l("Fitting solution"),
    "brand": _l("Brand"),
}
LOSS_REASONS: dict[str, Any] = {
    "price": _l("Price"),
    "quality": _l("Quality"),
    "delivery": _l("Delivery"),
    "service": _l("Service"),
    "relation": _l("Relationship"),
    "rival": _l("Rival came first"),
    "budget": _l("No budget"),
    "postponed": _l("Postponed by the customer"),
    "withdrawn": _l("We withdrew"),
}
#: The four answers of size × probability.
ACT, ATTACK, WAIT, SHELVE = "act", "attack", "wait", "shelve"
ANSWERS: dict[str, Any] = {
    ACT: _l("Act now"),
    ATTACK: _l("Plan the attack"),
    WAIT: _l("Wait for the chance"),
    SHELVE: _l("Shelve"),
}
ANSWER_TONES = {ACT: "success", ATTACK: "info", WAIT: "warning", SHELVE: "neutral"}
EVENTS: dict[str, Any] = {
    models.CREATED: _l("Opportunity created"),
    models.MOVED: _l("Stage changed"),
    models.CHANGED: _l("Figures changed"),
    models.CLOSED: _l("Closed"),
    models.REOPENED: _l("Opened again"),
}


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


def reason(stage: str, value: str) -> str:
    """The word for why an opportunity was won or lost."""
    return word(WIN_REASONS if stage == models.WON else LOSS_REASONS, value) if value else ""
