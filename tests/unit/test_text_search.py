"""Search terms, look-ups for slips, ranking: every part of a name finds it, every slip of six letters and more is
caught."""

from __future__ import annotations

import bisect
import os
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from portal.core import text
from portal.core.text import terms
from portal.core.text.terms import COMPANY_FORM

NAMES = (
    "贵州茅台酒股份有限公司", "腾讯科技(深圳)有限公司", "中国平安保险集团", "重庆长安汽车股份有限公司", "三一重工",
    "西安银行", "安安", "双汇发展", "壮美广西旅游",
    "TCL科技集团股份有限公司", "内蒙古伊利实业集团", "阿里巴巴（中国）有限公司", "庄园牧场", "上海恩捷新材料",
    "长江电力", "儿童王国",
)  # fmt: skip
han = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
names = st.one_of(
    st.sampled_from(NAMES),
    st.text(han, min_size=2, max_size=16),
    st.lists(st.sampled_from("壮双安恩西央长江儿童重庆"), min_size=3, max_size=8).map("".join),
)


def found(query: str, name: str) -> bool:
    """What an index does: the query is the prefix of a term."""
    terms = text.suffix_terms(name)
    short, long = text.lookup_prefix(query)
    return any(t.startswith(short) for t in terms.name + terms.initials) or bool(
        long and any(t.startswith(long) for t in terms.pinyin)
    )


def rank(query: str, name: str) -> int | None:
    return text.rank(query, name, " ".join(text.pinyin_syllables(name)), text.pinyin_initials(name))


@pytest.mark.parametrize(
    "query",
    ["茅台", "maotai", "guizhoumaotai", "gzmt", "mt", "贵州", "Mao Tai", "茅臺", "GZMT", "ｍａｏｔａｉ", "taijiu"],
)
def test_parts_find_the_name(query: str) -> None:
    assert found(query, "贵州茅台酒股份有限公司")
    assert rank(query, "贵州茅台酒股份有限公司") is not None


def test_company_form_starts_one_term_only() -> None:
    terms = text.suffix_terms("贵州茅台酒股份有限公司")
    assert terms.name[-1] == "股份有限公司"
    assert terms.initials[-1] == "gfyxgs"
    assert len(terms.name) == len(terms.pinyin) == 6
    assert text.suffix_terms("集团").name == ("集团", "团")
    assert text.suffix_terms("Acme").pinyin == ()


@given(names, st.data())
@settings(max_examples=300)
def test_every_part_finds_the_name(name: str, data: st.DataObject) -> None:
    folded = text.fold(name)
    assume(folded)
    ending = COMPANY_FORM.search(folded)
    last = ending.start() if ending and ending.start() else len(folded) - 1
    start = data.draw(st.integers(0, last))
    end = data.draw(st.integers(start + 1, len(folded)))
    assert found(folded[start:end], name)
    assert rank(folded[start:end], name) >= 700  # type: ignore[operator]


@given(names, st.data())
@settings(max_examples=200)
def test_pinyin_from_each_syllable_finds_the_name(name: str, data: st.DataObject) -> None:
    assume(all(text.is_han(c) for c in name) and not COMPANY_FORM.search(name))
    syllables = text.pinyin_syllables(name)
    assume(all(s.isalpha() and s.isascii() for s in syllables))
    start = data.draw(st.integers(0, len(syllables) - 1))
    tail = "".join(syllables[start:])
    query = tail[: data.draw(st.integers(1, len(tail)))]
    assert found(query, name)
    assert rank(query, name) is not None
    letters = "".join(s[0] for s in syllables[start:])
    assert found(letters, name)
    assert rank(letters, name) is not None


def test_index_terms_are_bounded() -> None:
    terms = text.suffix_terms("双" * 100 + "Ab")
    assert len(terms.name) <= 40
    assert len(terms.pinyin) <= 40
    assert len(terms.initials) <= 40
    terms = text.suffix_terms("庄双窗霜装" * 20)
    assert max(map(len, terms.name)) == 16
    assert max(map(len, terms.pinyin)) == 48
    assert max(map(len, terms.initials)) == 16
    assert all(len(kind) <= 40 for kind in terms)


def slip(query: str, kind: str, at: int, letter: str) -> str:
    if kind == "substitution":
        return query[:at] + letter + query[at + 1 :]
    if kind == "insertion":
        return query[:at] + letter + query[at:]
    if kind == "deletion":
        return query[:at] + query[at + 1 :]
    at = min(at, len(query) - 2)
    return query[:at] + query[at + 1] + query[at] + query[at + 2 :]


KINDS = st.sampled_from(["substitution", "insertion", "deletion", "transposition"])


