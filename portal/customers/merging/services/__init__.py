"""Merging two customers, and undoing it; generic over every table that refers to a customer.

Every value that a merge changes is kept (table, row, column, before, after), so that an undo puts back exactly
these and refuses when one of them was changed since.
"""

from __future__ import annotations

from portal.customers.merging.services.base import CHUNK, KEPT, MERGED, require_merger
from portal.customers.merging.services.merge import MergeInput, merge_customers, refuse_against_held, require_merge
from portal.customers.merging.services.moving import Moving, movings
from portal.customers.merging.services.shown import ShownChange, shown_changes
from portal.customers.merging.services.undo import get_merge, obstacles, undo_merge

__all__ = [
    "CHUNK",
    "KEPT",
    "MERGED",
    "MergeInput",
    "Moving",
    "ShownChange",
    "get_merge",
    "merge_customers",
    "movings",
    "obstacles",
    "refuse_against_held",
    "require_merge",
    "require_merger",
    "shown_changes",
    "undo_merge",
]
