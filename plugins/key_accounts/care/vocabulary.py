"""What people call the stored words of care."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.care import rules
from portal.i18n import _l

#: key → (title, what it asks)
DUTIES: dict[str, tuple[Any, Any]] = {
    "supply": (_l("Secure supply"), _l("Stock talks before the season; deliver first when goods are short.")),
    "sales_force": (
        _l("Engage their whole sales force"),
        _l("From the management to the shop floor, not the buyer alone."),
    ),
    "new_products": (_l("Try new products with them first"), _l("Their judgement before the market’s.")),
    "events": (_l("Follow their events and help"), _l("Openings, anniversaries, trade fairs: be there and useful.")),
    "executive_visits": (
        _l("Visits of executives"),
        _l("With a briefing sheet; about a third of the sales head’s time."),
    ),
    "promotion": (_l("Design promotion together"), _l("One plan, shared cost, measured result.")),
    "staff_feedback": (
        _l("Ask them about our people"),
        _l("Findings go to the superior and to personnel, then we adjust."),
    ),
    "incentives": (_l("Grant incentives"), _l("Discount, rebate, promotion allowance, sales contest.")),
    "information": (
        _l("Timely and accurate information"),
        _l("Prices, deliveries, changes: they hear it from us first."),
    ),
    "yearly_meeting": (_l("Yearly meeting"), _l("Once a year, with invitations, agenda, minutes and actions.")),
}
LIGHTS: dict[str, Any] = {
    rules.GREEN: _l("In good order"),
    rules.YELLOW: _l("Due soon"),
    rules.RED: _l("Overdue"),
    rules.GREY: _l("Not counted"),
}
LIGHT_TONES = {rules.GREEN: "success", rules.YELLOW: "warning", rules.RED: "danger", rules.GREY: "neutral"}
LIGHT_ICONS = {
    rules.GREEN: "check-circle-fill",
    rules.YELLOW: "clock-fill",
    rules.RED: "exclamation-circle-fill",
    rules.GREY: "dash-circle",
}
VISIT_STATES: dict[str, Any] = {
    "planned": _l("Visit planned"),
    "held": _l("Took place"),
    "cancelled": _l("Called off"),
}
VISIT_TONES = {"planned": "info", "held": "success", "cancelled": "neutral"}
MEETING_KINDS: dict[str, Any] = {
    "yearly": _l("Yearly meeting"),
    "executives": _l("Meeting of both sides’ executives"),
}
ANSWERS: dict[str, Any] = {
    "invited": _l("Invited"),
    "accepted": _l("Comes"),
    "declined": _l("Does not come"),
    "came": _l("Was there"),
}
ANSWER_TONES = {"invited": "neutral", "accepted": "success", "declined": "warning", "came": "accent"}
INCENTIVES: dict[str, Any] = {
    "discount": _l("Discount"),
    "rebate": _l("Rebate"),
    "allowance": _l("Promotion allowance"),
    "contest": _l("Sales contest"),
}


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))
