"""Where the content of files is kept: outside the web root and the database, sealed, whole or not at all.

The contract, for whoever keeps files::

    from portal.core.storage import archive_storage, storage

    stored = storage().put("documents", content)      # bytes, or an open file that can be rewound (50 MB and more)
    row.storage_key, row.digest, row.size = stored.key, stored.digest, stored.size
    content = storage().get(row.storage_key)          # all of it, or
    for block in storage().blocks(row.storage_key):   # a MiB at a time, each proven before it is handed out
        ...
    storage().delete(row.storage_key)                 # after the commit that forgot the key

- **put** returns when the content survives a power cut; write the row afterwards, in the same or a later transaction.
  A crash between the two leaves content without a row, never a row without content. Equal content of one area has one
  key and is kept once: before `delete` make sure that no other row names the key.
- **get** and **blocks** give what was put, or raise: `MissingContent`, `DamagedContent` (changed, cut off, put in the
  place of another), `WrongKey` (sealed with a key that the ring does not have). `blocks` may raise after some blocks
  were handed out: a file that was cut off is only known at its end.
- All errors are `StorageError`; one of the disk or the network is an `OSError` as well (`StorageUnavailable`).
- **What is kept is sealed** (AES-256-GCM, see `sealing`), under a key that lies outside (`keyring`): whoever reads the
  storage, or a copy of it, reads nothing. A key is ``area/aa/<64 hexadecimal digits>``. The digits are a *keyed* digest
  of the content: the plain SHA-256 would let anybody who can list names find out whether a known document is there.
  `StoredContent.digest` is the plain SHA-256, for the database and the audit trail.
- There are two storages with one key ring: `storage()` for what the core makes (documents, exports, imports;
  FILES_URL), `archive_storage()` for the archive, which has a space of its own (ARCHIVE_URL). Each is a folder or a
  bucket of an S3-compatible service; the code that uses them does not know which.
- **Everything with a row is backed up**: name your area in the hook `register_file_stores`
  (`portal.core.storage.stores`).

Two things wait for each other nowhere: content never changes, so readers need no lock.
"""

from __future__ import annotations

from portal.core.storage.contract import (
    DamagedContent,
    KeyProblem,
    MissingContent,
    Place,
    StorageError,
    StorageUnavailable,
    StoredContent,
    WrongKey,
)
from portal.core.storage.folder import FolderPlace
from portal.core.storage.places import archive_storage, key_ring, open_place, storage, storage_called
from portal.core.storage.sealed import Storage
from portal.core.storage.stores import Examined, FileStore

__all__ = [
    "DamagedContent",
    "Examined",
    "FileStore",
    "FolderPlace",
    "KeyProblem",
    "MissingContent",
    "Place",
    "Storage",
    "StorageError",
    "StorageUnavailable",
    "StoredContent",
    "WrongKey",
    "archive_storage",
    "key_ring",
    "open_place",
    "storage",
    "storage_called",
]
