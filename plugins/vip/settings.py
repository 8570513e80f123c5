"""Settings of this plugin (each of the three conditions can be changed or switched off) and the policy they make."""

from __future__ import annotations

from decimal import Decimal

from plugins.vip.conditions import ALL_GRADES, CALENDAR_MONTH, HIGH_MIDDLE, THIRTY_DAYS, Policy
from portal.core import settings
from portal.core.settings import Setting
from portal.customers.vocabulary import LABELS, Rank
from portal.i18n import _l
from portal.purchases.models import HIGH, MIDDLE, ORDINARY

SETTINGS = (
    Setting("vip.single_enabled", "bool", True, _l("A single purchase suffices")),
    Setting(
        "vip.single_minimum",
        "money",
        Decimal("10000"),
        _l("Single purchase of at least"),
        _l("Counts products of middle or high grade, unless all grades count."),
        minimum=Decimal("0.01"),
        unit=_l("yuan"),
    ),
    Setting("vip.period_enabled", "bool", True, _l("Accumulated purchases suffice")),
    Setting(
        "vip.period_minimum",
        "money",
        Decimal("20000"),
        _l("Accumulated purchases of at least"),
        minimum=Decimal("0.01"),
        unit=_l("yuan"),
    ),
    Setting(
        "vip.period",
        "choice",
        CALENDAR_MONTH,
        _l("Accumulated within"),
        choices=((CALENDAR_MONTH, _l("one calendar month")), (THIRTY_DAYS, _l("thirty days in a row"))),
    ),
    Setting(
        "vip.grades",
        "choice",
        HIGH_MIDDLE,
        _l("Products that count"),
        choices=((HIGH_MIDDLE, _l("middle and high grade")), (ALL_GRADES, _l("all grades"))),
    ),
    Setting("vip.lookback_months", "int", 12, _l("Purchases count for"), minimum=1, maximum=60, unit=_l("months")),
    Setting("vip.rank_enabled", "bool", True, _l("An administrative rank suffices")),
    Setting(
        "vip.rank_minimum",
        "choice",
        Rank.DEPUTY_DIVISION.value,
        _l("Lowest rank that may apply directly"),
        choices=tuple((rank.value, LABELS[Rank][rank]) for rank in Rank),
    ),
    Setting(
        "vip.leader",
        "choice",
        "head",
        _l("Proposals of the company are decided by"),
        choices=(("head", _l("the head of the owning department")), ("executive", _l("an executive"))),
    ),
    Setting(
        "vip.exception_executive",
        "bool",
        True,
        _l("Exceptions need an executive after the head"),
    ),
    Setting("vip.term_months", "int", 12, _l("Term of a membership"), minimum=1, maximum=120, unit=_l("months")),
    Setting(
        "vip.renewal_days",
        "int",
        30,
        _l("Renewal is proposed before expiry"),
        minimum=1,
        maximum=180,
        unit=_l("days"),
    ),
    Setting(
        "vip.gold_minimum",
        "money",
        Decimal("100000"),
        _l("Gold from purchases of twelve months of"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "vip.diamond_minimum",
        "money",
        Decimal("500000"),
        _l("Diamond from purchases of twelve months of"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting("vip.points_high", "int", 200, _l("Points for 100 yuan, high grade"), minimum=0, maximum=100000),
    Setting("vip.points_middle", "int", 100, _l("Points for 100 yuan, middle grade"), minimum=0, maximum=100000),
    Setting("vip.points_ordinary", "int", 50, _l("Points for 100 yuan, ordinary grade"), minimum=0, maximum=100000),
)


def policy() -> Policy:
    """The conditions as they are set now."""
    return Policy(
        single_enabled=settings.get("vip.single_enabled"),
        single_minimum=settings.get("vip.single_minimum"),
        period_enabled=settings.get("vip.period_enabled"),
        period_minimum=settings.get("vip.period_minimum"),
        period=settings.get("vip.period"),
        grades=settings.get("vip.grades"),
        rank_enabled=settings.get("vip.rank_enabled"),
        rank_minimum=settings.get("vip.rank_minimum"),
        lookback_months=settings.get("vip.lookback_months"),
    )


def points_per_hundred() -> dict[str, int]:
    """Grade → points for 100 yuan."""
    return {
        HIGH: settings.get("vip.points_high"),
        MIDDLE: settings.get("vip.points_middle"),
        ORDINARY: settings.get("vip.points_ordinary"),
    }
