"""Words of weekly reports and targets."""

from __future__ import annotations

from typing import Any

from plugins.archive.reports import models
from portal.i18n import _l

MISSING, OVERDUE = "missing", "overdue"
STATES: dict[str, Any] = {
    models.DRAFT: _l("Draft"),
    models.SUBMITTED: _l("Submitted"),
    models.RETURNED: _l("Sent back"),
    models.ACCEPTED: _l("Accepted"),
    MISSING: _l("Not begun"),
    OVERDUE: _l("Overdue"),
}
TONES = {
    models.DRAFT: "neutral",
    models.SUBMITTED: "info",
    models.RETURNED: "warning",
    models.ACCEPTED: "success",
    MISSING: "neutral",
    OVERDUE: "danger",
}
PERIODS: dict[str, Any] = {models.MONTH: _l("Month"), models.QUARTER: _l("Quarter"), models.YEAR: _l("Year")}


def word(words: dict[str, Any], key: str) -> str:
    """A label in the reader's language; an unknown key stands for itself."""
    return str(words.get(key, key))
