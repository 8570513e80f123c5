"""Names of what this module writes into the audit trail."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """source:subject:verb"""

    PERSON_CREATE = "org:person:create"
    PERSON_EDIT = "org:person:edit"
    PERSON_DEACTIVATE = "org:person:deactivate"
    PERSON_REACTIVATE = "org:person:reactivate"
    PROFILE_EDIT = "org:person:edit_profile"
    DEPARTMENT_CREATE = "org:department:create"
    DEPARTMENT_EDIT = "org:department:edit"
    DEPARTMENT_CLOSE = "org:department:close"
    DEPARTMENT_REOPEN = "org:department:reopen"
    DELEGATION_CREATE = "org:delegation:create"
    DELEGATION_REVOKE = "org:delegation:revoke"
