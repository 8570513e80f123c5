"""Copies of the database as they belong to one moment, and back: what both databases have in common.

A `Snapshot` shows the moment on a connection (for counts and for the keys that rows name) and gives the copy as a
stream of bytes. SQLite: the online backup interface, in one step, which neither waits for writers nor stops them.
PostgreSQL: pg_dump on an exported snapshot, so that the dump and the connection see exactly the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from portal.extensions import db


@dataclass(frozen=True)
class TableFacts:
    """What is compared after a restore. `digest` is "" where the whole copy has one (SQLite)."""

    rows: int
    digest: str = ""


class Snapshot(Protocol):
    """One moment of the database."""

    @property
    def connection(self) -> Connection:
        """Shows the moment."""

    @property
    def version(self) -> str:
        """Of the database's programme."""

    def tables(self) -> dict[str, TableFacts]:
        """Every table with its facts."""

    def blocks(self) -> Iterator[bytes]:
        """The copy. :raises BackupError: at the end, when it could not be made."""


class Scratch(Protocol):
    """A restored copy that is thrown away."""

    @property
    def engine(self) -> Engine: ...

    def tables(self) -> dict[str, TableFacts]:
        """As of a snapshot."""

    def problem(self) -> str:
        """What the database itself finds wrong; "" when well."""


class Dialect(Protocol):
    """What a kind of database must be able to do."""

    name: str

    def snapshot(self, folder: Path) -> AbstractContextManager[Snapshot]: ...

    def scratch(self, copy: Path, folder: Path) -> AbstractContextManager[Scratch]: ...

    def is_empty(self) -> bool:
        """Whether nobody has used the database yet."""

    def replace(self, copy: Path, label: str) -> str:
        """Put the copy in the database's place in one step; the old state is kept aside.

        :param label: for the name of what is kept aside.
        :returns: where the old state is, "" when there was none.
        :raises BackupError: the portal is still running, the copy cannot be restored; nothing was changed then.
        """


def dialect() -> Dialect:
    """The running application's kind of database."""
    name = db.engine.dialect.name
    if name == "postgresql":
        from portal.backups.dump_postgresql import PostgresqlDialect

        return PostgresqlDialect()
    from portal.backups.dump_sqlite import SqliteDialect

    return SqliteDialect()


def facts_to_json(tables: dict[str, TableFacts]) -> dict[str, list[Any]]:
    """For the manifest."""
    return {name: [facts.rows, facts.digest] for name, facts in tables.items()}


def compare(expected: dict[str, list[Any]], found: dict[str, TableFacts]) -> str:
    """The first difference between the manifest and a restored copy, "" when there is none."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"table {name} is missing"
        if name not in expected:
            return f"table {name} should not be there"
        rows, digest = expected[name]
        if found[name].rows != rows:
            return f"table {name} has {found[name].rows} rows instead of {rows}"
        if found[name].digest != digest:
            return f"table {name} has other content"
    return ""
