"""Copying a PostgreSQL database with pg_dump on an exported snapshot, and restoring it in one transaction."""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    DDL,
    URL,
    Connection,
    Engine,
    Numeric,
    Text,
    cast,
    create_engine,
    func,
    literal_column,
    select,
    table,
    text,
)

from portal.backups.dumps import TableFacts
from portal.backups.errors import BackupError
from portal.extensions import db
from portal.i18n import _

READ_SIZE = 1024 * 1024
#: Schemas with the state before a restore.
ASIDE = "before_restore_"
#: How values are written, so that two servers write the same rows the same way.
_FORMATS = "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1"
_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""


class PostgresqlCopy:
    """The database as one connection sees it."""

    def __init__(self, connection: Connection, program: Path | None = None, snapshot: str = "") -> None:
        self.connection, self._program, self._snapshot = connection, program, snapshot
        self.engine: Engine = connection.engine
        self.version = str(connection.scalar(text("SHOW server_version")))

    def tables(self) -> dict[str, TableFacts]:
        """Every table with its number of rows and a digest of them that does not depend on their order."""
        self.connection.exec_driver_sql(_FORMATS)
        found = {}
        for name in self.connection.scalars(text(_TABLES)).all():
            source = table(name, schema="public").alias("t")
            row_hash = cast(func.hashtextextended(cast(literal_column("t"), Text), 0), Numeric)
            digest_of_all = cast(func.coalesce(func.sum(row_hash), 0), Text)
            rows, digest = self.connection.execute(select(func.count(), digest_of_all).select_from(source)).one()
            found[name] = TableFacts(int(rows), digest)
        return found

    def blocks(self) -> Iterator[bytes]:
        """pg_dump's own format, compressed."""
        if self._program is None:
            raise RuntimeError("only a snapshot can be dumped")
        command = [self._program, "--format=custom", "--compress=1", "--no-owner", "--no-privileges"]
        command += [f"--snapshot={self._snapshot}", f"--exclude-schema={ASIDE}*", *_where(db.engine.url)]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(db.engine.url),
            )
            try:
                assert process.stdout is not None
                while block := process.stdout.read(READ_SIZE):
                    yield block
                process.wait()
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                if process.stdout is not None:
                    process.stdout.close()
            if process.returncode:
                raise BackupError(_("pg_dump failed: %(reason)s", reason=_said(errors)))

    def problem(self) -> str:
        """Restoring built every index and checked every reference already."""
        return ""


class PostgresqlDialect:
    """See `portal.backups.dumps.Dialect`."""

    name = "postgresql"

    @contextmanager
    def snapshot(self, folder: Path) -> Iterator[PostgresqlCopy]:
        """Hold a snapshot that pg_dump takes over."""
        del folder
        program = self._program("pg_dump")
        with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            name = str(connection.scalar(text("SELECT pg_export_snapshot()")))
            yield PostgresqlCopy(connection, program, name)

    @contextmanager
    def scratch(self, copy: Path, folder: Path) -> Iterator[PostgresqlCopy]:
        """Restore into a database that is dropped afterwards."""
        del folder
        name = f"portal_trial_{secrets.token_hex(6)}"
        with _autocommit(db.engine) as connection:
            may = connection.scalar(text("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"))
            if not may:
                raise BackupError(
                    _(
                        "The database account may not create the scratch database of a trial restore. "
                        "Allow it: ALTER ROLE … CREATEDB."
                    )
                )
            connection.execute(DDL(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))  # type: ignore[no-untyped-call]
        url = db.engine.url.set(database=name)
        engine = create_engine(url)
        try:
            self._run("pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", *_where(url), str(copy)], url)
            with engine.connect() as connection:
                yield PostgresqlCopy(connection)
        finally:
            engine.dispose()
            with _autocommit(db.engine) as connection:
                connection.execute(DDL(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))  # type: ignore[no-untyped-call]

    def is_empty(self) -> bool:
        """No table of people, or nobody in it."""
        with db.engine.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('public.org_user')")) is None:
                return True
            return connection.execute(text("SELECT 1 FROM public.org_user LIMIT 1")).first() is None

    def replace(self, copy: Path, label: str) -> str:
        """One transaction: the schema is renamed and a new one filled. The old state stays in the renamed schema."""
        aside = ASIDE + re.sub(r"[^a-z0-9]", "_", label.lower())
        url = db.engine.url
        db.session.remove()
        db.engine.dispose()
        with db.engine.connect() as connection:
            others = connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
                    "AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
                )
            )
            has_tables = connection.execute(text(_TABLES)).first() is not None
        db.engine.dispose()
        if others:
            raise BackupError(_("The portal is still running. Stop web server and worker, then restore again."))
        script = copy.with_name("restore.sql")
        self._run("pg_restore", ["--no-owner", "--no-privileges", f"--file={script}", str(copy)], url)
        begin = copy.with_name("begin.sql")
        begin.write_text(f'ALTER SCHEMA public RENAME TO "{aside}";\nCREATE SCHEMA public;\n' if has_tables else "")
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
        self._run("psql", [*options, f"--file={begin}", f"--file={script}", *_where(url)], url)
        return f"schema {aside}" if has_tables else ""

    def _run(self, program: str, arguments: list[str], url: URL) -> None:
        done = subprocess.run(
            [str(self._program(program)), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(url),
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().split("\n")
            raise BackupError(_("%(program)s failed: %(reason)s", program=program, reason=said[0][:300]))

    @staticmethod
    def _program(name: str) -> Path:
        """The newest installed one. :raises BackupError: there is none, or it is older than the server."""
        with db.engine.connect() as connection:
            server = int(connection.scalar(text("SHOW server_version_num"))) // 10000
        found = [(version, path) for path in _candidates(name) if (version := _version(path))]
        if not found:
            raise BackupError(
                _("The program %(program)s is missing; install the package postgresql-client.", program=name)
            )
        version, path = max(found)
        if version < server:
            raise BackupError(
                _(
                    "%(program)s is of version %(version)s, the server of %(server)s: "
                    "install postgresql-client-%(server)s.",
                    program=name,
                    version=version,
                    server=server,
                )
            )
        return path


def _candidates(name: str) -> list[Path]:
    paths = [Path(found) for found in glob.glob(f"/usr/lib/postgresql/*/bin/{name}")]
    paths += [Path(found) for found in glob.glob(f"/usr/pgsql-*/bin/{name}")]
    on_path = shutil.which(name)
    return [*paths, Path(on_path)] if on_path else paths


def _version(path: Path) -> int:
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"(\d+)[.\d]*", said)
    return int(match[1]) if match else 0


def _where(url: URL) -> list[str]:
    """Connection arguments; the password goes through the environment, where other users cannot see it."""
    arguments = [f"--dbname={url.database}"]
    host = url.host or url.query.get("host")
    arguments += [f"--host={host}"] if host else []
    arguments += [f"--port={url.port}"] if url.port else []
    arguments += [f"--username={url.username}"] if url.username else []
    return [*arguments, "--no-password"]


def _environment(url: URL) -> dict[str, str]:
    kept = {f"PG{name.upper()}": str(url.query[name]) for name in ("sslmode", "sslrootcert") if name in url.query}
    kept["PATH"] = os.defpath
    return {**kept, "LC_ALL": "C.UTF-8", **({"PGPASSWORD": str(url.password)} if url.password else {})}


def _said(errors: object) -> str:
    errors.seek(0)  # type: ignore[attr-defined]
    return errors.read().decode(errors="replace").strip().split("\n")[0][:300]  # type: ignore[attr-defined]


@contextmanager
def _autocommit(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
