"""All tables of this plugin, so that one import knows them."""

from __future__ import annotations

from plugins.archive.copies.models import ArchiveCopy, ArchiveCopyEvent, ArchiveCopyFile
from plugins.archive.dossiers.models import (
    ArchiveChange,
    ArchiveContent,
    ArchiveFile,
    ArchiveSupplement,
    Dossier,
)
from plugins.archive.lookups.models import (
    ArchiveAccess,
    ArchiveAlarm,
    ArchiveGrant,
    ArchiveLookup,
    ArchiveLookupCustomer,
    ArchiveView,
)
from plugins.archive.reports.models import (
    ArchiveForecast,
    ArchiveOutlook,
    ArchiveReport,
    ArchiveReportLine,
    ArchiveTarget,
)

__all__ = [
    "ArchiveAccess",
    "ArchiveAlarm",
    "ArchiveChange",
    "ArchiveContent",
    "ArchiveCopy",
    "ArchiveCopyEvent",
    "ArchiveCopyFile",
    "ArchiveFile",
    "ArchiveForecast",
    "ArchiveGrant",
    "ArchiveLookup",
    "ArchiveLookupCustomer",
    "ArchiveOutlook",
    "ArchiveReport",
    "ArchiveReportLine",
    "ArchiveSupplement",
    "ArchiveTarget",
    "ArchiveView",
    "Dossier",
]
