"""Where the content of files is kept: outside the web root, by digest, whole or not at all.

`Storage` is the interface; `FolderStorage` keeps files in a folder of DATA_DIR. A key is ``area/aa/<sha256>``: equal
content of one area is kept once, a name can never point outside the folder, and damage is noticed when reading.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flask import current_app

_AREA = re.compile(r"^[a-z][a-z0-9_]{0,30}$")
_KEY = re.compile(r"^([a-z][a-z0-9_]{0,30})/([0-9a-f]{2})/(\2[0-9a-f]{62})$")
#: Folder of files that are being written.
_UNFINISHED = ".unfinished"


class StorageError(Exception):
    """The content cannot be kept or read."""


class MissingContent(StorageError):
    """No content is kept under this key."""


class DamagedContent(StorageError):
    """What is kept is not what was put there."""


@dataclass(frozen=True)
class StoredContent:
    """Where content went. `digest` is its SHA-256 in hexadecimal, `size` in bytes."""

    key: str
    digest: str
    size: int


class Storage(Protocol):
    """Keeps content under keys that it makes itself."""

    def put(self, area: str, content: bytes) -> StoredContent:
        """Keep content durably; when this returns, it survives a power cut."""

    def get(self, key: str) -> bytes:
        """Read content and check it. :raises MissingContent, DamagedContent:"""

    def exists(self, key: str) -> bool:
        """Whether something is kept under the key."""

    def delete(self, key: str) -> bool:
        """Remove content; whether there was any."""

    def iterate(self, area: str) -> Iterator[str]:
        """The keys of an area, in order."""


class FolderStorage:
    """Files in a folder, readable by the portal's own user only.

    A file is written beside its place, synced to the disk, and then moved there in one step: a crash leaves the old
    state and a leftover that `sweep` removes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, area: str, content: bytes) -> StoredContent:
        """Keep content. :param area: a short word, such as "documents". :raises OSError: e.g. when the disk is full."""
        if not _AREA.match(area):
            raise ValueError(f"{area!r} is no name of an area")
        digest = hashlib.sha256(content).hexdigest()
        stored = StoredContent(f"{area}/{digest[:2]}/{digest}", digest, len(content))
        target = self.root / stored.key
        if target.exists() and self._is_whole(target, digest):
            return stored
        unfinished = self.root / _UNFINISHED
        # One by one: mkdir(parents=True) would give the folders above the usual, wider mode.
        self.root.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, unfinished, target.parent.parent, target.parent):
            folder.mkdir(exist_ok=True, mode=0o700)
        temporary = unfinished / secrets.token_hex(16)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        # The new names themselves must reach the disk too: file, its folder, the area.
        for folder in (target.parent, target.parent.parent, self.root):
            _sync_folder(folder)
        return stored

    def get(self, key: str) -> bytes:
        """Read content. :raises MissingContent: nothing there. :raises DamagedContent: the digest does not match."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise MissingContent(key) from None
        if hashlib.sha256(content).hexdigest() != path.name:
            raise DamagedContent(key)
        return content

    def exists(self, key: str) -> bool:
        """Whether a file is there (its content is checked by `get`)."""
        return self._path(key).is_file()

    def delete(self, key: str) -> bool:
        """Remove a file; whether there was one. The caller makes sure that nobody else refers to the same content."""
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        _sync_folder(path.parent)
        return True

    def iterate(self, area: str) -> Iterator[str]:
        """The keys of an area, in order; files that do not look like ours are passed over."""
        if not _AREA.match(area):
            raise ValueError(f"{area!r} is no name of an area")
        for folder in sorted((self.root / area).glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                key = f"{area}/{folder.name}/{path.name}"
                if _KEY.match(key):
                    yield key

    def sweep(self, older_than_seconds: int = 86400) -> int:
        """Remove leftovers of writes that a crash cut off; how many."""
        removed = 0
        # Ages of files are compared with the machine's clock, which also stamped them.
        limit = time.time() - older_than_seconds
        for path in (self.root / _UNFINISHED).glob("*"):
            if path.stat().st_mtime <= limit:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _path(self, key: str) -> Path:
        if not _KEY.match(key):
            raise MissingContent(key)
        return self.root / key

    @staticmethod
    def _is_whole(path: Path, digest: str) -> bool:
        return hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage() -> Storage:
    """The storage of the running application: DATA_DIR/files unless another one was set."""
    found: Storage | None = current_app.extensions.get("portal_storage")
    if found is None:
        found = current_app.extensions["portal_storage"] = FolderStorage(current_app.config["DATA_DIR"] / "files")
    return found
