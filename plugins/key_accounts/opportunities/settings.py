"""Settings of opportunities: thresholds and answers of the matrix, usual probabilities."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.matrix import Rule
from plugins.key_accounts.opportunities.models import IDENTIFIED, NEGOTIATION, PROPOSAL, QUALIFIED
from portal.core import settings
from portal.core.settings import Setting
from portal.i18n import _l

_ANSWERS = tuple(words.ANSWERS.items())


def _answer(key: str, default: str, label: Any) -> Setting:
    return Setting(f"key_accounts.answer_{key}", "choice", default, label, choices=_ANSWERS)


def _usual(stage: str, default: int) -> Setting:
    return Setting(
        f"key_accounts.probability_{stage}",
        "int",
        default,
        _l("Usual probability: %(stage)s", stage=words.STAGES[stage]),
        minimum=0,
        maximum=100,
        unit="%",
    )


SETTINGS = (
    Setting(
        "key_accounts.opportunity_large",
        "money",
        Decimal("200000"),
        _l("An opportunity is large from"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "key_accounts.opportunity_likely",
        "int",
        50,
        _l("An opportunity is likely from"),
        minimum=1,
        maximum=100,
        unit="%",
    ),
    _answer("large_likely", words.ACT, _l("Answer to large and likely")),
    _answer("large_unlikely", words.ATTACK, _l("Answer to large and unlikely")),
    _answer("small_likely", words.WAIT, _l("Answer to small and likely")),
    _answer("small_unlikely", words.SHELVE, _l("Answer to small and unlikely")),
    _usual(IDENTIFIED, 10),
    _usual(QUALIFIED, 30),
    _usual(PROPOSAL, 50),
    _usual(NEGOTIATION, 75),
    Setting(
        "key_accounts.opportunity_soon_days",
        "int",
        30,
        _l("An opportunity closes soon within"),
        minimum=1,
        maximum=365,
        unit=_l("days"),
    ),
)


def matrix_rule() -> Rule:
    """Thresholds and answers as they are set now."""
    return Rule(
        large=settings.get("key_accounts.opportunity_large"),
        likely=settings.get("key_accounts.opportunity_likely"),
        large_likely=settings.get("key_accounts.answer_large_likely"),
        large_unlikely=settings.get("key_accounts.answer_large_unlikely"),
        small_likely=settings.get("key_accounts.answer_small_likely"),
        small_unlikely=settings.get("key_accounts.answer_small_unlikely"),
    )


def usual_probability(stage: str) -> int:
    """Per cent with which an opportunity of an open stage usually closes."""
    return int(settings.get(f"key_accounts.probability_{stage}"))
