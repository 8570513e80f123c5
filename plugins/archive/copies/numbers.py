"""Numbers and tokens of copies. Pure functions.

A copy's number ends with two check digits (ISO 7064 Mod 97, 10): every slip of one character and nearly every swap
is noticed when somebody types a number from paper, and the digits of neighbours are not in a row. The token in the QR
code has 192 random bits: it cannot be guessed from any number.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from stdnum.iso7064 import mod_97_10

PREFIX = "FB"
_SHAPE = re.compile(r"^([A-Z]{2})(\d{4})(\d{6,9})(\d{2})$")
_LETTERS = re.compile(r"[^0-9A-Z]")
TOKEN_BYTES = 24


def with_check_digits(serial: str) -> str:
    """ "FB-2026-000123" → "FB-2026-000123-47". :param serial: as `take_number` gives it."""
    return f"{serial}-{mod_97_10.calc_check_digits(serial.replace('-', ''))}"


def normal_number(text: str) -> str | None:
    """What somebody typed or scanned as a copy's number in its one form; None when it is none.

    Blanks, dashes, small and full-width letters do not matter; wrong check digits do.
    """
    letters = _LETTERS.sub("", unicodedata.normalize("NFKC", text).upper())
    match = _SHAPE.match(letters)
    if match is None or match.group(1) != PREFIX or not mod_97_10.is_valid(letters):
        return None
    return "-".join(match.groups())


def new_token() -> str:
    """A token for the QR code of a copy: 192 random bits in letters that fit an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)
