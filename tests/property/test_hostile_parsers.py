"""Whatever is typed or uploaded is read or refused: never an error of ours, never more time than a person waits.

A few examples each in `make test`; `make fuzz` asks for many (PORTAL_FUZZ=2000, other ones at each run). Time is that
of the processor: what else the machine does is no matter of the text.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from plugins.sop.manuals import markdown
from portal.core import calendar, identifiers, money, text
from portal.core import spreadsheets as sp
from portal.core.calendar import Birthday, CalendarError
from portal.core.identifiers import IdentifierError
from portal.core.money import MoneyError
from portal.core.spreadsheets import SpreadsheetError
from portal.core.uploads.inspecting import safe_name
from portal.customers import search
from portal.customers.importing import reading, values
from portal.customers.importing.targets import CellError
from portal.customers.vocabulary import LABELS
from portal.extensions import db
from tests.world import World

MANY = int(os.environ.get("PORTAL_FUZZ", "0"))


def examples(few: int) -> settings:
    """`few` examples that are always the same, or as many as asked for."""
    return settings(
        max_examples=MANY or few,
        derandomize=not MANY,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# ---- texts ---------------------------------------------------------------------------------------------------------

LETTERS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("0123456789-+()（）０１２闰正二腊初十廿月年日.,;:@# \t\n"),
    )
)
CELLS = st.one_of(
    st.none(),
    LETTERS,
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(),
    st.integers().map(Decimal),
)


@examples(150)
@given(LETTERS)
def test_identifiers_are_read_or_refused(typed: str) -> None:
    for read in (
        identifiers.normalise_credit_code,
        identifiers.normalise_phone,
        identifiers.normalise_email,
        identifiers.normalise_wechat,
    ):
        try:
            once = read(typed)
        except IdentifierError:
            continue
        if isinstance(once, str):
            assert read(once) == once
    assert identifiers.is_credit_code(typed) in (True, False)


@examples(60)
@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 17), st.characters())
def test_a_credit_code_with_one_wrong_character_is_no_credit_code(code: str, place: int, other: str) -> None:
    from stdnum.cn import uscc

    whole = code + uscc.calc_check_digit(code)
    changed = whole[:place] + other + whole[place + 1 :]
    if identifiers.is_credit_code(whole) and identifiers.is_credit_code(changed):
        assert identifiers.normalise_credit_code(changed) == whole


READERS: dict[str, Callable[[Any], Any]] = {
    "text": values.text,
    "money": values.money,
    "whole": values.whole,
    "day": values.day,
    "region": values.region,
    "several": values.several,
    "birthday": values.birthday,
    "choice": values.choice(next(iter(LABELS))),
}


def test_cells_are_read_or_refused(app: Flask) -> None:
    @examples(60)
    @given(CELLS)
    def read(cell: Any) -> None:
        for name, reader in READERS.items():
            try:
                found = reader(cell)
            except CellError:
                continue
            if name == "day":
                assert found is None or values.FIRST_YEAR <= found.year <= values.LAST_YEAR
            if name == "birthday" and found is not None:
                with contextlib.suppress(CalendarError):
                    assert Birthday(**found).label()
        assert len(reading.shown(cell)) <= 120

    with app.test_request_context():
        read()


@examples(150)
@given(LETTERS)
def test_amounts_are_read_or_refused(typed: str) -> None:
    try:
        amount = money.parse_yuan(typed)
    except MoneyError:
        return
    assert amount == amount.quantize(Decimal("0.01"))
    assert abs(amount) < Decimal(10) ** 16


@examples(150)
@given(
    st.sampled_from(["solar", "lunar", "", "moon"]),
    st.integers(-(10**6), 10**6) | st.integers(0, 14),
    st.integers(-(10**6), 10**6) | st.integers(0, 33),
    st.booleans(),
    st.none() | st.integers(-(10**6), 10**6) | st.integers(1895, 2105),
    st.dates(),
)
def test_dates_of_both_calendars_are_right_or_refused(
    kind: str, month: int, day: int, leap: bool, year: int | None, today: date
) -> None:
    try:
        birthday = Birthday(kind, month, day, leap, year)
        coming = birthday.next_on_or_after(today)
    except CalendarError:
        return
    assert coming >= today
    assert birthday.label()
    assert birthday.age_on(today) is None or birthday.age_on(today) in range(201)
    if kind == "lunar" and year is not None:
        born = birthday.birth_date()
        assert born is not None
        assert (calendar.to_lunar(born).month, calendar.to_lunar(born).leap) == (month, leap)


# ---- searching -----------------------------------------------------------------------------------------------------

TYPED = st.one_of(
    LETTERS,
    st.text("贵州茅台酒五粮液gzmtabc '%_\"\\;-", max_size=40),
    st.sampled_from(["%", "_", "%%%%", "\\", "'", "a" * 500, "茅" * 500, "1" * 300, " " * 300, "a " * 200, "🏮" * 100]),
)


def test_searches_answer_whatever_is_typed(app: Flask, world: World) -> None:
    actor = world.actor("anna")

    @examples(40)
    @given(TYPED)
    def ask(typed: str) -> None:
        began = time.process_time()
        found = search.search(actor, typed[:500])
        assert time.process_time() - began < 2
        assert len(found) <= 20
        db.session.rollback()

    ask()
    for wildcard in ("%", "_", "%%", "__", "\\", "/%"):
        assert search.search(actor, wildcard) == [], "a wildcard finds itself alone"


# ---- Markdown ------------------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        *(
            "# ",
            "## ",
            "- ",
            "1. ",
            "> ",
            "```\n",
            "    ",
            "|a|b|\n|-|-|\n|",
            "***",
            "__",
            "~~",
            "`",
            "\n",
            "\n\n",
            "\\",
        ),
        *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:x'>", "<!--", "-->", "]]>"),
        *("[a](javascript:alert(1))", "[a](JaVaScRiPt:x)", "[a](\tjavascript:x)", "[a](data:text/html,x)", "![a](x)"),
        *(
            "[a](https://example.com 't')",
            "<https://example.com>",
            "[a]: javascript:x\n",
            "[a]",
            "&lt;",
            "&#x6a;",
            "&#0;",
        ),
        *(
            "<svg onload=x>",
            "<math><mtext><style>",
            "<iframe srcdoc=x>",
            "style=x",
            "{{ 7*7 }}",
            "\u202e",
            "\x00",
            "客户",
        ),
    ]
)
SOURCES = st.lists(FRAGMENTS | st.text(max_size=12), max_size=25).map("".join)


def check_html(rendered: str) -> None:
    if not rendered.strip():
        return
    for element in lxml_html.fragment_fromstring(rendered, create_parent="div").iter():
        assert isinstance(element.tag, str), "comments and instructions are gone"
        assert element.tag in markdown.TAGS | {"div"}, element.tag
        for name, value in element.attrib.items():
            assert name in markdown.ATTRIBUTES.get(element.tag, set()) | {"rel"}, name
            if name == "href":
                assert value.split(":", 1)[0].lower() in markdown.SCHEMES, value


def test_markdown_gives_listed_tags_only(app: Flask) -> None:
    @examples(150)
    @given(SOURCES)
    def render(source: str) -> None:
        markdown.check(source)
        check_html(str(markdown.render(source)))
        markdown.plain(source)

    with app.test_request_context():
        render()


#: What readers of Markdown are known to stumble over, each repeated to the longest text.
ENDLESS = {
    "stars": "*a **a ",
    "stars without end": "*",
    "underlines": "_a __a ",
    "links": "[a](",
    "closing": "a](b) ",
    "addresses": "<a:",
    "ticks": "`a``b```c ",
    "entities": "&a;&#1;",
    "quotations": "> ",
    "lists": "- ",
    "numbers": "1. ",
    "tables": "|",
    "rows": "|a|\n|-|\n",
    "lines": "a\n",
    "blank lines": "\n",
    "strikes": "~~a ~",
    "escapes": "\\*",
    "references": "[a]: b\n",
    "html": "<a ",
    "comments": "<!--",
    "blanks": " ",
    "tabs": "\t- a\n",
    "fences": "```\n~~~\n",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_markdown_takes_no_time_bombs(app: Flask, name: str) -> None:
    part = ENDLESS[name]
    source = part * (markdown.LENGTH // (1 if MANY else 5) // len(part))
    with app.test_request_context():
        began = time.process_time()
        if not markdown.check(source):
            markdown.render.__wrapped__(source)
            markdown.plain(source)
        assert time.process_time() - began < (20 if MANY else 5)


# ---- patterns ------------------------------------------------------------------------------------------------------

LONG = 10_000
REPEATED = [
    "a",
    "1",
    "(",
    "（",
    "[",
    "1-",
    "转",
    " ",
    "\t",
    "a@",
    "a.",
    "-",
    "+86",
    "公司",
    "茅",
    "贵州",
    "\u3000",
    "=",
    "ß",
    "ﷺ",
]
TAKEN: dict[str, Callable[[str], Any]] = {
    "credit code": identifiers.is_credit_code,
    "phone": identifiers.normalise_phone,
    "digits of a phone": identifiers.phone_query_digits,
    "e-mail": identifiers.normalise_email,
    "WeChat": identifiers.normalise_wechat,
    "amount": money.parse_yuan,
    "name": text.clean_name,
    "lines": text.clean_text,
    "folded": text.fold,
    "heading": reading.folded_heading,
    "neutral": sp.neutralise,
    "delimiter": sp.sniff_delimiter,
    "file name": safe_name,
}


@pytest.mark.parametrize("name", TAKEN)
def test_patterns_take_no_time_bombs(name: str) -> None:
    for part in REPEATED:
        for ending in ("", "x", "\n", "!"):
            typed = part * (LONG // len(part)) + ending
            began = time.process_time()
            with contextlib.suppress(IdentifierError, MoneyError):
                TAKEN[name](typed)
            assert time.process_time() - began < 1, (part, ending)


# ---- files ---------------------------------------------------------------------------------------------------------


def _book() -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    for row in (("客户名称", "电话", "金额"), ("贵州茅台", "13800138000", 12.5), ("五粮液", None, date(2026, 3, 5))):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


BOOK = _book()
TABLE = '客户名称,电话,金额\n贵州茅台,13800138000,12.5\n"五粮\n液",,2026-03-05\n'.encode()
CHANGES = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), max_size=12)


def damaged(content: bytes, changes: list[tuple[int, int]], kept: float) -> bytes:
    made = bytearray(content[: max(1, int(len(content) * kept))])
    for place, value in changes:
        made[place % len(made)] = value
    return bytes(made)


def rezipped(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    """Damage inside one entry of the container, which itself stays sound."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = [name for name in old.namelist() if name.endswith(".xml")]
        victim = names[changes[0][0] % len(names)] if changes else ""
        for name in old.namelist():
            new.writestr(name, damaged(old.read(name), changes, 1.0) if name == victim else old.read(name))
    return out.getvalue()


