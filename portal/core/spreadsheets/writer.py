"""Writing XLSX and CSV that no spreadsheet program mistakes for formulas.

A text that begins (also after blanks) with = + - @, their full-width forms, TAB, CR, LF or NUL could be run as a
formula when the file is opened (OWASP, CSV Injection; CWE-1236). In XLSX every text is written with the type string
and such a one with the quote prefix besides; in CSV it gets an apostrophe in front. Numbers and dates stay numbers
and dates.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from . import limits

Value = str | Decimal | int | bool | date | None

_DANGEROUS = re.compile("'*[\\s\u200b\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n\x00]")
#: Characters that XML 1.0 cannot carry or that spreadsheet programs choke on; lone surrogates cannot be encoded.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXCEL_ROWS = 1_048_576
_WIDTH_SAMPLE = 1_000


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet program might take the text for a formula."""
    return _DANGEROUS.match(text) is not None


def neutralise(text: str) -> str:
    """The text as it may stand in a CSV cell: an apostrophe in front where it is dangerous. `restore` undoes it
    exactly."""
    return "'" + text if is_dangerous(text) else text


def restore(text: str) -> str:
    """Take the apostrophe away that `neutralise` has put there (when our own export is imported again)."""
    return text[1:] if text.startswith("'") and is_dangerous(text[1:]) else text


