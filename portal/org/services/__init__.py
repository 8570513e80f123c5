"""People, departments, delegations, leaving: the rules and the writes. Called inside a transaction; only flushes."""

from __future__ import annotations

from portal.org.services.delegations import DelegationInput, create_delegation, revoke_delegation
from portal.org.services.departments import (
    DepartmentInput,
    close_department,
    create_department,
    department_input,
    edit_department,
    reopen_department,
)
from portal.org.services.leaving import LeavingInput, deactivate_person, reactivate_person
from portal.org.services.people import (
    PersonInput,
    ProfileInput,
    create_person,
    edit_person,
    person_input,
    set_preferences,
    set_profile,
)

__all__ = [
    "DelegationInput",
    "DepartmentInput",
    "LeavingInput",
    "PersonInput",
    "ProfileInput",
    "close_department",
    "create_delegation",
    "create_department",
    "create_person",
    "deactivate_person",
    "department_input",
    "edit_department",
    "edit_person",
    "person_input",
    "reactivate_person",
    "reopen_department",
    "revoke_delegation",
    "set_preferences",
    "set_profile",
]
