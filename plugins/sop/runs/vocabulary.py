"""What people call the stored words of checklist runs."""

from __future__ import annotations

from typing import Any

from plugins.sop.manuals import models as manuals
from plugins.sop.runs import models
from portal.i18n import _, _l

STATES: dict[str, Any] = {
    models.OPEN: _l("Being worked on"),
    models.DONE: _l("Completed"),
    models.CANCELLED: _l("Called off"),
}
STATE_TONES = {models.OPEN: "info", models.DONE: "success", models.CANCELLED: "neutral"}
EVENTS: dict[str, Any] = {
    "started": _l("Checklist started"),
    "ticked": _l("Ticked"),
    "skipped": _l("Not applicable"),
    "undone": _l("Tick taken back"),
    "assigned": _l("Step assigned"),
    "due": _l("Date changed"),
    "comment": _l("Comment"),
    "file": _l("File added"),
    "file_removed": _l("File removed"),
    "owner": _l("Checklist handed over"),
    "completed": _l("Completed"),
    "reopened": _l("Taken up again"),
    "cancelled": _l("Called off"),
}
FREQUENCIES: dict[str, Any] = {
    models.DAILY: _l("Every working day"),
    models.WEEKLY: _l("Every week"),
    models.MONTHLY: _l("Every month"),
    models.QUARTERLY: _l("Every quarter"),
    models.YEARLY: _l("Every year"),
}
WEEKDAYS: dict[int, Any] = {
    1: _l("Monday"),
    2: _l("Tuesday"),
    3: _l("Wednesday"),
    4: _l("Thursday"),
    5: _l("Friday"),
    6: _l("Saturday"),
    7: _l("Sunday"),
}
RESPONSIBLE: dict[str, Any] = {
    models.BY_PERSON: _l("the person named"),
    models.BY_ACCOUNT_MANAGER: _l("the customer's account manager"),
    models.BY_CAUSER: _l("whoever brought about the occasion"),
}


def word(table: dict[Any, Any], value: Any) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


def limit(step: Any) -> str:
    """A time limit as people read it ("2 working days")."""
    if step.limit_amount is None:
        return str(step.limit_text or "")
    number = step.limit_amount
    told = {
        manuals.MINUTES: _("%(count)s minutes", count=number),
        manuals.HOURS: _("%(count)s hours", count=number),
        manuals.WORKING_DAYS: _("%(count)s working days", count=number),
        manuals.DAYS: _("%(count)s days", count=number),
        manuals.WEEKS: _("%(count)s weeks", count=number),
        manuals.MONTHS: _("%(count)s months", count=number),
    }[step.limit_unit]
    return f"{told} {step.limit_text}".strip()


def recurrence(schedule: models.SopSchedule) -> str:
    """When a schedule starts runs, in words."""
    if schedule.frequency == models.WEEKLY:
        return _("Every week on %(day)s", day=word(WEEKDAYS, schedule.weekday))
    if schedule.frequency == models.MONTHLY:
        return _("Every month on day %(day)s", day=schedule.day)
    if schedule.frequency == models.QUARTERLY:
        return _("Every quarter, month %(month)s, on day %(day)s", month=schedule.month, day=schedule.day)
    if schedule.frequency == models.YEARLY:
        return _("Every year on %(month)s-%(day)s", month=f"{schedule.month:02d}", day=f"{schedule.day:02d}")
    return word(FREQUENCIES, schedule.frequency)
