"""Settings of care."""

from __future__ import annotations

from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS = (
    Setting(
        "key_accounts.care_soon_days",
        "int",
        30,
        _l("A care duty is due soon within"),
        minimum=0,
        maximum=180,
        unit=_l("days"),
    ),
)
