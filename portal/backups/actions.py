"""Audit actions of backups and storage keys."""

from __future__ import annotations

from enum import StrEnum


class BackupAction(StrEnum):
    """What the trail knows about backups."""

    CREATE = "backups:backup:create"
    FAIL = "backups:backup:fail"
    VERIFY = "backups:backup:verify"
    RESTORE = "backups:backup:restore"
    REMOVE = "backups:backup:remove"
    MISSED = "backups:backup:miss"
    KEY_EXPORTED = "backups:key:export"
    KEY_IMPORTED = "backups:key:import"
    KEY_ADDED = "backups:key:rotate"
    SCAN = "backups:storage:check"
