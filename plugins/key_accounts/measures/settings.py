"""Settings of the measures: what an hour costs, where classes and tiers begin."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal

from portal.core import settings
from portal.core.settings import Setting
from portal.i18n import _l

SETTINGS = (
    Setting(
        "key_accounts.hour_rate",
        "money",
        Decimal("150"),
        _l("An hour of contact costs"),
        _l("Working time of one person, salaries and overheads included. Changing it recomputes all measures."),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "key_accounts.key_share",
        "int",
        4,
        _l("Key customers: the largest"),
        _l("Of the customers with purchases in the last twelve months; equal sales fall on the same side."),
        minimum=0,
        maximum=100,
        unit="%",
    ),
    Setting(
        "key_accounts.important_share",
        "int",
        16,
        _l("Important customers: the next"),
        minimum=0,
        maximum=100,
        unit="%",
    ),
    Setting(
        "key_accounts.key_minimum",
        "money",
        Decimal("0"),
        _l("Key customers buy in twelve months at least"),
        minimum=Decimal("0"),
        unit=_l("yuan"),
    ),
    Setting(
        "key_accounts.key_years",
        "int",
        2,
        _l("Key customers bought in at least so many of five years"),
        _l("Who bought in fewer years is proposed as important at most."),
        minimum=1,
        maximum=5,
        unit=_l("years"),
    ),
    Setting(
        "key_accounts.loss_lowers",
        "bool",
        True,
        _l("A negative profit contribution lowers the proposal by one tier"),
    ),
    Setting(
        "key_accounts.role_lifts",
        "bool",
        True,
        _l("A strategic role lifts an ordinary customer to important"),
    ),
    Setting("key_accounts.abc_a", "int", 80, _l("Class A: up to"), minimum=1, maximum=99, unit=_l("% of sales")),
    Setting("key_accounts.abc_b", "int", 95, _l("Class B: up to"), minimum=2, maximum=100, unit=_l("% of sales")),
)


@dataclass(frozen=True)
class Thresholds:
    """Where tiers and classes begin. Shares in per cent of the customers with sales; money in yuan."""

    key_share: int = 4
    important_share: int = 16
    key_minimum: Decimal = Decimal("0")
    key_years: int = 2
    loss_lowers: bool = True
    role_lifts: bool = True
    abc_a: int = 80
    abc_b: int = 95

    def key_limit(self, buyers: int) -> int:
        """Last rank of key customers: the share of the customers with sales, rounded up."""
        return -(-buyers * self.key_share // 100)

    def important_limit(self, buyers: int) -> int:
        """Last rank of important customers."""
        return -(-buyers * min(100, self.key_share + self.important_share) // 100)

    def as_json(self) -> str:
        """For comparing with what a ranking was made with."""
        return json.dumps({name: str(value) for name, value in asdict(self).items()}, sort_keys=True)


def thresholds() -> Thresholds:
    """The thresholds as they are set now."""
    return Thresholds(**{name: settings.get(f"key_accounts.{name}") for name in Thresholds.__dataclass_fields__})


def hour_rate() -> Decimal:
    """Cost of an hour of contact, yuan."""
    rate: Decimal = settings.get("key_accounts.hour_rate")
    return rate
