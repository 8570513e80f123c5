"""Files and columns: keeping the upload, looking into it, guessing what the columns mean, reading its rows."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO

from sqlalchemy import select

from portal.core.errors import Invalid
from portal.core.spreadsheets import Cell, SpreadsheetError, Table, is_marks, kind_of, read_table
from portal.core.spreadsheets.encodings import detect_encoding, preview_text
from portal.core.spreadsheets.limits import MAX_FILE_BYTES
from portal.core.storage import MissingContent, storage
from portal.core.text import fold
from portal.customers.importing.models import ImportBatch, ImportColumn
from portal.customers.importing.targets import CellError, ImportField, ImportTarget, Row
from portal.customers.validation import coded
from portal.extensions import db
from portal.i18n import _

AREA = "imports"
#: Rows that one import takes.
MAX_ROWS = 50_000
PREVIEW_ROWS = 8
HEADING_LENGTH = 200
#: Longest text of a cell that is kept for the sheet of refused rows.
CELL_KEPT = 2_000


@contextmanager
def opened(batch: ImportBatch) -> Iterator[Path]:
    """The file of an import as a path, for the time of reading. :raises Invalid: when it was deleted."""
    try:
        content = storage().get(batch.storage_key)
    except MissingContent:
        raise Invalid(_("The file of this import was deleted. Upload it once more.")) from None
    with temporary(content) as path:
        yield path


@contextmanager
def temporary(content: bytes) -> Iterator[Path]:
    """Content as a file that only this process's user can read."""
    descriptor, name = tempfile.mkstemp(prefix="import-")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        path.unlink(missing_ok=True)


def receive(stream: IO[bytes]) -> tuple[bytes, str]:
    """Read an upload and look what it is: (content, "xlsx" | "xls" | "csv"). :raises Invalid: with the reason."""
    content = stream.read(MAX_FILE_BYTES + 1)
    with temporary(content) as path:
        try:
            return content, kind_of(path)
        except SpreadsheetError as error:
            raise Invalid([("file", coded(error))]) from None


@dataclass(frozen=True)
class Preview:
    """The beginning of a sheet as the present choices show it."""

    sheets: list[str]
    sheet: str
    encoding: str
    delimiter: str
    headers: list[str]
    rows: list[list[str]]
    #: (encoding, its first lines) for each that fits, for CSV
    encodings: list[tuple[str, list[str]]]


def preview(batch: ImportBatch, path: Path, sheet: str = "", encoding: str = "", delimiter: str = "") -> Preview:
    """Look into the file. :raises Invalid: when it cannot be read this way."""
    try:
        candidates: list[tuple[str, list[str]]] = []
        if batch.kind == "csv":
            guess = detect_encoding(path)
            candidates = [(name, preview_text(path, name, 4)) for name in guess.candidates]
        with read_table(
            path, sheet=sheet or None, encoding=encoding or None, delimiter=delimiter or None, most=PREVIEW_ROWS + 1
        ) as table:
            rows = [[shown(cell) for cell in row] for row in table.rows]
            return Preview(
                table.sheet_names, table.sheet, table.encoding, table.delimiter, table.headers, rows, candidates
            )
    except SpreadsheetError as error:
        raise Invalid([("sheet", coded(error))]) from None


