"""Pages of the plugin key_accounts and what it puts on the stage."""

from __future__ import annotations

from typing import Any

from tests.access.letters import RECORD
from tests.world import World

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {}
MATRIX: dict[str, str] = {
    "GET /key-accounts/customers/<int:customer_id>": RECORD,
}


def build(stage: Any, world: World) -> None:
    """One object of every kind of the plugin."""
