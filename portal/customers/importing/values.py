"""Cells → values. Each reader takes what a spreadsheet gives (text, number, date, nothing) and says clearly what is
wrong. Which texts a value may hold is checked later, by the services' own rules."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from portal.core import regions
from portal.core.calendar import lunar_label
from portal.core.money import MoneyError, parse_yuan
from portal.core.spreadsheets import Cell, restore
from portal.core.text import fold
from portal.customers import vocabulary as words
from portal.customers.importing.targets import CellError
from portal.customers.validation import coded
from portal.i18n import LANGUAGES, _

_WORDS = Path(__file__).parent / "data" / "words.json"
#: Earlier and later years are typing errors (0203 for 2023).
FIRST_YEAR, LAST_YEAR = 1900, 2100
#: Longer cells are refused before anything looks at them.
LONGEST_CELL = 10_000
_DATE = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})\D?(?:\s.*)?\Z")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")
_MONTH_DAY = re.compile(r"(\d{1,2})\D{1,2}(\d{1,2})\D?\Z")
_WHOLE = re.compile(r"-?\d{1,18}(?:\.0+)?\Z")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,24})?\Z")
#: A minus sign that is no hyphen: people and our own labels write it.
_MINUS = "\u2212"


@lru_cache(maxsize=1)
def word_lists() -> dict[str, Any]:
    """Headings and words of spreadsheets in Chinese and English: data, not texts of the portal."""
    return dict(json.loads(_WORDS.read_text(encoding="utf-8")))


def text(cell: Cell) -> str:
    """Any cell as one line of text; our own protection against formulas is taken off again."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if len(cell) > LONGEST_CELL:
        raise CellError(_("The text has %(length)s characters; that is too long.", length=f"{len(cell):,}"))
    return restore(cell).strip()


def money(cell: Cell) -> Decimal | None:
    """Yuan, not negative."""
    if isinstance(cell, date):
        raise CellError(_("This is a date, not an amount."))
    raw = text(cell)
    if not raw:
        return None
    try:
        amount = parse_yuan(raw)
    except MoneyError as error:
        raise CellError(coded(error)) from None
    if amount < 0:
        raise CellError(_("The amount must not be negative."))
    return amount


def whole(cell: Cell) -> int | None:
    """A whole number."""
    raw = unicodedata.normalize("NFKC", text(cell)).replace(",", "")
    if not raw:
        return None
    if not _WHOLE.match(raw):
        raise CellError(_("“%(value)s” is not a whole number.", value=raw[:40]))
    return int(Decimal(raw))


def degrees(cell: Cell) -> float | None:
    """Latitude or longitude in degrees with decimals; which are possible the service says."""
    raw = unicodedata.normalize("NFKC", text(cell)).replace(_MINUS, "-").removesuffix("°").strip()
    if not raw:
        return None
    if isinstance(cell, date) or not _DEGREES.match(raw):
        raise CellError(_("Enter degrees such as 31.2304."))
    return float(raw)


def attitude(cell: Cell) -> int | None:
    """The attitude of a contact: a number from −2 to 2, or the portal's words for it in any language."""
    raw = text(cell)
    if not raw:
        return None
    plain = unicodedata.normalize("NFKC", raw).replace(_MINUS, "-").removesuffix(".0")
    known = {str(value): value for value in words.ATTITUDES}
    found = known.get(plain.removeprefix("+"), _attitudes().get(fold(raw)))
    if found is None:
        labels = _(", ").join(str(label) for label in words.ATTITUDE_LABELS.values())
        raise CellError(_("“%(value)s” is not known. Possible: %(known)s", value=raw[:40], known=labels))
    return found


@lru_cache(maxsize=1)
def _attitudes() -> dict[str, int]:
    """Folded word → attitude; with the number in front of it and without."""
    from portal.i18n import speaking

    found: dict[str, int] = {}
    for code, _name in LANGUAGES:
        with speaking(code):
            for value, label in words.ATTITUDE_LABELS.items():
                _number, _blank, word = str(label).partition(" ")
                found |= {fold(str(label)): value, fold(word): value}
    return found


def day(cell: Cell) -> date | None:
    """A date: a date cell, 2026-03-05, 2026/3/5, 20260305 and their Chinese form."""
    if isinstance(cell, datetime):
        found: date | None = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        raw = unicodedata.normalize("NFKC", text(cell))
        if not raw:
            return None
        match = _DATE.match(raw) or _COMPACT.match(raw)
        if not match:
            raise CellError(_("“%(value)s” is not a date. Write it like 2026-03-05.", value=raw[:40]))
        try:
            found = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise CellError(_("There is no such day: “%(value)s”.", value=raw[:40])) from None
    if found is not None and not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise CellError(_("The year %(year)s cannot be right.", year=f"{found.year:04d}"))
    return found


