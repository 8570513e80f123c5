"""What the embedded database knows about the size of its tables: without it, it guesses in which order to join them.

PostgreSQL keeps its own (autovacuum); SQLite counts when it is told to. It also notes nothing about a table without
rows, takes it for large, and then walks through all customers to find none of their candidates: 80 ms for nothing.
"""

from __future__ import annotations

from sqlalchemy import DDL, column, delete, exists, insert, select, table

from portal.core.transaction import transaction
from portal.extensions import Base, db

#: SQLite's own table: table, index (NULL: the table itself), numbers of rows as text.
_STATISTICS = table("sqlite_stat1", column("tbl"), column("idx"), column("stat"))
#: Always there and tiny: counting it again makes all connections read the numbers anew.
_SMALL = "alembic_version"


def take_statistics() -> int:
    """Count the tables of the embedded database, each in a short transaction of its own; nothing elsewhere.

    :return: how many tables are empty and were noted as small.
    """
    if db.engine.dialect.name != "sqlite":
        return 0
    empty = 0
    for name, known in Base.metadata.tables.items():
        # The largest takes some seconds with a million rows; others write in between.
        with transaction() as session:
            session.execute(_counting(name))
            if not session.scalar(select(exists().select_from(known))):
                session.execute(delete(_STATISTICS).where(_STATISTICS.c.tbl == name))
                session.execute(insert(_STATISTICS).values(tbl=name, idx=None, stat="1"))
                empty += 1
    with transaction() as session:
        session.execute(_counting(_SMALL))
    return empty


def _counting(name: str) -> DDL:
    quoted = db.engine.dialect.identifier_preparer.quote(name)
    return DDL("ANALYZE %(name)s", context={"name": quoted})  # type: ignore[no-untyped-call]
