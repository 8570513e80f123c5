"""What a place for sealed content must do, and the errors of all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

#: Names in a place: at most five words of small letters, digits, "_", "-" and "." (not first), parted by "/".
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}(/[a-z0-9][a-z0-9_.-]{0,99}){0,4}")


class StorageError(Exception):
    """The content cannot be kept or read."""


class MissingContent(StorageError):
    """No content is kept under this key."""


class DamagedContent(StorageError):
    """What is kept is not what was put there."""


class KeyProblem(StorageError):
    """A key file is missing, damaged or open to others."""


class WrongKey(StorageError):
    """The content is sealed with a key that is not in the ring."""


class StorageUnavailable(StorageError, OSError):
    """The disk is full, the network is down, the service refuses."""


@dataclass(frozen=True)
class StoredContent:
    """Where content went. `digest` is its SHA-256 in hexadecimal, `size` in bytes."""

    key: str
    digest: str
    size: int


class Place(Protocol):
    """Keeps pieces of bytes under names; knows nothing of keys or seals. Two exist: `FolderPlace` and `S3Place`."""

    def write(self, name: str, blocks: Iterable[bytes], durable: bool = True) -> int:
        """Keep bytes durably: all of them under the name in one step, or nothing. Returns how many. What was there is
        replaced. An error raised by `blocks` passes through and leaves nothing.

        :param durable: false: it is enough that the next `flush` makes it so (many small pieces at once).
        :raises OSError: the disk is full, the service is away.
        """

    def flush(self) -> None:
        """When this returns, everything that was written survives a power cut."""

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes, in blocks. :raises MissingContent: before the first one."""

    def exists(self, name: str) -> bool:
        """Whether something is kept under the name."""

    def size(self, name: str) -> int:
        """Bytes kept under the name. :raises MissingContent:"""

    def delete(self, name: str) -> bool:
        """Remove; whether there was anything."""

    def names(self, prefix: str = "") -> Iterator[str]:
        """Names below a prefix ("documents/" or ""), in order."""

    def sweep(self, older_than_seconds: int = 86400) -> int:
        """Remove leftovers of writes that a crash cut off; how many."""

    def describe(self) -> str:
        """For administrators: where it is, without credentials."""


def is_name(name: str) -> bool:
    """Whether a place can keep something under this name."""
    return len(name) <= 300 and _NAME.fullmatch(name) is not None