def yes_no(cell: Cell) -> bool | None:
    """Yes or no in the words of the word list."""
    raw = fold(text(cell))
    if not raw:
        return None
    for value, key in ((True, "yes"), (False, "no")):
        if raw in _folded(key):
            return value
    raise CellError(_("Write yes or no."))


@lru_cache(maxsize=8)
def _folded(key: str) -> frozenset[str]:
    return frozenset(fold(word) for word in word_lists()[key])


def choice(enumeration: type[StrEnum]) -> Callable[[Cell], str]:
    """A value of an enumeration: as stored, as the portal calls it in any language, or by a word of the list."""

    def read(cell: Cell) -> str:
        raw = text(cell)
        if not raw:
            return ""
        found = _choices(enumeration).get(fold(raw))
        if found is None:
            known = _(", ").join(str(label) for label in words.LABELS[enumeration].values())
            raise CellError(_("“%(value)s” is not known. Possible: %(known)s", value=raw[:40], known=known))
        return found

    return read


@lru_cache(maxsize=32)
def _choices(enumeration: type[StrEnum]) -> dict[str, str]:
    from portal.i18n import speaking

    found = {fold(member.value): member.value for member in enumeration}
    for code, _name in LANGUAGES:
        with speaking(code):
            found |= {fold(str(label)): str(value) for value, label in words.LABELS[enumeration].items()}
    for word, value in word_lists()["values"].get(enumeration.__name__, {}).items():
        found[fold(word)] = value
    return found


def region(cell: Cell) -> str:
    """A region by its six digits or its name."""
    raw = text(cell)
    if not raw:
        return ""
    if raw.isascii() and raw.isdecimal():
        if regions.region(raw) is None:
            raise CellError(_("There is no region with this code."))
        return raw
    found = regions.find(raw)
    if found is None:
        raise CellError(_("The region “%(value)s” is unknown or ambiguous; name the province too.", value=raw[:40]))
    return found.code


def several(cell: Cell) -> list[str]:
    """Several texts in one cell."""
    return [part.strip() for part in re.split("[;\n|\uff1b\u3001]", text(cell)) if part.strip()][:20]


@lru_cache(maxsize=1)
def _lunar_days() -> dict[str, tuple[int, int, bool]]:
    found = {}
    for month in range(1, 13):
        for lunar_day in range(1, 31):
            for leap in (False, True):
                label = lunar_label(month, lunar_day, leap)
                for word in word_lists()["lunar"]:
                    label = label.removeprefix(word)
                found[fold(label)] = (month, lunar_day, leap)
    return found


def birthday(cell: Cell) -> dict[str, Any] | None:
    """A birthday: 1980-05-12, 5-12, and lunar ones with a word in front or as the portal itself writes them:
    {calendar, month, day, leap, year}."""
    if isinstance(cell, date):
        found = day(cell)
        assert found is not None
        return {"calendar": "solar", "month": found.month, "day": found.day, "leap": False, "year": found.year}
    raw = unicodedata.normalize("NFKC", text(cell))
    if not raw:
        return None
    calendar, leap, year = "solar", False, None
    for word in word_lists()["lunar"]:
        before, found_word, behind = raw.lower().partition(word)
        if found_word:
            calendar = "lunar"
            for leap_word in word_lists()["leap"]:
                leap, behind = leap or leap_word in behind, behind.replace(leap_word, "")
            raw = f"{before.strip()} {behind.strip(' :,')}".strip()
            break
    spoken = raw
    match = re.match(r"(\d{4})\D", raw)
    if match and calendar == "lunar":
        year, spoken = int(match[1]), raw[match.end() :]
    named = _lunar_days().get(fold(spoken))
    if calendar == "lunar" and named:
        return {"calendar": "lunar", "month": named[0], "day": named[1], "leap": named[2], "year": year}
    full, short = _DATE.match(raw) or _COMPACT.match(raw), _MONTH_DAY.match(raw)
    if full:
        year, month, month_day = int(full[1]), int(full[2]), int(full[3])
    elif short:
        year, month, month_day = None, int(short[1]), int(short[2])
    else:
        raise CellError(_("“%(value)s” is not a birthday. Write it like 1980-05-12 or 05-12.", value=raw[:40]))
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        raise CellError(_("The year %(year)s cannot be right.", year=f"{year:04d}"))
    return {"calendar": calendar, "month": month, "day": month_day, "leap": leap, "year": year}
