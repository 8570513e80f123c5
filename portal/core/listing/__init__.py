"""Lists: filters, scenes, sorting, chosen columns, saved views, keyset paging, bulk selection, export.

A module defines a `Listing` once (hook register_listings); the view asks `listing.page(actor, request.args)` and the
template draws the answer with ``macros/listing.html``. Everything a person chose is in the URL. Conditions that most
filters want stand in `portal.core.listing.conditions`.
"""

from portal.core.listing.definition import (
    BulkAction,
    CellContext,
    Column,
    EmptyText,
    Filter,
    FilterValue,
    Listing,
    Scene,
)
from portal.core.listing.page import ListPage

__all__ = [
    "BulkAction",
    "CellContext",
    "Column",
    "EmptyText",
    "Filter",
    "FilterValue",
    "ListPage",
    "Listing",
    "Scene",
]
