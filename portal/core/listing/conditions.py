"""Conditions of filters: what most lists narrow by, each written once.

Each function takes a column and gives what `Filter.where` wants. A condition that follows from the chosen values alone
is made once and stays the same object, so that statements that stand on it can be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_

from portal.core import clock
from portal.core.listing.definition import FilterValue

Where = Callable[[FilterValue, Any], SQLColumnExpression[bool]]

#: The smallest sum: nobody means less when he types a longer number.
FEN = Decimal("0.01")


def by_values(condition: Callable[[tuple[str, ...]], ColumnElement[bool]]) -> Where:
    """A condition on the chosen values, made once for each choice."""
    kept = lru_cache(maxsize=256)(condition)
    return lambda value, _actor: kept(value.values)


def value_in(column: Any) -> Where:
    """The column holds one of the chosen values."""
    return by_values(column.in_)


def text_contains(column: Any) -> Where:
    """The column holds the typed text somewhere."""
    return lambda value, _actor: column.contains(value.values[0], autoescape=True)


def within(column: Any) -> Where:
    """A day or number from the lower to the upper bound, both included; a bound that is missing does not bind."""
    return lambda value, _actor: and_(*_bounds(column, value.low, value.high))


def amount_within(column: Any) -> Where:
    """An amount of money in a range whose bounds are taken to the fen."""

    def where(value: FilterValue, _actor: Any) -> ColumnElement[bool]:
        low, high = (bound.quantize(FEN) if isinstance(bound, Decimal) else None for bound in (value.low, value.high))
        return and_(*_bounds(column, low, high))

    return where


def moment_within(column: Any) -> Where:
    """A moment from the beginning of the first day to the end of the last one, in the portal's time zone."""

    def where(value: FilterValue, _actor: Any) -> ColumnElement[bool]:
        parts = [column >= clock.day_bounds(value.low)[0]] if isinstance(value.low, date) else []
        parts += [column < clock.day_bounds(value.high)[1]] if isinstance(value.high, date) else []
        return and_(*parts)

    return where


def _bounds(column: Any, low: Any, high: Any) -> list[ColumnElement[bool]]:
    parts = [column >= low] if low is not None else []
    return parts + ([column <= high] if high is not None else [])
