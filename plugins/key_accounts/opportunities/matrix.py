"""Size of result × probability (R-KA-7). Pure, no database."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

#: Hundred times hundred: fen × per cent in a yuan.
FEN_PERCENT = 10_000


@dataclass(frozen=True)
class Rule:
    """Thresholds (a value at the threshold counts as large, or likely) and the answer of each field."""

    large: Decimal
    likely: int
    large_likely: str = "act"
    large_unlikely: str = "attack"
    small_likely: str = "wait"
    small_unlikely: str = "shelve"

    def answer(self, amount: Decimal, probability: int) -> str:
        """What is to be done with an opportunity. :param amount: yuan. :param probability: per cent."""
        return self.of_field(amount >= self.large, probability >= self.likely)

    def of_field(self, is_large: bool, is_likely: bool) -> str:
        """The answer of one of the four fields."""
        if is_large:
            return self.large_likely if is_likely else self.large_unlikely
        return self.small_likely if is_likely else self.small_unlikely


def weighted_yuan(fen_percent: int | Decimal | None) -> Decimal:
    """A sum of fen × per cent as yuan, rounded once, halves up."""
    return (Decimal(int(fen_percent or 0)) / FEN_PERCENT).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class GapLine:
    """One source in the comparison with the target. All in yuan."""

    source: str
    target: Decimal
    won: Decimal
    open_weighted: Decimal

    @property
    def gap(self) -> Decimal:
        """What is missing though all open opportunities come as expected; never below zero."""
        return max(self.target - self.won - self.open_weighted, Decimal("0.00"))


@dataclass(frozen=True)
class Gap:
    """Target of a year against sales so far and what open opportunities promise. All in yuan."""

    target: Decimal
    sold: Decimal
    lines: tuple[GapLine, ...]

    @property
    def open_weighted(self) -> Decimal:
        """Of all sources."""
        return sum((line.open_weighted for line in self.lines), Decimal("0.00"))

    @property
    def missing(self) -> Decimal:
        """Target less sales so far; never below zero."""
        return max(self.target - self.sold, Decimal("0.00"))

    @property
    def uncovered(self) -> Decimal:
        """What is missing and no opportunity promises; never below zero."""
        return max(self.missing - self.open_weighted, Decimal("0.00"))
