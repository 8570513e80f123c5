"""Texts of several lines."""

from __future__ import annotations

import re
import unicodedata

from portal.core.han.folding import clean_name, has_forbidden_characters

_LINE_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean_text(text: str) -> str:
    """Text of several lines without control, zero-width and bidirectional characters."""
    lines = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " ").split("\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(_clean_line(line) for line in lines)).strip()


def _clean_line(line: str) -> str:
    return clean_name(line) if has_forbidden_characters(line) else line.rstrip()
