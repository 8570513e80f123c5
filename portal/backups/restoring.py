"""Restoring a backup: everything is read and proven first, then put in place; the old state is kept aside."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from portal import migrating
from portal.audit.anchors import FILE_NAME as ANCHORS
from portal.backups import place as places
from portal.backups.dumps import dialect
from portal.backups.errors import BackupError
from portal.backups.making import Progress, no_progress, open_shelf
from portal.backups.proving import Broken, compare_copy, read_everything
from portal.backups.sets import SETS, FileEntry, Manifest, Shelf
from portal.core import clock
from portal.core.storage import key_ring, storage_called
from portal.core.storage.contract import KeyProblem, StorageError
from portal.core.storage.folder import sync_folder
from portal.core.storage.keyring import KeyRing, from_text, load, save
from portal.core.storage.places import key_file, ring_file
from portal.i18n import _


@dataclass(frozen=True)
class Restored:
    """What a restore did. `aside`: where the old state is."""

    manifest: Manifest
    files_written: int
    aside: list[str]
    needs_upgrade: bool
    seconds: float


def restore(name: str, replace: bool = False, progress: Progress = no_progress) -> Restored:
    """Restore a set. The portal must be stopped. Call it inside `place.exclusive()`.

    :param replace: the database has data: put it aside.
    :raises BackupError: wrong key, damaged set, database in use or not empty; nothing was changed then.
    """
    began = time.monotonic()
    shelf = open_shelf()
    manifest = shelf.manifest(name)
    kind = dialect()
    if manifest.dialect != kind.name:
        raise BackupError(
            _("This backup is of %(one)s, the portal runs on %(other)s.", one=manifest.dialect, other=kind.name)
        )
    _refuse_newer(manifest)
    if not kind.is_empty() and not replace:
        raise BackupError(_("The database is not empty. With --replace it is put aside and replaced."))
    label = f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    with places.work_folder() as folder:
        copy, entries, ring, anchors = _read_and_prove(shelf, manifest, folder, progress)
        # From here on things change: additions first, then the database in one step, then what depends on it.
        aside = _put_keys(ring, label)
        written = _put_files(shelf, entries, progress)
        progress(0, 1, _("Putting the database in its place"))
        old = kind.replace(copy, label)
        aside += [old] if old else []
        aside += _put_anchors(anchors, label)
    return Restored(
        manifest=manifest,
        files_written=written,
        aside=aside,
        needs_upgrade=bool(migrating.missing_heads(current_app._get_current_object())),  # type: ignore[attr-defined]
        seconds=time.monotonic() - began,
    )


def _refuse_newer(manifest: Manifest) -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(
        migrating.alembic_config(current_app._get_current_object())  # type: ignore[attr-defined]
    )
    known = {revision.revision for revision in script.walk_revisions()}
    strange = sorted(set(manifest.revisions) - known)
    if strange:
        raise BackupError(
            _(
                "This backup was made by version %(version)s with revisions that this portal does not know "
                "(%(names)s). Install that version first.",
                version=manifest.portal,
                names=_(", ").join(strange),
            )
        )


def _read_and_prove(
    shelf: Shelf, manifest: Manifest, folder: Path, progress: Progress
) -> tuple[Path, list[FileEntry], KeyRing, Path]:
    """Open everything before anything is touched. :raises BackupError: the set is damaged."""
    try:
        entries = read_everything(shelf, manifest, progress)
        copy = shelf.fetch_database(manifest, folder)
        ring = from_text(shelf.read_all(f"{SETS}{manifest.name}/keys").decode(), "keys")
        anchors = folder / "anchors.log"
        anchors.write_bytes(shelf.read_all(f"{SETS}{manifest.name}/anchors"))
        if dialect().name == "sqlite":
            with dialect().scratch(copy, folder) as scratch:
                compare_copy(scratch, manifest, anchors, entries)
    except Broken as error:
        raise BackupError(_("This backup is damaged and was not restored: %(problem)s", problem=error)) from error
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        raise BackupError(
            _("This backup is damaged and was not restored: %(problem)s", problem=f"{type(error).__name__} {error}")
        ) from error
    return copy, entries, ring, anchors


def _put_keys(ring: KeyRing, label: str) -> list[str]:
    """The keys of the backup, and those of the present storage behind them: what lies there stays readable."""
    path = key_file(current_app.config)
    try:
        present = load(path)
    except FileNotFoundError:
        save(path, ring)
        return []
    except KeyProblem as error:
        raise BackupError(str(error)) from error
    if present.naming == ring.naming and all(present.find(key.id) for key in ring.keys):
        return []
    aside = path.with_name(f"{path.name}.before-{label}")
    os.link(path, aside)
    save(path, ring.joined(present))
    return [str(aside)]


def _put_files(shelf: Shelf, entries: list[FileEntry], progress: Progress) -> int:
    """Bring back files that are missing or damaged; others are never touched. How many."""
    ring_file().ring()
    key_ring()
    written = 0
    for number, entry in enumerate(entries):
        if number % 20 == 0:
            progress(number, len(entries), _("Restoring files"))
        storage = storage_called(entry.storage)
        try:
            storage.check(entry.key)
        except StorageError as error:
            if isinstance(error, OSError):
                raise
            storage.put_as(entry.key, shelf.read(entry.pool))
            written += 1
    return written


def _put_anchors(anchors: Path, label: str) -> list[str]:
    """The anchors of the backup's moment: the present ones name entries that the restored trail does not have."""
    path = Path(current_app.config["DATA_DIR"]) / ANCHORS
    content = anchors.read_bytes()
    aside: list[str] = []
    if path.is_file():
        if path.read_bytes() == content:
            return []
        kept = path.with_name(f"{path.name}.before-{label}")
        os.replace(path, kept)
        aside = [str(kept)]
    if content:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
    sync_folder(path.parent)
    return aside


def mend_files(name: str, progress: Progress = no_progress) -> int:
    """Bring back files of the storages that are missing or damaged, from a backup; the database is not touched.

    :raises BackupError: no such set, wrong key, or the names of its files were made with other keys.
    """
    shelf = open_shelf()
    manifest = shelf.manifest(name)
    try:
        ring = from_text(shelf.read_all(f"{SETS}{manifest.name}/keys").decode(), "keys")
        if ring.naming != key_ring().naming:
            raise BackupError(_("This backup belongs to storages with another key; restore it as a whole."))
        return _put_files(shelf, shelf.files(manifest), progress)
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        raise BackupError(_("This backup is damaged: %(problem)s", problem=error)) from error
