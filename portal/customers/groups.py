"""Sums kept by group of customers: those of one department, account manager and status.

Whether somebody sees a customer mostly follows from these three alone; then sums over what he sees are sums over
groups.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, SelectBase, Table, TextClause
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause

#: What the customers of a group have in common; the names of its table's columns.
SHARED = ("department_id", "account_manager_id", "status")


def asked_of_groups(condition: ColumnElement[bool], groups: Any) -> ColumnElement[bool] | None:
    """A condition on customers as one on the rows of a model that has the columns SHARED.

    None when it speaks of anything else: such a condition may hold for one customer of a group and not for another.
    """
    columns = {name: groups.__table__.c[name] for name in SHARED}
    for element in visitors.iterate(condition):
        if isinstance(element, FromClause | SelectBase | TextClause):
            return None
        if isinstance(element, ColumnClause):
            table = element.table
            if not isinstance(table, Table) or table.name != "customer" or element.name not in columns:
                return None

    def replace(element: Any, **_more: Any) -> Any:
        return columns[element.name] if isinstance(element, ColumnClause) else None

    return visitors.replacement_traverse(condition, {}, replace)
