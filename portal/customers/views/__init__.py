"""Pages of customers, contacts, interactions."""

from portal.customers.views import contacts, interactions, records
from portal.customers.views.base import blueprint

__all__ = ["blueprint", "contacts", "interactions", "records"]
