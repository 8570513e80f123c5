"""Putting a row on the stage."""

from __future__ import annotations

from typing import Any

from portal.extensions import db


def saved(row: Any) -> int:
    """Add the row in the transaction of the caller; its id."""
    db.session.add(row)
    db.session.flush()
    return int(row.id)
