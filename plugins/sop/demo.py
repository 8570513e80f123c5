"""SOP data of the demo company. Each area has a function of its own; they run in this order."""

from __future__ import annotations

from plugins.sop.manuals import demo as manual_demo
from plugins.sop.programme import demo as programme_demo
from plugins.sop.runs import demo as run_demo
from portal.org.actor import Actor


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    # Manuals come first: runs need what is effective.
    manual_demo.load(actor)
    run_demo.load(actor)
    programme_demo.load(actor)
