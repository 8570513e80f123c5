"""Which columns of which tables refer to a row: read from the tables themselves, so that no plugin is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, literal, select

from portal.extensions import db

MOVE, KEEP, REBUILD = "move", "keep", "rebuild"


@dataclass(frozen=True)
class Reference:
    """A column that refers to a row of another table by its `id`."""

    table: Table
    column: Column[Any]

    @property
    def name(self) -> str:
        """ "table.column"."""
        return f"{self.table.name}.{self.column.name}"

    @property
    def on_merge(self) -> str:
        """What a merge does with it: move, keep or rebuild (see portal.customers.models)."""
        return str(self.column.info.get("merge", ""))

    @property
    def unique_with(self) -> tuple[str, ...] | None:
        """The columns beside which the kept customer has at most one row; None when it may have any number."""
        found = self.column.info.get("unique_with")
        return None if found is None else tuple(found)

    @property
    def is_traceable(self) -> bool:
        """Whether single rows can be named: one integer primary key `id`."""
        return [column.name for column in self.table.primary_key.columns] == ["id"]


def references_to(table_name: str) -> list[Reference]:
    """All columns with a foreign key to `table_name`.id, in the order of table and column names."""
    found = []
    for table in sorted(db.metadata.tables.values(), key=lambda table: table.name):
        for column in table.columns:
            if any(key.column.table.name == table_name and key.column.name == "id" for key in column.foreign_keys):
                found.append(Reference(table, column))
    return found


def customer_references() -> list[Reference]:
    """All columns that refer to a customer. :raises LookupError: when one does not say what a merge does with it."""
    found = references_to("customer")
    for reference in found:
        if reference.on_merge not in (MOVE, KEEP, REBUILD):
            raise LookupError(f"{reference.name} does not say what a merge does with it")
        if reference.on_merge == MOVE and not reference.is_traceable:
            raise LookupError(
                f"{reference.table.name} has no primary key of one column `id`: its rows cannot be traced"
            )
    return found


def referring(table_name: str, ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """Rows that refer to rows: id → (table, id of the referring row; 0 where it has none). One statement per column.

    Rows that are made anew from others (the search index) are left out.
    """
    found: dict[int, list[tuple[str, int]]] = {}
    for reference in references_to(table_name):
        if reference.on_merge == REBUILD:
            continue
        row_id: Any = reference.table.c.id if reference.is_traceable else literal(0)
        for target, other in db.session.execute(select(reference.column, row_id).where(reference.column.in_(ids))):
            found.setdefault(target, []).append((reference.table.name, other))
    return found
