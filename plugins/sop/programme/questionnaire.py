"""The self-assessment (现状诊断, R-SOP-9): eight areas of two questions each, five levels, as pure data and sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

LEVELS = (1, 2, 3, 4, 5)
START, INTERIM, END = "start", "interim", "end"
MOMENTS = (START, INTERIM, END)


@dataclass(frozen=True)
class Question:
    """One question. `key` is "area.number"."""

    key: str
    area: str


AREAS = ("purpose", "customers", "segments", "access", "contact", "service", "procedures", "use")
QUESTIONS = tuple(Question(f"{area}.{number}", area) for area in AREAS for number in (1, 2))
KEYS = frozenset(question.key for question in QUESTIONS)


@dataclass(frozen=True)
class AreaResult:
    """An area of an assessment; averages with one decimal, None where nothing was answered.

    :ivar own: the company's own level, :ivar industry: that of the industry.
    """

    area: str
    own: Decimal | None
    industry: Decimal | None

    @property
    def gap(self) -> Decimal | None:
        """How far the company is ahead of the industry (negative: behind)."""
        return None if self.own is None or self.industry is None else self.own - self.industry


def average(values: Sequence[int]) -> Decimal | None:
    """The mean with one decimal, rounded half up; None of nothing."""
    if not values:
        return None
    return (Decimal(sum(values)) / len(values)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def by_area(own: Mapping[str, int | None], industry: Mapping[str, int | None]) -> list[AreaResult]:
    """The averages of each area. :param own, industry: question → level or None."""
    return [
        AreaResult(
            area,
            average(_levels(own, area)),
            average(_levels(industry, area)),
        )
        for area in AREAS
    ]


def overall(levels: Mapping[str, int | None]) -> Decimal | None:
    """The mean over all answered questions."""
    return average([level for key, level in levels.items() if level is not None and key in KEYS])


def _levels(levels: Mapping[str, int | None], area: str) -> list[int]:
    found = (levels.get(question.key) for question in QUESTIONS if question.area == area)
    return [level for level in found if level is not None]
