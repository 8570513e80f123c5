"""Column types and the way connections behave on the two databases."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, DateTime, Dialect, Engine, Integer, Result, event
from sqlalchemy.types import TypeDecorator

# Execution option that marks a connection's next transaction as a writer's.
WRITER = "portal_writer"

#: Primary keys: BIGINT on PostgreSQL, SQLite's own row id there.
BigId = BigInteger().with_variant(Integer, "sqlite")

#: Older libraries have a race in WAL mode that can lose committed data.
MINIMUM_SQLITE = (3, 51, 3)

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = MEMORY",
    # Small: reads go past it (see mmap_size), and each thread of a web process has one of its own.
    "PRAGMA cache_size = -8192",
    # Above the file's size, reads need no copy through the page cache.
    "PRAGMA mmap_size = 4294967296",
)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment. Stored in UTC; naive values are refused, so that a zone is never guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """Yuan as Decimal in Python, fen as an integer in the database. Floats and parts of a fen are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("money is never a float")
        fen = Decimal(value) * 100
        if fen != fen.to_integral_value():
            raise ValueError(f"{value} has parts of a fen")
        return int(fen)

    def process_result_value(self, value: int | Decimal | None, dialect: Dialect) -> Decimal | None:
        # SUM over integers comes back as Decimal from PostgreSQL and as int from SQLite.
        return None if value is None else Decimal(int(value)).scaleb(-2)


def engine_options(url: str) -> dict[str, Any]:
    """Options for `create_engine`: on SQLite the bundled library, which has the WAL race mended (>= 3.51.3).

    Errors name their statement without its values: what stands in a row does not belong into a log.
    """
    if not url.startswith("sqlite"):
        return {"hide_parameters": True, "pool_pre_ping": True, "pool_size": 5, "max_overflow": 10}
    return {"hide_parameters": True, "module": sqlite_module(), "connect_args": {"timeout": 10}}


#: All that the pages ask, each in a few forms.
PREPARED_STATEMENTS = 500

#: PostgreSQL's number for a disk without room.
_PG_DISK_FULL = "53100"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one of those that led to it, says that there is no room left on a disk."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        origin = getattr(error, "orig", None) or error
        if "database or disk is full" in str(origin) or getattr(origin, "sqlstate", None) == _PG_DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def sqlite_module() -> Any:
    """The SQLite driver: the bundled one, or the system's where there is no bundle and it is new enough.

    :raises RuntimeError: when the library has the WAL race.
    """
    try:
        import pysqlite3 as module
    except ImportError:  # no wheel for this processor
        import sqlite3 as module
    if module.sqlite_version_info < MINIMUM_SQLITE:
        raise RuntimeError(f"SQLite {module.sqlite_version} loses data with several processes; 3.51.3 is needed")
    return module


def _on_connect_to_server(connection: Any, _record: Any) -> None:
    """What a new connection to PostgreSQL needs to answer pages fast.

    Statements of pages are many and short: a connection keeps more of them prepared than the hundred that psycopg
    would, and none of them waits for helping processes, whose start takes longer than all that they have to do.
    """
    connection.prepared_max = PREPARED_STATEMENTS
    # A setting made in a transaction would be gone when that is rolled back.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    connection.autocommit = False


def prepare_engine(engine: Engine) -> None:
    """Attach what each new connection and transaction needs. Safe to call once per engine."""
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _on_connect_to_server)
        return

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # A writer takes its lock at once: upgrading a reader in the middle fails with "database is locked".
        writer = connection.get_execution_options().get(WRITER)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def rows_changed(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE met; what a conditional update decides by."""
    return int(cast("CursorResult[Any]", result).rowcount)
