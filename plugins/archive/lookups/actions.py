"""Audit actions of look-ups."""

from __future__ import annotations

from enum import StrEnum


class LookupAction(StrEnum):
    """What is recorded of requests, grants and looks."""

    FILED = "archive:lookup:file"
    GRANTED = "archive:grant:give"
    REVOKED = "archive:grant:revoke"
    GIVEN_BACK = "archive:grant:give_back"
    LEFT = "archive:grant:leave"
    OPENED = "archive:view:open"
    LOOKED = "archive:view:look"
    CLOSED = "archive:view:close"
    REFUSED = "archive:view:refuse"
    BULK = "archive:lookup:alarm"