def read_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        sp.kind_of(path)
        sp.detect_encoding(path)
        with sp.read_table(path, seconds=20) as table:
            for row in table.rows:
                assert len(row) >= len(table.headers)
    except SpreadsheetError as error:
        refused(error)


def refused(error: SpreadsheetError) -> None:
    assert error.code in sp.MESSAGES


def test_damaged_spreadsheets_are_read_or_refused(tmp_path: Path) -> None:
    @examples(4)
    @given(CHANGES, st.sampled_from([1.0, 1.0, 0.7, 0.2]))
    def damage(changes: list[tuple[int, int]], kept: float) -> None:
        read_file(tmp_path / "x.xlsx", damaged(BOOK, changes, kept))
        read_file(tmp_path / "y.xlsx", rezipped(BOOK, changes))
        read_file(tmp_path / "z.csv", damaged(TABLE, changes, kept))

    damage()


@examples(40)
@given(st.binary(max_size=300) | st.tuples(CHANGES, st.sampled_from([1.0, 0.5])).map(lambda c: damaged(TABLE, *c)))
def test_any_bytes_have_a_kind_or_none(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        try:
            kind = sp.kind_of(path)
            guess = sp.detect_encoding(path)
        except SpreadsheetError as error:
            refused(error)
            return
        assert kind in ("csv", "xlsx", "xls")
        for encoding in guess.candidates:
            assert len(sp.preview_text(path, encoding, 3)) <= 3
