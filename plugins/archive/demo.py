"""Archive data of the demo company."""

from __future__ import annotations

from plugins.archive.dossiers import demo as dossiers
from plugins.archive.lookups import demo as lookups
from plugins.archive.reports import demo as reports
from portal.org.actor import Actor


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    reports.load()
    dossiers.load()
    lookups.load()
