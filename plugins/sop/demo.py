"""SOP data of the demo company. Each area has a function of its own; they run in this order."""

from __future__ import annotations

from portal.org.actor import Actor


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
