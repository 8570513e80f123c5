"""The conditions of R-VIP-1 as pure rules: purchases and a rank in, the conditions met and their evidence out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

SINGLE, PERIOD, RANK, EXCEPTION = "single", "period", "rank", "exception"
CONDITIONS = (SINGLE, PERIOD, RANK, EXCEPTION)

CALENDAR_MONTH, THIRTY_DAYS = "calendar_month", "thirty_days"
HIGH_MIDDLE, ALL_GRADES = "high_middle", "all"
ZERO = Decimal("0")


@dataclass(frozen=True)
class Policy:
    """The conditions as an administrator set them. Amounts in yuan; "at least" includes the figure (以上)."""

    single_enabled: bool = True
    single_minimum: Decimal = Decimal("10000")
    period_enabled: bool = True
    period_minimum: Decimal = Decimal("20000")
    #: CALENDAR_MONTH or THIRTY_DAYS
    period: str = CALENDAR_MONTH
    #: HIGH_MIDDLE or ALL_GRADES: which products count
    grades: str = HIGH_MIDDLE
    rank_enabled: bool = True
    #: the lowest rank (key) that may apply directly
    rank_minimum: str = "deputy_division"
    #: purchases older than so many months do not count
    lookback_months: int = 12


@dataclass(frozen=True)
class Bought:
    """A purchase as the conditions see it."""

    purchase_id: int
    number: str
    day: date
    total: Decimal
    total_high_middle: Decimal

    def counted(self, policy: Policy) -> Decimal:
        """The part of the amount that counts."""
        return self.total if policy.grades == ALL_GRADES else self.total_high_middle


@dataclass(frozen=True)
class Met:
    """A condition that is met.

    :ivar amount: the amount that meets it (single: the purchase's; period: the sum), None for a rank.
    :ivar first, last: the period of the sum.
    :ivar purchases: the evidence, the very purchases.
    """

    condition: str
    amount: Decimal | None = None
    first: date | None = None
    last: date | None = None
    purchases: tuple[Bought, ...] = field(default=())


def months_before(day: date, months: int) -> date:
    """The day so many months earlier; the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def single_purchase(policy: Policy, purchases: Iterable[Bought]) -> Met | None:
    """The largest single purchase that reaches the minimum."""
    if not policy.single_enabled:
        return None
    best = max(purchases, key=lambda bought: (bought.counted(policy), bought.day), default=None)
    if best is None or best.counted(policy) < policy.single_minimum:
        return None
    return Met(SINGLE, best.counted(policy), best.day, best.day, (best,))


def accumulated(policy: Policy, purchases: Iterable[Bought]) -> Met | None:
    """The best calendar month, or the best thirty days in a row, whose sum reaches the minimum."""
    if not policy.period_enabled:
        return None
    counted = sorted((b for b in purchases if b.counted(policy) > 0), key=lambda b: (b.day, b.purchase_id))
    groups = _months(counted) if policy.period == CALENDAR_MONTH else _windows(counted)
    best: tuple[Decimal, Sequence[Bought]] = (ZERO, ())
    for group in groups:
        total = sum((bought.counted(policy) for bought in group), ZERO)
        if group and (total, group[-1].day) > (best[0], best[1][-1].day if best[1] else date.min):
            best = (total, group)
    total, group = best
    if not group or total < policy.period_minimum:
        return None
    return Met(PERIOD, total, group[0].day, group[-1].day, tuple(group))


def _months(counted: Sequence[Bought]) -> list[list[Bought]]:
    groups: dict[tuple[int, int], list[Bought]] = {}
    for bought in counted:
        groups.setdefault((bought.day.year, bought.day.month), []).append(bought)
    return list(groups.values())


def _windows(counted: Sequence[Bought]) -> list[Sequence[Bought]]:
    """For each purchase, those of the thirty days that end with it (its own day included)."""
    windows = []
    start = 0
    for end, bought in enumerate(counted):
        while counted[start].day <= bought.day - timedelta(days=30):
            start += 1
        windows.append(counted[start : end + 1])
    return windows


def met_by_purchases(policy: Policy, purchases: Sequence[Bought], today: date) -> list[Met]:
    """The conditions that a customer's purchases meet, within the period that counts."""
    since = months_before(today, policy.lookback_months)
    recent = [bought for bought in purchases if since < bought.day <= today]
    found = (single_purchase(policy, recent), accumulated(policy, recent))
    return [met for met in found if met is not None]


def rank_suffices(policy: Policy, employer_kind: str, rank: str, order: dict[str, int]) -> bool:
    """Whether a person may apply directly: of an administrative unit, and of the rank or above."""
    if not policy.rank_enabled or employer_kind != "administrative":
        return False
    return order.get(rank, 0) >= order[policy.rank_minimum]
