"""Triggers that carry `purchase_month` on into `purchase_group_month`, whoever writes and whoever moves customers.

The sums by department and account manager change with purchases and with the assignment of customers; the database does
both in the statement that changes them, so that no import, merge or hand-over can forget it. A migration that rebuilds
the table `customer` or `purchase_month` on SQLite must run `statements` again.
"""

from __future__ import annotations

from typing import Any

_SUMS = ("total", "cost", "total_high_middle", "count")
_MOVED = ("department_id", "account_manager_id", "status")


def _carry(sign: str, customer: str, months: str, source: str) -> str:
    """INSERT that adds months to the group of a customer (or takes them away).

    :param customer: alias of the customer's row. :param months: alias of the row(s) of purchase_month.
    :param source: FROM and WHERE.
    """
    keys = "department_id, account_manager_id, manager_key, status, year, month"
    added = ", ".join(f"{name} = purchase_group_month.{name} + excluded.{name}" for name in _SUMS)
    return (
        f"INSERT INTO purchase_group_month ({keys}, {', '.join(_SUMS)}) "
        f"SELECT {customer}.department_id, {customer}.account_manager_id, coalesce({customer}.account_manager_id, 0), "
        f"{customer}.status, {months}.year, {months}.month, {', '.join(f'{sign}{months}.{name}' for name in _SUMS)} "
        f"{source} "
        f"ON CONFLICT (department_id, manager_key, status, year, month) DO UPDATE SET {added};"
    )


def _of_month(row: str, sign: str) -> str:
    return _carry(sign, "c", row, f"FROM customer c WHERE c.id = {row}.customer_id")


def _of_customer(row: str, sign: str) -> str:
    return _carry(sign, row, "m", f"FROM purchase_month m WHERE m.customer_id = {row}.id")


#: Trigger → (when, table, on which condition, body).
_BODIES = {
    "purchase_month_added": ("INSERT", "purchase_month", False, _of_month("NEW", "")),
    "purchase_month_gone": ("DELETE", "purchase_month", False, _of_month("OLD", "-")),
    "purchase_month_changed": (
        "UPDATE",
        "purchase_month",
        False,
        _of_month("OLD", "-") + " " + _of_month("NEW", ""),
    ),
    "purchase_group_customer_moved": (
        f"UPDATE OF {', '.join(_MOVED)}",
        "customer",
        True,
        _of_customer("OLD", "-") + " " + _of_customer("NEW", ""),
    ),
}


def statements(dialect: str) -> list[str]:
    """Statements that create the triggers. :param dialect: "sqlite" or "postgresql"."""
    found = []
    for name, (when, table, moved, body) in _BODIES.items():
        if dialect == "sqlite":
            different = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _MOVED)
            condition = f"WHEN {different} " if moved else ""
            found.append(f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW {condition}BEGIN {body} END")
        else:
            different = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _MOVED)
            condition = f"WHEN ({different}) " if moved else ""
            found += [
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {body} RETURN NULL; END $$",
                f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {name}()",
            ]
    return found


def drop_statements(dialect: str) -> list[str]:
    """Statements that take the triggers away, for a downgrade."""
    found = []
    for name, (_when, table, _moved, _body) in _BODIES.items():
        if dialect == "sqlite":
            found.append(f"DROP TRIGGER IF EXISTS {name}")
        else:
            found += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return found


def create_triggers(_table: Any, connection: Any, **_more: Any) -> None:
    """SQLAlchemy event after_create of the table purchase_group_month."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
