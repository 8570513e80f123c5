"""Audit actions of exports."""

from __future__ import annotations

from enum import StrEnum


class ExportAction(StrEnum):
    """What is recorded of manuals on paper."""

    EXPORTED = "sop:manual_version:export"
