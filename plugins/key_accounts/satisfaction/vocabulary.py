"""What people call grades, phases and parts of the health."""

from __future__ import annotations

from typing import Any

from portal.i18n import _l

GRADES: dict[int, Any] = {
    5: _l("Very satisfied"),
    4: _l("Fairly satisfied"),
    3: _l("No opinion"),
    2: _l("Dissatisfied"),
    1: _l("Very dissatisfied"),
}
GRADE_TONES = {5: "success", 4: "success", 3: "neutral", 2: "warning", 1: "danger"}
PHASES: dict[str, Any] = {
    "before": _l("Before the purchase"),
    "during": _l("During the purchase"),
    "after": _l("After the purchase"),
}
PARTS: dict[str, Any] = {
    "freshness": _l("Fresh contact"),
    "satisfaction": _l("Satisfaction"),
    "trend": _l("Trend of sales"),
    "plan": _l("Progress of the plan"),
    "risk": _l("Low risk"),
}


def health_tone(score: int | None) -> str:
    """The colour of a score: green from 70, yellow from 40, red below."""
    if score is None:
        return "neutral"
    return "success" if score >= 70 else "warning" if score >= 40 else "danger"
