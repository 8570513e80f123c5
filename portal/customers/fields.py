"""Fields of forms: a customer, a region."""

from __future__ import annotations

from flask import url_for

from portal.auth.current import current_actor
from portal.core import regions
from portal.core.forms import IdField, PickedField
from portal.core.permissions import can
from portal.core.text import clean_name
from portal.customers import queries
from portal.customers.permissions import CREATE, VIEW
from portal.customers.search import search

CODE_LENGTH = 40


class CustomerField(IdField):
    """A customer that the reader may see.

    :cvar permission: what the reader must be allowed to do with a customer that a text shall mean.
    """

    picks = "customers.pick"
    permission = VIEW

    @property
    def create_url(self) -> str | None:  # type: ignore[override]
        """The page for a new customer, for those who may create one."""
        return url_for("customers.create") if can(current_actor(), CREATE) else None

    def name_of(self, value: int) -> str:
        """The name, of visible customers alone."""
        found = queries.pick(current_actor(), [value])
        return found[0][1] if found else ""

    def find(self, text: str) -> int | None:
        """By the exact name, when only one customer has it, or as the only hit of the search."""
        actor = current_actor()
        hits = search(actor, text, limit=5, only_visible=True)
        if self.permission != VIEW:
            hits = [hit for hit in hits if can(actor, self.permission, hit.customer_id)]
        exact = [hit for hit in hits if hit.name == text]
        chosen = exact if len(exact) == 1 else hits
        return chosen[0].customer_id if len(chosen) == 1 else None


class RegionField(PickedField):
    """A region by its six-digit code; without script by code or name."""

    picks = "customers.pick_region"
    data: str | None

    def read(self, text: str) -> str | None:
        """A code; whether there is such a region, the service checks."""
        return clean_name(text)[:CODE_LENGTH] or None

    def name_of(self, value: str) -> str:
        """The full name."""
        return regions.full_name(value)

    def find(self, text: str) -> str | None:
        """By code or name."""
        found = regions.region(text) if text.isdecimal() else regions.find(text)
        return found.code if found else None
