"""What the portal's account may do on a PostgreSQL server (security statement 63).

Triggers refuse to change or remove entries of the trail, but the owner of a table may switch its triggers off. So two
accounts are wise: one owns the tables and runs migrations; the other, which the portal runs with, reads and writes rows
and may do nothing to the trail but add to it. SQLite knows no accounts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Boolean, ColumnElement, column, func, literal_column, or_, select, table, text

from portal.audit.models import AuditEntry, AuditHead
from portal.extensions import db

ENTRIES, HEAD = AuditEntry.__tablename__, AuditHead.__tablename__
#: An erasure empties these (see `ddl`); nothing else of an entry may be written after it was added.
ERASED = ("private", "private_salt", "object_label")
MOVED = ("seq", "hash")
#: Catalogues of PostgreSQL.
_TABLES = table("pg_class", column("oid"), column("relowner"))
_ACCOUNTS = table("pg_roles", column("rolname"), column("rolsuper", Boolean))
#: Names of accounts that need no quoting.
_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class RightsError(Exception):
    """The account cannot be given its rights."""


def is_server() -> bool:
    """Whether the database has accounts at all."""
    return bool(db.engine.dialect.name == "postgresql")


def surplus() -> list[str]:
    """What the present account may do to the trail beyond adding to it: "owner", "DELETE", "TRUNCATE", "UPDATE"."""
    if not is_server():
        return []
    account: ColumnElement[str] = literal_column("current_user")
    # Who may act as the owner of the entries may switch their triggers off.
    owner = (
        select(func.pg_has_role(account, _TABLES.c.relowner, "USAGE"))
        .where(_TABLES.c.oid == func.to_regclass(ENTRIES))
        .scalar_subquery()
    )

    def may(right: str) -> ColumnElement[bool]:
        return or_(*(func.has_table_privilege(account, name, right) for name in (ENTRIES, HEAD)))

    found = db.session.execute(select(owner, may("DELETE"), may("TRUNCATE"), may("UPDATE"))).one()
    return [name for name, held in zip(("owner", "DELETE", "TRUNCATE", "UPDATE"), found, strict=True) if held]


def statements(account: str) -> list[str]:
    """What makes an account one that the portal can run with. :raises RightsError: a name that would need quoting."""
    if _PLAIN.fullmatch(account) is None:
        raise RightsError("The name of the account has lower-case letters, digits and underscores only.")
    rows = "SELECT, INSERT, UPDATE, DELETE"
    return [
        f"GRANT USAGE ON SCHEMA public TO {account}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {account}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {account}",
        # Tables of later versions.
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {account}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {account}",
        f"REVOKE ALL ON {ENTRIES}, {HEAD}, alembic_version FROM {account}",
        f"GRANT SELECT ON {ENTRIES}, {HEAD}, alembic_version TO {account}",
        f"GRANT INSERT, UPDATE ({', '.join(ERASED)}) ON {ENTRIES} TO {account}",
        f"GRANT UPDATE ({', '.join(MOVED)}) ON {HEAD} TO {account}",
    ]


def restrict(account: str) -> Sequence[str]:
    """Give an account what the portal needs and no more; the present one must own the tables.

    :returns: the statements. :raises RightsError: no PostgreSQL, no such account, or one that is above all rights.
    """
    if not is_server():
        raise RightsError("Only PostgreSQL has accounts.")
    wanted = statements(account)
    found = db.session.execute(select(_ACCOUNTS.c.rolsuper).where(_ACCOUNTS.c.rolname == account)).first()
    if found is None:
        raise RightsError(f"There is no account {account}: CREATE ROLE {account} LOGIN PASSWORD '…' first.")
    if found[0]:
        raise RightsError(f"{account} is a superuser: no right can be taken from it.")
    for statement in wanted:
        db.session.execute(text(statement))
    return wanted
