"""Letters of other alphabets that look like Latin ones: "АВС" in Cyrillic is not "ABC", and no reader sees it.

After Unicode Technical Standard 39: a text's Latin form is its skeleton as far as Greek and Cyrillic go, and a word
that mixes such letters with Latin ones is not written by anybody who means well. Greek letters that do not look like
Latin ones (α, β, Ω in names of brands) are left alone. Full-width letters are Latin letters already for comparison
(`fold`).
"""

from __future__ import annotations

import re
import unicodedata

from portal.core.han.folding import fold

_CYRILLIC = (
    "АВЕЅІЈКМНОРСТУХҮԌԚԜӀаеѕіјорсухүһԁԛԝӏ",
    "ABESIJKMHOPCTYXYGQWIaesijopcyxyhdqwl",
)  # fmt: skip
_GREEK = (
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳινοκρυϲ",
    "ABEZHIKMNOPTYXCjivokpuc",
)
_TABLE = str.maketrans(_CYRILLIC[0] + _GREEK[0], _CYRILLIC[1] + _GREEK[1])
_LOOKALIKE = re.compile(f"[{_CYRILLIC[0]}{_GREEK[0]}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
#: Letters, digits and marks of alphabets that stand together; Chinese characters and everything else end the word.
_WORD = re.compile("[A-Za-z0-9\u00c0-\u024f\u0300-\u036f\u0370-\u03ff\u0400-\u052f\u1e00-\u1eff]+")


def latin_form(text: str) -> str:
    """The text with each letter that looks like a Latin one replaced by it; a text without such letters as it is."""
    return text.translate(_TABLE)


def seen_form(text: str) -> str:
    """The folded text as a reader sees it: equal for names that nobody can tell apart."""
    return fold(latin_form(text))


def mixed_word(text: str) -> str:
    """The first word in which Latin letters stand beside others that only look like Latin ones; "" without such."""
    if text.isascii():
        return ""
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text)):
        word = match[0]
        if _LOOKALIKE.search(word) and _LATIN.search(word):
            return word
    return ""
