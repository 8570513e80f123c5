"""Triggers that carry the measures on into their sums by department, account manager and tier.

The sums change with the measures and with the assignment of customers; the database does both in the statement that
changes them, so that no import, merge or hand-over can forget it. Every new customer gets an empty measure in the same
way. A migration that rebuilds the table `customer` on SQLite must run `statements` again.

On PostgreSQL the sums of a statement are carried on together (transition tables): two hundred thousand measures written
at once touch each group once.
"""

from __future__ import annotations

TABLE = "key_accounts_portfolio_group"
_SUMS = ("customers", "sales", "goods_cost", "contact_cost", "profit", "minutes")
_KEY = ("department_id", "account_manager_id", "manager_key", "status", "tier", "proposal")
_CONFLICT = "department_id, manager_key, status, tier, proposal"
_MOVED = ("department_id", "account_manager_id", "status")
_CARRIED = ("sales", "goods_cost", "contact_cost", "profit", "minutes", "tier", "proposal")
#: A new customer's measure: nothing yet, and nothing to rank.
_EMPTY = (
    "INSERT INTO key_accounts_measure (customer_id, sales, goods_cost, orders, sales_before, contacts, minutes, "
    "expenses, contact_cost, profit, repeat_years, paid_orders, paid_days, open_amount, abc, tier, proposal, "
    "changed_at) SELECT NEW.id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', 'ordinary', {epoch} "
    "WHERE NEW.status <> 'merged';"
)
_GONE = "DELETE FROM key_accounts_measure WHERE customer_id = OLD.id;"


def _columns(customer: str, measure: str, sign: str) -> str:
    values = [f"{sign}1", *(f"{sign}{measure}.{name}" for name in _SUMS[1:])]
    return (
        f"{customer}.department_id, {customer}.account_manager_id, coalesce({customer}.account_manager_id, 0), "
        f"{customer}.status, {measure}.tier, {measure}.proposal, {', '.join(values)}"
    )


def _carry(source: str) -> str:
    """INSERT that adds rows to their groups. :param source: SELECT with the key and the sums."""
    added = ", ".join(f"{name} = {TABLE}.{name} + excluded.{name}" for name in _SUMS)
    return (
        f"INSERT INTO {TABLE} ({', '.join((*_KEY, *_SUMS))}) {source} ON CONFLICT ({_CONFLICT}) DO UPDATE SET {added};"
    )


def _of_measure(row: str, sign: str) -> str:
    return _carry(f"SELECT {_columns('c', row, sign)} FROM customer c WHERE c.id = {row}.customer_id")


def _of_customer(row: str, sign: str) -> str:
    return _carry(f"SELECT {_columns(row, 'm', sign)} FROM key_accounts_measure m WHERE m.customer_id = {row}.id")


_MOVE = f"{_of_customer('OLD', '-')} {_of_customer('NEW', '')}"


def _together(gone: bool, came: bool) -> str:
    """The carrying of a whole statement on PostgreSQL, from its transition tables."""
    names = (*_KEY, *_SUMS)
    parts = []
    if gone:
        parts.append(f"SELECT {_columns('c', 'm', '-')} FROM gone m JOIN customer c ON c.id = m.customer_id")
    if came:
        parts.append(f"SELECT {_columns('c', 'm', '')} FROM came m JOIN customer c ON c.id = m.customer_id")
    sums = ", ".join(f"sum({name})" for name in _SUMS)
    nonzero = " OR ".join(f"sum({name}) <> 0" for name in _SUMS)
    keys = ", ".join(_KEY)
    # In the order of the key, so that two writers lock the groups in one order.
    return _carry(
        f"SELECT {keys}, {sums} FROM ({' UNION ALL '.join(parts)}) AS x ({', '.join(names)}) "
        f"GROUP BY {keys} HAVING {nonzero} ORDER BY {keys}"
    )


def _different(columns: tuple[str, ...], word: str) -> str:
    return " OR ".join(f"OLD.{name} {word} NEW.{name}" for name in columns)


def statements(dialect: str) -> list[str]:
    """Statements that create the triggers. :param dialect: "sqlite" or "postgresql"."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER key_accounts_measure_added AFTER INSERT ON key_accounts_measure "
            f"BEGIN {_of_measure('NEW', '')} END",
            f"CREATE TRIGGER key_accounts_measure_gone AFTER DELETE ON key_accounts_measure "
            f"BEGIN {_of_measure('OLD', '-')} END",
            f"CREATE TRIGGER key_accounts_measure_changed AFTER UPDATE ON key_accounts_measure "
            f"WHEN {_different(_CARRIED, 'IS NOT')} BEGIN {_of_measure('OLD', '-')} {_of_measure('NEW', '')} END",
            f"CREATE TRIGGER key_accounts_customer_moved AFTER UPDATE OF {', '.join(_MOVED)} ON customer "
            f"WHEN {_different(_MOVED, 'IS NOT')} BEGIN {_MOVE} END",
            f"CREATE TRIGGER key_accounts_customer_added AFTER INSERT ON customer "
            f"BEGIN {_EMPTY.format(epoch=_epoch(dialect))} END",
            f"CREATE TRIGGER key_accounts_customer_gone BEFORE DELETE ON customer BEGIN {_GONE} END",
        ]
    found = []
    for name, event, gone, came, tables in (
        ("added", "INSERT", False, True, "NEW TABLE AS came"),
        ("gone", "DELETE", True, False, "OLD TABLE AS gone"),
        ("changed", "UPDATE", True, True, "OLD TABLE AS gone NEW TABLE AS came"),
    ):
        found += _postgresql(
            f"key_accounts_measure_{name}",
            f"AFTER {event} ON key_accounts_measure REFERENCING {tables} FOR EACH STATEMENT",
            f"{_together(gone, came)} RETURN NULL;",
        )
    found += _postgresql(
        "key_accounts_customer_moved",
        f"AFTER UPDATE OF {', '.join(_MOVED)} ON customer FOR EACH ROW WHEN ({_different(_MOVED, 'IS DISTINCT FROM')})",
        f"{_MOVE} RETURN NULL;",
    )
    found += _postgresql(
        "key_accounts_customer_added",
        "AFTER INSERT ON customer FOR EACH ROW",
        f"{_EMPTY.format(epoch=_epoch(dialect))} RETURN NULL;",
    )
    found += _postgresql("key_accounts_customer_gone", "BEFORE DELETE ON customer FOR EACH ROW", f"{_GONE} RETURN OLD;")
    return found


def _epoch(dialect: str) -> str:
    """A moment before all rankings: an empty measure needs none."""
    return "'1970-01-01 00:00:00.000000'" if dialect == "sqlite" else "timestamptz '1970-01-01 00:00:00+00'"


def _postgresql(name: str, event: str, body: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION {name}()",
    ]


_TRIGGERS = {
    "key_accounts_measure_added": "key_accounts_measure",
    "key_accounts_measure_gone": "key_accounts_measure",
    "key_accounts_measure_changed": "key_accounts_measure",
    "key_accounts_customer_moved": "customer",
    "key_accounts_customer_added": "customer",
    "key_accounts_customer_gone": "customer",
}


def drop_statements(dialect: str) -> list[str]:
    """Statements that take the triggers away, for a downgrade."""
    found = []
    for name, table in _TRIGGERS.items():
        if dialect == "sqlite":
            found.append(f"DROP TRIGGER IF EXISTS {name}")
        else:
            found += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return found
