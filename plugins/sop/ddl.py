"""Triggers: what was submitted or published cannot change, and histories are append-only, whoever writes."""

from __future__ import annotations

from typing import Any

#: Tables to which rows are only added.
APPEND_ONLY = (
    "sop_acknowledgement",
    "sop_reading_try",
    "sop_run_event",
    "sop_programme_event",
    "sop_budget_choice",
    "sop_scorecard_value",
)

#: Content of a version: the column that leads to the version.
OF_VERSION = {
    "sop_chapter": "version_id",
    "sop_version_procedure": "version_id",
    "sop_question": "version_id",
    "sop_procedure_revision": "origin_version_id",
}
#: The history of a version: added to, and gone only with a draft that is thrown away.
HISTORY = "sop_version_event"
#: Content of a revision; it lives and freezes with the version in which the revision was made.
OF_REVISION = (
    "sop_step",
    "sop_revision_department",
    "sop_revision_role",
    "sop_revision_relation",
    "sop_attachment",
)
VERSION = "sop_manual_version"

TABLES = (*APPEND_ONLY, *OF_VERSION, *OF_REVISION, HISTORY, VERSION)


def _frozen(table: str, row: str) -> str:
    """SQL: whether a row (OLD or NEW) belongs to a version that is no draft. No version: being deleted with it."""
    if table in OF_VERSION or table == HISTORY:
        column = OF_VERSION.get(table, "version_id")
        return f"(SELECT state FROM sop_manual_version WHERE id = {row}.{column}) <> 'draft'"
    return (
        "(SELECT v.state FROM sop_procedure_revision r JOIN sop_manual_version v ON v.id = r.origin_version_id "
        f"WHERE r.id = {row}.revision_id) <> 'draft'"
    )


def _differs(*columns: str) -> str:
    return "(" + " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns) + ")"


#: What may not happen to a version. The end of a published one may be set, or moved to an earlier day.
_BAD_VERSION_CHANGE = " OR ".join(
    (
        f"(OLD.state <> 'draft' AND NEW.state <> 'draft' AND "
        f"{_differs('manual_id', 'base_id', 'major', 'minor', 'title', 'company', 'summary', 'content_digest')})",
        f"(OLD.state = 'published' AND {_differs('state', 'effective_from', 'request_id', 'published_at')})",
        "(OLD.state = 'draft' AND NEW.state = 'published')",
        "(OLD.effective_until IS NOT NULL AND "
        "(NEW.effective_until IS NULL OR NEW.effective_until > OLD.effective_until))",
    )
)


def _rules(table: str) -> dict[str, str]:
    """Verb → SQL condition under which it is refused."""
    if table in APPEND_ONLY:
        return {"UPDATE": "", "DELETE": ""}
    if table == HISTORY:
        return {"UPDATE": "", "DELETE": _frozen(table, "OLD")}
    if table == VERSION:
        begins = "NEW.state <> 'draft'"
        return {"INSERT": begins, "UPDATE": _BAD_VERSION_CHANGE, "DELETE": "OLD.state <> 'draft'"}
    old, new = _frozen(table, "OLD"), _frozen(table, "NEW")
    return {"INSERT": new, "UPDATE": f"{old} OR {new}", "DELETE": old}


def statements(dialect: str, table: str) -> list[str]:
    """The statements that protect one table. :param dialect: "sqlite" or "postgresql"."""
    message = f"{table} is append-only" if table in APPEND_ONLY else f"{table}: only drafts are changed"
    found: list[str] = []
    for verb, condition in _rules(table).items():
        name = f"{table}_no_{verb.lower()}"
        if dialect == "sqlite":
            when = f" WHEN {condition}" if condition else ""
            found.append(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table}{when} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            continue
        # A trigger's WHEN knows no subqueries on PostgreSQL, so the condition stands in the function.
        answer = "OLD" if verb == "DELETE" else "NEW"
        found.append(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {condition or 'true'} THEN RAISE EXCEPTION '{message}'; END IF; RETURN {answer}; END $$"
        )
        found.append(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    return found


def drop_statements(dialect: str, table: str) -> list[str]:
    """The statements that take the protection away, for a downgrade."""
    found: list[str] = []
    for verb in _rules(table):
        name = f"{table}_no_{verb.lower()}"
        if dialect == "sqlite":
            found.append(f"DROP TRIGGER IF EXISTS {name}")
        else:
            found += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return found


def protect(table: Any, connection: Any, **_more: Any) -> None:
    """SQLAlchemy event after_create."""
    for statement in statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)
