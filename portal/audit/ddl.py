"""What the database itself refuses: changing, removing or emptying the audit trail.

The only update let through is an erasure: `private` and `private_salt` become NULL and the label empty, everything
else stays. The first row of the head is written here too.
"""

from __future__ import annotations

GENESIS = "0" * 64

#: Columns that no update may touch.
FIXED = (
    "seq", "at", "actor_id", "actor_name", "on_behalf_of_id", "action", "object_type", "object_id", "customer_id",
    "old_values", "new_values", "private_hash", "ip", "session_hint", "result", "reason", "previous_hash", "hash",
)  # fmt: skip

_HEAD_ROW = f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{GENESIS}')"


def statements(dialect: str) -> list[str]:
    """Everything for a database that has both tables already (migrations)."""
    return entry_statements(dialect) + head_statements(dialect)


def entry_statements(dialect: str) -> list[str]:
    """Triggers of `audit_entry`. :param dialect: "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in FIXED)
        return [
            "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
            "WHEN NOT (NEW.private IS NULL AND NEW.private_salt IS NULL AND NEW.object_label = '' "
            f"AND {same}) "
            "BEGIN SELECT RAISE(ABORT, 'audit entries cannot be changed'); END",
            "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'audit entries cannot be removed'); END",
        ]
    same = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in FIXED)
    return [
        "CREATE OR REPLACE FUNCTION audit_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN "
        f"IF NEW.private IS NULL AND NEW.private_salt IS NULL AND NEW.object_label = '' AND {same} "
        "THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION 'audit entries cannot be changed'; END IF; "
        "RAISE EXCEPTION 'audit entries cannot be removed'; END $$",
        "CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_guard()",
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_guard()",
    ]


def head_statements(dialect: str) -> list[str]:
    """First row and triggers of `audit_head`: it only moves forward."""
    if dialect == "sqlite":
        return [
            _HEAD_ROW,
            "CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head WHEN NEW.seq <= OLD.seq "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END",
            "CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail has a head'); END",
        ]
    return [
        _HEAD_ROW,
        "CREATE OR REPLACE FUNCTION audit_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN IF NEW.seq > OLD.seq THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION 'the audit trail only grows'; END IF; "
        "RAISE EXCEPTION 'the audit trail has a head'; END $$",
        "CREATE TRIGGER audit_head_forward BEFORE UPDATE OR DELETE ON audit_head "
        "FOR EACH ROW EXECUTE FUNCTION audit_head_guard()",
        "CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_head_guard()",
    ]


def drop_statements(dialect: str) -> list[str]:
    """Undo, for the way down of a migration (before the tables are dropped)."""
    if dialect == "sqlite":
        names = ("audit_entry_no_update", "audit_entry_no_delete", "audit_head_forward", "audit_head_no_delete")
        return [f"DROP TRIGGER IF EXISTS {name}" for name in names]
    return [
        "DROP TRIGGER IF EXISTS audit_entry_no_change ON audit_entry",
        "DROP TRIGGER IF EXISTS audit_entry_no_truncate ON audit_entry",
        "DROP TRIGGER IF EXISTS audit_head_forward ON audit_head",
        "DROP TRIGGER IF EXISTS audit_head_no_truncate ON audit_head",
        "DROP FUNCTION IF EXISTS audit_entry_guard()",
        "DROP FUNCTION IF EXISTS audit_head_guard()",
    ]
