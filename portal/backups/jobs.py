"""Work of the clock: backups when they are due, reading all files, tidying up."""

from __future__ import annotations

from typing import Any

from portal.backups import integrity, queries, services
from portal.backups import settings as when
from portal.backups.making import Progress
from portal.backups.models import BackupKind, BackupState
from portal.backups.permissions import ADMINISTER
from portal.core import clock, settings
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.paths import path_for
from portal.core.storage import storage_called
from portal.core.storage.stores import STORAGES
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import SYSTEM, Actor, load_actor


def _progress_of(context: JobContext) -> Progress:
    def tell(done: int, total: int, label: str) -> None:
        context.check_cancelled()
        context.progress(done, total, label)

    return tell


def _starter(started_by: int | None) -> Actor:
    """Who pressed the button: the trail names him, not the portal."""
    if started_by is None:
        return SYSTEM
    actor = load_actor(started_by)
    db.session.rollback()
    return actor


def create(context: JobContext, kind: str = BackupKind.HAND, started_by: int | None = None) -> dict[str, Any]:
    """Make a backup and prove it."""
    backup = services.run_backup(_starter(started_by), BackupKind(kind), _progress_of(context))
    facts: dict[str, Any] = {"url": path_for("backups.index")}
    if backup.is_whole is False:
        return {
            **facts,
            "failed": True,
            "message": _("The backup was made but is broken: %(reason)s", reason=backup.verify_problem),
        }
    if backup.is_whole:
        return {**facts, "message": _("The backup was made and proven by a trial restore.")}
    return {**facts, "message": _("The backup was made.")}


def verify(context: JobContext, name: str, started_by: int | None = None) -> dict[str, Any]:
    """Restore a backup for trial."""
    proof = services.run_proof(name, _starter(started_by), _progress_of(context))
    facts: dict[str, Any] = {"url": path_for("backups.index")}
    if not proof.is_whole:
        return {**facts, "failed": True, "message": _("The backup is broken: %(reason)s", reason=proof.problem)}
    return {
        **facts,
        "message": _(
            "The backup is whole: %(tables)s tables with %(rows)s rows, %(files)s files and %(entries)s audit entries "
            "were restored and compared.",
            tables=proof.tables,
            rows=f"{proof.rows:,}",
            files=f"{proof.files:,}",
            entries=f"{proof.audit_entries:,}",
        ),
    }


def due(_context: JobContext) -> dict[str, Any]:
    """Start the backup when one is due; told as missed when it was due long ago."""
    now = clock.now()
    slot = when.last_due(now) if settings.get("backups.enabled") else None
    if slot is None:
        return {}
    last = queries.latest(BackupState.COMPLETE)
    tried = queries.latest(BackupState.COMPLETE, BackupState.FAILED, BackupState.RUNNING)
    db.session.rollback()
    if last is not None and last.started_at >= slot:
        return {}
    if last is None and tried is None and now - slot > queries.PATIENCE:
        return {}  # a new portal has missed nothing; its first backup is at the next time
    with transaction():
        if now - slot > queries.PATIENCE and (tried is None or tried.started_at < slot):
            services.note_missed(f"{clock.local(slot):%Y-%m-%d %H:%M}", SYSTEM)
        services.start_backup(SYSTEM, BackupKind.SCHEDULE)
    return {"due": slot.isoformat()}


def scan(context: JobContext) -> dict[str, Any]:
    """Read all files and compare them with the rows."""
    found = services.run_scan(SYSTEM, _progress_of(context))
    sentence = _(
        "%(files)s files read: %(missing)s missing, %(damaged)s damaged, %(orphans)s without a row.",
        files=f"{found.files:,}",
        missing=found.missing,
        damaged=found.damaged,
        orphans=found.orphans,
    )
    return {"url": path_for("backups.index"), "message": sentence, "failed": bool(found.missing or found.damaged)}


def reseal(context: JobContext) -> dict[str, Any]:
    """Seal files that have an older key with the newest."""
    done = integrity.rotate(_progress_of(context), new=False)
    return {
        "message": _("%(count)s files were sealed with the newest key.", count=f"{done['resealed']:,}"),
        "failed": bool(done["failed"]),
    }


def sweep(_context: JobContext) -> dict[str, Any]:
    """Remove what crashes left of files that were being written."""
    return {"removed": sum(storage_called(name).sweep() for name in STORAGES)}


JOBS = [
    Job(services.CREATE_JOB, _l("Make a backup"), create, permission=ADMINISTER, tell_owner=True),
    Job(
        services.VERIFY_JOB,
        _l("Restore a backup for trial"),
        verify,
        idempotent=True,
        permission=ADMINISTER,
        tell_owner=True,
    ),
    Job(
        "backups.due",
        _l("See whether a backup is due"),
        due,
        Schedule(minute="0"),
        idempotent=True,
        quiet=True,
        help=_l("Every hour; the day and hour of the backup are a setting."),
    ),
    Job(
        services.SCAN_JOB,
        _l("Read all files and compare them with the rows"),
        scan,
        Schedule(minute="0", hour="3", day_of_week="6"),
        idempotent=True,
        permission=ADMINISTER,
        help=_l("Every Saturday night: finds files that are missing, damaged or belong to nobody."),
    ),
    Job(services.RESEAL_JOB, _l("Seal files with the newest key"), reseal, idempotent=True, attempts=10),
    Job(
        "backups.sweep",
        _l("Remove unfinished files"),
        sweep,
        Schedule(minute="45", hour="3"),
        idempotent=True,
        quiet=True,
    ),
]
