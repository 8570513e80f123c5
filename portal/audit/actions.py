"""What the audit trail says about itself."""

from __future__ import annotations

from enum import StrEnum


class AuditAction(StrEnum):
    """source:subject:verb"""

    LOG_VIEWED = "audit:log:view"
    ENTRY_VIEWED = "audit:entry:view"
    LOG_EXPORTED = "audit:log:export"
    PRIVATE_ERASED = "audit:private:erase"
    REFUSALS_LEFT_OUT = "audit:refusals:limit"
