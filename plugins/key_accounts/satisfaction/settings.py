"""Settings of satisfaction, expected loss and health."""

from __future__ import annotations

from portal.core import settings
from portal.core.settings import Setting
from portal.i18n import _l

_LABELS = {
    1: (_l("Expected yearly loss of very dissatisfied customers"), 800),
    2: (_l("Expected yearly loss of dissatisfied customers"), 400),
    3: (_l("Expected yearly loss of customers without an opinion"), 200),
    4: (_l("Expected yearly loss of fairly satisfied customers"), 100),
    5: (_l("Expected yearly loss of very satisfied customers"), 15),
}
#: Parts of the health and their weights.
PARTS = ("freshness", "satisfaction", "trend", "plan", "risk")
_WEIGHTS = {
    "freshness": (_l("Health: weight of fresh contact"), 25),
    "satisfaction": (_l("Health: weight of satisfaction"), 20),
    "trend": (_l("Health: weight of the trend of sales"), 25),
    "plan": (_l("Health: weight of the plan's progress"), 15),
    "risk": (_l("Health: weight of low risk"), 15),
}

SETTINGS = (
    *(
        Setting(f"key_accounts.loss_{grade}", "int", default, label, minimum=0, maximum=1000, unit="‰")
        for grade, (label, default) in _LABELS.items()
    ),
    *(
        Setting(
            f"key_accounts.weight_{part}",
            "int",
            default,
            label,
            _l("Parts that nothing is known of do not count."),
            minimum=0,
            maximum=100,
        )
        for part, (label, default) in _WEIGHTS.items()
    ),
    Setting(
        "key_accounts.fresh_days",
        "int",
        30,
        _l("Health: a contact is fresh for"),
        _l("Where no policy states a service standard; three times as many days later nothing is left of it."),
        minimum=1,
        maximum=365,
        unit=_l("days"),
    ),
)


def loss_rates() -> dict[int, int]:
    """Grade → expected yearly loss in thousandths."""
    return {grade: settings.get(f"key_accounts.loss_{grade}") for grade in _LABELS}


def weights() -> dict[str, int]:
    """Part of the health → weight."""
    return {part: settings.get(f"key_accounts.weight_{part}") for part in PARTS}
