"""The storages of the running application, by its settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app

from portal.config import PROJECT_ROOT, SECRET_FILE, ConfigError
from portal.core.storage.contract import Place
from portal.core.storage.folder import FolderPlace
from portal.core.storage.keyring import KeyRing, RingFile
from portal.core.storage.s3 import S3Access, S3Place
from portal.core.storage.sealed import Storage
from portal.core.storage.stores import STORAGES

_EXTENSION = "portal_storages"
KEY_FOLDER = "keys"
KEY_FILE = "storage.keys"
BACKUP_KEY_FILE = "backup.keys"
#: Folders of the programme; what lies in one of them may be served or replaced by an update.
_PROGRAMME = ("portal", "plugins", "templates", "static", "docs")


def storage() -> Storage:
    """The storage of the core: documents, exports, imports (FILES_URL)."""
    return storage_called("files")


def archive_storage() -> Storage:
    """The storage of the archive, a space of its own (ARCHIVE_URL)."""
    return storage_called("archive")


def storage_called(name: str) -> Storage:
    """A storage by its name, "files" or "archive"."""
    return _storages()[name]


def key_ring() -> KeyRing:
    """The ring that seals both storages. :raises KeyProblem:"""
    return ring_file().ring()


def ring_file() -> RingFile:
    """The key file of the storages."""
    _storages()
    found: RingFile = current_app.extensions[_EXTENSION]["ring"]
    return found


def key_file(config: Mapping[str, Any]) -> Path:
    """Where the key of the storages is."""
    named = config["ARCHIVE_KEY_FILE"]
    return _absolute(named) if named else Path(config["DATA_DIR"]) / KEY_FOLDER / KEY_FILE


def _storages() -> dict[str, Any]:
    found: dict[str, Any] | None = current_app.extensions.get(_EXTENSION)
    # Connections to a service must not be shared with a forked child.
    if found is None or found["process"] != os.getpid():
        config = current_app.config
        places = {name: open_place(url_of(config, name), config) for name in STORAGES}
        ring = RingFile(key_file(config), lambda: any(next(place.names(), None) for place in places.values()))
        found = {name: Storage(place, ring.ring) for name, place in places.items()}
        found |= {"ring": ring, "process": os.getpid()}
        current_app.extensions[_EXTENSION] = found
    return found


def url_of(config: Mapping[str, Any], name: str) -> str:
    """The address of a storage."""
    url: str = config[f"{name.upper()}_URL"]
    return url or (Path(config["DATA_DIR"]) / name).as_uri()


def open_place(url: str, config: Mapping[str, Any]) -> Place:
    """The place of an address, ``file:///folder`` or ``s3://bucket/prefix``.

    :raises ConfigError: it is neither, or the folder is one that must not be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        folder = Path(unquote(parts.path))
        check_folder(folder, config)
        return FolderPlace(folder)
    if parts.scheme == "s3" and parts.netloc:
        return S3Place(
            parts.netloc,
            unquote(parts.path),
            S3Access(
                endpoint=config["S3_ENDPOINT"],
                region=config["S3_REGION"],
                access_key_id=config["S3_ACCESS_KEY_ID"],
                secret_access_key=config["S3_SECRET_ACCESS_KEY"],
                path_style=config["S3_PATH_STYLE"],
            ),
        )
    raise ConfigError(f"{url!r} is no storage: file:///folder or s3://bucket/prefix is wanted.")


def check_folder(folder: Path, config: Mapping[str, Any]) -> None:
    """A storage has a folder of its own. :raises ConfigError: it contains the database or lies in the programme."""
    resolved, data = folder.resolve(), Path(config["DATA_DIR"]).resolve()
    if data.is_relative_to(resolved):
        raise ConfigError(f"{folder} holds the database; a storage needs a folder of its own.")
    if any(resolved.is_relative_to(PROJECT_ROOT / name) for name in _PROGRAMME):
        raise ConfigError(f"{folder} belongs to the programme; a storage needs a folder of its own.")


def check_places(config: Mapping[str, Any]) -> None:
    """Refuse, at start, addresses that cannot be used and a key that lies beside what it opens. :raises ConfigError:"""
    urls = {name: url_of(config, name) for name in STORAGES}
    for url in urls.values():
        folder = _folder_of(url)
        if folder is None:
            if urlsplit(url).scheme != "s3" or not urlsplit(url).netloc:
                raise ConfigError(f"{url!r} is no storage: file:///folder or s3://bucket/prefix is wanted.")
            continue
        check_folder(folder, config)
        if key_file(config).resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"The key {key_file(config)} lies in the storage that it opens.")
    if urls["files"].rstrip("/") == urls["archive"].rstrip("/"):
        raise ConfigError("FILES_URL and ARCHIVE_URL are the same: the archive has a space of its own.")


def check_keys(config: Mapping[str, Any]) -> None:
    """Refuse, at start, keys that every account of the machine can read or replace. :raises ConfigError:

    A group is let be: containers hand files over to one.
    """
    data = Path(config["DATA_DIR"])
    backups = config["BACKUP_KEY_FILE"]
    for path in (
        key_file(config),
        _absolute(backups) if backups else data / KEY_FOLDER / BACKUP_KEY_FILE,
        data / SECRET_FILE,
    ):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue  # not made yet, or out of reach: who needs it says so
        if mode & stat.S_IRWXO:
            raise ConfigError(f"{path} is open to every account of the machine: chmod 600 {path}")


def _folder_of(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.path.startswith("/") else None


def _absolute(named: str) -> Path:
    path = Path(named)
    return path if path.is_absolute() else (PROJECT_ROOT / path).resolve()
