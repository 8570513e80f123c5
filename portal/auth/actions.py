"""Names of what this module writes into the audit trail."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """source:subject:verb"""

    LOG_IN = "auth:session:log_in"
    LOG_IN_FAILED = "auth:session:log_in_failed"
    LOG_OUT = "auth:session:log_out"
    SESSION_END = "auth:session:end"
    CONFIRM = "auth:session:confirm"
    CONFIRM_FAILED = "auth:session:confirm_failed"
    PASSWORD_CHANGE = "auth:password:change"
    PASSWORD_RESET = "auth:password:reset"
    ACCESS_REFUSED = "auth:access:refuse"
    SETTING_CHANGE = "settings:setting:change"
    PLUGIN_SWITCH = "settings:plugin:switch"
