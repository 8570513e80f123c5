"""Sealing streams of bytes with AES-256-GCM, a MiB at a time.

A sealed piece is a header and blocks::

    header   magic "PSC", version 1 (1 byte), id of the key (8), salt (32)
    block    up to 1 MiB of ciphertext and its tag (16); the last one may be short or empty

Each piece has a key of its own, HKDF-SHA256(key, salt), so nonces are simply counted: number of the block (11 bytes),
then 1 for the last block, else 0 (the construction STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). Header and
name of the piece are authenticated with every block. So a changed bit, a piece cut off at any place, blocks in another
order, a piece put in the place of another and a header with another key are all found, and memory stays at a few MiB.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.core.storage.contract import DamagedContent, WrongKey
from portal.core.storage.keyring import ID_BYTES, Key, KeyRing

MAGIC = b"PSC\x01"
SALT_BYTES = 32
TAG_BYTES = 16
BLOCK = 1024 * 1024
HEADER_BYTES = len(MAGIC) + ID_BYTES + SALT_BYTES


def seal(blocks: Iterable[bytes], name: str, key: Key) -> Iterator[bytes]:
    """Seal content under the name that it will be kept by."""
    salt = secrets.token_bytes(SALT_BYTES)
    header = MAGIC + bytes.fromhex(key.id) + salt
    cipher = _cipher(key, salt)
    bound = header + name.encode()
    yield header
    for number, (block, is_last) in enumerate(regular(blocks, BLOCK)):
        yield cipher.encrypt(_nonce(number, is_last), block, bound)


def unseal(blocks: Iterable[bytes], name: str, ring: KeyRing) -> Iterator[bytes]:
    """Open what was sealed under the name, block by block, each proven.

    :raises WrongKey: the ring does not have the key. :raises DamagedContent: anything was changed.
    """
    source = iter(blocks)
    header, rest = take_header(source, name)
    key_id = header_key_id(header, name)
    key = ring.find(key_id)
    if key is None:
        raise WrongKey(f"{name} is sealed with the key {key_id}, which is not in the key file.")
    cipher = _cipher(key, header[-SALT_BYTES:])
    bound = header + name.encode()
    for number, (block, is_last) in enumerate(regular(_chained(rest, source), BLOCK + TAG_BYTES)):
        try:
            yield cipher.decrypt(_nonce(number, is_last), block, bound)
        except (InvalidTag, ValueError):
            raise DamagedContent(name) from None


def header_key_id(header: bytes, name: str) -> str:
    """The id of the key that a piece was sealed with. :raises DamagedContent: this is no sealed piece."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise DamagedContent(name)
    return header[len(MAGIC) : len(MAGIC) + ID_BYTES].hex()


def take_header(source: Iterator[bytes], name: str) -> tuple[bytes, bytes]:
    """(header, what was read beyond it)."""
    begin = b""
    while len(begin) < HEADER_BYTES:
        block = next(source, None)
        if block is None:
            raise DamagedContent(name)
        begin += block
    return begin[:HEADER_BYTES], begin[HEADER_BYTES:]


def regular(blocks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in blocks of one size and whether each is the last; the last may be shorter, or empty when there
    is nothing at all."""
    kept = bytearray()
    for block in blocks:
        kept += block
        # One byte more than a block is needed to know that it is not the last one.
        start = 0
        while len(kept) - start > size:
            yield bytes(kept[start : start + size]), False
            start += size
        del kept[:start]
    yield bytes(kept), True


def _chained(first: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from source


def _cipher(key: Key, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=salt, info=b"portal sealed content 1").derive(key.secret))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
