"""An import from upload to undo. Functions flush; views and jobs commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.permissions import require
from portal.core.spreadsheets import SpreadsheetError, read_table
from portal.core.storage import storage
from portal.core.text import clean_name
from portal.customers.actions import CustomerAction
from portal.customers.importing import reading
from portal.customers.importing.models import BUSY_STATES, BatchState, ImportBatch, ImportRow, RowAction, RowState
from portal.customers.importing.reading import dump
from portal.customers.importing.targets import POLICIES, ImportTarget, Record, Rules, Work, import_targets
from portal.customers.services.bulk import place
from portal.customers.validation import coded
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.org.actor import Actor

#: Records checked by one round of statements.
CHECK_CHUNK = 250
#: Records written by one transaction of a large import.
CHUNK = 250
#: Imports up to this size are one transaction.
ATOMIC_ROWS = 1_000
KEEP_SETTING = "customers.import_keep_days"


# ---- the batch -----------------------------------------------------------------------------------------------------


def target_of(key: str) -> ImportTarget:
    """:raises NotFound: no such target (its module may be switched off)."""
    target = import_targets().get(key)
    if target is None:
        raise NotFound()
    return target


def open_batch(batch_id: int, actor: Actor, lock: bool = False) -> ImportBatch:
    """One's own import. :raises NotFound: somebody else's, or none."""
    batch = db.session.get(ImportBatch, batch_id, with_for_update=lock or None, populate_existing=lock)
    if batch is None or batch.owner_id != actor.user_id:
        raise NotFound()
    require(actor, target_of(batch.target).permission)
    return batch


def create_batch(target: ImportTarget, file_name: str, content: bytes, kind: str, actor: Actor) -> ImportBatch:
    """Keep an uploaded file as the beginning of an import."""
    require(actor, target.permission)
    assert actor.user_id is not None
    stored = storage().put(reading.AREA, content)
    batch = ImportBatch(
        target=target.key,
        owner_id=actor.user_id,
        file_name=clean_name(Path(file_name.replace("\\", "/")).name)[:200] or "file",
        storage_key=stored.key,
        digest=stored.digest,
        size=stored.size,
        kind=kind,
        created_at=clock.now(),
    )
    db.session.add(batch)
    db.session.flush()
    return batch


def choose_sheet(batch: ImportBatch, view: reading.Preview) -> None:
    """Note which sheet is read and how."""
    _require_draft(batch)
    if batch.headers != view.headers:
        batch.mapping_json = "{}"
    batch.sheet, batch.encoding, batch.delimiter = view.sheet, view.encoding, view.delimiter
    batch.headers_json = dump(view.headers)
    batch.state = BatchState.DRAFT.value
    db.session.flush()


def choose_columns(batch: ImportBatch, mapping: dict[int, str], actor: Actor) -> None:
    """Note what the columns mean, and remember it for the person's next file. :raises Invalid: as `check_mapping`."""
    _require_draft(batch)
    target = target_of(batch.target)
    reading.check_mapping(target, mapping)
    batch.mapping_json = dump({str(column): key for column, key in mapping.items()})
    batch.state = BatchState.DRAFT.value
    assert actor.user_id is not None
    reading.remember(target, batch.headers, mapping, actor.user_id)


def _require_draft(batch: ImportBatch) -> None:
    if batch.state not in (BatchState.DRAFT, BatchState.CHECKED):
        raise Conflict(_("This import has begun already."))


def start_check(batch: ImportBatch, rules: Rules, actor: Actor) -> None:
    """Note the rules and begin the dry run as a job. :raises Invalid: for a choice that is not the actor's."""
    _require_draft(batch)
    target = target_of(batch.target)
    reading.check_mapping(target, batch.mapping)
    errors: list[tuple[str, str]] = []
    if rules.policy not in POLICIES:
        errors.append(("policy", _("Choose one of the list.")))
    for key, _label, choices in target.defaults():
        if rules.defaults.get(key) and rules.defaults[key] not in {value for value, _text in choices}:
            errors.append((f"default_{key}", _("Choose one of the list.")))
    if target.assigns:
        errors += place(rules.manager_id, rules.department_id, actor)[2]
    if errors:
        raise Invalid(errors)
    batch.options_json = dump(asdict(rules))
    _begin(batch, BatchState.CHECKING, "customers.import_check", actor, _("Check of %(file)s", file=batch.file_name))


