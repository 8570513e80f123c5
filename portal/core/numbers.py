"""Whole numbers out of texts that people or programs send: bounded, so that no column and no parser is overrun."""

from __future__ import annotations

import re

#: Ids below this fit every column that holds one.
LARGEST_ID = 2**62
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def id_from(value: object) -> int | None:
    """The id of a row that a text (or a number) means; None for everything else, also for what no row can have."""
    text = str(value).strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        return None
    number = int(text)
    return number if 0 < number < LARGEST_ID else None


def whole_from(value: object, digits: int = 9) -> int | None:
    """The whole number, with a sign or without, that a text means; None for everything else.

    :param digits: how many it may have; nine fit every column of whole numbers.
    """
    text = str(value).strip()
    return int(text) if _WHOLE.fullmatch(text) and len(text.lstrip("+-")) <= digits else None