@given(names, KINDS, st.data())
@settings(max_examples=600)
def test_every_slip_in_pinyin_is_caught(name: str, kind: str, data: st.DataObject) -> None:
    assume(all(text.is_han(c) for c in name) and not COMPANY_FORM.search(name))
    syllables = text.pinyin_syllables(name)
    assume(all(s.isalpha() and s.isascii() for s in syllables))
    start = data.draw(st.integers(0, len(syllables) - 1))
    tail = "".join(syllables[start:])[:30]
    assume(len(tail) >= 7)
    right = tail[: data.draw(st.integers(7, len(tail)))]
    wrong = slip(
        right, kind, data.draw(st.integers(0, len(right) - 1)), data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    )
    terms = text.suffix_terms(name).pinyin
    lookups = text.slip_candidates(wrong)
    assert found(wrong, name) or any(term.startswith(prefix) for prefix in lookups for term in terms), (
        wrong,
        right,
        lookups,
    )
    assert rank(wrong, name) is not None
    assert len(lookups) <= 250


@given(st.text(han, min_size=5, max_size=12), KINDS, st.integers(0, 11), han)
@settings(max_examples=200)
def test_every_slip_in_characters_is_caught(name: str, kind: str, at: int, other: str) -> None:
    wrong = slip(name, kind, min(at, len(name) - 1), other)
    terms = text.suffix_terms(name)
    lookups = text.slip_candidates(wrong)
    everything = terms.name + terms.pinyin
    assert found(wrong, name) or any(term.startswith(prefix) for prefix in lookups for term in everything)
    assert rank(wrong, name) is not None


def test_initials_with_a_slip() -> None:
    name = "贵州茅台"
    for wrong in ("gzmr", "hzmt", "gzm", "gmzt", "gzzmt"):
        assert rank(wrong, name) is not None, wrong
    lookups = text.slip_candidates("gzmr") + text.slip_candidates("hzmt")
    assert {"gz", "mt"} <= set(lookups)


def test_homophones_are_found_by_their_sound() -> None:
    assert "guizhoumaotai" in text.slip_candidates("贵洲矛台")
    assert rank("贵洲矛台", "贵州茅台") == 500


def test_order_of_ranks() -> None:
    name = "贵州茅台"
    queries = [
        "贵州茅台",
        "贵州",
        "茅台",
        "guizhoumaotai",
        "guizhou",
        "maotai",
        "gzmt",
        "贵洲矛抬",
        "guizhuomaotai",
        "gwizhuomaotai",
    ]
    scores = [rank(query, name) for query in queries]
    assert None not in scores
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)
    assert rank("baidu", name) is None
    assert rank("uizhou", "贵州茅台") is not None  # one letter missing in front
    assert rank("an", "上山") is None, "a hit in the middle of a syllable is none"
    assert rank("mx", name) is None, "two letters allow no slip"
    assert rank("茅山", name) is None, "nor do two characters"
    assert rank("茅台", "茅台酒") > rank("茅台", "茅台酒销售中心")  # type: ignore[operator]


def test_two_slips_only_in_long_queries() -> None:
    assert rank("gwizhoumaotei", "贵州茅台") is not None
    assert rank("mwotei", "茅台") is None
    assert rank("xxizhxumaxtai", "贵州茅台") is None


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=200)
def test_nothing_breaks_on_any_text(query: str, name: str) -> None:
    text.suffix_terms(name)
    text.slip_candidates(query)
    text.rank(query, name, text.pinyin_full(name), text.pinyin_initials(name))
    assert isinstance(text.sort_key(name), str)


def test_search_in_fifty_thousand_real_names() -> None:
    """The whole way on real short names: terms, look-ups, ranks; one letter wrong still puts the company first."""
    folder = Path(os.environ.get("PORTAL_REALDATA", Path(__file__).parents[3] / "shared" / "data"))
    source = folder / "company_short_names.txt"
    if not source.exists():
        pytest.skip("the real data is not here (PORTAL_REALDATA)")
    all_names = [*source.read_text("utf-8").split()[::4], "贵州茅台", "海康威视"]
    index = sorted((term, name) for name in all_names for kind in text.suffix_terms(name) for term in kind)
    for query, wanted in (
        ("guizhoumoatai", "贵州茅台"),
        ("haikngweishi", "海康威视"),
        ("海康威士", "海康威视"),
        ("gzmaotai", None),
    ):
        hits = set()
        for prefix in text.slip_candidates(query):
            position = bisect.bisect_left(index, (prefix, ""))
            while position < len(index) and index[position][0].startswith(prefix):
                hits.add(index[position][1])
                position += 1
        scored = sorted(((rank(query, name) or 0, name) for name in hits), reverse=True)
        if wanted:
            assert scored[0][1] == wanted
        else:
            assert all(name != "海康威视" for score, name in scored if score)


@given(st.text("abc", min_size=3, max_size=9), st.text("abc", min_size=1, max_size=14), st.integers(1, 2))
def test_leaving_at_once_loses_no_slip(query: str, text: str, limit: int) -> None:
    """Texts with too few letters in common are left without measuring; measured, none of them would have fitted."""
    starts = range(max(1, len(text) - len(query) + limit + 1))
    pieces = [text[start : start + length] for start in starts for length in range(1, len(query) + limit + 1)]
    fits = any(len(query) - limit <= len(piece) and OSA.distance(query, piece) <= limit for piece in pieces)
    assert (terms._slips(query, text, limit) is not None) == fits
