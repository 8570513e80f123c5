"""Words for codes."""

from __future__ import annotations

from portal.audit.labels import AuditWord
from portal.backups.models import BackupKind
from portal.i18n import _l

KINDS = {
    BackupKind.SCHEDULE.value: _l("by schedule"),
    BackupKind.HAND.value: _l("started by hand"),
    BackupKind.COMMAND.value: _l("from the command line"),
}

AUDIT_WORDS = [
    AuditWord("object", "backup", _l("Backup")),
    AuditWord("object", "storage", _l("File storage")),
    AuditWord("object", "key", _l("Encryption key")),
]
