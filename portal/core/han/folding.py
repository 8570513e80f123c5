"""Normal forms of text: one for storing (`clean_name`), one for searching (`fold`).

Sources: Unicode Standard Annex 15 (normalisation forms), Unicode Technical Report 36 (invisible and bidirectional
characters in names), OpenCC's character table for traditional → simplified.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from opencc import OpenCC

#: Chinese characters: the unified ideographs, extension A, the supplementary planes' extensions, the compatibility
#: block and 〇.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN = re.compile(f"[{HAN}]")
_ALL_LATIN = re.compile(r"[a-z0-9]+\Z")

#: Halves of surrogate pairs that stand alone.
_HALVES = re.compile("[\ud800-\udfff]")
#: Everything that is not a letter, digit or mark of some script; `_` counts as punctuation.
_NOT_WORD = re.compile(r"[\W_]+")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_SPACE = re.compile(r"[\s\u200b\ufeff]+")
#: Characters that no name may contain: controls, the soft hyphen, zero-width and bidirectional marks, line and
#: paragraph separators, invisible operators, variation selectors of text/emoji style, tag characters, lone
#: surrogates, non-characters.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


@lru_cache(maxsize=1)
def _converter() -> Any:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _simplified_characters() -> dict[int, str]:
    """Traditional → simplified character by character.

    Searching converts single characters, never phrases: a phrase rule (乾坤 keeps its 乾) would give a part of a name
    another folded form than the whole name has, and the part would no longer find the whole.
    """
    points = [*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0x20000, 0x2A6E0)]
    converted = _converter().convert("\n".join(map(chr, points))).split("\n")
    table = {point: simple for point, simple in zip(points, converted, strict=True) if chr(point) != simple}
    # A few characters need two steps; follow them to the end so that folding a folded text changes nothing.
    return {point: table.get(ord(simple), simple) if len(simple) == 1 else simple for point, simple in table.items()}


def has_han(text: str) -> bool:
    """Whether the text contains a Chinese character."""
    return _HAN.search(text) is not None


def is_han(character: str) -> bool:
    """Whether this one character is a Chinese character."""
    return _HAN.match(character) is not None


def is_latin(folded: str) -> bool:
    """Whether a folded text consists of ASCII letters and digits alone (what one types for pinyin or initials)."""
    return _ALL_LATIN.match(folded) is not None


def _whole(text: str) -> str:
    """Halves of surrogate pairs are no characters; OpenCC refuses the whole text for one of them."""
    return _HALVES.sub("\ufffd", text)


def simplify(text: str) -> str:
    """Traditional → simplified Chinese by phrases, as a reader would expect it (for display and for reading aloud)."""
    return str(_converter().convert(_whole(text)))


def _without_accent(match: re.Match[str]) -> str:
    letter = match[0]
    return "v" if letter == "ü" else unicodedata.normalize("NFKD", letter)[0]


@lru_cache(maxsize=1)
def _to_traditional() -> Any:
    return OpenCC("s2t")


def traditional(text: str) -> str:
    """Simplified → traditional Chinese by phrases (for labels)."""
    return str(_to_traditional().convert(_whole(text)))


def fold(text: str) -> str:
    """The form under which text is searched and compared.

    Compatibility forms are resolved (full width → half width), letters become lower case, traditional characters
    simplified, blanks, punctuation and invisible characters vanish; ü is written v, as on a keyboard; other accents
    are dropped. Folding twice gives the same as folding once; the folded form of a part is a part of the folded form.
    """
    if not text:
        return ""
    if text.isascii():
        return _NOT_WORD.sub("", text.lower())
    form = unicodedata.normalize("NFKC", text).casefold()
    form = form.translate(_simplified_characters())
    form = _ACCENTED.sub(_without_accent, form)
    return _NOT_WORD.sub("", form)


def clean_name(text: str) -> str:
    """The form in which a name is stored: NFC, no control, zero-width or bidirectional characters, each run of white
    space one blank, none at the ends. Nothing else changes: a traditional name stays traditional."""
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", text))
    text = _FORBIDDEN.sub("", text)
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def has_forbidden_characters(text: str) -> bool:
    """Whether the text contains control, zero-width, bidirectional or other invisible characters (line breaks
    included)."""
    return _FORBIDDEN.search(text) is not None
