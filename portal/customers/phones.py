"""How stored phone numbers are shown: masked until somebody asks, in full as people read them."""

from __future__ import annotations

import re

from portal.core.identifiers import IdentifierError, normalise_phone
from portal.core.text import mask_phone


def masked(number: str) -> str:
    """ "+8613800138000" → "138****8000", "+8685188886666;ext=801" → "0851****6666-801"; "" stays ""."""
    if not number:
        return ""
    plain, _mark, extension = number.partition(";ext=")
    if plain.startswith("+86"):
        national = plain[3:]
        # Landlines are dialled and read with their 0; mobiles and service numbers have none.
        plain = national if re.match(r"1[3-9]\d{9}\Z|[48]00", national) else f"0{national}"
    return mask_phone(plain) + (f"-{extension}" if extension else "")


def readable(number: str) -> str:
    """A stored number in full, as people read it: "138 0013 8000", "0851-88886666-801"."""
    try:
        return normalise_phone(number).display
    except IdentifierError:
        return number.replace(";ext=", "-")
