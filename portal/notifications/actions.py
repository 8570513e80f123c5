"""What the audit trail says about notices and mail."""

from __future__ import annotations

from enum import StrEnum


class NoticeAction(StrEnum):
    """source:subject:verb"""

    MESSAGE_RETRIED = "notifications:outbox:retry"
    MESSAGE_FAILED = "notifications:outbox:fail"
    PREFERENCES_CHANGED = "notifications:preferences:change"
