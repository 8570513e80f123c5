"""Backups as the portal runs them: the set, its row, the trail, notices, retention.

`run_backup`, `run_proof` and `run_scan` open short transactions of their own, because a database must not stay locked
while it is being copied; call them outside `transaction()`. The others flush in the caller's.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable

from sqlalchemy import select

from portal.audit.services import record
from portal.backups import integrity, making, proving, queries, retention
from portal.backups.actions import BackupAction
from portal.backups.errors import BackupError
from portal.backups.making import Progress, no_progress, reason_of
from portal.backups.models import Backup, BackupKind, BackupState, StorageScan
from portal.backups.place import exclusive
from portal.backups.sets import Manifest, new_name
from portal.core import clock, settings
from portal.core.paths import path_for
from portal.core.storage.contract import StorageError
from portal.core.transaction import in_transaction, transaction
from portal.extensions import db
from portal.i18n import _
from portal.jobs.models import JobRun
from portal.jobs.services import enqueue
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor

logger = logging.getLogger(__name__)

NOTICE = "backups.trouble"
CREATE_JOB = "backups.create"
VERIFY_JOB = "backups.verify"
SCAN_JOB = "backups.scan"
RESEAL_JOB = "backups.reseal"


def start_backup(actor: Actor, kind: BackupKind) -> JobRun:
    """Have the worker make a backup; while one waits or runs, that one is returned."""
    return enqueue(
        CREATE_JOB,
        actor,
        title=_("Backup"),
        parameters={"kind": kind.value, "started_by": actor.user_id},
        unique_key=CREATE_JOB,
        as_system=True,
    )


def start_proof(backup: Backup, actor: Actor) -> JobRun:
    """Have the worker restore a backup for trial."""
    title = _("Trial restore of %(name)s", name=backup.name)
    parameters = {"name": backup.name, "started_by": actor.user_id}
    return enqueue(VERIFY_JOB, actor, title=title, parameters=parameters, unique_key=VERIFY_JOB, as_system=True)


def start_scan(actor: Actor) -> JobRun:
    """Have the worker read all files."""
    return enqueue(SCAN_JOB, actor, title=_("Reading all files"), unique_key=SCAN_JOB, as_system=True)


def run_backup(actor: Actor, kind: BackupKind, progress: Progress = no_progress, verify: bool | None = None) -> Backup:
    """Make a backup, prove it, remove those that need not be kept.

    :param verify: whether to restore it for trial; None asks the setting.
    :raises AnotherRuns: one is at work. :raises BackupError: it failed; that is recorded and told.
    """
    if in_transaction():
        raise RuntimeError("run_backup() opens transactions of its own; call it outside transaction()")
    with exclusive():
        _close_abandoned(actor)
        began = time.monotonic()
        with transaction():
            row = Backup(
                name=new_name(),
                kind=kind.value,
                state=BackupState.RUNNING.value,
                started_at=clock.now(),
                started_by_id=actor.user_id,
            )
            db.session.add(row)
            db.session.flush()
            backup_id, name = row.id, row.name
        try:
            manifest = making.create(kind.value, progress, name)
        except BaseException as error:
            _note_failure(backup_id, actor, error)
            if isinstance(error, StorageError | OSError):
                raise BackupError(reason_of(error)) from error
            raise
        with transaction():
            row = db.session.get_one(Backup, backup_id)
            _fill(row, manifest)
            row.finished_at, row.milliseconds = clock.now(), int((time.monotonic() - began) * 1000)
            db.session.flush()
            record(
                actor,
                BackupAction.CREATE,
                object_type="backup",
                object_id=row.id,
                object_label=row.name,
                new={
                    "files": manifest.files,
                    "bytes": manifest.bytes,
                    "audit_seq": manifest.audit_seq,
                    "missing_files": len(manifest.missing),
                },
            )
            if manifest.missing:
                tell(
                    message(
                        "Files were missing or damaged when the backup was made: %(count)s",
                        count=len(manifest.missing),
                    ),
                    actor,
                    f"backup:{row.id}:missing",
                )
        if settings.get("backups.verify") if verify is None else verify:
            _prove(name, actor, progress)
        keep(actor)
    return db.session.get_one(Backup, backup_id)


def run_proof(name: str, actor: Actor, progress: Progress = no_progress) -> proving.Proof:
    """Restore a backup for trial and keep what came of it. :raises: as `proving.prove`."""
    with exclusive():
        return _prove(name, actor, progress)


def _prove(name: str, actor: Actor, progress: Progress) -> proving.Proof:
    db.session.rollback()
    try:
        proof = proving.prove(name, progress)
    except (BackupError, StorageError, OSError) as error:
        # It could not be tried; that says nothing about the backup, but somebody must know.
        with transaction():
            tell(message("The trial restore could not be made: %(reason)s", reason=reason_of(error)), actor, name)
        if isinstance(error, BackupError):
            raise
        raise BackupError(reason_of(error)) from error
    with transaction():
        row = _row_of(proof.manifest)
        row.verified_at, row.is_whole = clock.now(), proof.is_whole
        row.verify_milliseconds, row.verify_problem = int(proof.seconds * 1000), proof.problem[:500]
        db.session.flush()
        record(
            actor,
            BackupAction.VERIFY,
            object_type="backup",
            object_id=row.id,
            object_label=row.name,
            new={"rows": proof.rows, "files": proof.files, "audit_entries": proof.audit_entries},
            reason=proof.problem,
            result="ok" if proof.is_whole else "failed",
        )
        if not proof.is_whole:
            tell(
                message("The backup %(name)s is broken: %(reason)s", name=name, reason=proof.problem),
                actor,
                f"backup:{row.id}",
            )
    return proof


def keep(actor: Actor) -> list[str]:
    """Remove the sets that retention does not keep, and files that no set needs. Under the lock. Their names."""
    shelf = making.open_shelf()
    db.session.rollback()
    known = {row.name: row.is_whole for row in queries.kept()}
    sets = []
    for name in shelf.names():
        try:
            sets.append(retention.Kept(name, shelf.manifest(name).moment, known.get(name)))
        except BackupError:
            continue  # another key or damaged: not ours to judge, a person must
    weekly, monthly = settings.get("backups.keep_weekly"), settings.get("backups.keep_monthly")
    db.session.rollback()
    removed = retention.to_remove(sets, clock.now(), weekly, monthly)
    for name in removed:
        shelf.remove(name)
    if removed:
        with transaction():
            for name in removed:
                _note_removed(name, actor)
    shelf.prune()
    return removed


def _note_removed(name: str, actor: Actor) -> None:
    row = db.session.scalars(select(Backup).where(Backup.name == name)).first()
    if row is not None:
        row.state = BackupState.REMOVED.value
        db.session.flush()
    record(
        actor,
        BackupAction.REMOVE,
        object_type="backup",
        object_id=row.id if row else None,
        object_label=name,
        reason=_("no longer kept"),
    )


def take_stock() -> None:
    """Make the rows agree with the sets that are there: after a restore, or when a folder of backups was brought along.

    Flushes in the caller's transaction."""
    shelf = making.open_shelf()
    there = set(shelf.names())
    for row in queries.kept():
        if row.name not in there:
            row.state = BackupState.REMOVED.value
    for name in sorted(there):
        try:
            _row_of(shelf.manifest(name))
        except BackupError:
            logger.warning("the backup %s cannot be opened with the present key", name)
    db.session.flush()