def start_import(batch: ImportBatch, actor: Actor) -> None:
    """Begin the import itself. :raises Conflict: when the check is not there or nothing is to be done."""
    if batch.state != BatchState.CHECKED:
        raise Conflict(_("Check the file first."))
    if not batch.counts.get("create", 0) + batch.counts.get("update", 0):
        raise Conflict(_("There is nothing to import."))
    _begin(batch, BatchState.RUNNING, "customers.import_run", actor, _("Import of %(file)s", file=batch.file_name))
    record(
        actor,
        CustomerAction.IMPORT_START,
        object_type="import",
        object_id=batch.id,
        object_label=batch.file_name,
        new={"target": batch.target, "digest": batch.digest, "counts": batch.counts, "options": batch.options},
    )


def start_undo(batch: ImportBatch, actor: Actor) -> None:
    """Begin to take an import back. :raises Conflict: when there is nothing to take back."""
    if batch.state not in (BatchState.DONE, BatchState.UNDONE) or not undoable(batch.id):
        raise Conflict(_("There is nothing to take back."))
    _begin(batch, BatchState.UNDOING, "customers.import_undo", actor, _("Undo of %(file)s", file=batch.file_name))


def _begin(batch: ImportBatch, state: BatchState, job: str, actor: Actor, title: str) -> None:
    batch.state, batch.problem = state.value, ""
    db.session.flush()
    run = enqueue(job, actor, title=title, parameters={"batch_id": batch.id}, unique_key=f"import:{batch.id}")
    batch.run_id = run.id
    db.session.flush()


def undoable(batch_id: int) -> int:
    """How many records of an import can still be taken back."""
    return int(
        db.session.scalar(
            select(func.count()).where(
                ImportRow.batch_id == batch_id,
                ImportRow.state.in_([RowState.APPLIED, RowState.KEPT]),
                ImportRow.effect_json != "{}",
            )
        )
        or 0
    )


def discard(batch: ImportBatch, actor: Actor) -> None:
    """Throw away an import that was not run. :raises Conflict: when it was."""
    if batch.state not in (BatchState.DRAFT, BatchState.CHECKED):
        raise Conflict(_("This import has begun already."))
    _forget_file(batch)
    db.session.execute(ImportRow.__table__.delete().where(ImportRow.batch_id == batch.id))
    db.session.delete(batch)
    db.session.flush()


def earlier_imports(batch: ImportBatch) -> list[ImportBatch]:
    """Imports of the very same file by the same person that are in force."""
    return list(
        db.session.scalars(
            select(ImportBatch)
            .where(
                ImportBatch.digest == batch.digest,
                ImportBatch.owner_id == batch.owner_id,
                ImportBatch.target == batch.target,
                ImportBatch.state == BatchState.DONE.value,
                ImportBatch.id != batch.id,
            )
            .order_by(ImportBatch.id.desc())
            .limit(3)
        )
    )


def refused_rows(batch_id: int, limit: int | None = None) -> Iterator[ImportRow]:
    """Rows that were refused by the check, by the import, or by the undo; in the order of the file."""
    statement = (
        select(ImportRow)
        .where(ImportRow.batch_id == batch_id, ImportRow.reasons_json != "[]")
        .order_by(ImportRow.number)
        .execution_options(yield_per=500)
    )
    return iter(db.session.scalars(statement.limit(limit) if limit else statement))


def rules_of(batch: ImportBatch) -> Rules:
    """The rules of an import."""
    return Rules(**batch.options)


# ---- the dry run ---------------------------------------------------------------------------------------------------


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


# ---- writing and taking back ---------------------------------------------------------------------------------------


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
    import json

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


# ---- tidying -------------------------------------------------------------------------------------------------------


def expired_batches(limit: int = 50) -> list[int]:
    """Imports whose file and rows are older than the setting says."""
    before = clock.now() - timedelta(days=int(settings.get(KEEP_SETTING)))
    return list(
        db.session.scalars(
            select(ImportBatch.id)
            .where(
                ImportBatch.created_at < before,
                ImportBatch.storage_key != "",
                ImportBatch.state.not_in([state.value for state in BUSY_STATES]),
            )
            .order_by(ImportBatch.id)
            .limit(limit)
        )
    )


def forget(batch_id: int) -> None:
    """Delete the file and the personal data of an old import; its numbers stay."""
    batch = db.session.get(ImportBatch, batch_id)
    if batch is None:
        return
    _forget_file(batch)
    # Digests stay: the same file a year later still changes nothing.
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.batch_id == batch_id)
        .values(cells_json="[]", values_json="{}", effect_json="{}", reasons_json="[]")
        .execution_options(synchronize_session=False)
    )
    db.session.flush()


def _forget_file(batch: ImportBatch) -> None:
    key, batch.storage_key = batch.storage_key, ""
    db.session.flush()
    shared = db.session.scalar(select(ImportBatch.id).where(ImportBatch.storage_key == key).limit(1))
    if key and shared is None:
        storage().delete(key)
