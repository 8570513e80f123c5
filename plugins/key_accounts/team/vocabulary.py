"""What people call the stored words of teams."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.team import models
from portal.i18n import _l

ROLES: dict[str, Any] = {
    "technical": _l("Technical support"),
    "solution": _l("Solution design"),
    "logistics": _l("Delivery and logistics"),
    "service": _l("After-sales service"),
    "finance": _l("Finance and credit"),
    "marketing": _l("Marketing support"),
    "other": _l("Another part"),
}
LEVELS: dict[str, Any] = {
    models.TECHNICAL: _l("Technical level"),
    models.MANAGEMENT: _l("Management level"),
}
PHASES: dict[str, Any] = {
    models.BUILD: _l("Building the relationship"),
    models.STABLE: _l("Stable relationship"),
    models.STRENGTHEN: _l("Strengthening the relationship"),
}
PHASE_TONES = {models.BUILD: "info", models.STABLE: "success", models.STRENGTHEN: "accent"}
PHASE_FOCUS: dict[str, Any] = {
    models.BUILD: _l("Identify what they need and invest in the relationship."),
    models.STABLE: _l("Prevent incidents; keep the emergency plan ready."),
    models.STRENGTHEN: _l("Mutual benefit: what we buy from them, and the balance of give and take."),
}
GRADES: dict[int, Any] = {1: _l("Knows it"), 2: _l("Does it"), 3: _l("Teaches it")}


def word(table: dict[Any, Any], value: Any) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))
