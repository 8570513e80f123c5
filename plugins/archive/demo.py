"""Archive data of the demo company."""

from __future__ import annotations

from portal.org.actor import Actor


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
