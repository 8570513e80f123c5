"""Where backups lie, what opens them, and the lock that lets one at a time work on them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from sqlalchemy import text

from portal.backups.errors import AnotherRuns
from portal.config import PROJECT_ROOT
from portal.core.storage.contract import Place
from portal.core.storage.keyring import RingFile
from portal.core.storage.places import KEY_FOLDER, open_place
from portal.extensions import db
from portal.i18n import _

KEY_FILE = "backup.keys"
LOCK_FILE = "backups.lock"
#: Number of PostgreSQL's advisory lock: "backup" as digits of the alphabet.
ADVISORY_LOCK = 2_1_3_11_21_16


def backup_place() -> Place:
    """BACKUP_URL, or the folder "backups" of DATA_DIR."""
    config = current_app.config
    return open_place(config["BACKUP_URL"] or (Path(config["DATA_DIR"]) / "backups").as_uri(), config)


def backup_key_file() -> Path:
    """Where the backups' own key is."""
    named = current_app.config["BACKUP_KEY_FILE"]
    if not named:
        return Path(current_app.config["DATA_DIR"]) / KEY_FOLDER / KEY_FILE
    return Path(named) if Path(named).is_absolute() else (PROJECT_ROOT / named).resolve()


def backup_ring() -> RingFile:
    """The backups' own key ring; made on first use, but not when there are backups already that need the old one."""
    place = backup_place()
    return RingFile(backup_key_file(), lambda: any(True for _name in place.names("sets/")))


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for what lies open for a moment, in DATA_DIR beside the database; leftovers of a crash are removed."""
    parent = Path(current_app.config["DATA_DIR"]) / "backup-work"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_work_folder() -> None:
    """Remove what a killed process left open; only under the lock."""
    shutil.rmtree(Path(current_app.config["DATA_DIR"]) / "backup-work", ignore_errors=True)


@contextmanager
def exclusive() -> Iterator[None]:
    """One at a time: on this machine by a lock on a file, on several machines with PostgreSQL by one of the database.
    Both are gone when the process is, however it ended.

    :raises AnotherRuns: somebody else has it.
    """
    data_dir = Path(current_app.config["DATA_DIR"])
    data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRuns(_("Another backup or restore is running. Try again when it has ended.")) from None
        with _database_lock():
            clear_work_folder()
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _database_lock() -> Iterator[None]:
    if db.engine.dialect.name != "postgresql":
        yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": ADVISORY_LOCK}):
            raise AnotherRuns(_("Another backup or restore is running. Try again when it has ended."))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": ADVISORY_LOCK})
