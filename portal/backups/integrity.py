"""The storages read through and compared with the rows; sealing with a new key."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Select

from portal.backups.making import Progress, no_progress
from portal.core.registry import registry
from portal.core.storage import FileStore, Storage, key_ring, storage_called
from portal.core.storage.contract import DamagedContent, MissingContent, StorageError
from portal.core.storage.keyring import add_key
from portal.core.storage.places import ring_file
from portal.core.storage.stores import STORAGES
from portal.extensions import db

#: Names of a kind that a report shows.
SHOWN = 100


@dataclass
class Report:
    """What reading the storages showed. Lists hold (storage, key), at most `SHOWN` of each."""

    files: int = 0
    bytes: int = 0
    missing: int = 0
    damaged: int = 0
    orphans: int = 0
    old_keys: int = 0
    seconds: float = 0.0
    shown: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def note(self, problem: str, storage: str, key: str) -> None:
        """Count a problem."""
        setattr(self, problem, getattr(self, problem) + 1)
        names = self.shown.setdefault(problem, [])
        if len(names) < SHOWN:
            names.append((storage, key))

    @property
    def is_well(self) -> bool:
        """Nothing missing, nothing damaged."""
        return not self.missing and not self.damaged


def scan(progress: Progress = no_progress) -> Report:
    """Read every file of the storages, prove it, and compare with the rows that name files."""
    began = time.monotonic()
    report = Report()
    seen = {name: list(storage_called(name).all_keys()) for name in STORAGES}
    # Rows are asked after the files were listed: a file without a row here was without one for the time in between.
    named = references()
    db.session.rollback()
    total = sum(len(keys) for keys in seen.values())
    newest = key_ring().newest.id
    spoken_for = {(store.storage, store.folder) for store in registry("file_stores")}
    by_themselves = {(store.storage, store.folder): store for store in registry("file_stores") if store.examine}
    for name, keys in seen.items():
        storage = storage_called(name)
        wanted = named.get(name, set())
        for key in keys:
            if report.files % 20 == 0:
                progress(report.files, total, "")
            report.files += 1
            if (name, key.split("/", 1)[0]) in by_themselves:
                _count_old_key(report, storage, key, newest)
                continue
            # Of an area that no store speaks for (its plugin is switched off) the rows are not known.
            is_known = (name, key.split("/", 1)[0]) in spoken_for
            is_whole = _look_at(report, storage, key, newest)
            if is_known and key not in wanted:
                report.note("orphans", name, key)
            elif not is_whole:
                report.note("damaged", name, key)
        for key in sorted(wanted - set(keys)):
            if (name, key.split("/", 1)[0]) not in by_themselves and not storage.exists(key):
                report.note("missing", name, key)
    _forgive_young_orphans(report)
    for store in by_themselves.values():
        _examine(report, store, progress)
    report.seconds = time.monotonic() - began
    return report


def _examine(report: Report, store: FileStore, progress: Progress) -> None:
    """Have a store read its area itself."""
    assert store.examine is not None  # the caller chose such stores
    found = store.examine(lambda done, total: progress(done, total, str(store.title)))
    report.bytes += found.bytes
    for problem, names in (("missing", found.missing), ("damaged", found.damaged), ("orphans", found.orphans)):
        for name in names:
            report.note(problem, store.storage, name)


def _count_old_key(report: Report, storage: Storage, key: str, newest: str) -> None:
    with contextlib.suppress(MissingContent, DamagedContent):  # the store itself says so
        if storage.sealed_with(key) != newest:
            report.old_keys += 1


def _look_at(report: Report, storage: Storage, key: str, newest: str) -> bool:
    """Read one file; whether it is what was put there."""
    try:
        report.bytes += storage.check(key)
        if storage.sealed_with(key) != newest:
            report.old_keys += 1
    except MissingContent:
        pass  # deleted since it was listed; a row that still names it is found below
    except StorageError as error:
        if isinstance(error, OSError):
            raise
        return False
    return True


def _forgive_young_orphans(report: Report) -> None:
    """Files whose row was committed while the scan went on are none."""
    suspects = report.shown.get("orphans", [])
    if not suspects:
        return
    named = references()
    db.session.rollback()
    still = [item for item in suspects if item[1] not in named.get(item[0], set())]
    report.orphans -= len(suspects) - len(still)
    report.shown["orphans"] = still


def references() -> dict[str, set[str]]:
    """Storage → keys that rows name now."""
    found: dict[str, set[str]] = {}
    stores: list[FileStore] = list(registry("file_stores"))
    for store in stores:
        statement: Select[tuple[str]] = store.references()
        found.setdefault(store.storage, set()).update(str(key) for key in db.session.scalars(statement) if key)
    return found


def rotate(progress: Progress = no_progress, new: bool = True) -> dict[str, int]:
    """Seal all files with a new key. Can be cut off and run again (with ``new=False``): what has the newest key already
    is passed over. Older keys stay in the file, because backups and replicas may need them.

    :returns: {"resealed": …, "files": …, "failed": …}
    """
    if new:
        key_ring()
        add_key(ring_file().path)
    resealed = failed = 0
    items = list(_all_keys())
    for number, (storage, key) in enumerate(items):
        if number % 20 == 0:
            progress(number, len(items), "")
        try:
            resealed += storage.reseal(key)
        except MissingContent:
            continue
        except StorageError as error:
            if isinstance(error, OSError):
                raise
            failed += 1
    return {"files": len(items), "resealed": resealed, "failed": failed}


def _all_keys() -> Iterator[tuple[Storage, str]]:
    for name in STORAGES:
        storage = storage_called(name)
        for key in storage.all_keys():
            yield storage, key
