"""Points as pure rules: whole points per hundred yuan of each grade, rounded down per purchase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_DOWN, Decimal


def points_for(amounts: Iterable[tuple[str, Decimal]], per_hundred: Mapping[str, int]) -> int:
    """Points of one purchase.

    :param amounts: (grade, amount in yuan) of its lines. :param per_hundred: grade → points for 100 yuan.
    """
    total = sum((amount * per_hundred.get(grade, 0) for grade, amount in amounts), Decimal("0"))
    return int((total / 100).to_integral_value(rounding=ROUND_DOWN))


def level_for(total_12m: Decimal, gold_minimum: Decimal, diamond_minimum: Decimal) -> str:
    """The level by the purchases of twelve months (yuan): diamond, gold or silver."""
    if total_12m >= diamond_minimum:
        return "diamond"
    return "gold" if total_12m >= gold_minimum else "silver"
