"""A trial restore: the only proof that a backup is one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from portal.audit.verify import verify_chain
from portal.backups import place as places
from portal.backups.dumps import Scratch, compare, dialect
from portal.backups.errors import BackupError
from portal.backups.making import Progress, no_progress, open_shelf, present_revisions
from portal.backups.sets import SETS, FileEntry, Manifest, Shelf
from portal.core.registry import registry
from portal.core.storage import FileStore
from portal.core.storage.contract import StorageError
from portal.core.storage.keyring import from_text
from portal.i18n import _


@dataclass(frozen=True)
class Proof:
    """What came of a trial restore. `problem` is "" when the set is whole."""

    manifest: Manifest
    problem: str
    seconds: float
    files: int
    tables: int
    rows: int
    audit_entries: int

    @property
    def is_whole(self) -> bool:
        """Whether everything agreed."""
        return not self.problem


class Broken(Exception):
    """What is wrong with a set, one sentence."""


def prove(name: str, progress: Progress = no_progress) -> Proof:
    """Restore a set into a scratch place and compare everything. Call it inside `place.exclusive()`.

    :raises BackupError: it could not be tried at all: no such set, wrong key, no right to make a scratch database.
    :raises OSError: the scratch place is full.
    """
    began = time.monotonic()
    shelf = open_shelf()
    manifest = shelf.manifest(name)
    figures = {"files": 0, "tables": 0, "rows": 0, "audit": 0}
    problem = ""
    try:
        with places.work_folder() as folder:
            _prove(shelf, manifest, folder, progress, figures)
    except Broken as error:
        problem = str(error)
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        problem = _("%(piece)s is missing or damaged.", piece=str(error))
    return Proof(
        manifest,
        problem,
        time.monotonic() - began,
        figures["files"],
        figures["tables"],
        figures["rows"],
        figures["audit"],
    )


def _prove(shelf: Shelf, manifest: Manifest, folder: Path, progress: Progress, figures: dict[str, int]) -> None:
    entries = read_everything(shelf, manifest, progress)
    figures["files"] = len(entries)
    progress(0, 1, _("Restoring the database into a scratch place"))
    copy = shelf.fetch_database(manifest, folder)
    anchors = folder / "anchors.log"
    anchors.write_bytes(shelf.read_all(f"{SETS}{manifest.name}/anchors"))
    if manifest.dialect != dialect().name:
        raise BackupError(
            _("This backup is of %(one)s, the portal runs on %(other)s.", one=manifest.dialect, other=dialect().name)
        )
    with dialect().scratch(copy, folder) as scratch:
        figures["tables"] = len(manifest.tables)
        figures["rows"] = sum(rows for rows, _digest in manifest.tables.values())
        figures["audit"] = compare_copy(scratch, manifest, anchors, entries)
    progress(1, 1, _("Compared"))


def read_everything(shelf: Shelf, manifest: Manifest, progress: Progress = no_progress) -> list[FileEntry]:
    """Open every sealed piece of a set. :raises StorageError: the first that is missing or damaged."""
    entries = shelf.files(manifest)
    if len(entries) != manifest.files:
        raise Broken(_("The list of files is not complete."))
    from_text(shelf.read_all(f"{SETS}{manifest.name}/keys").decode(), "keys")
    for number, entry in enumerate(entries):
        if number % 20 == 0:
            progress(number, len(entries), _("Reading files"))
        for _block in shelf.read(entry.pool):
            pass
    return entries


def _keys_named(scratch: Scratch, manifest: Manifest, store: FileStore) -> list[str]:
    """What rows of a restored copy name; nothing when the copy is older than the store's table or its columns."""
    with scratch.engine.connect() as connection:
        try:
            return [str(key) for key in connection.execute(store.references()).scalars() if key]
        except DBAPIError:
            if manifest.revisions != present_revisions():
                return []
            raise


def compare_copy(scratch: Scratch, manifest: Manifest, anchors: Path, entries: list[FileEntry]) -> int:
    """Counts, digests, references, files, audit trail of a restored copy; entries of the trail.

    :raises Broken: the first thing that does not agree.
    """
    trouble = scratch.problem() or compare(manifest.tables, scratch.tables())
    if trouble:
        raise Broken(_("The restored database differs: %(trouble)s.", trouble=trouble))
    there = {(entry.storage, entry.key) for entry in entries} | {(item[0], item[1]) for item in manifest.missing}
    for store in registry("file_stores"):
        for key in _keys_named(scratch, manifest, store):
            if (store.storage, key) not in there:
                raise Broken(_("A row names the file %(key)s, which is not in the backup.", key=key))
    expected = (manifest.audit_seq, manifest.audit_hash) if manifest.audit_seq else None
    verdict = verify_chain(anchors, expected=expected, engine=scratch.engine)
    if not verdict.is_whole:
        raise Broken(
            _("The audit trail in the backup is broken at entry %(seq)s.", seq=verdict.broken_seq)
            + f" ({verdict.problem})"
        )
    return verdict.entries
