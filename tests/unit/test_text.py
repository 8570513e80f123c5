"""Folding, cleaning, pinyin, masks and similarity of Chinese names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import text
from portal.core.han.pinyin import known_syllables, syllables_of

han = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
anything = st.text(st.one_of(han, st.characters(), st.sampled_from("AbÜé（）·　ａＢ１\u200b\u202e")), max_size=30)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("貴州茅臺酒股份有限公司", "贵州茅台酒股份有限公司"),
        ("ＴＣＬ 科技（集团）", "tcl科技集团"),
        ("乾坤·裏", "干坤里"),
        ("Café Ünal", "cafevnal"),
        ("a\u200bb\u202ec_d-e", "abcde"),
        ("", ""),
    ],
)
def test_fold(raw: str, folded: str) -> None:
    assert text.fold(raw) == folded


@given(anything)
def test_fold_is_idempotent(raw: str) -> None:
    once = text.fold(raw)
    assert text.fold(once) == once


@given(st.text(st.one_of(han, st.sampled_from("abcXYZ0189（） ·貴臺後裏乾麵")), max_size=20), st.data())
def test_folded_part_is_part_of_folded_whole(raw: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, len(raw)))
    assert text.fold(raw[start:end]) in text.fold(raw)


@given(anything)
def test_clean_name_leaves_nothing_forbidden(raw: str) -> None:
    clean = text.clean_name(raw)
    assert not text.has_forbidden_characters(clean)
    assert clean == clean.strip()
    assert "  " not in clean
    assert text.clean_name(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)


def test_clean_name_keeps_the_name() -> None:
    assert text.clean_name("  貴州\u3000茅臺\u202e（集团）\n有限\u200b公司 ") == "貴州 茅臺（集团） 有限 公司"
    assert text.has_forbidden_characters("a\u202eb")
    assert text.has_forbidden_characters("a\nb")
    assert not text.has_forbidden_characters("王芳 (Wang Fang)·é")


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("重庆长安汽车", "chongqingchanganqiche", "cqcaqc"),
        ("中国工商银行", "zhongguogongshangyinhang", "zggsyh"),
        ("厦门航空", "xiamenhangkong", "xmhk"),
        ("厦工股份", "xiagonggufen", "xggf"),
        ("平安大厦", "pingandasha", "pads"),
        ("贵州茅台", "guizhoumaotai", "gzmt"),
        ("貴州茅臺", "guizhoumaotai", "gzmt"),
        ("长电科技", "changdiankeji", "cdkj"),
        ("藏格矿业", "zanggekuangye", "zgky"),
        ("三一重工", "sanyizhonggong", "syzg"),
        ("绿地控股", "lvdikonggu", "ldkg"),
        ("TCL科技", "tclkeji", "tclkj"),
        ("3M中国", "3mzhongguo", "3mzg"),
        ("会稽山", "kuaijishan", "kjs"),
        ("深圳支行", "shenzhenzhihang", "szzh"),
        ("专家长城", "zhuanjiachangcheng", "zjcc"),
        ("Acme Ltd.", "acmeltd", "acmeltd"),
    ],
)
def test_pinyin(name: str, full: str, initials: str) -> None:
    assert text.pinyin_full(name) == full
    assert text.pinyin_initials(name) == initials


def test_family_names_are_read_as_names() -> None:
    assert text.pinyin_full("单立文", person=True) == "shanliwen"
    assert text.pinyin_full("单立文") == "danliwen"
    assert text.pinyin_full("尉迟恭", person=True) == "yuchigong"
    assert text.pinyin_full("区小平", person=True) == "ouxiaoping"


def test_syllables_group_letters() -> None:
    assert text.pinyin_syllables("TCL科技2") == ["tcl", "ke", "ji", "2"]
    assert 380 < len(known_syllables()) < 460
    assert {"zhuang", "lv", "a", "er"} <= known_syllables()


@given(st.text(han, max_size=20))
def test_one_reading_per_character(raw: str) -> None:
    assert len(syllables_of(raw)) == len(raw)


def test_sort_key_orders_by_syllable() -> None:
    names = ["昂立", "安徽", "重庆", "长安", "阿里", "TCL", "张三", "张四"]
    # an-hui before ang-li: syllable by syllable, not letter by letter.
    assert sorted(names, key=text.sort_key) == ["阿里", "安徽", "昂立", "长安", "重庆", "TCL", "张三", "张四"]


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        ("腾讯科技(深圳)有限公司", "深圳腾讯科技有限公司", 0.95, 1.0),
        ("贵州茅台酒股份有限公司", "贵州茅台酒厂(集团)有限责任公司", 0.6, 0.85),
        ("贵州茅台酒股份有限公司", "貴州茅臺酒股份有限公司", 1.0, 1.0),
        ("万科企业", "万科企业股份有限公司", 0.95, 1.0),
        ("深圳市华强贸易有限公司", "深圳市华盛贸易有限公司", 0.0, 0.7),
        ("北京万科企业有限公司", "上海万科企业有限公司", 0.7, 0.88),
        ("平安银行第一支行", "平安银行第二支行", 0.0, 0.7),
        ("阿里巴巴集团", "百度集团", 0.0, 0.3),
        ("", "百度", 0.0, 0.0),
    ],
)
def test_similarity(a: str, b: str, low: float, high: float) -> None:
    assert low <= text.similarity(a, b) <= high
    assert text.similarity(a, b) == text.similarity(b, a)


@given(anything, anything)
@settings(max_examples=60)
def test_similarity_stays_in_bounds(a: str, b: str) -> None:
    assert 0 <= text.similarity(a, b) <= 1
    if text.fold(a):
        assert text.similarity(a, a) == 1


def test_masks() -> None:
    assert text.mask_phone("13812341234") == "138****1234"
    assert text.mask_phone("+8613812341234") == "+86138****1234"
    assert text.mask_phone("95588") == "***88"
    assert text.mask_email("wangfang@example.com") == "w***@example.com"
    assert text.mask_email("w@example.com") == "***@example.com"
    assert text.mask_email("nonsense") == "***"
    assert text.mask_name("王芳") == "王*"
    assert text.mask_name("欧阳修文") == "欧阳**"
    assert text.mask_name("John Smith") == "J*** S****"


@given(st.text(st.characters(categories=["Nd"], max_codepoint=127), min_size=3, max_size=18))
def test_masked_phone_hides_digits(digits: str) -> None:
    masked = text.mask_phone(digits)
    assert masked != digits
    assert "*" in masked
    assert len(masked) == len(digits)
