"""The import of customers with their contacts."""

from __future__ import annotations

from portal.customers.importing.customers.fields import CONTACT_KNOWN
from portal.customers.importing.customers.target import CustomerTarget

__all__ = [
    "CONTACT_KNOWN",
    "CustomerTarget",
]