def _row_of(manifest: Manifest) -> Backup:
    row = db.session.scalars(select(Backup).where(Backup.name == manifest.name)).first()
    if row is None or row.state != BackupState.COMPLETE:
        row = row or Backup(name=manifest.name, kind=manifest.kind, started_at=manifest.moment)
        _fill(row, manifest)
        row.milliseconds = int(manifest.seconds * 1000)
        db.session.add(row)
        db.session.flush()
    return row


def _fill(row: Backup, manifest: Manifest) -> None:
    row.state, row.problem = BackupState.COMPLETE.value, ""
    row.bytes, row.new_bytes = manifest.bytes, manifest.new_bytes
    row.files, row.new_files, row.missing_files = manifest.files, manifest.new_files, len(manifest.missing)
    row.audit_seq = manifest.audit_seq


def _close_abandoned(actor: Actor) -> None:
    """Attempts that are "running" though nobody holds the lock were cut off."""
    with transaction():
        for row in db.session.scalars(select(Backup).where(Backup.state == BackupState.RUNNING)).all():
            _fail(row, actor, _("It was cut off: the process was stopped."))


def _note_failure(backup_id: int, actor: Actor, error: BaseException) -> None:
    logger.critical(
        "the backup failed: %s", error, exc_info=not isinstance(error, BackupError | StorageError | OSError)
    )
    db.session.rollback()
    try:
        with transaction():
            row = db.session.get_one(Backup, backup_id)
            reason = reason_of(error)
            _fail(row, actor, reason)
            tell(message("The backup failed: %(reason)s", reason=reason), actor, "backup:failed")
    except Exception:  # the disk that is full may be the database's too: the log has it, the next start notes it
        db.session.rollback()
        logger.critical("that the backup failed could not be written down", exc_info=True)


def _fail(row: Backup, actor: Actor, reason: str) -> None:
    row.state, row.problem, row.finished_at = BackupState.FAILED.value, reason[:500], clock.now()
    db.session.flush()
    record(
        actor,
        BackupAction.FAIL,
        object_type="backup",
        object_id=row.id,
        object_label=row.name,
        reason=reason,
        result="failed",
    )


def tell(title: object, actor: Actor, about: str) -> None:
    """Tell every administrator, in the portal and by mail."""
    notify(
        queries.administrators(),
        NOTICE,
        title=title,
        url=path_for("backups.index"),
        actor=actor,
        about=about[:80],
    )


def note_missed(due: str, actor: Actor) -> None:
    """A backup was due while nothing ran: it is told and recorded, and made now."""
    record(actor, BackupAction.MISSED, object_type="backup", object_id=None, object_label=due, result="failed")
    tell(message("The backup due on %(due)s was missed; it is made now", due=due), actor, "backup:missed")


def run_scan(actor: Actor, progress: Progress = no_progress) -> StorageScan:
    """Read all files, compare them with the rows, keep and tell what came of it."""
    db.session.rollback()
    report = integrity.scan(progress)
    with transaction():
        row = StorageScan(
            at=clock.now(),
            milliseconds=int(report.seconds * 1000),
            files=report.files,
            bytes=report.bytes,
            missing=report.missing,
            damaged=report.damaged,
            orphans=report.orphans,
            old_keys=report.old_keys,
            details=json.dumps(report.shown),
        )
        db.session.add(row)
        db.session.flush()
        record(
            actor,
            BackupAction.SCAN,
            object_type="storage",
            object_id=row.id,
            new={"files": row.files, "missing": row.missing, "damaged": row.damaged, "orphans": row.orphans},
            result="ok" if report.is_well else "failed",
        )
        if not report.is_well:
            tell(
                message("Files are missing or damaged: %(count)s", count=report.missing + report.damaged),
                actor,
                "storage:scan",
            )
    return row


def record_key(action: BackupAction, actor: Actor, what: str, facts: Iterable[str] = ()) -> None:
    """Note something about a key: that it was exported, imported, replaced; never the key."""
    record(actor, action, object_type="key", object_id=None, object_label=what, new={"keys": list(facts)})
