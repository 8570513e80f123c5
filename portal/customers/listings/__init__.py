"""The lists of this module: customers, contacts, interactions. Each shows only what `visible` allows."""

from __future__ import annotations

from portal.customers.listings.contacts import CONTACTS, birthday_label, contacts_listing
from portal.customers.listings.customers import CUSTOMERS, STAGE_TONES, customers_listing, stage_tag
from portal.customers.listings.interactions import INTERACTIONS, interactions_listing
from portal.customers.listings.narrowing import IDLE_SETTING, idle_days, region_label

__all__ = [
    "CONTACTS",
    "CUSTOMERS",
    "IDLE_SETTING",
    "INTERACTIONS",
    "STAGE_TONES",
    "birthday_label",
    "contacts_listing",
    "customers_listing",
    "idle_days",
    "interactions_listing",
    "region_label",
    "stage_tag",
]
