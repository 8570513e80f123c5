"""Key rings: files of keys that lie outside of what they open.

A ring has a *naming key*, which never changes (names of content are made with it and stand in the database), and one or
more *sealing keys*: the newest seals, all of them open. An id is made from the key itself, so a digit that was changed
in the file is noticed when the file is read, not when a document is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from portal.core import clock
from portal.core.storage.contract import KeyProblem
from portal.core.storage.folder import sync_folder

FORMAT = "portal-keys-1"
EXPORT_FORMAT = "portal-key-export-1"
KEY_BYTES = 32
ID_BYTES = 8
#: Cost of a guess at the passphrase of an export: about half a second and 128 MiB (RFC 7914).
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1
MINIMUM_PASSPHRASE = 12


@dataclass(frozen=True)
class Key:
    """One sealing key. `id` is 16 hexadecimal digits."""

    secret: bytes
    made_at: datetime

    @property
    def id(self) -> str:
        """Made from the key; says nothing about it."""
        return _identify(self.secret)


@dataclass(frozen=True)
class KeyRing:
    """The keys of a file, oldest first."""

    naming: bytes
    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[-1]

    def find(self, key_id: str) -> Key | None:
        """The key of an id."""
        return next((key for key in self.keys if key.id == key_id), None)

    def name_digest(self, blocks: Iterable[bytes]) -> str:
        """The keyed digest of content: its name. 64 hexadecimal digits."""
        digest = hmac.new(self.naming, digestmod=hashlib.sha256)
        for block in blocks:
            digest.update(block)
        return digest.hexdigest()

    def rotated(self) -> KeyRing:
        """This ring with a new key, which seals from now on."""
        return KeyRing(self.naming, (*self.keys, new_key()))

    def joined(self, other: KeyRing) -> KeyRing:
        """This ring's naming key and newest key, and what only the other one can open."""
        strange = tuple(key for key in other.keys if self.find(key.id) is None)
        return KeyRing(self.naming, (*strange, *self.keys))

    def to_text(self) -> str:
        """As it is written into the file."""
        return json.dumps(
            {
                "format": FORMAT,
                "naming": {"id": _identify(self.naming), "key": self.naming.hex()},
                "keys": [{"id": key.id, "key": key.secret.hex(), "made": key.made_at.isoformat()} for key in self.keys],
            },
            indent=1,
        )


def _identify(secret: bytes) -> str:
    return hashlib.sha256(b"portal key id\0" + secret).hexdigest()[: ID_BYTES * 2]


def new_key() -> Key:
    """A random key."""
    return Key(secrets.token_bytes(KEY_BYTES), clock.now())


def new_ring() -> KeyRing:
    """A ring with one key."""
    return KeyRing(secrets.token_bytes(KEY_BYTES), (new_key(),))


def from_text(text: str, called: str) -> KeyRing:
    """A ring from its text. :raises KeyProblem: it is none, or was changed."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise KeyProblem(f"{called} is no key file of this portal.")
        naming = bytes.fromhex(data["naming"]["key"])
        keys = tuple(Key(bytes.fromhex(entry["key"]), datetime.fromisoformat(entry["made"])) for entry in data["keys"])
        ids = [data["naming"]["id"], *(entry["id"] for entry in data["keys"])]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem(f"{called} is no key file of this portal, or it was cut off.") from error
    secrets_read = [naming, *(key.secret for key in keys)]
    if not keys or ids != [_identify(secret) for secret in secrets_read] or {len(s) for s in secrets_read} != {32}:
        raise KeyProblem(f"{called} is damaged: a key does not have its number.")
    return KeyRing(naming, keys)


def load(path: Path) -> KeyRing:
    """Read a ring. :raises FileNotFoundError: :raises KeyProblem: it cannot be read, or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise KeyProblem(f"The key file {path} cannot be read.") from error
    if mode & 0o007:
        raise KeyProblem(f"Everybody on this machine may read the key file {path}: chmod 600 it.")
    return from_text(text, f"The key file {path}")


