"""The storage that everybody uses: content in, content out; sealed in between."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import IO

from portal.core.storage.contract import DamagedContent, MissingContent, Place, StorageError, StoredContent
from portal.core.storage.keyring import KeyRing
from portal.core.storage.sealing import BLOCK, header_key_id, seal, take_header, unseal

_AREA = re.compile(r"[a-z][a-z0-9_]{0,30}")
_KEY = re.compile(r"([a-z][a-z0-9_]{0,30})/([0-9a-f]{2})/(\2[0-9a-f]{62})")


class Storage:
    """Sealed content in a place, under keys that it makes itself; see `portal.core.storage` for the contract."""

    def __init__(self, place: Place, ring: Callable[[], KeyRing]) -> None:
        self.place, self._ring = place, ring

    def put(self, area: str, content: bytes | IO[bytes]) -> StoredContent:
        """Keep content. :param area: a short word, such as "documents". :param content: bytes, or an open file that can
        be rewound; it is read twice from its beginning.

        :raises OSError: e.g. when the disk is full; nothing is kept then. :raises KeyProblem: without a key.
        """
        if not _AREA.fullmatch(area):
            raise ValueError(f"{area!r} is no name of an area")
        ring = self._ring()
        plain = hashlib.sha256()
        size = 0

        def measured() -> Iterator[bytes]:
            nonlocal size
            for block in _blocks(content):
                plain.update(block)
                size += len(block)
                yield block

        digest = ring.name_digest(measured())
        stored = StoredContent(f"{area}/{digest[:2]}/{digest}", plain.hexdigest(), size)
        if not self._is_whole(stored.key):
            self.place.write(stored.key, seal(_blocks(content), stored.key, ring.newest))
        return stored

    def put_as(self, key: str, blocks: Iterable[bytes]) -> None:
        """Keep content under a key it had before (a restore). :raises DamagedContent: it is not the key's content;
        nothing is kept then."""
        match = _KEY.fullmatch(key)
        if match is None:
            raise MissingContent(key)
        ring = self._ring()
        self.place.write(key, seal(_proven(blocks, key, match[3], ring), key, ring.newest))

    def get(self, key: str) -> bytes:
        """Read content. :raises MissingContent, DamagedContent, WrongKey:"""
        return b"".join(self.blocks(key))

    def blocks(self, key: str) -> Iterator[bytes]:
        """Read content a MiB at a time; errors as `get`, some of them at the end."""
        match = _KEY.fullmatch(key)
        if match is None:
            raise MissingContent(key)
        ring = self._ring()
        return _proven(unseal(self.place.read(key), key, ring), key, match[3], ring)

    def check(self, key: str) -> int:
        """Read content and throw it away; its size in bytes. Errors as `get`."""
        return sum(len(block) for block in self.blocks(key))

    def exists(self, key: str) -> bool:
        """Whether something is kept under the key (`check` reads it)."""
        return _KEY.fullmatch(key) is not None and self.place.exists(key)

    def delete(self, key: str) -> bool:
        """Remove content; whether there was any. The caller makes sure that nobody else refers to the same content."""
        return _KEY.fullmatch(key) is not None and self.place.delete(key)

    def iterate(self, area: str) -> Iterator[str]:
        """The keys of an area, in order; names that do not look like ours are passed over."""
        if not _AREA.fullmatch(area):
            raise ValueError(f"{area!r} is no name of an area")
        return (name for name in self.place.names(f"{area}/") if _KEY.fullmatch(name))

    def all_keys(self) -> Iterator[str]:
        """The keys of all areas, in order."""
        return (name for name in self.place.names() if _KEY.fullmatch(name))

    def sealed_with(self, key: str) -> str:
        """The id of the key that content is sealed with; reads the header only. Errors as `get`."""
        source = self.place.read(key)
        try:
            return header_key_id(take_header(source, key)[0], key)
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    def reseal(self, key: str) -> bool:
        """Seal content with the newest key; whether that was necessary. Errors as `get`, nothing is changed then."""
        ring = self._ring()
        if self.sealed_with(key) == ring.newest.id:
            return False
        match = _KEY.fullmatch(key)
        if match is None:
            raise MissingContent(key)
        opened = unseal(self.place.read(key), key, ring)
        with closing(_proven(opened, key, match[3], ring)) as proven:
            self.place.write(key, seal(proven, key, ring.newest))
        return True

    def sweep(self, older_than_seconds: int = 86400) -> int:
        """Remove leftovers of writes that a crash cut off; how many."""
        return self.place.sweep(older_than_seconds)

    def _is_whole(self, key: str) -> bool:
        if not self.place.exists(key):
            return False
        try:
            self.check(key)
        except StorageError as error:
            if isinstance(error, OSError):
                raise
            return False
        return True


def _blocks(content: bytes | IO[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes | bytearray | memoryview):
        view = memoryview(content)
        for start in range(0, len(view), BLOCK):
            yield bytes(view[start : start + BLOCK])
        return
    content.seek(0)
    while block := content.read(BLOCK):
        yield block


def _proven(blocks: Iterable[bytes], key: str, digest: str, ring: KeyRing) -> Generator[bytes, None, None]:
    """Hand blocks on and compare the digest at the end."""
    running = hmac.new(ring.naming, digestmod=hashlib.sha256)
    for block in blocks:
        running.update(block)
        yield block
    if not hmac.compare_digest(running.hexdigest(), digest):
        raise DamagedContent(key)
