"""Audit actions of this plugin."""

from __future__ import annotations

from enum import StrEnum


class ArchiveAction(StrEnum):
    """What is recorded of the archive."""

    DOSSIER_OPENED = "archive:dossier:open"
    DOSSIERS_JOINED = "archive:dossier:join"
    DOSSIERS_PARTED = "archive:dossier:part"
    FILE_ADDED = "archive:file:add"
    FILE_REPLACED = "archive:file:replace"
    FILE_WITHDRAWN = "archive:file:withdraw"
    FILE_QUARANTINED = "archive:file:quarantine"
    FILE_RELEASED = "archive:file:release"
    FILE_PREVIEWED = "archive:file:preview"
    UPLOAD_REFUSED = "archive:upload:refuse"
    CHANGE_FILED = "archive:change:file"
    CHANGE_POSTED = "archive:change:post"
    CHANGE_REFUSED = "archive:change:refuse"
    REPORT_SUBMITTED = "archive:report:submit"
    REPORT_ACCEPTED = "archive:report:accept"
    REPORT_RETURNED = "archive:report:return"
    TARGET_SET = "archive:target:set"
    SCANNED = "archive:storage:scan"
    ORPHANS_REMOVED = "archive:storage:remove_orphans"
