"""A field of forms: any customer of the company."""

from __future__ import annotations

from plugins.archive.lookups import queries
from portal.auth.current import current_actor
from portal.core.forms import IdField
from portal.customers.search import search
from portal.i18n import _


class AnyCustomerField(IdField):
    """A customer, whoever looks after it: that it exists everybody in the company may know."""

    picks = "archive_lookups.customers"

    def name_of(self, value: int) -> str:
        """The name."""
        found = queries.existing([value])
        return found[0].name if found else ""

    def find(self, text: str) -> int | None:
        """By the exact name, when only one customer has it, or as the only hit of the search."""
        hits = search(current_actor(), text, limit=5)
        exact = [hit for hit in hits if hit.name == text]
        chosen = exact or hits
        return chosen[0].customer_id if len(chosen) == 1 else None

    def refusal(self) -> str:
        """What is said when a text means no customer, or more than one."""
        return _(
            "No customer, or more than one, is called “%(text)s”. Type the full name or choose from the list.",
            text=self.text,
        )
