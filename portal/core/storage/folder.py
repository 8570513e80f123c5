"""A place in a folder of this machine."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from portal.core.storage.contract import MissingContent, is_name

#: Folder of files that are being written.
UNFINISHED = ".unfinished"
READ_SIZE = 1024 * 1024


class FolderPlace:
    """Files in a folder, readable by the portal's own user only.

    A file is written beside its place, synced to the disk, and then moved there in one step: a crash leaves the old
    state and a leftover that `sweep` removes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, blocks: Iterable[bytes], durable: bool = True) -> int:
        """Keep bytes; see `Place.write`."""
        target = self._path(name)
        unfinished = self.root / UNFINISHED
        # One by one: mkdir(parents=True) would give the folders above the usual, wider mode.
        self.root.parent.mkdir(parents=True, exist_ok=True)
        folders = [self.root, unfinished, *(self.root / parent for parent in reversed(_parents(name)))]
        # The names of new folders must reach the disk too, in the folder above each.
        unsynced = {folder.parent for folder in folders if _made(folder)}
        temporary = unfinished / secrets.token_hex(16)
        written = 0
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                for block in blocks:
                    written += handle.write(block)
                handle.flush()
                if durable:
                    os.fsync(handle.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            for folder in (target.parent, *unsynced):
                sync_folder(folder)
        return written

    def flush(self) -> None:
        """One sync of the machine instead of two for each file: Linux waits until all is on the disk."""
        os.sync()

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes; see `Place.read`."""
        try:
            handle = self._path(name).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MissingContent(name) from None
        return _blocks_of(handle)

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        return is_name(name) and self._path(name).is_file()

    def size(self, name: str) -> int:
        """Bytes of the file."""
        try:
            return self._path(name).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            raise MissingContent(name) from None

    def delete(self, name: str) -> bool:
        """Remove a file; whether there was one."""
        path = self._path(name)
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        sync_folder(path.parent)
        return True

    def names(self, prefix: str = "") -> Iterator[str]:
        """Names below a prefix, in order; what does not look like ours is passed over."""
        start = self.root / prefix.rstrip("/") if prefix else self.root
        if prefix and not is_name(prefix.rstrip("/")):
            return
        yield from self._walk(start)

    def _walk(self, folder: Path) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            name = str(Path(entry.path).relative_to(self.root))
            if not is_name(name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield name

    def sweep(self, older_than_seconds: int = 86400) -> int:
        """Remove leftovers of writes that a crash cut off; how many."""
        removed = 0
        # Ages of files are compared with the machine's clock, which also stamped them.
        limit = time.time() - older_than_seconds
        for path in (self.root / UNFINISHED).glob("*"):
            if path.stat().st_mtime <= limit:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def describe(self) -> str:
        """The folder."""
        return str(self.root)

    def _path(self, name: str) -> Path:
        if not is_name(name):
            raise MissingContent(name)
        return self.root / name


def _parents(name: str) -> list[str]:
    """ "a/b/c" as ["a/b", "a"]."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _made(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _blocks_of(handle: object) -> Iterator[bytes]:
    with handle:  # type: ignore[attr-defined]
        while block := handle.read(READ_SIZE):  # type: ignore[attr-defined]
            yield block


def sync_folder(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
