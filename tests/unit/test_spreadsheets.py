"""Reading and writing spreadsheets: round trips with hostile text, encodings, and files that mean harm."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.core import spreadsheets as sp
from portal.core.spreadsheets import Marks, Sheet, SpreadsheetError, limits

D = Decimal
hostile = st.one_of(
    st.text(max_size=20),
    st.builds(
        str.__add__,
        st.sampled_from(
            ["=", "+", "-", "@", "\t", "\r", "\x00", "＝", "＋", "－", "＠", " =", "\u3000@", "'=", "''", "\u200b="]
        ),
        st.text(max_size=10),
    ),
    st.sampled_from(
        [
            '=HYPERLINK("http://x","y")',
            "=cmd|' /C calc'!A0",
            "_x0041_",
            "_x000D_",
            '"',
            '""',
            ",",
            "\n",
            "a,b",
            "😀",
            "<a>&amp;",
            "]]>",
            "00123",
            "1e5",
        ]
    ),
)
# Sheets know no zone: naive moments are meant.
MOMENT = datetime.fromisoformat("2026-01-02T03:04:05")
MINUTE = datetime.fromisoformat("2026-01-02T03:04:00")


def code_of(path: Path, **options: object) -> str:
    with pytest.raises(SpreadsheetError) as caught:
        sp.read_table(path, **options)  # type: ignore[arg-type]
    assert str(caught.value)
    return caught.value.code


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# ---------------------------------------------------------------- round trips
def test_types_survive_xlsx(tmp_path: Path) -> None:
    rows = [
        ["贵州茅台", D("1234.50"), date(2026, 1, 2), MOMENT, True],
        ["00123", D("0.30"), None, None, None],
        ["13800138000", 13800138000, D("-5"), D("12345678901234567.89"), "a\nb"],
    ]
    total = sp.write_xlsx(tmp_path / "a.xlsx", [Sheet("客户/名单", ["名称", "金额", "日期", "时刻", "是否"], rows)])
    assert total == 3
    with sp.read_table(tmp_path / "a.xlsx") as table:
        assert (table.kind, table.sheet, table.headers, table.row_count) == (
            "xlsx",
            "客户 名单",
            ["名称", "金额", "日期", "时刻", "是否"],
            3,
        )
        assert list(table.rows) == [
            ["贵州茅台", D("1234.5"), date(2026, 1, 2), MOMENT, "TRUE"],
            ["00123", D("0.3"), None, None, None],
            ["13800138000", D(13800138000), D(-5), "12345678901234567.89", "a\nb"],
        ]
        assert [row.number for row in table.numbered_rows()] == [2, 3, 4]
        assert list(table.rows) == list(table.rows)


@given(st.lists(st.lists(hostile, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_text_round_trip(tmp_path: Path, rows: list[list[str]]) -> None:
    headers = ["a", "b", "c"]
    expected = [[sp.printable(value) or None for value in row] for row in rows]
    expected = [row for row in expected if any(row)]
    book = tmp_path / "h.xlsx"
    sp.write_xlsx(book, [Sheet("s", headers, rows)])
    for row in openpyxl.load_workbook(book).worksheets[0].iter_rows():
        assert all(cell.data_type != "f" for cell in row), "a formula"
    with sp.read_table(book) as table:
        assert list(table.rows) == expected
    text = tmp_path / "h.csv"
    sp.write_csv(text, headers, rows)
    with sp.read_table(text, encoding="utf-8", delimiter=",") as table:
        assert [[sp.restore(v) if isinstance(v, str) else v for v in row] for row in table.rows] == expected
        for row in table.rows:
            for value in row:
                assert value is None or not sp.is_dangerous(str(value)) or str(value).startswith("'")


@given(hostile)
def test_neutralise(text: str) -> None:
    safe = sp.neutralise(text)
    assert sp.restore(safe) == text
    assert safe.lstrip(" \u3000\u200b")[:1] not in set("=+-@\t\r\n\x00＝＋－＠")


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    sp.write_csv(tmp_path / "n.csv", ["a", "b"], [[D("-5.00"), "-5"], [-3, "+8613800138000"]])
    raw = (tmp_path / "n.csv").read_bytes()
    assert raw == b"\xef\xbb\xbfa,b\r\n-5.00,'-5\r\n-3,'+8613800138000\r\n"


def test_marks_are_in_the_file(tmp_path: Path) -> None:
    marks = Marks("导出说明", [("导出人", "王芳"), ("时间", MINUTE), ("筛选", "=华东")], "行数", ["内部资料"])
    sp.write_xlsx(tmp_path / "m.xlsx", [Sheet("客户", ["名称"], [["甲"], ["乙"]])], marks)
    with sp.read_table(tmp_path / "m.xlsx", sheet="导出说明") as table:
        assert table.sheet_names == ["客户", "导出说明"]
        assert table.headers == ["导出人", "王芳"]
        assert list(table.rows) == [
            ["时间", MINUTE], ["筛选", "=华东"], ["行数", D(2)], ["内部资料", None],
        ]  # fmt: skip
    sp.write_csv(tmp_path / "m.csv", ["名称"], iter([["甲"], ["乙"]]), marks)
    last = list(csv.reader(io.StringIO((tmp_path / "m.csv").read_text("utf-8-sig"))))[-1]
    assert last == ["# 导出人 王芳 · 时间 2026-01-02 03:04:00 · 筛选 =华东 · 行数 2 · 内部资料"]


def test_header_is_styled_and_frozen(tmp_path: Path) -> None:
    sp.write_xlsx(tmp_path / "s.xlsx", [Sheet("s", ["名称", "b"], [["很长的公司名称有限责任公司", 1]])])
    sheet = openpyxl.load_workbook(tmp_path / "s.xlsx").worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["A"].width > sheet.column_dimensions["B"].width
    assert sheet.column_dimensions["A"].width >= 26


def test_long_cells_are_cut_not_lost(tmp_path: Path) -> None:
    sp.write_xlsx(tmp_path / "l.xlsx", [Sheet("s", ["a"], [["长" * 40_000], ["😀" * 20_000]])])
    with sp.read_table(tmp_path / "l.xlsx") as table:
        first, second = [str(row[0]) for row in table.rows]
    assert len(first) == 32_767
    assert first.endswith("…")
    assert len(second.encode("utf-16-le")) // 2 <= 32_767
    assert second.endswith("😀…")


def test_failed_export_leaves_no_file(tmp_path: Path) -> None:
    def rows():  # type: ignore[no-untyped-def]
        yield ["a"]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        sp.write_csv(tmp_path / "x.csv", ["a"], rows())
    with pytest.raises(RuntimeError):
        sp.write_xlsx(tmp_path / "x.xlsx", [Sheet("s", ["a"], rows())])
    assert not list(tmp_path.iterdir())


def test_sheet_names() -> None:
    assert sp.sheet_name("a/b:c[d]*?\\e") == "a b c d    e"
    assert sp.sheet_name("'" * 3) == "Sheet"
    assert sp.sheet_name("History") == "History 1"
    assert len(sp.sheet_name("长" * 50)) == 31
    assert sp.sheet_name("Name", ["name"]) == "Name 2"


# ---------------------------------------------------------------- text files
CSV = (
    '客户名称,电话,备注\r\n贵州茅台酒股份有限公司,0851-22386002,龙头\r\n腾讯科技（深圳）有限公司,,"说：""好"",下次"\r\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encodings(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = list(csv.reader(io.StringIO(CSV)))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    path = write(tmp_path / "x.csv", out.getvalue().encode(encoding))
    with sp.read_table(path) as table:
        assert table.headers == ["客户名称", "电话", "备注"]
        assert list(table.rows) == [[v or None for v in row] for row in rows[1:]]
        assert table.delimiter == delimiter
        assert table.encoding in {"gbk": {"gb18030"}, "utf-8-sig": {"utf-8"}}.get(encoding, {encoding})


def test_user_can_overrule_the_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "姓名,城市\n王芳,深圳\n".encode("gbk"))
    guess = sp.detect_encoding(path)
    assert guess.encoding == "gb18030"
    assert not guess.certain
    assert "gb18030" in guess.candidates
    assert sp.preview_text(path, "gb18030") == ["姓名,城市", "王芳,深圳"]
    assert "\ufffd" in sp.preview_text(path, "utf-8")[0]
    assert code_of(path, encoding="utf-8") == "sheet.encoding"
    assert code_of(path, encoding="rot13") == "sheet.encoding"
    big5 = write(
        tmp_path / "y.csv", "客戶名稱,城市,備註\n臺灣積體電路製造股份有限公司,新竹,重要客戶的聯絡人\n".encode("big5")
    )
    assert sp.detect_encoding(big5).encoding == "big5"
    with sp.read_table(big5, encoding="big5") as table:
        assert table.headers[0] == "客戶名稱"


def test_one_column_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "\n\n名称\n\n甲公司\n乙公司\n\n".encode())
    with sp.read_table(path) as table:
        assert table.header_row == 3
        assert table.headers == ["名称"]
        assert table.row_count == 2
        assert [(r.number, r.cells) for r in table.numbered_rows()] == [(5, ["甲公司"]), (6, ["乙公司"])]


def test_text_that_begins_like_a_picture(tmp_path: Path) -> None:
    with sp.read_table(write(tmp_path / "x.csv", "BMW型号,价格\nX5,1\n".encode())) as table:
        assert table.headers == ["BMW型号", "价格"]


def test_preview_stops_early(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b"a,b\n" + b"1,2\n" * 5000)
    with sp.read_table(path, most=11) as table:
        assert table.row_count == 10


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "sheet.empty"),
        (b"\n\n", "sheet.no_header"),
        (b"%PDF-1.7\nx", "sheet.not_a_spreadsheet"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "sheet.not_a_spreadsheet"),
        (bytes(range(256)) * 8, "sheet.not_a_spreadsheet"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "sheet.html"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><p>", "sheet.html"),
        (b'<?xml version="1.0"?><Workbook/>', "sheet.other_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "sheet.not_a_spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + b"\x00" * 2000, "sheet.damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 2000,
            "sheet.encrypted",
        ),
        (b"a,b\n" + b"x" * 40_000, "sheet.cell_too_long"),
        (b"a\n" + b"x" * 70_000, "sheet.cell_too_long"),
        (b"a," * 201 + b"b\n", "sheet.too_many_columns"),
        (b"a,\xff\xff\xff\n", "sheet.encoding"),
        (b"PK\x03\x04rubbish", "sheet.damaged"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    assert code_of(write(tmp_path / "x.xlsx", content)) == code


def test_too_many_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b"a\n" + b"1\n" * (limits.MAX_ROWS + 1))
    assert code_of(path) == "sheet.too_many_rows"
    path = write(tmp_path / "x.csv", b"a\n" + b"1\n" * limits.MAX_ROWS)
    with sp.read_table(path) as table:
        assert table.row_count == limits.MAX_ROWS


# ---------------------------------------------------------------- containers
def book(path: Path) -> Path:
    sp.write_xlsx(path, [Sheet("s", ["a"], [["1"]])])
    return path


def container(path: Path, extra: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(book(path), "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in extra.items():
            archive.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("xl/link.xml")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ({"xl/bomb.xml": b"0" * 20_000_000}, "sheet.unsafe_zip"),
        ({"../evil.xml": b"x"}, "sheet.unsafe_zip"),
        ({"/etc/evil": b"x"}, "sheet.unsafe_zip"),
        ({"xl\\evil.xml": b"x"}, "sheet.unsafe_zip"),
        ({"C:/evil.xml": b"x"}, "sheet.unsafe_zip"),
        ({"XL/workbook.xml": b"x"}, "sheet.unsafe_zip"),
        ({link(): b"/etc/passwd"}, "sheet.unsafe_zip"),
        ({f"xl/{n}.bin": b"" for n in range(2001)}, "sheet.unsafe_zip"),
        ({"xl/vbaProject.bin": b"x"}, "sheet.macros"),
    ],
    ids=["bomb", "dots", "absolute", "backslash", "drive", "doubled", "link", "entries", "macros"],
)
def test_unsafe_containers(tmp_path: Path, extra: dict[str | zipfile.ZipInfo, bytes], code: str) -> None:
    assert code_of(container(tmp_path / "x.xlsx", extra)) == code


def test_container_that_lies_about_its_sizes(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    container(path, {"xl/lie.xml": b"0" * 900_000})
    content = path.read_bytes()
    assert content.count(struct.pack("<L", 900_000)) == 2
    path.write_bytes(content.replace(struct.pack("<L", 900_000), struct.pack("<L", 10)))
    assert code_of(path) in ("sheet.unsafe_zip", "sheet.damaged")


def test_other_office_files(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", "<x/>")
    assert code_of(path) == "sheet.not_a_spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<x/>")
    assert code_of(path) == "sheet.other_format"


def test_entity_bomb_is_not_expanded(tmp_path: Path) -> None:
    source = book(tmp_path / "a.xlsx")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 10}">' for n in range(9))
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                head, body = text.split(b"?>", 1)
                text = head + b"?><!DOCTYPE x [" + entities.encode() + b"]>" + body.replace(b"<t>1</t>", b"<t>&e8;</t>")
                assert b"&e8;" in text
            new.writestr(name, text)
    lengths = []
    try:
        with sp.read_table(path) as table:
            lengths = [len(str(cell)) for row in table.rows for cell in row]
    except SpreadsheetError as error:
        lengths = [0] if error.code == "sheet.damaged" else [10**9]
    assert lengths
    assert max(lengths) < 1000


def test_time_and_memory_are_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b"a,b\n" + b"some text,more text\n" * 150_000)
    assert code_of(path, seconds=0.05) == "sheet.timeout"
    assert code_of(path, memory=40 * 2**20) in ("sheet.too_complex", "sheet.damaged")


def test_no_such_sheet(tmp_path: Path) -> None:
    assert code_of(book(tmp_path / "x.xlsx"), sheet="不存在") == "sheet.no_such_sheet"


def test_child_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    seen: dict[str, str] = {}
    real = subprocess.Popen

    def spy(*arguments, **options):  # type: ignore[no-untyped-def]
        seen.update(options["env"])
        return real(*arguments, **options)

    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr("portal.core.spreadsheets.reader.subprocess.Popen", spy)
    sp.read_table(book(tmp_path / "x.xlsx")).close()
    assert seen
    assert "DATABASE_URL" not in seen


def test_old_excel_file() -> None:
    """A BIFF8 file with a blank first line, a blank line between the rows and a hidden sheet."""
    with sp.read_table(Path(__file__).parent / "data" / "customers.xls") as table:
        assert (table.kind, table.sheet_names, table.header_row) == ("xls", ["客户"], 2)
        assert table.headers == ["名称", "金额", "日期", "电话"]
        assert [(row.number, row.cells) for row in table.numbered_rows()] == [
            (3, ["贵州茅台酒股份有限公司", D("1234.5"), date(2026, 1, 2), "085122386002"]),
            (5, ["腾讯科技（深圳）有限公司", D("0.3"), None, D(13800138000)]),
        ]


def test_table_that_does_not_begin_in_the_corner(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active["C3"], made.active["D3"], made.active["D5"] = "名称", "数量", 7
    made.save(tmp_path / "x.xlsx")
    with sp.read_table(tmp_path / "x.xlsx") as table:
        assert (table.header_row, table.headers) == (3, ["名称", "数量"])
        assert [(row.number, row.cells) for row in table.numbered_rows()] == [(5, [None, D(7)])]
