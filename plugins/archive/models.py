"""All tables of this plugin, so that one import knows them."""

from __future__ import annotations

from plugins.archive.dossiers.models import (
    ArchiveChange,
    ArchiveContent,
    ArchiveFile,
    ArchiveSupplement,
    Dossier,
)
from plugins.archive.reports.models import ArchiveForecast, ArchiveReport, ArchiveReportLine, ArchiveTarget

__all__ = [
    "ArchiveChange",
    "ArchiveContent",
    "ArchiveFile",
    "ArchiveForecast",
    "ArchiveReport",
    "ArchiveReportLine",
    "ArchiveSupplement",
    "ArchiveTarget",
    "Dossier",
]
