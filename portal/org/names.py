"""How people's names are sorted and found."""

from __future__ import annotations

from portal.core.text import pinyin_initials, sort_key

LENGTH = 300


def name_sort_of(name: str) -> str:
    """ "zhang wei  zw  张伟": syllables for sorting and for full pinyin, initials, the name itself."""
    syllables, _gap, folded = sort_key(name, person=True).partition("  ")
    return f"{syllables}  {pinyin_initials(name, person=True).casefold()}  {folded}"[:LENGTH]
