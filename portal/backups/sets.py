"""Reading and writing the pieces of a set; which sets there are."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.backups.errors import BackupError
from portal.core import clock
from portal.core.storage.contract import DamagedContent, MissingContent, Place, StorageError, WrongKey
from portal.core.storage.keyring import KeyRing
from portal.core.storage.sealing import seal, unseal
from portal.i18n import _

FORMAT = "portal-backup-1"
SETS = "sets/"
POOL = "pool/"
MANIFEST = "manifest"
#: A manifest is small; what is larger is none.
MANIFEST_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class FileEntry:
    """A file of a set: which storage it belongs to, its key there, and where its content lies in the pool."""

    storage: str
    key: str
    pool: str
    size: int


@dataclass
class Manifest:
    """What a set says about itself. Times are ISO texts in UTC, sizes bytes."""

    name: str
    kind: str
    made_at: str
    portal: str
    #: alembic's revisions
    revisions: list[str]
    dialect: str
    database_version: str
    #: as it lies in the piece "database", opened
    database_size: int = 0
    database_digest: str = ""
    #: table → [rows, digest]
    tables: dict[str, list[Any]] = field(default_factory=dict)
    #: head of the audit trail
    audit_seq: int = 0
    audit_hash: str = ""
    #: file store → number of files
    stores: dict[str, int] = field(default_factory=dict)
    files: int = 0
    new_files: int = 0
    files_digest: str = ""
    #: [storage, key, problem] of files that rows name but the storage could not give
    missing: list[list[str]] = field(default_factory=list)
    #: of the sealed pieces and files together; of what this set added
    bytes: int = 0
    new_bytes: int = 0
    seconds: float = 0.0
    key_id: str = ""
    format: str = FORMAT

    @property
    def moment(self) -> datetime:
        """When it was begun."""
        return datetime.fromisoformat(self.made_at)


def new_name() -> str:
    """A name that sorts by time."""
    return f"{clock.now():%Y%m%dt%H%M%Sz}-{secrets.token_hex(2)}"


class Shelf:
    """The sets of a place, opened with a key ring."""

    def __init__(self, place: Place, ring: KeyRing) -> None:
        self.place, self.ring = place, ring

    # ---- pieces ----------------------------------------------------------------------------------------------------

    def write(self, name: str, blocks: Iterable[bytes], durable: bool = True) -> int:
        """Seal a piece under a name; bytes written."""
        return self.place.write(name, seal(blocks, name, self.ring.newest), durable)

    def read(self, name: str) -> Iterator[bytes]:
        """Open a piece. :raises MissingContent, DamagedContent, WrongKey: some of them at the end."""
        return unseal(self.place.read(name), name, self.ring)

    def read_all(self, name: str, limit: int = MANIFEST_LIMIT * 16) -> bytes:
        """A whole small piece."""
        parts, size = [], 0
        for block in self.read(name):
            size += len(block)
            if size > limit:
                raise DamagedContent(name)
            parts.append(block)
        return b"".join(parts)

    def pool_name(self, storage: str, key: str) -> str:
        """Where the content of a file lies. A new key means another place, so that all copies are made anew."""
        digest = self.ring.name_digest([f"{self.ring.newest.id}\0{storage}\0{key}".encode()])
        return f"{POOL}{digest[:2]}/{digest}"

    # ---- sets ------------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Names of complete sets, oldest first."""
        return sorted(self._parts().keys() - self._without_manifest())

    def _parts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.place.names(SETS):
            parts = name.split("/")
            if len(parts) == 3:
                found.setdefault(parts[1], []).append(parts[2])
        return found

    def _without_manifest(self) -> set[str]:
        return {name for name, pieces in self._parts().items() if MANIFEST not in pieces}

    def manifest(self, name: str) -> Manifest:
        """What a set says about itself. :raises BackupError: there is none, it is damaged, the key is wrong."""
        piece = f"{SETS}{name}/{MANIFEST}"
        try:
            data = json.loads(self.read_all(piece, MANIFEST_LIMIT))
            found = Manifest(**data)
        except MissingContent:
            raise BackupError(_("There is no backup %(name)s.", name=name)) from None
        except WrongKey:
            raise BackupError(
                _(
                    "The backup %(name)s was made with another key. Put the right key file in its place, "
                    "or import the key from its export.",
                    name=name,
                )
            ) from None
        except (DamagedContent, ValueError, TypeError):
            raise BackupError(_("The backup %(name)s is damaged: its manifest cannot be read.", name=name)) from None
        if found.format != FORMAT or found.name != name:
            raise BackupError(_("The backup %(name)s is damaged: its manifest cannot be read.", name=name))
        return found

    def write_manifest(self, manifest: Manifest) -> None:
        """Complete a set: from now on it exists."""
        content = json.dumps(asdict(manifest), ensure_ascii=False).encode()
        # All that it names must be on the disk before it is.
        self.place.flush()
        self.write(f"{SETS}{manifest.name}/{MANIFEST}", [content])

    def write_files(self, name: str, entries: Iterable[FileEntry]) -> str:
        """Write which files belong to a set; the digest of the list."""
        digest = hashlib.sha256()

        def lines() -> Iterator[bytes]:
            for entry in entries:
                line = json.dumps([entry.storage, entry.key, entry.pool, entry.size]).encode() + b"\n"
                digest.update(line)
                yield line

        self.write(f"{SETS}{name}/files", lines())
        return digest.hexdigest()

    def files(self, manifest: Manifest) -> list[FileEntry]:
        """The files of a set. :raises DamagedContent:"""
        piece = f"{SETS}{manifest.name}/files"
        content = self.read_all(piece, limit=2**31)
        if hashlib.sha256(content).hexdigest() != manifest.files_digest:
            raise DamagedContent(piece)
        return [FileEntry(*json.loads(line)) for line in content.splitlines()]

    def fetch_database(self, manifest: Manifest, folder: Path) -> Path:
        """Write the copy of the database into a folder. :raises DamagedContent: it is not what was made."""
        piece = f"{SETS}{manifest.name}/database"
        target = folder / "copy"
        digest, size = hashlib.sha256(), 0
        with target.open("xb") as handle:
            for block in self.read(piece):
                digest.update(block)
                size += len(block)
                handle.write(block)
        if (size, digest.hexdigest()) != (manifest.database_size, manifest.database_digest):
            raise DamagedContent(piece)
        return target

    # ---- removing --------------------------------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Remove a set; its manifest first, so that a crash leaves no half one. Files stay until `prune`."""
        self.place.delete(f"{SETS}{name}/{MANIFEST}")
        for piece in self._parts().get(name, ()):
            self.place.delete(f"{SETS}{name}/{piece}")

    def remove_unfinished(self) -> list[str]:
        """Remove what is left of sets that never got their manifest; their names."""
        names = sorted(self._without_manifest())
        for name in names:
            self.remove(name)
        self.place.sweep(0)
        return names

    def prune(self) -> int:
        """Remove files of the pool that no set needs any more; how many. When the list of one set cannot be read,
        nothing is removed."""
        needed: set[str] = set()
        try:
            for name in self.names():
                needed.update(entry.pool for entry in self.files(self.manifest(name)))
        except (StorageError, BackupError):
            return 0
        removed = 0
        for pooled in list(self.place.names(POOL)):
            if pooled not in needed:
                removed += self.place.delete(pooled)
        return removed
