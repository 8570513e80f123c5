"""Triggers of this plugin's tables: what is kept as proof stays as it was written, whoever writes."""

from __future__ import annotations

from typing import Any

from plugins.archive.copies import ddl as copies

#: Tables whose rows are never changed or removed.
TABLES: tuple[str, ...] = (
    "archive_supplement",
    *copies.TABLES,
)


def statements(dialect: str, table: str) -> list[str]:
    """The statements that protect one table. :param dialect: "sqlite" or "postgresql"."""
    if table in copies.TABLES:
        return copies.statements(dialect, table)
    message = f"{table} is append-only"
    # A merge of customers moves rows to the kept customer: the one column that may change.
    return _free_column(dialect, table, "customer_id", message)


def _free_column(dialect: str, table: str, free: str, message: str) -> list[str]:
    if dialect == "sqlite":
        same = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT_COLUMNS[table])
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN {same} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ]
    same = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT_COLUMNS[table])
    return [
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF TG_OP = 'DELETE' OR {same} THEN RAISE EXCEPTION '{message}'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
    ]


_KEPT_COLUMNS: dict[str, tuple[str, ...]] = {
    "archive_supplement": (
        "id",
        "change_id",
        "phase",
        "dated_on",
        "body",
        "written_by_id",
        "posted_at",
        "posted_by_id",
    ),
}


def drop_statements(dialect: str, table: str) -> list[str]:
    """The statements that take the protection away, for a downgrade."""
    if table in copies.TABLES:
        return copies.drop_statements(dialect, table)
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
