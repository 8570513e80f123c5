"""Actions of this module in the audit trail."""

from __future__ import annotations

from enum import StrEnum


class CustomerAction(StrEnum):
    """ "source:subject:verb" of everything that is done to customers, contacts and interactions."""

    CREATE = "customers:customer:create"
    CHANGE = "customers:customer:change"
    STAGE = "customers:customer:stage"
    QUALIFY = "customers:customer:qualify"
    ASSIGN = "customers:customer:assign"
    HAND_OVER = "customers:customer:hand_over"
    REVEAL = "customers:phone:reveal"
    WHO_CAN_SEE = "customers:customer:who_can_see"
    CONTACT_ADD = "customers:contact:add"
    CONTACT_CHANGE = "customers:contact:change"
    CONTACT_DEACTIVATE = "customers:contact:deactivate"
    CONTACT_REACTIVATE = "customers:contact:reactivate"
    INTERACTION_RECORD = "customers:interaction:record"
    INTERACTION_CHANGE = "customers:interaction:change"
    INTERACTION_CANCEL = "customers:interaction:cancel"
    STEP_PLAN = "customers:step:plan"
    STEP_CHANGE = "customers:step:change"
    STEP_FINISH = "customers:step:finish"
    STEP_CANCEL = "customers:step:cancel"
    PHONE_LOOKUP = "customers:phone:lookup"
    MERGE = "customers:customer:merge"
    UNMERGE = "customers:customer:unmerge"
    IMPORT_START = "customers:import:start"
    IMPORT = "customers:import:import"
    IMPORT_UNDO = "customers:import:undo"
    EXPORT = "customers:export:export"
    EXPORT_REQUEST = "customers:export:file"
    EXPORT_DOWNLOAD = "customers:export:download"
