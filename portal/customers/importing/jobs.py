"""The work of imports in the background: dry run, import, undo, tidying."""

from __future__ import annotations

from typing import Any

from portal.core.errors import PortalError
from portal.core.jobs import Job, JobCancelled, JobContext, Schedule
from portal.core.transaction import transaction
from portal.customers.importing import services
from portal.customers.importing.models import BatchState, ImportBatch, ImportRow
from portal.customers.importing.targets import Rules
from portal.extensions import db
from portal.i18n import _, _l, _n
from portal.org.actor import Actor

CHECK, RUN, UNDO, TIDY = (
    "customers.import_check",
    "customers.import_run",
    "customers.import_undo",
    "customers.import_tidy",
)


def _page(batch_id: int) -> str:
    # A job has no request to build addresses with; `customers_import.show` is here.
    return f"/imports/{batch_id}"


def check(context: JobContext, batch_id: int) -> dict[str, Any]:
    """The dry run: read everything, decide about every row, write nothing but staged rows."""
    actor: Actor = context.actor
    try:
        return _check(context, batch_id, actor)
    except JobCancelled:
        _back_to_draft(batch_id, "")
        raise
    except PortalError as error:
        _back_to_draft(batch_id, str(error))
        raise
    except Exception:
        _back_to_draft(batch_id, _("Something went wrong while the file was checked."))
        raise


def _check(context: JobContext, batch_id: int, actor: Actor) -> dict[str, Any]:
    context.progress(0, None, _("Reading the file"))
    batch = services.open_batch(batch_id, actor)
    if batch.state != BatchState.CHECKING:
        return {}
    target, rules = services.target_of(batch.target), services.rules_of(batch)
    records, cells = services.read_records(batch, target)
    db.session.rollback()
    with transaction():
        db.session.execute(ImportRow.__table__.delete().where(ImportRow.batch_id == batch_id))
    total = len(records)
    counts: dict[str, int] = {}
    for start in range(0, total, services.CHECK_CHUNK):
        context.check_cancelled()
        part = records[start : start + services.CHECK_CHUNK]
        with db.session.no_autoflush:
            target.check(part, rules, actor)
        services.known_before(target.key, part)
        # Reads only: whatever the check built up is thrown away.
        db.session.rollback()
        db.session.expunge_all()
        with transaction():
            for name, number in services.stage(batch_id, part, cells).items():
                counts[name] = counts.get(name, 0) + number
        context.progress(min(start + len(part), total), total, _("Checking the rows"))
    with transaction():
        services.checked(services.open_batch(batch_id, actor, lock=True), counts)
    return {
        "url": _page(batch_id),
        "message": _n("%(num)s row was checked.", "%(num)s rows were checked.", counts["rows"]),
    }


def _back_to_draft(batch_id: int, problem: str) -> None:
    db.session.rollback()
    with transaction():
        batch = db.session.get(ImportBatch, batch_id)
        if batch is not None and batch.state == BatchState.CHECKING:
            batch.state, batch.problem = BatchState.DRAFT.value, problem[:500]


def run(context: JobContext, batch_id: int) -> dict[str, Any]:
    """Write the staged records. Run again after a worker died, it goes on with the rows that are not written yet."""
    actor: Actor = context.actor
    batch = services.open_batch(batch_id, actor)
    if batch.state == BatchState.UNDOING:
        # The worker died while a broken import was being taken back.
        _take_back(context, batch_id, actor, batch.problem)
        return {"url": _page(batch_id)}
    if batch.state != BatchState.RUNNING:
        return {"url": _page(batch_id)}
    total = batch.counts.get("create", 0) + batch.counts.get("update", 0)
    target_key, rules = batch.target, services.rules_of(batch)
    size = total if total <= services.ATOMIC_ROWS else services.CHUNK
    db.session.rollback()
    done = 0
    try:
        while True:
            if context.cancelled():
                raise JobCancelled()
            written = _write_chunk(batch_id, target_key, rules, actor, max(size, 1))
            if not written:
                break
            done += written
            context.progress(min(done, total), total, _("Importing"))
    except JobCancelled:
        _take_back(context, batch_id, actor, _("The import was cancelled and taken back."))
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, PortalError) else _("Something went wrong; the import was taken back.")
        _take_back(context, batch_id, actor, reason)
        raise
    with transaction():
        counts = services.finished(batch_id, actor)
    return {
        "url": _page(batch_id),
        "message": _(
            "%(created)s new, %(updated)s changed, %(failed)s refused.",
            created=counts["created"],
            updated=counts["updated"],
            failed=counts["failed"] + counts.get("refused_rows", 0),
        ),
    }


def _write_chunk(batch_id: int, target_key: str, rules: Rules, actor: Actor, size: int) -> int:
    with transaction():
        works = services.next_works(batch_id, size)
        if works:
            services.target_of(target_key).apply(works, rules, actor, batch_id)
            db.session.flush()
            services.note_applied(batch_id, works)
    db.session.expunge_all()
    return len(works)


def undo(context: JobContext, batch_id: int) -> dict[str, Any]:
    """Take an import back; what was changed since stays and is reported."""
    actor: Actor = context.actor
    batch = services.open_batch(batch_id, actor)
    if batch.state != BatchState.UNDOING:
        return {"url": _page(batch_id)}
    counts = _take_back(context, batch_id, actor, "")
    return {
        "url": _page(batch_id),
        "message": _("%(undone)s taken back, %(kept)s left as they are.", undone=counts["undone"], kept=counts["kept"]),
    }


def _take_back(context: JobContext, batch_id: int, actor: Actor, problem: str) -> dict[str, int]:
    db.session.rollback()
    with transaction():
        batch = db.session.get_one(ImportBatch, batch_id)
        batch.state, batch.problem = BatchState.UNDOING.value, problem[:500]
        target_key = batch.target
    total = services.undoable(batch_id)
    db.session.rollback()
    below, done = None, 0
    while True:
        with transaction():
            works = services.applied_works(batch_id, services.CHUNK, below)
            if works:
                services.target_of(target_key).undo(works, actor, batch_id)
                db.session.flush()
                services.note_undone(batch_id, works)
        db.session.expunge_all()
        if not works:
            break
        below = works[-1].number
        done += len(works)
        context.progress(done, total, _("Taking back"))
    with transaction():
        return services.taken_back(batch_id, actor, problem)


def tidy(context: JobContext) -> dict[str, Any]:
    """Delete files and staged rows of old imports."""
    count = 0
    for batch_id in services.expired_batches():
        context.check_cancelled()
        with transaction():
            services.forget(batch_id)
        count += 1
    return {"deleted": count}


JOBS = [
    Job(CHECK, _l("Check of an import"), check, idempotent=True),
    Job(RUN, _l("Import"), run, idempotent=True, tell_owner=True),
    Job(UNDO, _l("Undo of an import"), undo, idempotent=True, tell_owner=True),
    Job(
        TIDY,
        _l("Deletion of old import files"),
        tidy,
        schedule=Schedule(minute="40", hour="3"),
        idempotent=True,
        quiet=True,
        help=_l("Uploaded files and staged rows are deleted after the days of the setting."),
    ),
]
