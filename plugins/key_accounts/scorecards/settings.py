"""Settings of the scorecards."""

from __future__ import annotations

from plugins.key_accounts.scorecards.criteria import Limits
from portal.core import settings
from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS = (
    Setting(
        "key_accounts.selection_score",
        "int",
        60,
        _l("Selection of key accounts: least score"),
        minimum=0,
        maximum=100,
    ),
    Setting(
        "key_accounts.admission_grade",
        "int",
        3,
        _l("Admission of key accounts: least grade of each criterion"),
        minimum=0,
        maximum=5,
    ),
)


def limits() -> Limits:
    """The thresholds as they are set now."""
    return Limits(settings.get("key_accounts.selection_score"), settings.get("key_accounts.admission_grade"))
