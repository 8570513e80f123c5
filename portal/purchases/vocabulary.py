"""What people call the stored words of this module."""

from __future__ import annotations

from typing import Any

from portal.audit.labels import AuditWord
from portal.i18n import _l
from portal.purchases import models

GRADES: dict[str, Any] = {
    models.HIGH: _l("High grade"),
    models.MIDDLE: _l("Middle grade"),
    models.ORDINARY: _l("Ordinary grade"),
}
GRADE_TONES = {models.HIGH: "accent", models.MIDDLE: "info", models.ORDINARY: "neutral"}

OPEN, PAID, CANCELLED = "open", "paid", "cancelled"
STATES: dict[str, Any] = {OPEN: _l("Unpaid"), PAID: _l("Paid"), CANCELLED: _l("Voided")}
STATE_TONES = {OPEN: "warning", PAID: "success", CANCELLED: "neutral"}

#: Words for the audit trail.
AUDIT_WORDS = tuple(
    AuditWord("field", code, label)
    for code, label in (
        ("category", _l("Category")),
        ("code", _l("Article number")),
        ("days_per_unit", _l("Days that one unit lasts")),
        ("grade", _l("Grade")),
        ("lines", _l("Lines")),
        ("list_price", _l("List price")),
        ("paid_on", _l("Paid on")),
        ("purchased_on", _l("Date of purchase")),
        ("remarks", _l("Remarks")),
        ("total", _l("Total")),
        ("unit", _l("Unit")),
        ("unit_cost", _l("Unit cost")),
    )
)


def word(table: dict[str, Any], value: str) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


def state_of(paid_on: Any, cancelled_at: Any) -> str:
    """State of a purchase by its two dates."""
    return CANCELLED if cancelled_at is not None else PAID if paid_on is not None else OPEN