def load_or_make(path: Path, is_needed: Callable[[], bool]) -> KeyRing:
    """Read a ring; make it on the first start.

    :param is_needed: whether something is there already that only the old key opens: then no new one is made.
    :raises KeyProblem: the file is missing though it is needed, or cannot be used.
    """
    try:
        return load(path)
    except FileNotFoundError:
        pass
    if is_needed():
        raise KeyProblem(f"The key file {path} is missing: put it back, what is kept cannot be opened without it.")
    _prepare_folder(path)
    # Written aside and linked, so that two processes starting at once agree on one key.
    temporary = _write_aside(path, new_ring().to_text())
    try:
        os.link(temporary, path)
        sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)
    return load(path)


def save(path: Path, ring: KeyRing) -> None:
    """Replace the file in one step."""
    _prepare_folder(path)
    temporary = _write_aside(path, ring.to_text())
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def add_key(path: Path) -> KeyRing:
    """Add a new key to the file, for one process at a time. :raises KeyProblem, FileNotFoundError: as `load`."""
    with _locked(path):
        ring = load(path).rotated()
        save(path, ring)
    return ring


def drop_keys(path: Path, still_used: Callable[[], set[str]]) -> list[str]:
    """Take out keys that nothing is sealed with any more; the newest stays. Returns their ids."""
    with _locked(path):
        ring = load(path)
        used = still_used() | {ring.newest.id}
        kept = tuple(key for key in ring.keys if key.id in used)
        if len(kept) < len(ring.keys):
            save(path, KeyRing(ring.naming, kept))
    return [key.id for key in ring.keys if key not in kept]


def export(ring: KeyRing, passphrase: str) -> str:
    """The ring under a passphrase, as text for paper or a safe. :raises KeyProblem: the passphrase is too short."""
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise KeyProblem(f"The passphrase needs at least {MINIMUM_PASSPHRASE} characters.")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = AESGCM(_derive(passphrase, salt)).encrypt(nonce, ring.to_text().encode(), EXPORT_FORMAT.encode())
    return json.dumps(
        {
            "format": EXPORT_FORMAT,
            "key": ring.newest.id,
            "salt": b64encode(salt).decode(),
            "nonce": b64encode(nonce).decode(),
            "sealed": b64encode(sealed).decode(),
        },
        indent=1,
    )


def from_export(text: str, passphrase: str) -> KeyRing:
    """The ring of an export. :raises KeyProblem: wrong passphrase, or no export."""
    try:
        data = json.loads(text)
        if data["format"] != EXPORT_FORMAT:
            raise KeyProblem("This file is no export of a key.")
        salt, nonce, sealed = (b64decode(data[name], validate=True) for name in ("salt", "nonce", "sealed"))
        opened = AESGCM(_derive(passphrase, salt)).decrypt(nonce, sealed, EXPORT_FORMAT.encode())
    except InvalidTag as error:
        raise KeyProblem("The passphrase is wrong, or the export was changed.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem("This file is no export of a key, or it was cut off.") from error
    return from_text(opened.decode(), "The export")


def _derive(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())


def _prepare_folder(path: Path) -> None:
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(exist_ok=True, mode=0o700)


def _write_aside(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    return temporary


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    _prepare_folder(path)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class RingFile:
    """A ring that is read anew when its file was changed: a key that another process added is known at once."""

    def __init__(self, path: Path, is_needed: Callable[[], bool]) -> None:
        self.path, self._is_needed = path, is_needed
        self._ring: KeyRing | None = None
        self._stamp: tuple[int, int] | None = None

    def ring(self) -> KeyRing:
        """The ring as the file has it now. :raises KeyProblem:"""
        stamp = self._file_stamp()
        if self._ring is None or stamp is None or stamp != self._stamp:
            self._ring = load_or_make(self.path, self._is_needed)
            self._stamp = self._file_stamp()
        return self._ring

    def _file_stamp(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
