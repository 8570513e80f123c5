"""Copying an SQLite database with its online backup interface, and putting a copy in its place."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, func, select, table

from portal.backups.dumps import TableFacts
from portal.backups.errors import BackupError
from portal.core.database import engine_options, sqlite_module
from portal.core.storage.folder import sync_folder
from portal.extensions import db
from portal.i18n import _

READ_SIZE = 1024 * 1024
#: Fast rather than small: a database shrinks to about a quarter with the lowest level already.
COMPRESSION = 1


def _plain_engine(path: Path) -> Engine:
    # Not `prepare_engine`: its connections would turn the copy's journal back to WAL.
    return create_engine(f"sqlite:///{path}", **engine_options("sqlite://"))


class SqliteCopy:
    """A copy in a file of its own."""

    version = ""

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path, self.connection = path, connection
        self.engine = connection.engine
        self.version = sqlite_module().sqlite_version

    def tables(self) -> dict[str, TableFacts]:
        """Every table with its number of rows; the digest of the file covers the content."""
        names = self.connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        return {
            name: TableFacts(int(self.connection.scalar(select(func.count()).select_from(table(name))) or 0))
            for name in [row[0] for row in names]
        }

    def blocks(self) -> Iterator[bytes]:
        """The file, compressed."""
        squeeze = zlib.compressobj(COMPRESSION)
        with self.path.open("rb") as handle:
            while block := handle.read(READ_SIZE):
                yield squeeze.compress(block)
        yield squeeze.flush()

    def problem(self) -> str:
        """Pages, indexes, references."""
        found = [row[0] for row in self.connection.exec_driver_sql("PRAGMA integrity_check")]
        if found != ["ok"]:
            return f"integrity check: {found[0]}"
        broken = self.connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        return f"a row of {broken[0]} refers to nothing" if broken is not None else ""


class SqliteDialect:
    """See `portal.backups.dumps.Dialect`."""

    name = "sqlite"

    @contextmanager
    def snapshot(self, folder: Path) -> Iterator[SqliteCopy]:
        """Copy the database in one step; writers go on meanwhile."""
        path = folder / "database.sqlite3"
        module = sqlite_module()
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with db.engine.connect() as connection:
            source: Any = connection.connection.driver_connection
            target = module.connect(str(path))
            try:
                # All pages in one step are one reading transaction: the copy is one moment. In steps it would start
                # anew whenever somebody writes, and never end under load.
                source.backup(target, pages=-1)
                target.execute("PRAGMA journal_mode = DELETE")
            except module.Error as error:
                raise BackupError(_("The database could not be copied: %(reason)s", reason=error)) from error
            finally:
                target.close()
        with self._opened(path) as copy:
            yield copy

    @contextmanager
    def scratch(self, copy: Path, folder: Path) -> Iterator[SqliteCopy]:
        """Open a copy that came out of a backup."""
        path = folder / "scratch.sqlite3"
        _expand(copy, path)
        with self._opened(path) as opened:
            yield opened

    @contextmanager
    def _opened(self, path: Path) -> Iterator[SqliteCopy]:
        engine = _plain_engine(path)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA query_only = ON")
                yield SqliteCopy(path, connection)
        finally:
            engine.dispose()

    def is_empty(self) -> bool:
        """No file, no table of people, or nobody in it."""
        path = self._path()
        if not path.is_file() or path.stat().st_size == 0:
            return True
        with db.engine.connect() as connection:
            known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'org_user'").first()
            return known is None or connection.exec_driver_sql("SELECT 1 FROM org_user").first() is None

    def replace(self, copy: Path, label: str) -> str:
        """Move the old file aside and the new one into its place."""
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.restoring")
        aside = path.with_name(f"{path.name}.before-{label}")
        db.session.remove()
        db.engine.dispose()
        had_one = path.is_file()
        if had_one:
            self._close_all(path)
        try:
            _expand(copy, fresh)
            if had_one:
                # A name for the old state first; the rename then replaces in one step, so a crash leaves one or other.
                os.link(path, aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            os.replace(fresh, path)
            sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise BackupError(_("The database could not be replaced: %(reason)s", reason=error)) from error
        return str(aside) if had_one else ""

    def _close_all(self, path: Path) -> None:
        """Have everything in the one file, which works only when nobody else has it open."""
        module = sqlite_module()
        connection = module.connect(str(path), timeout=1, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except module.OperationalError as error:
            raise BackupError(
                _("The portal is still running. Stop web server and worker, then restore again.")
            ) from error
        except module.DatabaseError:
            # The present file is no database any more: that is why one restores.
            for suffix in ("-wal", "-shm"):
                beside = path.with_name(path.name + suffix)
                if beside.is_file():
                    shutil.copyfile(beside, path.with_name(f"{path.name}.damaged{suffix}"))
        finally:
            connection.close()

    @staticmethod
    def _path() -> Path:
        return Path(str(db.engine.url.database))


def _expand(copy: Path, target: Path) -> None:
    """Write the database out of its compressed copy, durably. :raises BackupError: it cannot be expanded."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    expand = zlib.decompressobj()
    try:
        with copy.open("rb") as source, os.fdopen(descriptor, "wb") as handle:
            while block := source.read(READ_SIZE):
                handle.write(expand.decompress(block))
            handle.write(expand.flush())
            handle.flush()
            os.fsync(handle.fileno())
    except zlib.error as error:
        raise BackupError(_("The copy of the database in this backup is damaged.")) from error
    if not expand.eof:
        raise BackupError(_("The copy of the database in this backup is damaged."))
