"""Names of what this module writes to the audit trail."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """source:subject:verb"""

    MAKE = "documents:document:make"
    FAIL = "documents:document:fail"
    DOWNLOAD = "documents:document:download"
    ERASE = "documents:document:erase"
    DAMAGED = "documents:document:damaged"