def printable(text: str) -> str:
    """The text without control characters (TAB and line ends stay), lone surrogates as �, line ends as LF, cut at
    32,767 characters (Excel's limit, counted in UTF-16) with … at the cut."""
    text = _SURROGATE.sub("\ufffd", _UNWRITABLE.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    # A character beyond the basic plane counts twice in Excel.
    if len(text) > limits.MAX_CELL // 2 and len(text.encode("utf-16-le")) // 2 > limits.MAX_CELL:
        text = text.encode("utf-16-le")[: (limits.MAX_CELL - 1) * 2].decode("utf-16-le", "ignore") + "…"
    return text


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: name, headings, rows (any iterable, read once, so a generator over the database will do)."""

    name: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Marks:
    """Who exported what, written into the file: `pairs` of label and value in the user's language (user, time, filter
    words …); `rows_label` names the number of rows, which the writer counts; `name` is the name of the marks
    sheet."""

    name: str
    pairs: Sequence[tuple[str, Value]]
    rows_label: str
    extra: Sequence[str] = field(default=())


def _display_width(value: Any) -> int:
    """Columns on the screen: a Chinese character takes two."""
    lines = str(value).split("\n")
    return max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[:80]) for line in lines)


def sheet_name(name: str, taken: Iterable[str] = ()) -> str:
    """A name that Excel accepts: 1 to 31 characters, none of []:*?/\\, no apostrophe at the ends, unlike the `taken`
    ones."""
    name = (
        re.sub(r"[\[\]:*?/\\]", " ", printable(name).replace("\n", " ").replace("\t", " ")).strip(" '")[:31].strip(" '")
        or "Sheet"
    )
    if name.lower() == "history":  # reserved by Excel
        name = "History 1"
    used = {other.lower() for other in taken}
    wanted, number = name, 1
    while name.lower() in used:
        number += 1
        name = f"{wanted[: 31 - len(str(number)) - 1]} {number}"
    return name


class _Book:
    def __init__(self, path: Path) -> None:
        self.book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd",
            },
        )
        self.header = self.book.add_format(
            {
                "bold": True,
                "bg_color": "#E8EEF7",
                "bottom": 1,
                "valign": "vcenter",
                "text_wrap": True,
                "num_format": "@",
            }
        )
        self.text = self.book.add_format({"num_format": "@"})
        self.quoted = self.book.add_format({"num_format": "@", "quote_prefix": True})
        self.date = self.book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = self.book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self.number = self.book.add_format({"num_format": "#,##0.00"})
        self.names: list[str] = []

    def add(self, name: str) -> Any:
        chosen = sheet_name(name, self.names)
        self.names.append(chosen)
        return self.book.add_worksheet(chosen)

    def write(self, sheet: Any, row: int, column: int, value: Value, *, header: bool = False) -> None:
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, (int, Decimal)) and _fits(value):
            money = isinstance(value, Decimal) and value.as_tuple().exponent == -2
            sheet.write_number(row, column, float(value), self.number if money else None)
        elif isinstance(value, datetime) and value.tzinfo is None and value.year >= 1900:
            sheet.write_datetime(row, column, value, self.moment)
        elif isinstance(value, date) and not isinstance(value, datetime) and value.year >= 1900:
            sheet.write_datetime(row, column, datetime.combine(value, time()), self.date)
        else:
            text = printable(str(value))
            if text:
                style = self.header if header else self.quoted if is_dangerous(text) else self.text
                sheet.write_string(row, column, text, style)


def _fits(value: int | Decimal) -> bool:
    """Whether the number survives as the floating point number that Excel keeps (15 digits); others are written as
    text."""
    if isinstance(value, int):
        return abs(value) < 10**15
    return value.is_finite() and len(value.normalize().as_tuple().digits) <= 15 and abs(value) < 10**15


def write_xlsx(path: str | Path, sheets: Sequence[Sheet], marks: Marks | None = None) -> int:
    """Write a workbook row by row (memory does not grow with the rows); gives back the number of data rows.

    Headings are bold and frozen, with a filter; columns are as wide as their first thousand rows want, Chinese
    counted double. A moment must be naive, in the zone of the user. ValueError when a sheet has more rows or columns
    than Excel can hold.
    """
    book = _Book(Path(path))
    counts: list[tuple[str, int]] = []
    try:
        for item in sheets:
            if len(item.headers) > 16_384:
                raise ValueError("too many columns for a sheet")
            sheet = book.add(item.name)
            widths = [_display_width(header) + 4 for header in item.headers]
            for column, header in enumerate(item.headers):
                book.write(sheet, 0, column, header, header=True)
            count = 0
            for count, row in enumerate(item.rows, 1):
                if count >= _EXCEL_ROWS:
                    raise ValueError("too many rows for a sheet")
                for column, value in enumerate(row):
                    book.write(sheet, count, column, value)
                    if count <= _WIDTH_SAMPLE and column < len(widths) and value is not None:
                        widths[column] = max(widths[column], _display_width(value) + 2)
            for column, width in enumerate(widths):
                sheet.set_column(column, column, min(max(width, 8), 60))
            sheet.freeze_panes(1, 0)
            if item.headers:
                sheet.autofilter(0, 0, max(count, 1), len(item.headers) - 1)
            counts.append((book.names[-1], count))
        total = sum(count for _name, count in counts)
        if marks is not None:
            sheet = book.add(marks.name)
            lines = [*marks.pairs, (marks.rows_label, total)]
            for number, (label, value) in enumerate(lines):
                book.write(sheet, number, 0, label, header=True)
                book.write(sheet, number, 1, value)
            for number, text in enumerate(marks.extra, len(lines)):
                book.write(sheet, number, 0, text)
            sheet.set_column(0, 0, 18)
            sheet.set_column(1, 1, 60)
    except BaseException:
        # Close what xlsxwriter holds open (its temporary files); a half-written file is of no use.
        book.book.close()
        Path(path).unlink(missing_ok=True)
        raise
    book.book.close()
    return total


def _csv_value(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    # The danger is judged on the text as given: what the cleaning removes (a NUL in front) is a sign of it too.
    text = printable(value)
    return neutralise(text)


#: How the line of marks in a CSV begins, and what parts its values.
_MARKS, _BETWEEN = "# ", " · "


def write_csv(
    path: str | Path, headers: Sequence[str], rows: Iterable[Sequence[Value]], marks: Marks | None = None
) -> int:
    """Write one table as CSV (RFC 4180: commas, CRLF, quotes doubled) in UTF-8 with the mark that Excel needs; gives
    the number of rows.

    `marks` become the last line, in its first cell, beginning with "# ", after an empty line. Nothing stays when it
    fails.
    """
    count = 0
    target = Path(path)
    try:
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow([_csv_value(header) for header in headers])
            for row in _counted(rows):
                count += 1
                writer.writerow([_csv_value(value) for value in row])
            if marks is not None:
                pairs = [*marks.pairs, (marks.rows_label, count)]
                line = _BETWEEN.join(f"{label} {_mark(value)}" for label, value in pairs)
                file.write("\r\n")
                writer.writerow([_MARKS + _BETWEEN.join([line, *marks.extra])])
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return count


def is_marks(cells: Sequence[object]) -> bool:
    """Whether a row is the line of marks that `write_csv` puts below a table: it is no row of the table when the file
    comes back."""
    first, *others = [*cells, None]
    return isinstance(first, str) and first.startswith(_MARKS) and _BETWEEN in first and not any(others)


def _mark(value: Value) -> str:
    return " ".join(printable(_csv_value(value) if not isinstance(value, str) else value).split())


def _counted(rows: Iterable[Sequence[Value]]) -> Iterator[Sequence[Value]]:
    for number, row in enumerate(rows, 1):
        if number >= _EXCEL_ROWS:
            raise ValueError("too many rows for a sheet")
        yield row
