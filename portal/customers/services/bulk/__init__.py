"""Many customers at once, for imports: checked one by one beforehand, written together.

The rules are those of `create_customer` and `change_customer`; only the writing is done in few statements.
"""

from __future__ import annotations

from portal.customers.services.bulk.base import COLUMNS, Errors, Prepared
from portal.customers.services.bulk.checking import (
    contact_column,
    contact_differs,
    differs,
    held_problems,
    place,
    prepare_contact,
    prepare_customer,
    same_contact,
)
from portal.customers.services.bulk.undoing import obstacles_to_removal, remove_created, restore_changed
from portal.customers.services.bulk.writing import change_prepared, create_prepared

__all__ = [
    "COLUMNS",
    "Errors",
    "Prepared",
    "change_prepared",
    "contact_column",
    "contact_differs",
    "create_prepared",
    "differs",
    "held_problems",
    "obstacles_to_removal",
    "place",
    "prepare_contact",
    "prepare_customer",
    "remove_created",
    "restore_changed",
    "same_contact",
]
