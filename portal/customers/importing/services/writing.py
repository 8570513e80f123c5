"""Writing staged records and taking them back, chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update

from portal.audit.services import record
from portal.core import clock
from portal.customers.actions import CustomerAction
from portal.customers.importing.models import BatchState, ImportBatch, ImportRow, RowAction, RowState
from portal.customers.importing.reading import dump
from portal.customers.importing.targets import Work
from portal.extensions import db
from portal.org.actor import Actor

#: Records written by one transaction of a large import.
CHUNK = 250
#: Imports up to this size are one transaction.
ATOMIC_ROWS = 1_000


def next_works(batch_id: int, limit: int) -> list[Work]:
    """Staged records that are still to be written, in the order of the file."""
    rows = db.session.execute(
        select(ImportRow.number, ImportRow.action, ImportRow.values_json, ImportRow.target_id)
        .where(
            ImportRow.batch_id == batch_id,
            ImportRow.state == RowState.STAGED.value,
            ImportRow.action.in_([RowAction.CREATE.value, RowAction.UPDATE.value]),
            ImportRow.reasons_json == "[]",
        )
        .order_by(ImportRow.number)
        .limit(limit)
    )
    return [Work(row.number, row.action, reading_json(row.values_json), row.target_id) for row in rows]


def applied_works(batch_id: int, limit: int, below: int | None = None) -> list[Work]:
    """Written records that can be taken back, the last first; `below` a row number."""
    statement = select(ImportRow.number, ImportRow.action, ImportRow.target_id, ImportRow.effect_json).where(
        ImportRow.batch_id == batch_id,
        ImportRow.state.in_([RowState.APPLIED.value, RowState.KEPT.value]),
        ImportRow.effect_json != "{}",
    )
    if below is not None:
        statement = statement.where(ImportRow.number < below)
    rows = db.session.execute(statement.order_by(ImportRow.number.desc()).limit(limit))
    return [Work(row.number, row.action, {}, row.target_id, reading_json(row.effect_json)) for row in rows]


def reading_json(text: str) -> dict[str, Any]:
    """A JSON object out of a column."""
    return dict(json.loads(text))


def note_applied(batch_id: int, works: Sequence[Work]) -> None:
    """Mark rows as written (or refused at the last moment), in the transaction that wrote them."""
    _mark(
        batch_id,
        [
            {
                "row_number": work.number,
                "new_state": (RowState.STAGED if work.reasons else RowState.APPLIED).value,
                "new_target": work.target_id,
                "new_effect": "{}" if work.reasons else dump(work.effect),
                "new_reasons": dump(work.reasons),
            }
            for work in works
        ],
    )


def note_undone(batch_id: int, works: Sequence[Work]) -> None:
    """Mark rows as taken back, or as kept with the reason."""
    _mark(
        batch_id,
        [
            {
                "row_number": work.number,
                "new_state": (RowState.KEPT if work.reasons else RowState.UNDONE).value,
                "new_target": work.target_id,
                "new_effect": dump(work.effect),
                "new_reasons": dump(work.reasons),
            }
            for work in works
        ],
    )


def _mark(batch_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """One statement for all rows of a chunk."""
    table: Any = ImportRow.__table__
    db.session.connection().execute(
        update(table)
        .where(table.c.batch_id == batch_id, table.c.number == bindparam("row_number"))
        .values(
            state=bindparam("new_state"),
            target_id=bindparam("new_target"),
            effect=bindparam("new_effect"),
            reasons=bindparam("new_reasons"),
        ),
        list(rows),
    )


def finished(batch_id: int, actor: Actor) -> dict[str, int]:
    """The import is done: count what it did and write it into the trail."""
    batch = db.session.get_one(ImportBatch, batch_id, populate_existing=True)
    counts = batch.counts
    done: dict[str, int] = {
        row.action: row.applied
        for row in db.session.execute(
            select(ImportRow.action, func.count().label("applied"))
            .where(ImportRow.batch_id == batch_id, ImportRow.state == RowState.APPLIED.value)
            .group_by(ImportRow.action)
        )
    }
    failed = int(
        db.session.scalar(
            select(func.count()).where(
                ImportRow.batch_id == batch_id,
                ImportRow.action.in_([RowAction.CREATE.value, RowAction.UPDATE.value]),
                ImportRow.reasons_json != "[]",
            )
        )
        or 0
    )
    counts |= {"created": done.get("create", 0), "updated": done.get("update", 0), "failed": failed}
    batch.state, batch.done_at, batch.counts_json = BatchState.DONE.value, clock.now(), dump(counts)
    record(
        actor,
        CustomerAction.IMPORT,
        object_type="import",
        object_id=batch.id,
        object_label=batch.file_name,
        new={"target": batch.target, "digest": batch.digest, "counts": counts},
    )
    db.session.flush()
    return counts


def taken_back(batch_id: int, actor: Actor, problem: str = "") -> dict[str, int]:
    """The undo is done: count what it did and write it into the trail."""
    batch = db.session.get_one(ImportBatch, batch_id, populate_existing=True)
    counts = batch.counts
    by_state = dict(
        db.session.execute(
            select(ImportRow.state, func.count())
            .where(ImportRow.batch_id == batch_id, ImportRow.effect_json != "{}")
            .group_by(ImportRow.state)
        ).all()
    )
    counts |= {"undone": by_state.get(RowState.UNDONE.value, 0), "kept": by_state.get(RowState.KEPT.value, 0)}
    batch.state, batch.undone_at, batch.counts_json = BatchState.UNDONE.value, clock.now(), dump(counts)
    batch.problem = problem[:500]
    record(
        actor,
        CustomerAction.IMPORT_UNDO,
        object_type="import",
        object_id=batch.id,
        object_label=batch.file_name,
        new={"target": batch.target, "counts": counts},
        reason=problem,
    )
    db.session.flush()
    return counts
