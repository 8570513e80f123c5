"""Column values as JSON: dates, moments and amounts carry their kind, everything else stands for itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

#: Kind of a value → how its text is read.
_READ: dict[str, Callable[[str], Any]] = {"moment": datetime.fromisoformat, "day": date.fromisoformat, "yuan": Decimal}


def to_json(value: Any) -> Any:
    """A column's value as JSON keeps it."""
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Decimal):
        return {"yuan": str(value)}
    return value


def from_json(value: Any) -> Any:
    """What `to_json` made."""
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return _READ[kind](text)
    return value
