"""Runs as a process of its own (`python -m portal.core.spreadsheets.child`): parses one file and writes its rows as
JSON lines.

First line of the output: {"kind", "sheets", "sheet", "encoding", "delimiter"}; then one line per row: [row number,
cells]; last line {"rows": n}. A cell is null, a string, a number (read back as Decimal) or a list with one ISO date.
On an error the last line is {"error": code, "params": {…}}. The limits of memory and time are set by itself before it
looks at the file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

from . import limits
from .encodings import decode, detect_encoding, sniff_delimiter
from .errors import SpreadsheetError
from .sniff import kind_of


def _limit_resources(memory: int, cpu: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.CHILD_OUTPUT_BYTES, limits.CHILD_OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def _cell(value: Any) -> Any:
    """A value of the reader → what JSON carries. Numbers keep the 15 digits that Excel keeps: 0.30000000000000004 was
    0.3."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        short = float(f"{value:.15g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    if isinstance(value, datetime):
        # Seconds are the finest that people enter; Excel's fractions of a day give stray microseconds.
        rounded = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        return [rounded.date().isoformat() if rounded.time() == time(0) else rounded.isoformat()]
    if isinstance(value, date):
        return [value.isoformat()]
    if isinstance(value, (time, timedelta)):
        return str(value).partition(".")[0]
    return str(value)


def _workbook_rows(path: Path, sheet: str | None) -> tuple[dict[str, Any], Iterator[list[Any]]]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(str(path))
    except python_calamine.PasswordError:
        raise SpreadsheetError("sheet.encrypted") from None
    shown = [
        info.name
        for info in book.sheets_metadata
        if info.typ == python_calamine.SheetTypeEnum.WorkSheet
        and info.visible == python_calamine.SheetVisibleEnum.Visible
    ]
    if not shown or (sheet is not None and sheet not in shown):
        raise SpreadsheetError("sheet.no_such_sheet")
    chosen = sheet if sheet is not None else shown[0]
    table = book.get_sheet_by_name(chosen)
    if table.end is not None and table.end[0] + 1 > limits.MAX_ROWS + 1000:
        raise SpreadsheetError("sheet.too_many_rows", limit=limits.MAX_ROWS)
    # The reader leaves out blank columns on the left, but no blank rows: numbers are those that the program shows.
    rows = ([_cell(value) for value in row] for row in table.iter_rows())
    return {"sheets": shown, "sheet": chosen, "encoding": "", "delimiter": ""}, rows


def _text_rows(path: Path, encoding: str | None, delimiter: str | None) -> tuple[dict[str, Any], Iterator[list[Any]]]:
    chosen = encoding or detect_encoding(path).encoding
    text = decode(path.read_bytes(), chosen)
    mark = delimiter or sniff_delimiter(text)
    csv.field_size_limit(limits.MAX_CELL * 2)

    def rows() -> Iterator[list[Any]]:
        number = 0
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=False)
        try:
            for row in reader:
                number += 1
                yield [value or None for value in row]
        except csv.Error as error:
            code = "sheet.cell_too_long" if "field limit" in str(error) else "sheet.quoting"
            params: dict[str, object] = {"row": number + 1}
            if code == "sheet.cell_too_long":
                params["limit"] = limits.MAX_CELL
            raise SpreadsheetError(code, **params) from None

    return {"sheets": ["CSV"], "sheet": "CSV", "encoding": chosen, "delimiter": mark}, rows()


def _write_rows(rows: Iterable[list[Any]], out: IO[str], most: int | None) -> None:
    count = characters = 0
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
    for number, row in enumerate(rows, 1):
        while row and row[-1] is None:
            row.pop()
        if not row:
            continue
        if len(row) > limits.MAX_COLUMNS:
            raise SpreadsheetError("sheet.too_many_columns", limit=limits.MAX_COLUMNS)
        for value in row:
            if value.__class__ is str:
                if len(value) > limits.MAX_CELL:
                    raise SpreadsheetError("sheet.cell_too_long", row=number, limit=limits.MAX_CELL)
                characters += len(value)
        count += 1
        # One more than the data rows: the headings.
        if count > limits.MAX_ROWS + 1:
            raise SpreadsheetError("sheet.too_many_rows", limit=limits.MAX_ROWS)
        if characters > limits.MAX_TEXT:
            raise SpreadsheetError("sheet.too_much_text")
        out.write(dumps([number, row]))
        out.write("\n")
        if most is not None and count >= most:
            break
    out.write(json.dumps({"rows": count}) + "\n")


def main(argument: str) -> int:
    """Do the one job described by the JSON argument: path, sheet, encoding, delimiter, most, memory, cpu."""
    job = json.loads(argument)
    _limit_resources(job["memory"], job["cpu"])
    out = io.TextIOWrapper(
        sys.stdout.buffer, encoding="utf-8", errors="surrogatepass", newline="\n", write_through=False
    )
    try:
        path = Path(job["path"])
        kind = kind_of(path)
        if kind == "csv":
            meta, rows = _text_rows(path, job["encoding"], job["delimiter"])
        else:
            meta, rows = _workbook_rows(path, job["sheet"])
        out.write(json.dumps({"kind": kind, **meta}) + "\n")
        _write_rows(rows, out, job["most"])
    except SpreadsheetError as error:
        out.write(json.dumps({"error": error.code, "params": error.params}) + "\n")
    except MemoryError:
        out.write(json.dumps({"error": "sheet.too_complex", "params": {}}) + "\n")
    except Exception as error:  # the reader's many ways to say that a file is broken
        sys.stderr.write(f"{error!r}\n")
        out.write(json.dumps({"error": "sheet.damaged", "params": {}}) + "\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
