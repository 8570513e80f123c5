"""Audit actions of paper copies."""

from __future__ import annotations

from enum import StrEnum


class CopyAction(StrEnum):
    """What is recorded of copies; the steps of `copies.states` are "archive:copy:<step>"."""

    RESERVED = "archive:copy:reserve"
    RECALLED = "archive:copy:recall"
    REMINDED = "archive:copy:remind"
    FAILED = "archive:copy:fail"
    SEARCHED = "archive:register:search"
    SCANNED = "archive:register:scan"
    SEARCH_LIMIT = "archive:register:limit_search"
    PRINT_LIMIT = "archive:copy:limit"


def step_action(step: str) -> str:
    """The action of a step."""
    return f"archive:copy:{step}"
