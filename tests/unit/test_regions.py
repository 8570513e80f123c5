"""The table of administrative divisions and finding places in it."""

from __future__ import annotations

import re

import pytest

from portal.core import regions

ALL = list(regions._table().regions.values())


def test_provinces_in_official_order() -> None:
    names = [r.short for r in regions.provinces()]
    assert len(names) == 34
    assert names[:5] == ["北京", "天津", "河北", "山西", "内蒙古"]
    assert names[-3:] == ["台湾", "香港", "澳门"]


def test_tree_is_whole() -> None:
    seen = set()
    queue = list(regions.provinces())
    while queue:
        item = queue.pop()
        assert item.code not in seen
        seen.add(item.code)
        for child in regions.children(item.code):
            assert child.parent == item.code
            assert regions.is_within(child.code, item.code)
            assert child.level > item.level
            queue.append(child)
    assert seen == {r.code for r in ALL if r.current}
    assert 3100 < len(seen) < 3400


def test_names_are_clean() -> None:
    for item in ALL:
        assert re.fullmatch(r"\d{6}", item.code)
        assert re.fullmatch(r"[\u4e00-\u9fff]{2,20}", item.name), item
        assert len(item.short) >= 2
        assert "區" not in item.name
        assert item.name not in ("市辖区", "林区")


def test_changes_of_recent_years() -> None:
    assert [regions.region(c).name for c in ("330113", "330114", "410307", "540481", "653228")] == [  # type: ignore[union-attr]
        "临平区", "钱塘区", "偃师区", "米林市", "和康县",
    ]  # fmt: skip
    old = regions.region("330103")
    assert old is not None
    assert old.name == "下城区"
    assert not old.current
    assert old not in regions.children("330100")
    assert regions.region("999999") is None


def test_municipalities_and_direct_counties() -> None:
    assert regions.children("110000")[0].name == "东城区"
    assert regions.full_name("110105") == "北京市朝阳区"
    assert regions.full_name("429004") == "湖北省仙桃市"
    assert regions.full_name("440305", " / ") == "广东省 / 深圳市 / 南山区"
    assert regions.full_name("000000") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("深圳", "440300"), ("广东省深圳市南山区", "440305"), ("广东 深圳", "440300"), ("廣東省/深圳市", "440300"),
        ("内蒙", "150000"), ("内蒙古", "150000"),
        ("吉林", "220000"), ("吉林省吉林市", "220200"), ("海南", "460000"), ("北京朝阳", "110105"), ("长春市朝阳区",
        "220104"), ("湖北仙桃", "429004"),
        ("恩施", "422800"), ("臺灣", "710000"), ("上海浦东新区", "310115"), ("新疆石河子", "659001"), ("乾县",
        "610424"), ("浙江省临平区", "330113"),
    ],
)  # fmt: skip
def test_find(text: str, code: str) -> None:
    found = regions.find(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["", "朝阳区", "鼓楼", "火星", "深圳科技园"])
def test_find_refuses_to_guess(text: str) -> None:
    assert regions.find(text) is None


def test_every_full_name_is_found_again() -> None:
    for item in ALL:
        if item.current:
            found = regions.find(regions.full_name(item.code))
            assert found == item


def test_split_address() -> None:
    found, rest = regions.split_address("广东省深圳市南山区科技园路1号")
    assert found is not None
    assert (found.code, rest) == ("440305", "科技园路1号")
    assert regions.split_address("科技园路1号") == (None, "科技园路1号")
    assert {r.code for r in regions.find_all("朝阳区")} >= {"110105", "220104"}


def test_prefix_rule() -> None:
    assert regions.code_prefix("440000") == "44"
    assert regions.code_prefix("440300") == "4403"
    assert regions.is_within("440305", "440000")
    assert regions.is_within("440305", "440305")
    assert not regions.is_within("440305", "440100")
    assert not regions.is_within("", "440000")


def test_labels() -> None:
    english = [
        regions.english_name(c)
        for c in ("440000", "610000", "140000", "150000", "610100", "350200", "341500", "820000")
    ]
    assert english == ["Guangdong", "Shaanxi", "Shanxi", "Inner Mongolia", "Xi'an", "Xiamen", "Lu'an", "Macao"]
    assert regions.label("440000", "zh_Hant") == "廣東省"
    assert regions.label("440000") == "广东省"
    assert regions.label("440000", "en") == "Guangdong"
    assert all(re.fullmatch(r"[A-Z][A-Za-zü'() ]+", regions.english_name(r.code)) for r in ALL if r.current)
