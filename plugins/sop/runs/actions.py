"""Audit actions of checklist runs."""

from __future__ import annotations

from enum import StrEnum


class RunAction(StrEnum):
    """What is recorded of checklist runs."""

    STARTED = "sop:run:start"
    TICKED = "sop:run_step:tick"
    SKIPPED = "sop:run_step:skip"
    UNDONE = "sop:run_step:undo"
    ASSIGNED = "sop:run_step:assign"
    DUE_CHANGED = "sop:run_step:due"
    COMMENTED = "sop:run:comment"
    FILE_ADDED = "sop:run_file:add"
    FILE_REMOVED = "sop:run_file:remove"
    HANDED_OVER = "sop:run:hand_over"
    COMPLETED = "sop:run:complete"
    CANCELLED = "sop:run:cancel"
    SCHEDULE_CREATED = "sop:schedule:create"
    SCHEDULE_CHANGED = "sop:schedule:change"
