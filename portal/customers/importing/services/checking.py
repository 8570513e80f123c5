"""The dry run: records of the file, staged with what is to be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select

from portal.core import clock
from portal.core.errors import Invalid
from portal.core.spreadsheets import SpreadsheetError, read_table
from portal.customers.importing import reading
from portal.customers.importing.models import BatchState, ImportBatch, ImportRow, RowAction, RowState
from portal.customers.importing.reading import dump
from portal.customers.importing.targets import ImportTarget, Record
from portal.customers.validation import coded
from portal.extensions import db
from portal.i18n import _

#: Records checked by one round of statements.
CHECK_CHUNK = 250


def read_records(batch: ImportBatch, target: ImportTarget) -> tuple[list[Record], dict[int, list[str]]]:
    """All records of the file, and the cells of each row. :raises Invalid: when the file cannot be read."""
    try:
        with (
            reading.opened(batch) as path,
            read_table(
                path,
                sheet=batch.sheet if batch.kind != "csv" else None,
                encoding=batch.encoding or None,
                delimiter=batch.delimiter or None,
            ) as table,
        ):
            if table.row_count > reading.MAX_ROWS:
                raise Invalid(
                    _(
                        "The sheet has %(rows)s rows; one import takes %(limit)s. Split it into several files.",
                        rows=f"{table.row_count:,}",
                        limit=f"{reading.MAX_ROWS:,}",
                    )
                )
            found = list(reading.read_rows(table, target, batch.mapping))
    except SpreadsheetError as error:
        raise Invalid(coded(error)) from None
    if not found:
        raise Invalid(_("The sheet has no rows below its headings."))
    return target.group([item.row for item in found]), {item.row.number: item.cells for item in found}


def known_before(target_key: str, records: Sequence[Record]) -> None:
    """Records that an import in force has written already change nothing (policy "create anyway")."""
    digests = [record.digest for record in records if record.digest and record.action == RowAction.CREATE]
    if not digests:
        return
    known = set(
        db.session.scalars(
            select(ImportRow.digest)
            .join(ImportBatch, ImportBatch.id == ImportRow.batch_id)
            .where(
                ImportRow.digest.in_(digests),
                ImportRow.state == RowState.APPLIED,
                ImportRow.digest != "",
                ImportBatch.target == target_key,
            )
        )
    )
    for item in records:
        if item.digest in known and item.action == RowAction.CREATE:
            item.action = RowAction.UNCHANGED


def stage(batch_id: int, records: Sequence[Record], cells: Mapping[int, list[str]]) -> dict[str, int]:
    """Write checked records as staged rows; returns how many records have which action, and refused rows."""
    counts: dict[str, int] = {}
    values = []
    for item in records:
        counts[item.action] = counts.get(item.action, 0) + 1
        for index, row in enumerate(item.rows):
            is_head = index == 0
            if item.action == RowAction.REFUSED:
                action, reasons = RowAction.REFUSED, _reasons(item, row.number)
            else:
                action, reasons = (item.action, []) if is_head else (RowAction.PART, [])
            values.append(
                {
                    "batch_id": batch_id,
                    "number": row.number,
                    "head": item.rows[0].number,
                    "cells": "[]"
                    if item.action in (RowAction.UNCHANGED, RowAction.SKIP)
                    else dump(cells.get(row.number, [])),
                    "digest": item.digest if is_head else "",
                    "action": action.value,
                    "state": RowState.STAGED.value,
                    "values": dump(item.payload) if is_head and _writes(item.action) else "{}",
                    "reasons": dump(reasons),
                    "target_id": item.target_id if is_head else None,
                    "effect": "{}",
                }
            )
    if values:
        db.session.execute(insert(ImportRow.__table__), values)
    counts["refused_rows"] = sum(len(item.rows) for item in records if item.action == RowAction.REFUSED)
    counts["rows"] = sum(len(item.rows) for item in records)
    return counts


def _writes(action: RowAction) -> bool:
    return action in (RowAction.CREATE, RowAction.UPDATE)


def _reasons(item: Record, number: int) -> list[tuple[str, str]]:
    own = next((row.errors for row in item.rows if row.number == number), [])
    found = list(dict.fromkeys([*own, *item.errors]))
    return found or [("", _("Another row of the same record is refused."))]


def checked(batch: ImportBatch, counts: Mapping[str, int]) -> None:
    """The dry run is over."""
    batch.state, batch.checked_at, batch.counts_json = BatchState.CHECKED.value, clock.now(), dump(dict(counts))
    db.session.flush()
