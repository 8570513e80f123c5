"""Reading XLSX, XLS and CSV into one bounded form. The parsing happens in a child process with limits of memory and
time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from . import limits
from .encodings import ENCODINGS
from .errors import SpreadsheetError

#: What a cell can be. A date with a time of day is a `datetime` (naive, as the sheet has it), which is a `date` too.
Cell = str | Decimal | date | None

_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """One row with its number in the file (1 is the first line), for messages to the user."""

    number: int
    cells: list[Cell]


class Table:
    """One sheet of a file that has been read completely. Use it as a context manager; it holds an unnamed temporary
    file.

    `kind` xlsx, xls or csv; `sheet_names` the visible sheets; `sheet` the one read; `encoding`, `delimiter` for CSV;
    `headers` the first row that is not empty, as text; `row_count` the rows below it. Rows that are empty altogether
    are left out.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        meta = json.loads(file.readline())
        self.kind: str = meta["kind"]
        self.sheet_names: list[str] = meta["sheets"]
        self.sheet: str = meta["sheet"]
        self.encoding: str = meta["encoding"]
        self.delimiter: str = meta["delimiter"]
        first = _parse(file.readline())
        if not isinstance(first, list):
            raise SpreadsheetError("sheet.no_header")
        self.header_row: int = int(first[0])
        self.headers: list[str] = [_heading(cell) for cell in map(_cell, first[1])]
        self._start = file.tell()
        self.row_count = _last_line(file)["rows"] - 1

    def numbered_rows(self) -> Iterator[NumberedRow]:
        """The rows below the headings; each has at least as many cells as there are headings (missing ones are
        None)."""
        self._file.seek(self._start)
        width = len(self.headers)
        for line in self._file:
            row = _parse(line)
            if not isinstance(row, list):
                return
            # Strings and numbers are the usual cells: convert only the few others.
            cells = [_cell(c) if c.__class__ is list else c for c in row[1]]
            if len(cells) < width:
                cells.extend([None] * (width - len(cells)))
            yield NumberedRow(int(row[0]), cells)

    @property
    def rows(self) -> Iterator[list[Cell]]:
        """The cells of each row below the headings; can be asked for again."""
        return (row.cells for row in self.numbered_rows())

    def close(self) -> None:
        """Give the temporary file back."""
        self._file.close()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


_decoder = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal)


def _parse(line: bytes) -> Any:
    return _decoder.decode(line.decode("utf-8", "surrogatepass"))


def _cell(value: Any) -> Cell:
    if isinstance(value, list):
        text = value[0]
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return value


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _last_line(file: IO[bytes]) -> dict[str, Any]:
    """The child's last line: a report of success or failure."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 4096, 0))
    lines = file.read().splitlines()
    try:
        report = json.loads(lines[-1])
    except (IndexError, ValueError):
        report = {}
    return report if isinstance(report, dict) else {}


def read_table(
    path: str | os.PathLike[str],
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    most: int | None = None,
    seconds: float = limits.CHILD_WALL_SECONDS,
    memory: int = limits.CHILD_MEMORY_BYTES,
) -> Table:
    """Read one sheet (the first visible one unless named) of an XLSX, XLS or CSV file.

    The kind is told by content, not by name. `encoding` and `delimiter` overrule the guess for CSV; `most` stops
    after so many rows (headings included) for a preview. SpreadsheetError with a code from `errors.MESSAGES`;
    `seconds` bounds the wall clock, `memory` the child's address space in bytes.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise SpreadsheetError("sheet.encoding", encoding=encoding)
    path = Path(path).resolve(strict=True)
    job = {
        "path": str(path), "sheet": sheet, "encoding": encoding, "delimiter": delimiter, "most": most,
        "memory": memory, "cpu": limits.CHILD_CPU_SECONDS,
    }  # fmt: skip
    # Nothing of our environment (passwords of databases) is handed on.
    environment = {"PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    file = tempfile.TemporaryFile(prefix="sheet-")  # noqa: SIM115 - the table keeps it open
    try:
        process = subprocess.Popen(
            [sys.executable, "-s", "-m", "portal.core.spreadsheets.child", json.dumps(job)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            close_fds=True,
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SpreadsheetError("sheet.timeout") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise SpreadsheetError("sheet.timeout")
        report = _last_line(file)
        if "error" in report:
            raise SpreadsheetError(report["error"], **report["params"])
        if code != 0 or "rows" not in report:
            # An allocation that fails inside the reader's native code aborts the process.
            raise SpreadsheetError("sheet.too_complex" if code < 0 else "sheet.damaged")
        if not report["rows"]:
            raise SpreadsheetError("sheet.no_header")
        file.seek(0)
        return Table(file)
    except BaseException:
        file.close()
        raise
