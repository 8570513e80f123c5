"""How fast a customer uses a product, what is left, and when it runs out. Pure, no database.

Rate of use. With two stock reports or more: what was used between the first and the last (stock before + bought − stock
after) by the days between. Else with purchases on two days or more: everything but the last purchase, by the days from
the first purchase to the last (who buys again has used up what he bought before). Else the product's own "days one unit
lasts".

Uncertainty. The spread of the single intervals (standard deviation over mean) by the root of their number; at least
10 %, and 50 % where only the product's own figure is known. The run-out date is given with the span that a rate so much
faster or slower would make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, sqrt

FROM_REPORTS, FROM_PURCHASES, FROM_PRODUCT = "reports", "purchases", "product"
LEAST_ERROR, GUESS_ERROR, MOST_ERROR = 0.10, 0.50, 0.80
#: A date further away than this says nothing.
HORIZON_DAYS = 730


@dataclass(frozen=True)
class Outlook:
    """What is known of one product at one customer.

    :ivar rate: units a day. :ivar error: relative uncertainty of the rate (0.25 is ±25 %).
    :ivar basis: what the rate rests on: reports, purchases or product.
    :ivar stock: estimated units left today. :ivar is_counted: the stock rests on a stock report.
    :ivar runs_out: expected day on which nothing is (or was) left; :ivar earliest, latest: its span; None: beyond the
        horizon.
    """

    rate: float
    error: float
    basis: str
    stock: float
    is_counted: bool
    runs_out: date | None
    earliest: date | None
    latest: date | None


def outlook(
    purchases: Sequence[tuple[date, int]],
    stocks: Sequence[tuple[date, int]],
    days_per_unit: int | None,
    today: date,
) -> Outlook | None:
    """The outlook of one product at one customer; None when nothing can be said.

    :param purchases: (day, units bought), any order. :param stocks: (day, units on hand at its end), any order.
    :param days_per_unit: days that one unit lasts a typical customer.
    """
    bought = sorted((day, units) for day, units in purchases if day <= today)
    counted = sorted({day: units for day, units in sorted(stocks) if day <= today}.items())
    found = _from_reports(bought, counted) or _from_purchases(bought) or _from_product(days_per_unit)
    if found is None or (not bought and not counted):
        return None
    rate, error, basis = found
    if counted:
        since, left = counted[-1]
        later = sum(units for day, units in bought if day > since)
    else:
        since = bought[-1][0]
        left, later = sum(units for day, units in bought if day == since), 0
    stock = max(left + later - rate * (today - since).days, 0.0)

    def day_at(speed: float) -> date | None:
        day = since + timedelta(days=min(ceil((left + later) / speed), HORIZON_DAYS * 3))
        return day if day <= today + timedelta(days=HORIZON_DAYS) else None

    return Outlook(
        rate=rate,
        error=error,
        basis=basis,
        stock=stock,
        is_counted=bool(counted),
        runs_out=day_at(rate),
        earliest=day_at(rate * (1 + error)),
        latest=day_at(rate * (1 - error)),
    )


def _from_reports(
    bought: Sequence[tuple[date, int]], counted: Sequence[tuple[date, int]]
) -> tuple[float, float, str] | None:
    if len(counted) < 2:
        return None
    rates: list[float] = []
    used_in_all = 0
    for (begin, before), (end, after) in pairwise(counted):
        used = before + sum(units for day, units in bought if begin < day <= end) - after
        used_in_all += used
        rates.append(used / (end - begin).days)
    rate = used_in_all / (counted[-1][0] - counted[0][0]).days
    # A stock that grew without purchases was counted wrongly: then the purchases say more.
    return (rate, _error(rates), FROM_REPORTS) if rate > 0 else None


def _from_purchases(bought: Sequence[tuple[date, int]]) -> tuple[float, float, str] | None:
    by_day: dict[date, int] = {}
    for day, units in bought:
        by_day[day] = by_day.get(day, 0) + units
    days = sorted(by_day)
    if len(days) < 2:
        return None
    rates = [by_day[begin] / (end - begin).days for begin, end in pairwise(days)]
    rate = sum(by_day[day] for day in days[:-1]) / (days[-1] - days[0]).days
    return (rate, _error(rates), FROM_PURCHASES) if rate > 0 else None


def _from_product(days_per_unit: int | None) -> tuple[float, float, str] | None:
    return (1 / days_per_unit, GUESS_ERROR, FROM_PRODUCT) if days_per_unit else None


def _error(rates: Sequence[float]) -> float:
    """Relative standard error of the mean rate, within sensible bounds."""
    mean = sum(rates) / len(rates)
    if len(rates) < 2 or mean <= 0:
        return GUESS_ERROR
    variance = sum((value - mean) ** 2 for value in rates) / (len(rates) - 1)
    return min(max(sqrt(variance) / mean / sqrt(len(rates)), LEAST_ERROR), MOST_ERROR)
