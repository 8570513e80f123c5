"""An import as a whole: the file, its columns and rules, beginning its steps, throwing it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.permissions import require
from portal.core.storage import storage
from portal.core.text import clean_name
from portal.customers.actions import CustomerAction
from portal.customers.importing import reading
from portal.customers.importing.models import BUSY_STATES, BatchState, ImportBatch, ImportRow, RowState
from portal.customers.importing.reading import dump
from portal.customers.importing.targets import POLICIES, ImportTarget, Rules, import_targets
from portal.customers.services.bulk import place
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.org.actor import Actor

KEEP_SETTING = "customers.import_keep_days"


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
