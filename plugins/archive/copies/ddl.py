"""Triggers of the register of copies: the order of the steps, what never changes, and what is never removed.

The table of allowed steps is `copies.states`: an update past it is refused by the database itself, whoever writes.
"""

from __future__ import annotations

from typing import Any

from plugins.archive.copies.states import RESERVED, TRANSITIONS

COPY, EVENT = "archive_copy", "archive_copy_event"
TABLES: tuple[str, ...] = (COPY, EVENT)
#: Columns of a copy that stay as they were written.
_KEPT = (
    "id",
    "number",
    "token",
    "grant_id",
    "holder_id",
    "holder_name",
    "holder_department",
    "reserved_at",
    "replaces_id",
)


def _steps() -> str:
    pairs = sorted({(before, after) for step in TRANSITIONS.values() for before, after in step.items()})
    return " OR ".join(f"(OLD.state = '{before}' AND NEW.state = '{after}')" for before, after in pairs)


def statements(dialect: str, table: str) -> list[str]:
    """The statements that protect one table. :param dialect: "sqlite" or "postgresql"."""
    if table == EVENT:
        return _append_only(dialect)
    distinct = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    changed = " OR ".join(f"NEW.{name} {distinct} OLD.{name}" for name in _KEPT)
    wrong = f"({changed}) OR (NEW.state <> OLD.state AND NOT ({_steps()}))"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {COPY}_steps BEFORE UPDATE ON {COPY} WHEN {wrong} "
            f"BEGIN SELECT RAISE(ABORT, 'this step of a copy is not allowed'); END",
            f"CREATE TRIGGER {COPY}_begin BEFORE INSERT ON {COPY} WHEN NEW.state <> '{RESERVED}' "
            f"BEGIN SELECT RAISE(ABORT, 'a copy begins reserved'); END",
            f"CREATE TRIGGER {COPY}_no_delete BEFORE DELETE ON {COPY} "
            f"BEGIN SELECT RAISE(ABORT, 'copies stay in the register'); END",
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {COPY}_steps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'copies stay in the register'; END IF; "
        f"IF TG_OP = 'INSERT' THEN IF NEW.state <> '{RESERVED}' THEN RAISE EXCEPTION 'a copy begins reserved'; END IF; "
        f"RETURN NEW; END IF; "
        f"IF {wrong} THEN RAISE EXCEPTION 'this step of a copy is not allowed'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {COPY}_steps BEFORE INSERT OR UPDATE OR DELETE ON {COPY} "
        f"FOR EACH ROW EXECUTE FUNCTION {COPY}_steps()",
    ]


def _append_only(dialect: str) -> list[str]:
    message = f"{EVENT} is append-only"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {EVENT}_no_{verb.lower()} BEFORE {verb} ON {EVENT} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {EVENT}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$",
        f"CREATE TRIGGER {EVENT}_append_only BEFORE UPDATE OR DELETE ON {EVENT} "
        f"FOR EACH ROW EXECUTE FUNCTION {EVENT}_append_only()",
    ]


def drop_statements(dialect: str, table: str) -> list[str]:
    """The statements that take the protection away, for a downgrade."""
    if dialect == "sqlite":
        names = ("steps", "begin", "no_delete") if table == COPY else ("no_update", "no_delete")
        return [f"DROP TRIGGER IF EXISTS {table}_{name}" for name in names]
    name = f"{table}_steps" if table == COPY else f"{table}_append_only"
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]


def protect(table: Any, connection: Any, **_more: Any) -> None:
    """SQLAlchemy event after_create."""
    for statement in statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)
