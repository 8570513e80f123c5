"""Text of Chinese business data: folding for search, pinyin, search terms, similarity of names, masks.

Pure functions, no database, no language of the user interface. Chinese characters in this package are data.
"""

from __future__ import annotations

from portal.core.han.folding import clean_name, fold, has_forbidden_characters, has_han, is_han, is_latin, simplify
from portal.core.han.pinyin import pinyin_full, pinyin_initials, pinyin_syllables, sort_key

from .lines import clean_text
from .lookalikes import latin_form, mixed_word, seen_form
from .masking import mask_email, mask_name, mask_phone
from .patterns import LIKE_ESCAPE, like_literal
from .similarity import similarity
from .terms import (
    TERM_CHARACTERS,
    TERM_LETTERS,
    TERM_POSITIONS,
    Terms,
    lookup_prefix,
    rank,
    slip_candidates,
    suffix_terms,
)

__all__ = [
    "LIKE_ESCAPE",
    "TERM_CHARACTERS",
    "TERM_LETTERS",
    "TERM_POSITIONS",
    "Terms",
    "clean_name",
    "clean_text",
    "fold",
    "has_forbidden_characters",
    "has_han",
    "is_han",
    "is_latin",
    "latin_form",
    "like_literal",
    "lookup_prefix",
    "mask_email",
    "mask_name",
    "mask_phone",
    "mixed_word",
    "pinyin_full",
    "pinyin_initials",
    "pinyin_syllables",
    "rank",
    "seen_form",
    "similarity",
    "simplify",
    "slip_candidates",
    "sort_key",
    "suffix_terms",
]
