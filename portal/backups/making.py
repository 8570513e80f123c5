"""Making a backup.

Why the set is consistent. Content of files never changes and has a name of its own, so the database alone decides which
files belong to a moment; what must not happen is that a file of that moment is gone before it is copied. Therefore:
first the files that rows name now; then the database, as of one moment; then the files that rows of *that* copy name
and that are not there yet (added in between). A file that was deleted in between was copied in the first step. Last
the manifest, whose presence makes the set exist.

Files are copied once for all sets. A copy that is there already is read and proven before a set relies on it; a damaged
one is made anew from the storage.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Connection, select

from portal import __version__
from portal.audit.anchors import FILE_NAME as ANCHORS
from portal.audit.models import AuditHead
from portal.backups import place as places
from portal.backups.dumps import Snapshot, dialect, facts_to_json
from portal.backups.errors import BackupError
from portal.backups.sets import SETS, FileEntry, Manifest, Shelf, new_name
from portal.core import clock
from portal.core.registry import registry
from portal.core.storage import FileStore, key_ring, storage_called
from portal.core.storage.contract import MissingContent, StorageError
from portal.core.storage.stores import STORAGES
from portal.extensions import db
from portal.i18n import _

logger = logging.getLogger(__name__)

#: (done, total, what is being done)
Progress = Callable[[int, int, str], None]


def no_progress(_done: int, _total: int, _label: str) -> None:
    """Nobody looks on."""


@dataclass
class _Work:
    """A set in the making."""

    shelf: Shelf
    manifest: Manifest
    progress: Progress
    #: (storage, key) → entry
    copied: dict[tuple[str, str], FileEntry] = field(default_factory=dict)
    #: names in the pool that this set added
    added: list[str] = field(default_factory=list)
    pooled_bytes: int = 0


def open_shelf() -> Shelf:
    """The backups of the running application. :raises KeyProblem: without the key."""
    return Shelf(places.backup_place(), places.backup_ring().ring())


def create(kind: str, progress: Progress = no_progress, name: str = "") -> Manifest:
    """Make a backup. Call it inside `place.exclusive()` and outside `transaction()`.

    :raises BackupError, StorageError, OSError: it could not be made. Nothing of it is left then, earlier backups are
        untouched.
    """
    began = time.monotonic()
    shelf = open_shelf()
    shelf.remove_unfinished()
    db.session.rollback()
    work = _Work(
        shelf,
        Manifest(
            name=name or new_name(),
            kind=kind,
            made_at=clock.now().isoformat(),
            portal=__version__,
            revisions=[],
            dialect=dialect().name,
            database_version="",
            key_id=shelf.ring.newest.id,
        ),
        progress,
    )
    try:
        with places.work_folder() as folder:
            _fill(work, folder)
        work.manifest.seconds = round(time.monotonic() - began, 3)
        shelf.write_manifest(work.manifest)
    except BaseException:
        _take_back(work)
        raise
    return work.manifest


def _fill(work: _Work, folder: Path) -> None:
    manifest = work.manifest
    with db.engine.connect() as connection:
        wanted = {**_references(connection), **_of_nobody()}
    _copy_files(work, wanted, _("Copying files"))
    with dialect().snapshot(folder) as snapshot:
        work.progress(0, 1, _("Copying the database"))
        manifest.database_version = snapshot.version
        manifest.tables = facts_to_json(snapshot.tables())
        manifest.revisions = _revisions(snapshot.connection)
        head = snapshot.connection.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)).first()
        if head is not None:
            manifest.audit_seq, manifest.audit_hash = int(head.seq), str(head.hash)
        belonging = {**_references(snapshot.connection), **{key: wanted[key] for key in wanted if key == ""}}
        _write_database(work, snapshot)
    _copy_files(work, belonging, _("Copying files that were added meanwhile"))
    entries = [work.copied[key] for key in sorted(_keys_of(belonging)) if key in work.copied]
    manifest.stores = {store: len(keys) for store, keys in belonging.items()}
    manifest.files, manifest.new_files = len(entries), len(work.added)
    manifest.missing = [item for item in manifest.missing if (item[0], item[1]) in _keys_of(belonging)]
    manifest.files_digest = work.shelf.write_files(manifest.name, entries)
    work.shelf.write(f"{SETS}{manifest.name}/keys", [key_ring().to_text().encode()])
    work.shelf.write(f"{SETS}{manifest.name}/anchors", [_anchors()])
    manifest.bytes += sum(entry.size for entry in entries)
    manifest.new_bytes += work.pooled_bytes


def _references(connection: Connection) -> dict[str, set[tuple[str, str]]]:
    """File store → (storage, key) of what rows name."""
    found: dict[str, set[tuple[str, str]]] = {}
    stores: list[FileStore] = list(registry("file_stores"))
    for store in stores:
        keys = connection.execute(store.references()).scalars()
        found[store.key] = {(store.storage, str(key)) for key in keys if key}
    return found


def _of_nobody() -> dict[str, set[tuple[str, str]]]:
    """What lies in areas that no store speaks for: of plugins that are switched off. It is taken along as it is."""
    stores: list[FileStore] = list(registry("file_stores"))
    known = {(store.storage, store.folder) for store in stores}
    keys = {
        (name, key)
        for name in STORAGES
        for key in storage_called(name).all_keys()
        if (name, key.split("/", 1)[0]) not in known
    }
    return {"": keys} if keys else {}


def _keys_of(references: dict[str, set[tuple[str, str]]]) -> set[tuple[str, str]]:
    return set().union(*references.values()) if references else set()


def _copy_files(work: _Work, references: dict[str, set[tuple[str, str]]], label: str) -> None:
    known = work.copied.keys() | {(item[0], item[1]) for item in work.manifest.missing}
    wanted = sorted(_keys_of(references) - known)
    for number, (storage, key) in enumerate(wanted):
        if number % 20 == 0:
            work.progress(number, len(wanted), label)
        _copy_file(work, storage, key)
    work.progress(len(wanted), len(wanted) or 1, label)


def _copy_file(work: _Work, storage: str, key: str) -> None:
    name = work.shelf.pool_name(storage, key)
    if not _is_whole(work.shelf, name):
        was_there = work.shelf.place.exists(name)
        try:
            written = work.shelf.write(name, storage_called(storage).blocks(key), durable=False)
        except StorageError as error:
            if isinstance(error, OSError):
                raise
            # One lost file must not prevent the backup of all others; it is told loudly.
            logger.error("backup: %s of the storage %s: %s", key, storage, type(error).__name__)
            work.manifest.missing.append([storage, key, type(error).__name__])
            return
        work.pooled_bytes += written
        if not was_there:
            work.added.append(name)
    work.copied[(storage, key)] = FileEntry(storage, key, name, work.shelf.place.size(name))


def _is_whole(shelf: Shelf, name: str) -> bool:
    """Whether the pool has a copy that can be relied on."""
    try:
        for _block in shelf.read(name):
            pass
    except MissingContent:
        return False
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        logger.error("backup: the copy %s is damaged and made anew", name)
        return False
    return True


def _write_database(work: _Work, snapshot: Snapshot) -> None:
    digest, size = hashlib.sha256(), 0

    def measured() -> Iterator[bytes]:
        nonlocal size
        for block in snapshot.blocks():
            digest.update(block)
            size += len(block)
            yield block

    manifest = work.manifest
    written = work.shelf.write(f"{SETS}{manifest.name}/database", measured())
    manifest.database_size, manifest.database_digest = size, digest.hexdigest()
    manifest.bytes += written
    manifest.new_bytes += written


def _revisions(connection: Connection) -> list[str]:
    from alembic.runtime.migration import MigrationContext

    return sorted(MigrationContext.configure(connection).get_current_heads())


def present_revisions() -> list[str]:
    """What the live database is at."""
    with db.engine.connect() as connection:
        return _revisions(connection)


def _anchors() -> bytes:
    try:
        return (Path(current_app.config["DATA_DIR"]) / ANCHORS).read_bytes()
    except FileNotFoundError:
        return b""


def _take_back(work: _Work) -> None:
    """Remove what a failed backup has written, and give its space back."""
    try:
        work.shelf.remove(work.manifest.name)
        for name in work.added:
            work.shelf.place.delete(name)
    except Exception:  # the first error is the one to tell; the next backup tidies up
        logger.warning("what is left of the backup %s could not be removed", work.manifest.name, exc_info=True)


def reason_of(error: BaseException) -> str:
    """Why a backup failed, one sentence for administrators."""
    if isinstance(error, BackupError):
        return str(error.message)
    if isinstance(error, OSError) and error.errno == 28:
        return _("The disk is full.")
    if isinstance(error, StorageError | OSError):
        return str(error)[:400] or type(error).__name__
    details: Any = type(error).__name__
    return _("Unexpected error (%(kind)s); the log has the details.", kind=details)
