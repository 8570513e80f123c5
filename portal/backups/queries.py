"""What is known about backups, and whether all is well."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import desc, select

from portal.backups import settings as when
from portal.backups.models import Backup, BackupState, StorageScan
from portal.core import clock, settings
from portal.core.errors import NotFound
from portal.extensions import db
from portal.i18n import _
from portal.org.models import ADMINISTRATOR, User, UserRole

#: A backup may take its time, and a worker may be busy.
PATIENCE = timedelta(hours=3)
FAILURES_SHOWN = 5


@dataclass(frozen=True)
class Health:
    """How backups stand. `tone` of the interface: success, warning, danger."""

    tone: str
    sentence: str
    last: Backup | None
    next_at: datetime | None


def kept() -> list[Backup]:
    """Backups that exist, newest first."""
    return list(
        db.session.scalars(
            select(Backup)
            .where(Backup.state == BackupState.COMPLETE)
            .order_by(desc(Backup.started_at), desc(Backup.id))
        )
    )


def failures() -> list[Backup]:
    """The last attempts that failed, newest first."""
    statement = select(Backup).where(Backup.state == BackupState.FAILED).order_by(desc(Backup.started_at))
    return list(db.session.scalars(statement.limit(FAILURES_SHOWN)))


def backup_by_id(backup_id: int) -> Backup:
    """A backup that exists. :raises NotFound: otherwise."""
    found = db.session.get(Backup, backup_id)
    if found is None or found.state != BackupState.COMPLETE:
        raise NotFound(_("There is no such backup."))
    return found


def latest(*states: str) -> Backup | None:
    """The newest attempt in one of these states."""
    return db.session.scalars(
        select(Backup).where(Backup.state.in_(states)).order_by(desc(Backup.started_at), desc(Backup.id)).limit(1)
    ).first()


def last_scan() -> StorageScan | None:
    """The last time all files were read."""
    return db.session.scalars(select(StorageScan).order_by(desc(StorageScan.id)).limit(1)).first()


def scan_details(scan: StorageScan) -> dict[str, list[list[str]]]:
    """Problem → the first (storage, key) pairs."""
    found: dict[str, list[list[str]]] = json.loads(scan.details)
    return found


def health() -> Health:
    """Whether backups are made, and can be restored. Three statements, the settings aside."""
    last = latest(BackupState.COMPLETE)
    failed = latest(BackupState.FAILED)
    scan = last_scan()
    now = clock.now()
    enabled = bool(settings.get("backups.enabled"))
    next_at = when.schedule().following(now) if enabled else None
    tone, sentence = _judge(last, failed, scan, now, enabled)
    return Health(tone, sentence, last, next_at)


def _judge(
    last: Backup | None, failed: Backup | None, scan: StorageScan | None, now: datetime, enabled: bool
) -> tuple[str, str]:
    if failed is not None and (last is None or failed.started_at > last.started_at):
        return "danger", _("The last backup failed: %(reason)s", reason=failed.problem)
    if last is not None and last.is_whole is False:
        return "danger", _("The last backup did not pass its trial restore: %(reason)s", reason=last.verify_problem)
    if scan is not None and (scan.missing or scan.damaged):
        return "danger", _(
            "Files of the storage are missing or damaged: %(count)s.", count=f"{scan.missing + scan.damaged:,}"
        )
    if last is not None and last.missing_files:
        return "danger", _("Files were missing when the last backup was made: %(count)s.", count=last.missing_files)
    due = when.last_due(now) if enabled else None
    if due is not None and last is not None and last.started_at < due and now - due > PATIENCE:
        return "danger", _(
            "The backup due on %(due)s was not made. Is the worker running?",
            due=f"{clock.local(due):%Y-%m-%d %H:%M}",
        )
    if last is None:
        return "warning", _("No backup has been made yet.")
    if not enabled:
        return "warning", _("Backups are not made by themselves any more.")
    if last.verified_at is None:
        return "warning", _("The last backup has not been proven by a trial restore yet.")
    return "success", _("The last backup is whole: it was restored for trial and compared.")


def administrators() -> list[int]:
    """Who is told."""
    statement = select(User.id).join(UserRole, UserRole.user_id == User.id)
    return list(db.session.scalars(statement.where(UserRole.role == ADMINISTRATOR, User.is_active)))


def as_json(backup: Backup) -> dict[str, Any]:
    """For the command line."""
    return {
        "name": backup.name,
        "kind": backup.kind,
        "state": backup.state,
        "started_at": backup.started_at.isoformat(),
        "seconds": backup.milliseconds / 1000,
        "bytes": backup.bytes,
        "new_bytes": backup.new_bytes,
        "files": backup.files,
        "missing_files": backup.missing_files,
        "verified_at": backup.verified_at.isoformat() if backup.verified_at else None,
        "is_whole": backup.is_whole,
        "problem": backup.problem or backup.verify_problem,
    }
