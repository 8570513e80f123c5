"""What people call the parts of an account plan."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.plans import models
from portal.i18n import _l

PHASES: dict[str, Any] = {
    models.PREPARE: _l("Prepare"),
    models.PLAN: _l("Plan"),
    models.REVIEW: _l("Review the plan"),
    models.MONITOR: _l("Implement and monitor"),
}
STATES: dict[str, Any] = {
    models.DRAFT: _l("Being written"),
    models.SUBMITTED: _l("Waits for approval"),
    models.APPROVED: _l("Approved plan"),
    models.ARCHIVED: _l("Put away"),
}
STATE_TONES = {
    models.DRAFT: "info",
    models.SUBMITTED: "warning",
    models.APPROVED: "success",
    models.ARCHIVED: "neutral",
}
#: key → (title, what belongs there, phase)
SECTIONS: dict[str, tuple[Any, Any, str]] = {
    "business": (_l("Their business"), _l("What they make and sell, how they earn, how big they are."), models.PREPARE),
    "market": (_l("Their market and customers"), _l("Who buys from them, who competes with them."), models.PREPARE),
    "industry": (_l("How their industry works"), _l("Seasons, rules, who decides, what is changing."), models.PREPARE),
    "worth": (
        _l("What we are worth to them"),
        _l("What they would miss without us, in money where possible."),
        models.PREPARE,
    ),
    "worries": (_l("Present worries"), _l("What keeps their management awake."), models.PREPARE),
    "competitors": (
        _l("Our competitors there"),
        _l("Business, products, segments, position, advantage."),
        models.PREPARE,
    ),
    "analysis": (_l("Analysis"), _l("Strengths, weaknesses, chances, threats with this customer."), models.PLAN),
    "priorities": (_l("Priorities"), _l("The three things that matter most."), models.PLAN),
    "direction": (_l("Direction of the account"), _l("Where the account should stand in three years."), models.PLAN),
    "opportunities": (_l("Opportunities"), _l("Which ones, in which order, and why."), models.PLAN),
    "value": (_l("Value proposition"), _l("Why they should buy from us and not from others."), models.PLAN),
    "references": (_l("Reference customers"), _l("Benchmarks of their industry we can show."), models.PLAN),
    "team": (_l("Team and its tasks"), _l("Who does what beside the account manager."), models.PLAN),
    "problems": (
        _l("Problem solving"),
        _l("Delivery, installation, commissioning: what is open, who solves it."),
        models.MONITOR,
    ),
    "measures": (_l("Measures"), _l("By what we see that the plan works."), models.MONITOR),
}
MEASURES: dict[str, Any] = {"sales": _l("Sales amount"), "margin": _l("Gross margin")}
ACTION_STATES: dict[str, Any] = {
    models.OPEN: _l("To be done"),
    models.DONE: _l("Action done"),
    models.DROPPED: _l("Dropped"),
}
ACTION_TONES = {models.OPEN: "info", models.DONE: "success", models.DROPPED: "neutral"}
OCCASIONS: dict[str, Any] = {
    "submitted": _l("Filed for approval"),
    "approved": _l("Approved plan"),
    "kept": _l("Kept by hand"),
}
ENTRIES: dict[str, Any] = {"begun": _l("Incident began"), "note": _l("Note"), "ended": _l("Incident over")}


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))
