"""Settings of the introduction: weeks of the stages, slack, rates of the modes."""

from __future__ import annotations

from decimal import Decimal

from plugins.sop.programme.budget import MODES
from portal.core import settings
from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS = (
    Setting("sop.weeks_training", "int", 1, _l("Introduction: weeks for concept training"), minimum=1, maximum=26),
    Setting("sop.weeks_forming", "int", 4, _l("Introduction: weeks for forming the manual"), minimum=1, maximum=26),
    Setting("sop.weeks_introduction", "int", 4, _l("Introduction: weeks for introducing it"), minimum=1, maximum=26),
    Setting(
        "sop.slack_fewest", "int", 2, _l("Introduction: at least in all"), minimum=1, maximum=24, unit=_l("months")
    ),
    Setting("sop.slack_most", "int", 3, _l("Introduction: at most in all"), minimum=1, maximum=24, unit=_l("months")),
    Setting(
        "sop.rate_short",
        "money",
        Decimal("8000"),
        _l("Short advice, a day"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "sop.rate_deep",
        "money",
        Decimal("10000"),
        _l("Deep advice, a day"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "sop.rate_manual",
        "money",
        Decimal("10000"),
        _l("Full advice with a manual, a day"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "sop.rate_assisted",
        "money",
        Decimal("10000"),
        _l("Full advice with assisted introduction, a day"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "sop.plan_reminder_days",
        "int",
        2,
        _l("Introduction: remind owners before a step ends"),
        minimum=0,
        maximum=30,
        unit=_l("working days"),
    ),
)


def weeks() -> tuple[int, int, int]:
    """Weeks of the three stages."""
    return (
        settings.get("sop.weeks_training"),
        settings.get("sop.weeks_forming"),
        settings.get("sop.weeks_introduction"),
    )


def rates() -> dict[str, Decimal]:
    """Mode → yuan a day, of the modes that have one."""
    return {mode.key: settings.get(mode.rate) for mode in MODES if mode.rate}
