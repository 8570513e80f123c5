"""What-if: hours moved between tiers and the effect to be expected, with the assumption stated (R-KA-2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from plugins.key_accounts.measures.models import hours_of, percent
from plugins.key_accounts.portfolio.queries import Portfolio, TierSums
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY, TIERS

#: Reference portfolio in per cent: customers, sales or profit, sales hours.
REFERENCE: dict[str, dict[str, int]] = {
    "customers": {KEY: 4, IMPORTANT: 16, ORDINARY: 80},
    "sales": {KEY: 64, IMPORTANT: 16, ORDINARY: 20},
    "hours": {KEY: 10, IMPORTANT: 30, ORDINARY: 60},
}
#: After rebalancing; hours in points of the former 100, of which 84 are used and 16 freed.
REBALANCED: dict[str, dict[str, int]] = {
    "sales": {KEY: 70, IMPORTANT: 20, ORDINARY: 10},
    "hours": {KEY: 43, IMPORTANT: 31, ORDINARY: 10},
}
#: Response shipped as default: one per cent more hours bring so many hundredths of a per cent more sales.
RESPONSE = {KEY: 30, IMPORTANT: 20, ORDINARY: 10}
FEN = Decimal("0.01")
#: Most points that can be given to a tier.
MOST_POINTS = 300


@dataclass(frozen=True)
class Assumption:
    """What is moved and what is expected of it.

    :ivar points: tier → hours after the move, in points of all hours before (100).
    :ivar response: tier → per cent of sales gained or lost for 100 per cent more or fewer hours.
    """

    points: Mapping[str, int]
    response: Mapping[str, int]

    @property
    def freed(self) -> int:
        """Points that no tier uses; below zero more hours are needed than there are."""
        return 100 - sum(self.points.values())


@dataclass(frozen=True)
class TierEffect:
    """A tier before and after."""

    tier: str
    before: TierSums
    hours_before: Decimal
    hours_after: Decimal
    sales_after: Decimal
    profit_after: Decimal


@dataclass(frozen=True)
class Effect:
    """The effect of an assumption on a portfolio; money in yuan a year."""

    tiers: tuple[TierEffect, ...]
    freed_hours: Decimal

    @property
    def sales(self) -> tuple[Decimal, Decimal]:
        """Sales before and after."""
        return sum((t.before.sales for t in self.tiers), Decimal(0)), sum(
            (t.sales_after for t in self.tiers), Decimal(0)
        )

    @property
    def profit(self) -> tuple[Decimal, Decimal]:
        """Profit contribution before and after."""
        return sum((t.before.profit for t in self.tiers), Decimal(0)), sum(
            (t.profit_after for t in self.tiers), Decimal(0)
        )


def present_points(portfolio: Portfolio) -> dict[str, int]:
    """Hours of each tier now, in points of 100; the last tier takes what rounding leaves."""
    total = portfolio.total.minutes
    if not total:
        return dict.fromkeys(TIERS, 0)
    points = {item.tier: percent(item.minutes, total) for item in portfolio.tiers[:-1]}
    points[TIERS[-1]] = 100 - sum(points.values())
    return points


def effect_of(portfolio: Portfolio, assumption: Assumption) -> Effect:
    """Sales and profit after moving hours.

    Sales of a tier change by response × change of its hours in per cent, never below zero; goods cost in proportion to
    sales, contact cost in proportion to hours. A tier without hours before does not respond (there is nothing to
    compare with); its hours then cost what an hour costs on average.
    """
    total, present = portfolio.total, present_points(portfolio)
    effects = []
    for item in portfolio.tiers:
        points = assumption.points.get(item.tier, 0)
        # Points are whole numbers: a tier that keeps its points keeps its very minutes.
        kept = points == present[item.tier]
        minutes = Decimal(item.minutes) if kept else Decimal(total.minutes * points) / 100
        if item.minutes:
            ratio = minutes / item.minutes
            factor = max(Decimal(0), 1 + (ratio - 1) * Decimal(assumption.response.get(item.tier, 0)) / 100)
            contact = item.contact_cost * ratio
        else:
            factor = Decimal(1)
            contact = total.contact_cost * minutes / total.minutes if total.minutes else Decimal(0)
        sales = (item.sales * factor).quantize(FEN, ROUND_HALF_UP)
        profit = ((item.sales - item.goods_cost) * factor - contact).quantize(FEN, ROUND_HALF_UP)
        effects.append(TierEffect(item.tier, item, hours_of(item.minutes), hours_of(int(minutes)), sales, profit))
    return Effect(tuple(effects), hours_of(int(Decimal(total.minutes * assumption.freed) / 100)))


def to_json(by: str, portfolio: Portfolio, assumption: Assumption) -> str:
    """A scenario with the figures of the day, for keeping."""
    return json.dumps(
        {
            "by": by,
            "points": dict(assumption.points),
            "response": dict(assumption.response),
            "tiers": [
                {
                    "tier": item.tier,
                    "customers": item.customers,
                    "sales": str(item.sales),
                    "goods_cost": str(item.goods_cost),
                    "contact_cost": str(item.contact_cost),
                    "profit": str(item.profit),
                    "minutes": item.minutes,
                }
                for item in portfolio.tiers
            ],
        }
    )


def from_json(text: str) -> tuple[str, Portfolio, Assumption]:
    """The inverse of `to_json`."""
    data: dict[str, Any] = json.loads(text)
    tiers = tuple(
        TierSums(
            item["tier"],
            item["customers"],
            Decimal(item["sales"]),
            Decimal(item["goods_cost"]),
            Decimal(item["contact_cost"]),
            Decimal(item["profit"]),
            item["minutes"],
        )
        for item in data["tiers"]
    )
    return data["by"], Portfolio(tiers, 0), Assumption(data["points"], data["response"])
