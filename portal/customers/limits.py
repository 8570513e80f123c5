"""How often somebody may search in an hour (security statement 66): far more than anybody types, far less than a script
that wants to read all names."""

from __future__ import annotations

from portal.core import settings
from portal.core.permissions import Actor
from portal.core.rates import rates, too_many
from portal.core.settings import Setting
from portal.i18n import _, _l

LEAST = 100
SEARCHES = Setting(
    "customers.searches_hour",
    "int",
    1800,
    _l("Searches in an hour, at most"),
    _l(
        "For each person: search page, command palette, fields that look customers up. Each web process counts its own."
    ),
    minimum=LEAST,
    maximum=100_000,
)


def count_search(actor: Actor) -> None:
    """Count one search. :raises TooMany: the actor searched more often than he may in an hour."""
    again_at = rates().take(f"search:{actor.user_id}", LEAST, lambda: int(settings.get(SEARCHES.key)))
    if again_at is not None:
        raise too_many(_("You have searched unusually often within an hour."), again_at)
