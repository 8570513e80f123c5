"""Key accounts of the demo company; each area fills its own part, in this order."""

from __future__ import annotations

from collections.abc import Callable

from plugins.key_accounts.care import demo as care_demo
from plugins.key_accounts.tiers import demo as tiers_demo
from portal.org.actor import Actor

#: Called one after the other; each takes the system actor. An area that builds on another stands below it.
PARTS: list[Callable[[Actor], None]] = [
    tiers_demo.load,
    care_demo.load,
]


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    for part in PARTS:
        part(actor)