def shown(cell: Cell, limit: int = 120) -> str:
    """A cell as text for a page or for the sheet of refused rows."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
    elif isinstance(cell, datetime):
        text = cell.isoformat(sep=" ", timespec="minutes")
    elif isinstance(cell, date):
        text = cell.isoformat()
    else:
        text = cell
    return text if len(text) <= limit else text[: limit - 1] + "…"


# ---- columns -------------------------------------------------------------------------------------------------------

_ASIDE = re.compile(r"[(\uff08\[\u3010].*?[)\uff09\]\u3011]|[*\uff0a:\uff1a]")


def folded_heading(text: str) -> str:
    """A heading as it is compared: without remarks in brackets, asterisks, case, width and variants."""
    # Bracket after bracket without an end would cost the square of its length, and a cell may have 32,767 characters.
    text = text[: 4 * HEADING_LENGTH]
    return fold(_ASIDE.sub(" ", text))[:HEADING_LENGTH] or fold(text)[:HEADING_LENGTH]


def guess_mapping(target: ImportTarget, headers: Sequence[str], user_id: int | None) -> dict[int, str]:
    """Which column holds which field: what this person chose for such a heading before, else by the words of it."""
    fields = target.fields()
    known = {field.key for field in fields}
    headings = [folded_heading(header) for header in headers]
    remembered = {
        row.heading: row.field
        for row in db.session.execute(
            select(ImportColumn.heading, ImportColumn.field).where(
                ImportColumn.user_id == user_id,
                ImportColumn.target == target.key,
                ImportColumn.heading.in_([heading for heading in headings if heading]),
            )
        )
    }
    words: dict[str, list[str]] = {}
    for field in fields:
        for synonym in (str(field.label), field.key, *field.synonyms):
            words.setdefault(folded_heading(synonym), []).append(field.key)
    mapping: dict[int, str] = {}
    for column, heading in enumerate(headings):
        if not heading:
            continue
        if heading in remembered:
            choices = [remembered[heading]] if remembered[heading] in known else []
        else:
            choices = words.get(heading, [])
        free = next((key for key in choices if key not in mapping.values()), None)
        if free:
            mapping[column] = free
    return mapping


def remember(target: ImportTarget, headers: Sequence[str], mapping: dict[int, str], user_id: int) -> None:
    """Keep what a person chose for each heading (flushes only)."""
    wanted = {
        heading: mapping.get(column, "")
        for column, header in reversed(list(enumerate(headers)))
        if (heading := folded_heading(header))
    }
    present = {
        row.heading: row
        for row in db.session.scalars(
            select(ImportColumn).where(
                ImportColumn.user_id == user_id, ImportColumn.target == target.key, ImportColumn.heading.in_(wanted)
            )
        )
    }
    for heading, field in wanted.items():
        if heading in present:
            present[heading].field = field
        else:
            db.session.add(ImportColumn(user_id=user_id, target=target.key, heading=heading, field=field))
    db.session.flush()


def check_mapping(target: ImportTarget, mapping: dict[int, str]) -> None:
    """:raises Invalid: a field twice, or a required one without a column."""
    labels = {field.key: str(field.label) for field in target.fields()}
    errors = []
    for key in dict.fromkeys(mapping.values()):
        if list(mapping.values()).count(key) > 1:
            errors.append(("", _("“%(field)s” is chosen for two columns.", field=labels[key])))
    for field in target.fields():
        if field.required and field.key not in mapping.values():
            errors.append(("", _("No column is chosen for “%(field)s”.", field=field.label)))
    if errors:
        raise Invalid(errors)


# ---- rows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadRow:
    """A row that was read: its values, and its cells as they were."""

    row: Row
    cells: list[str]


def read_rows(table: Table, target: ImportTarget, mapping: dict[int, str]) -> Iterator[ReadRow]:
    """Every row with the values of its mapped columns; what cannot be read is noted in the row."""
    fields: dict[str, ImportField] = {field.key: field for field in target.fields()}
    readers = [(column, key, fields[key].read) for column, key in sorted(mapping.items()) if key in fields]
    for numbered in table.numbered_rows():
        if is_marks(numbered.cells):
            continue
        row = Row(numbered.number, {})
        for column, key, read in readers:
            cell = numbered.cells[column] if column < len(numbered.cells) else None
            try:
                row.values[key] = read(cell)
            except CellError as error:
                row.errors.append((key, str(error)))
        if all(value in (None, "", []) for value in row.values.values()) and not row.errors:
            continue
        yield ReadRow(row, [shown(cell, CELL_KEPT) for cell in numbered.cells])


def dump(value: object) -> str:
    """JSON as the tables of imports keep it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
