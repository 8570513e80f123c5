"""Triggers of this plugin: history that nobody can change, sums that follow the measures."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures import ddl as measures

#: Tables whose rows are only ever added.
APPEND_ONLY = (
    "key_accounts_tier_decision",
    "key_accounts_opportunity_event",
    "key_accounts_stakeholder_change",
    "key_accounts_plan_version",
    "key_accounts_incident_entry",
)
TABLES = (*APPEND_ONLY, measures.TABLE)


def statements(dialect: str, table: str) -> list[str]:
    """The statements that protect one table. :param dialect: "sqlite" or "postgresql"."""
    if table == measures.TABLE:
        return measures.statements(dialect)
    message = f"{table} is append-only"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
    ]


def drop_statements(dialect: str, table: str) -> list[str]:
    """The statements that take the protection away, for a downgrade."""
    if table == measures.TABLE:
        return measures.drop_statements(dialect)
    if dialect == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete")]
    return [
        f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
        f"DROP FUNCTION IF EXISTS {table}_append_only()",
    ]


def protect(table: Any, connection: Any, **_more: Any) -> None:
    """SQLAlchemy event after_create."""
    for statement in statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)
