"""Audit actions of introduction programmes."""

from __future__ import annotations

from enum import StrEnum


class ProgrammeAction(StrEnum):
    """What is recorded of introduction programmes."""

    CREATED = "sop:programme:create"
    CHANGED = "sop:programme:change"
    STATE_CHANGED = "sop:programme:state"
    STEP_MOVED = "sop:programme_step:move"
    STEP_CHANGED = "sop:programme_step:change"
    BUDGET_CHOSEN = "sop:programme_budget:choose"
    ASSESSED = "sop:assessment:save"
    SCORED = "sop:scorecard:save"
