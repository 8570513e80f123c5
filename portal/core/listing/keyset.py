"""Keyset paging: a cursor names the last row seen, so that page 1,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, SQLColumnExpression, and_, bindparam, literal, or_, tuple_

Cursor = tuple[Any, int]


def encode(value: Any, row_id: int) -> str:
    """Write a cursor for a URL. Sort values may be str, int, bool, Decimal, date or datetime."""
    if isinstance(value, datetime):
        kind, text = "t", value.isoformat()
    elif isinstance(value, date):
        kind, text = "d", value.isoformat()
    elif isinstance(value, Decimal):
        kind, text = "m", str(value)
    elif isinstance(value, int):
        kind, text = "i", str(int(value))
    elif isinstance(value, float):
        kind, text = "f", repr(value)
    else:
        kind, text = "s", str(value)
    raw = json.dumps([kind, text, row_id], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> Cursor | None:
    """Read a cursor; None for anything that `encode` did not write."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        kind, value, row_id = json.loads(raw)
        readers: dict[str, Any] = {
            "t": datetime.fromisoformat,
            "d": date.fromisoformat,
            "m": Decimal,
            "i": int,
            "f": float,
            "s": str,
        }
        if not isinstance(row_id, int) or not 0 <= row_id < 2**62:
            return None
        decoded = readers[kind](value)
        if isinstance(decoded, datetime) and decoded.tzinfo is None:
            return None
        return decoded, row_id
    except (ValueError, KeyError, TypeError, ArithmeticError, binascii.Error, UnicodeDecodeError):
        return None


def beyond(
    sort: SQLColumnExpression[Any], key: SQLColumnExpression[int], cursor: Cursor, descending: bool
) -> SQLColumnExpression[bool]:
    """Condition of the rows behind the cursor in the given order."""
    value, row_id = cursor
    return _beyond(sort, key, literal(value, cast(ColumnElement[Any], sort).type), literal(row_id), descending)


def beyond_cursor(
    sort: SQLColumnExpression[Any], key: SQLColumnExpression[int], descending: bool
) -> SQLColumnExpression[bool]:
    """The same for a statement that is kept: it takes the cursor as `parameters`."""
    bound = bindparam("cursor_value", type_=cast(ColumnElement[Any], sort).type)
    return _beyond(sort, key, bound, bindparam("cursor_row", type_=Integer), descending)


def parameters(cursor: Cursor) -> dict[str, Any]:
    """What a statement with `beyond_cursor` is executed with."""
    return {"cursor_value": cursor[0], "cursor_row": cursor[1]}


def _beyond(
    sort: SQLColumnExpression[Any], key: SQLColumnExpression[int], bound: Any, row_id: Any, descending: bool
) -> SQLColumnExpression[bool]:
    if sort is key:
        return key < row_id if descending else key > row_id
    left = tuple_(sort, key)
    right = tuple_(bound, row_id)
    # The redundant bound on the sort column lets both planners start in the middle of the index.
    first = sort <= bound if descending else sort >= bound
    return and_(first, left < right if descending else left > right)


def any_of(conditions: list[SQLColumnExpression[bool]]) -> SQLColumnExpression[bool]:
    """OR of at least one condition."""
    return or_(*conditions) if len(conditions) > 1 else conditions[0]
