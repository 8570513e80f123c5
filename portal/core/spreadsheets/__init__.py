"""Spreadsheets in and out: bounded reading of XLSX, XLS and CSV in a child process, writing that is safe against
formulas."""

from __future__ import annotations

from .encodings import DELIMITERS, ENCODINGS, EncodingGuess, detect_encoding, preview_text, sniff_delimiter
from .errors import MESSAGES, SpreadsheetError
from .reader import Cell, NumberedRow, Table, read_table
from .sniff import check_zip, kind_of
from .writer import (
    Marks,
    Sheet,
    Value,
    is_dangerous,
    is_marks,
    neutralise,
    printable,
    restore,
    sheet_name,
    write_csv,
    write_xlsx,
)

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MESSAGES",
    "Cell",
    "EncodingGuess",
    "Marks",
    "NumberedRow",
    "Sheet",
    "SpreadsheetError",
    "Table",
    "Value",
    "check_zip",
    "detect_encoding",
    "is_dangerous",
    "is_marks",
    "kind_of",
    "neutralise",
    "preview_text",
    "printable",
    "read_table",
    "restore",
    "sheet_name",
    "sniff_delimiter",
    "write_csv",
    "write_xlsx",
]
