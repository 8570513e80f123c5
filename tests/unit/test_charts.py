"""Charts: the same rows in the picture, the sentence and the table; fit for a strict content security policy."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from flask import Flask
from flask_babel import Babel

from portal.charts import builders, chart, draw
from portal.charts.figure import NARROW, refuse_addresses
from portal.charts.theme import COLOURS

MONTHS = [(f"2026-{month:02d}", Decimal(month * month * 12345) + Decimal("0.37")) for month in range(1, 13)]
NAMES = [
    ("广州云山宴饮管理有限公司", Decimal(900000)),
    ("五粮液", Decimal(830000)),
    ('"x"</text><script>', Decimal(69)),
]
WORDS = {"how": "按采购日期汇总折后金额。", "value_label": "销售额"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = Flask("charts")
    app.config["DATA_DIR"] = tmp_path_factory.mktemp("data")
    Babel(app, default_locale="en")
    with app.app_context():
        yield app
    draw.stop_drawer()


def texts(svg: str) -> list[str]:
    return [text for element in fromstring(svg).iter() if (text := (element.text or "").strip())]


def months(key: str = "sales") -> builders.Chart:
    return builders.bar_by_month(MONTHS, key=key, title="各月销售额", **WORDS)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("ground", ["#ffffff", "#181c21"])
def test_colours_stand_out_on_light_and_dark(colour: str, ground: str) -> None:
    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_table_holds_exactly_the_rows(app: Flask) -> None:
    found = months()
    assert found.headers == ("Month", "销售额")
    assert found.rows == tuple(MONTHS)
    assert found.table == (found.headers, found.rows)


def test_the_sentence_tells_total_and_highest(app: Flask) -> None:
    total = sum(value for _month, value in MONTHS)
    assert f"¥{total:,.2f}" in months().alt
    assert "2026-12" in months().alt
    assert "¥1,777,680.37" in months().alt


def test_the_picture_holds_labels_and_unit(app: Flask) -> None:
    shown = texts(months().plain)
    assert [text for text in shown if text in {*map(str, range(1, 13)), "2026"}][:3] == ["1", "2026", "2"]
    assert "12" in shown
    assert any("10,000 yuan" in text for text in shown)
    assert "178" in shown  # the highest bar, in 10,000 yuan


def test_each_month_has_its_label_and_each_year_stands_once_below_its_first_month(app: Flask) -> None:
    def names(first: int) -> list[str]:
        rows = [(f"{2025 + month // 12}-{month % 12 + 1:02d}", Decimal(1717)) for month in range(first, first + 12)]
        found = builders.bar_by_month(rows, key=f"from-{first}", title="t", **WORDS)
        return [text for text in texts(f"<p>{found.svg}</p>") if text in {*map(str, range(1, 13)), "2025", "2026"}]

    # Wide and narrow. December leaves the year to the January beside it: two would lie over each other on a phone.
    assert names(11) == ["12", "1", "2026", *map(str, range(2, 12))] * 2
    assert names(2) == ["3", "2025", *map(str, range(4, 13)), "1", "2026", "2"] * 2


def test_names_are_text_and_never_markup(app: Flask) -> None:
    found = builders.top_bars(NAMES, key="top", title="t", name_label="客户", rest=Decimal(5), **WORDS)
    shown = texts(found.plain)
    assert "广州云山宴饮管理有限公司" in shown
    assert '"x"</text><script>' in shown
    assert "All others" in shown
    assert "<script" not in found.svg
    assert found.rows[-1] == ("All others", Decimal(5))


def test_pictures_obey_the_content_security_policy(app: Flask) -> None:
    made = [
        months(),
        builders.top_bars(NAMES, key="b", title="t", name_label="n", **WORDS),
        builders.line(
            [("一部", [("1", 3), ("2", None), ("3", 5)]), ("二部", [("1", 9), ("2", 8), ("3", 7)])],
            key="c",
            title="t",
            x_label="x",
            **WORDS,
        ),
        builders.stacked_by_month(
            [("2026-01", [1, 2]), ("2026-02", [3, 4])], groups=["高", "中"], key="d", title="t", **WORDS
        ),
        builders.pyramid(
            [("A", 2, Decimal(9)), ("B", 8, Decimal(1))],
            key="e",
            title="t",
            how="h",
            name_label="n",
            count_label="c",
            value_label="v",
        ),
    ]
    for found in made:
        assert found.plain, found.key
        root = fromstring(found.plain)
        for element in root.iter():
            assert element.tag.rpartition("}")[2] in draw._ALLOWED_TAGS
            assert not {"style", "href", "class"} & element.attrib.keys() - ({"class"} if element is root else set())
            assert not [name for name in element.attrib if name.startswith("on")]
        assert root.get("aria-hidden") == "true"
        assert "currentColor" in found.plain
        assert draw.INK not in found.plain
        assert "#000" not in found.plain
        assert len(found.plain) < 30_000


def test_two_pictures_one_for_phones(app: Flask) -> None:
    parts = re.findall(r"<svg.*?</svg>", str(months().svg), re.DOTALL)
    widths = [float(fromstring(part).get("width")) for part in parts]
    assert len(parts) == 2
    assert 700 <= widths[0] <= 720
    assert widths[1] <= NARROW
    ids = re.findall(r'\bid="([^"]+)"', str(months().svg))
    assert len(ids) == len(set(ids))


def test_drawing_is_deterministic_without_the_cache(app: Flask) -> None:
    first = months().plain
    draw.forget()
    for path in (app.config["DATA_DIR"] / "cache" / "charts").rglob("*.svg"):
        path.unlink()
    assert months().plain == first


def test_the_cache_spares_the_drawing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    months("cached")
    monkeypatch.setattr(draw.Drawer, "draw", lambda *_arguments: pytest.fail("drawn again"))
    started = time.perf_counter()
    months("cached")
    assert time.perf_counter() - started < 0.1
    draw.forget()
    months("cached")  # out of the files


def test_a_cut_off_cache_file_is_drawn_again(app: Flask) -> None:
    first = months().plain
    files = list((app.config["DATA_DIR"] / "cache" / "charts").rglob("*.svg"))
    for path in files:
        path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    draw.forget()
    assert files
    assert months().plain == first


def test_other_data_give_another_picture(app: Flask) -> None:
    changed = [*MONTHS[:-1], ("2026-12", Decimal(1))]
    other = builders.bar_by_month(changed, key="sales", title="各月销售额", **WORDS)
    assert other.plain != months().plain


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / "aa" / f"{number}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_text("<svg></svg>")
    assert draw.prune(tmp_path, keep=10) == 20
    assert len(list(tmp_path.rglob("*.svg"))) == 10


def test_without_the_drawing_library_the_table_remains(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> list[str]:
        raise draw.CannotDraw("gone")

    monkeypatch.setattr(draw.Drawer, "draw", broken)
    found = builders.bar_by_month([("2031-01", Decimal(7))], key="x", title="t", **WORDS)
    assert found.svg == ""
    assert found.rows == (("2031-01", Decimal(7)),)
    assert found.alt


def test_an_ended_child_is_replaced(app: Flask) -> None:
    builders.bar_by_month([("2032-01", Decimal(7))], key="x", title="t", **WORDS)
    draw._drawer()._child.kill()
    assert builders.bar_by_month([("2033-01", Decimal(7))], key="x", title="t", **WORDS).plain


def test_a_slow_child_is_ended(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "SECONDS", 0)
    assert builders.bar_by_month([("2034-01", Decimal(7))], key="x", title="t", **WORDS).plain == ""
    assert draw._drawer()._child is None


def test_a_wrong_specification_is_told_from_a_broken_child(app: Flask) -> None:
    with pytest.raises(draw.CannotDraw, match=r"\w"):
        draw.draw([{"mark": 7}], None)


@pytest.mark.parametrize("spec", [{"data": {"url": "http://x"}}, {"layer": [{"data": {"url": "file:///etc"}}]}])
def test_data_come_from_the_caller_only(app: Flask, spec: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="addresses"):
        chart("x", spec=spec, title="t", alt="a", headers=[], rows=[], how="")
    refuse_addresses({"data": {"values": [{"url": "a name of a column"}]}})


@pytest.mark.parametrize(
    "raw",
    [
        '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://x"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><g onload="x()"/></svg>',
    ],
)
def test_cleaning_refuses_what_no_chart_needs(raw: str) -> None:
    with pytest.raises(draw.CannotDraw):
        draw.clean(raw, "p")


def test_cleaning_turns_style_into_attributes() -> None:
    text = '<text style="fill: #010203; cursor: pointer" x="1.23456">a</text>'
    raw = f'<svg xmlns="http://www.w3.org/2000/svg">{text}</svg>'
    cleaned = draw.clean(raw, "p")
    assert 'fill="currentColor"' in cleaned
    assert "style" not in cleaned
    assert 'x="1.23"' in cleaned


def test_empty_periods_are_said(app: Flask) -> None:
    found = builders.bar_by_month([("2026-01", Decimal(0))], key="x", title="t", **WORDS)
    assert "nothing in this period" in found.alt
    assert "nothing in this period" in builders.top_bars([], key="x", title="t", name_label="n", **WORDS).alt


@pytest.mark.parametrize(
    ("values", "expected"),
    [([Decimal("9999.99")], 1), ([Decimal(10000)], 10_000), ([Decimal(-200_000_000)], 100_000_000), ([], 1)],
)
def test_units_follow_the_largest_value(app: Flask, values: list[Decimal], expected: int) -> None:
    assert builders.scale_of(values, True)[0] == expected


def test_values_on_marks() -> None:
    assert builders.short(Decimal("123456"), 10_000) == "12.3"
    assert builders.short(Decimal("1234567"), 10_000) == "123"
    assert builders.short(Decimal("1234"), 1) == "1,234"


def test_primitives_are_json(app: Flask) -> None:
    primitives = months().as_primitives()
    assert json.loads(json.dumps(primitives)) == primitives
    assert primitives["rows"][0] == ["2026-01", "12345.37"]
    assert primitives["svg"] == months().plain
