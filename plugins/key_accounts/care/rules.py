"""Rules of care that count: due days, traffic lights, forecasts against actuals. Pure, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.purchases.periods import shifted

GREEN, YELLOW, RED, GREY = "green", "yellow", "red", "grey"
#: The worst first; grey says nothing about the others.
ORDER = (RED, YELLOW, GREEN, GREY)

#: Months between two times, as the portal proposes them.
RHYTHMS = {
    "supply": 3,
    "sales_force": 6,
    "new_products": 6,
    "events": 12,
    "executive_visits": 3,
    "promotion": 6,
    "staff_feedback": 6,
    "incentives": 12,
    "information": 1,
    "yearly_meeting": 12,
}


def later(day: date, months: int) -> date:
    """The same day so many months later; the last day of a shorter month."""
    year, month = shifted((day.year, day.month), months)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    return date(year, month, day.day)


def light(is_needed: bool, due_on: date, today: date, soon_days: int) -> str:
    """Red: overdue; yellow: due within `soon_days`; green: later; grey: put aside."""
    if not is_needed:
        return GREY
    days = (due_on - today).days
    return RED if days < 0 else YELLOW if days <= soon_days else GREEN


def worst(lights: Iterable[str]) -> str:
    """The light of an account: its worst duty; grey without any."""
    found = set(lights)
    return next((colour for colour in ORDER if colour in found), GREY)


@dataclass(frozen=True)
class ForecastMonth:
    """A month with what the customer said and what came; yuan. None: nothing was said, or the month is not over."""

    month: date
    forecast: Decimal | None
    actual: Decimal | None

    @property
    def deviation(self) -> int | None:
        """(actual − forecast) / forecast in per cent; None where one is missing or zero."""
        if self.forecast is None or self.actual is None or not self.forecast:
            return None
        return round((self.actual - self.forecast) * 100 / self.forecast)


def compare(
    rounds: Mapping[date, Mapping[date, Decimal]],
    actuals: Mapping[tuple[int, int], Decimal],
    today: date,
    back: int = 12,
    ahead: int = 6,
) -> list[ForecastMonth]:
    """Forecast against actual, month by month. For a month counts the latest round given before it began.

    :param rounds: month of the round → month forecast → yuan. :param actuals: (year, month) → yuan.
    """
    present = date(today.year, today.month, 1)
    months = [shifted((today.year, today.month), by) for by in range(-back, ahead + 1)]
    found = []
    for year, number in months:
        month = date(year, number, 1)
        given = [made_in for made_in in sorted(rounds) if made_in < month and month in rounds[made_in]]
        forecast = rounds[given[-1]][month] if given else None
        actual = actuals.get((year, number), Decimal("0.00")) if month < present else None
        found.append(ForecastMonth(month, forecast, actual))
    return found


def next_months(today: date, count: int = 6) -> list[date]:
    """First days of the months that a round of forecasts covers: from the next one on."""
    return [date(*shifted((today.year, today.month), by), 1) for by in range(1, count + 1)]


def hours(minutes: Sequence[int]) -> Decimal:
    """Minutes as hours with one decimal."""
    return (Decimal(sum(minutes)) / 60).quantize(Decimal("0.1"))
