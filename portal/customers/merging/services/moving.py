"""The rows that go from one customer to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal, select

from portal.customers.references import MOVE, Reference, customer_references
from portal.extensions import db


@dataclass(frozen=True)
class Moving:
    """Rows of one table that a merge moves (or that stay)."""

    name: str
    rows: int
    stays: int


def movings(kept_id: int, merged_id: int) -> list[Moving]:
    """What a merge would move, table by table; for the preview."""
    found = []
    for reference in customer_references():
        if reference.on_merge != MOVE:
            continue
        rows = rows_of(reference, merged_id, kept_id)
        if rows:
            found.append(Moving(reference.name, len(rows), len(clashes_of(reference, kept_id, merged_id, rows))))
    return found


def rows_of(reference: Reference, merged_id: int, kept_id: int) -> list[int]:
    """Ids of the rows that refer to the merged customer."""
    statement = select(reference.table.c.id).where(reference.column == merged_id).order_by(reference.table.c.id)
    if reference.table.name == "customer":
        # The kept record cannot refer to itself, the merged one stays as it was.
        statement = statement.where(reference.table.c.id.not_in([kept_id, merged_id]))
    return list(db.session.scalars(statement))


def clashes_of(reference: Reference, kept_id: int, merged_id: int, rows: Sequence[int]) -> set[int]:
    """Rows that the kept customer has already, by the declared `unique_with`."""
    if reference.unique_with is None or not rows:
        return set()
    # Without further columns there is at most one row: a constant compares equal.
    columns: list[ColumnElement[Any]] = [reference.table.c[name] for name in reference.unique_with] or [literal(1)]
    there = {tuple(row) for row in db.session.execute(select(*columns).where(reference.column == kept_id))}
    mine = db.session.execute(select(reference.table.c.id, *columns).where(reference.column == merged_id))
    return {row[0] for row in mine if tuple(row[1:]) in there}
