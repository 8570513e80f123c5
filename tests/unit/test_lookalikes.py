"""Letters of other alphabets that look like Latin ones (portal/core/text/lookalikes.py)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.text import latin_form, mixed_word, seen_form
from portal.core.text import lookalikes as module


def test_every_pair_of_the_table_is_a_letter_of_that_alphabet_and_a_latin_one() -> None:
    for name, (others, latin) in {"CYRILLIC": module._CYRILLIC, "GREEK": module._GREEK}.items():
        assert len(others) == len(latin)
        assert len(set(others)) == len(others)
        for other, letter in zip(others, latin, strict=True):
            assert unicodedata.name(other).startswith(name), other
            assert letter.isascii(), other
            assert other.isupper() is letter.isupper() or other in "Ӏ", other


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("АВС贸易", "ABC贸易"),  # Cyrillic
        ("ΑΒΟ Group", "ABO Group"),  # Greek
        ("ΑＢО（中国）", "AＢO（中国）"),  # full width: a matter of `fold`
        ("сосо", "coco"),
        ("贵州茅台", "贵州茅台"),
    ],
)
def test_what_looks_the_same_has_one_latin_form(written: str, read: str) -> None:
    assert latin_form(written) == read


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Sоny 中国", "Sоny"),  # Cyrillic о
        ("深圳AВC科技", "AВC"),  # Cyrillic В between Latin letters
        ("Gοogle", "Gοogle"),  # Greek omicron
        ("Ｓоny", "Sоny"),  # full width beside Cyrillic
        ("ABC АВС", ""),  # two words, each in one alphabet: the duplicate check tells
        ("ООО Ромашка", ""),
        ("αTech Ω实验室", ""),  # no look-alikes
        ("5μm过滤器", ""),
        ("Crédit Agricole 东方汇理", ""),
        ("Café №5", ""),
        ("", ""),
    ],
)
def test_words_of_two_alphabets_that_look_alike_are_found(text: str, word: str) -> None:
    assert mixed_word(text) == word


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_the_latin_form_is_final(text: str) -> None:
    once = latin_form(text)
    assert latin_form(once) == once
    assert seen_form(once) == seen_form(text)
