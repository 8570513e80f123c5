"""Pages of a copy between making and printing: sealed on disk, the key in the copy's row.

Each copy has a random key of its own (AES-256-GCM, the copy's id is bound in). When the pages were sent the key is
forgotten and the file removed; a file that a crash left behind cannot be opened by anybody any more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

from portal.core import clock
from portal.core.errors import Invalid
from portal.core.numbers import id_from
from portal.core.transaction import after_commit
from portal.i18n import _

FOLDER = "archive_station"
SEALED = ".sealed"
_NONCE = 12
#: A file under an unfinished name that is older was left by a process that was killed.
UNFINISHED_SECONDS = 3600


def _path(copy_id: int) -> Path:
    return Path(current_app.config["DATA_DIR"]) / FOLDER / f"{copy_id}{SEALED}"


def seal(copy_id: int, content: bytes) -> bytes:
    """Keep the pages sealed, durably; an older file of the copy is replaced. :returns: the key.

    :raises OSError: the disk is full; nothing half is left.
    """
    key, nonce = AESGCM.generate_key(256), secrets.token_bytes(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, content, str(copy_id).encode("ascii"))
    path = _path(copy_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(f".{secrets.token_hex(8)}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(nonce)
            handle.write(sealed)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return key


def open_sealed(copy_id: int, key: bytes) -> bytes:
    """The pages of a copy. :raises Invalid: they are gone or damaged; the copy is cancelled and reserved anew then."""
    try:
        sealed = _path(copy_id).read_bytes()
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], str(copy_id).encode("ascii"))
    except (FileNotFoundError, InvalidTag) as error:
        raise Invalid(
            _("The pages of this copy are gone or damaged. Nothing was printed: cancel it and reserve a new one.")
        ) from error


def forget(copy_id: int) -> None:
    """Remove the sealed pages."""
    with contextlib.suppress(OSError):  # without its key the file is noise; the sweep tries again
        _path(copy_id).unlink(missing_ok=True)


def forget_after_commit(copy_id: int) -> None:
    """Remove the sealed pages once the open transaction is committed."""
    path = _path(copy_id)

    def remove() -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

    after_commit(remove)


def sweep_unfinished() -> int:
    """Remove what a process that was killed had begun to write. Returns how many."""
    folder = Path(current_app.config["DATA_DIR"]) / FOLDER
    found = 0
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):  # the next sweep tries again
            if path.suffix != SEALED and path.stat().st_mtime < clock.now().timestamp() - UNFINISHED_SECONDS:
                path.unlink()
                found += 1
    return found


def left_behind() -> list[int]:
    """Ids of copies whose sealed pages lie on the disk."""
    folder = Path(current_app.config["DATA_DIR"]) / FOLDER
    found = (id_from(path.stem) for path in folder.glob(f"*{SEALED}"))
    return sorted(number for number in found if number is not None)
