"""Sealed content and its keys: nothing that was changed is taken for what was put there."""

from __future__ import annotations

import io
import os
import random
import stat
import threading
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.config import ConfigError, load_config
from portal.core.checks import run_checks
from portal.core.storage import DamagedContent, FolderPlace, KeyProblem, Storage, WrongKey
from portal.core.storage import keyring as keys
from portal.core.storage.places import check_keys, check_places, key_file
from portal.core.storage.sealing import BLOCK, HEADER_BYTES, TAG_BYTES, seal, unseal
from tests.conftest import settings_for

RING = keys.new_ring()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(FolderPlace(tmp_path / "files"), lambda: RING)


def file_of(storage: Storage, key: str) -> Path:
    assert isinstance(storage.place, FolderPlace)
    return storage.place.root / key


# ---- sealing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 7])
def test_what_was_sealed_is_opened_whatever_the_size(size: int) -> None:
    content = random.Random(size).randbytes(size)
    sealed = b"".join(seal([content], "documents/x", RING.newest))
    assert b"".join(unseal([sealed], "documents/x", RING)) == content
    blocks = max(1, -(-size // BLOCK))
    assert len(sealed) == HEADER_BYTES + size + blocks * TAG_BYTES


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 400), max_size=8), size=st.integers(0, 1200))
def test_how_the_bytes_arrive_makes_no_difference(cuts: list[int], size: int) -> None:
    content = bytes(range(256)) * 5
    content = content[:size]
    sealed = b"".join(seal([content], "n", RING.newest))
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(sealed[at : at + cut])
        at += cut
    assert b"".join(unseal([*pieces, sealed[at:]], "n", RING)) == content


def test_every_single_changed_byte_is_found() -> None:
    sealed = b"".join(seal([b"content of a file"], "documents/x", RING.newest))
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises((DamagedContent, WrongKey)):
            b"".join(unseal([changed], "documents/x", RING))


def test_a_piece_cut_off_anywhere_is_found() -> None:
    sealed = b"".join(seal([b"a" * BLOCK, b"b" * BLOCK, b"c"], "n", RING.newest))
    whole_blocks = [HEADER_BYTES, HEADER_BYTES + BLOCK + TAG_BYTES, HEADER_BYTES + 2 * (BLOCK + TAG_BYTES)]
    for length in [0, 1, HEADER_BYTES - 1, *whole_blocks, len(sealed) - 1]:
        with pytest.raises(DamagedContent):
            b"".join(unseal([sealed[:length]], "n", RING))


def test_blocks_in_another_order_or_added_are_found() -> None:
    sealed = b"".join(seal([b"a" * BLOCK, b"b" * BLOCK, b"c" * BLOCK], "n", RING.newest))
    step = BLOCK + TAG_BYTES
    header, blocks = (
        sealed[:HEADER_BYTES],
        [sealed[HEADER_BYTES + i * step : HEADER_BYTES + (i + 1) * step] for i in range(3)],
    )
    for order in ([1, 0, 2], [0, 2], [0, 1, 1, 2], [0, 1, 2, 2]):
        with pytest.raises(DamagedContent):
            b"".join(unseal([header, *(blocks[i] for i in order)], "n", RING))


def test_one_file_in_the_place_of_another_is_found(storage: Storage) -> None:
    one, other = storage.put("documents", b"one").key, storage.put("documents", b"other").key
    file_of(storage, one).write_bytes(file_of(storage, other).read_bytes())
    with pytest.raises(DamagedContent):
        storage.get(one)
    assert storage.get(other) == b"other"


def test_nothing_of_the_content_is_readable_in_the_storage(storage: Storage) -> None:
    key = storage.put("documents", "客户名单 customer list".encode()).key
    kept = file_of(storage, key).read_bytes()
    assert b"customer" not in kept
    assert "客户".encode() not in kept
    again = Storage(storage.place, lambda: keys.KeyRing(keys.new_ring().naming, RING.keys))
    assert again.put("documents", "客户名单 customer list".encode()).key != key  # names need the naming key


def test_a_large_file_goes_through_in_blocks(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as handle:
        for number in range(12):
            handle.write(bytes([number]) * BLOCK)
        handle.write(b"end")
    largest = 0
    with path.open("rb") as handle:
        stored = storage.put("archive", handle)
    for block in storage.blocks(stored.key):
        largest = max(largest, len(block))
    assert stored.size == 12 * BLOCK + 3
    assert largest <= BLOCK
    assert storage.put("archive", io.BytesIO(path.read_bytes())) == stored


def test_put_as_refuses_content_that_is_not_the_keys(storage: Storage) -> None:
    key = storage.put("documents", b"content").key
    storage.delete(key)
    with pytest.raises(DamagedContent):
        storage.put_as(key, [b"another"])
    assert not storage.exists(key)
    storage.put_as(key, [b"con", b"tent"])
    assert storage.get(key) == b"content"


# ---- keys ----------------------------------------------------------------------------------------------------------


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "storage.keys"
    ring_file = keys.RingFile(path, lambda: False)
    storage = Storage(FolderPlace(tmp_path / "files"), ring_file.ring)
    old = storage.put("documents", b"old").key
    first = ring_file.ring().newest.id
    keys.add_key(path)  # as another process does
    new = storage.put("documents", b"new").key
    assert storage.sealed_with(old) == first
    assert storage.sealed_with(new) == ring_file.ring().newest.id != first
    assert storage.put("documents", b"old").key == old  # names do not change with the key
    assert storage.reseal(old)
    assert not storage.reseal(old)
    assert storage.sealed_with(old) == storage.sealed_with(new)
    keys.drop_keys(path, lambda: {storage.sealed_with(key) for key in storage.all_keys()})
    assert [key.id for key in ring_file.ring().keys] == [storage.sealed_with(old)]
    assert (storage.get(old), storage.get(new)) == (b"old", b"new")


def test_content_of_another_key_is_not_called_damaged(storage: Storage) -> None:
    key = storage.put("documents", b"content").key
    stranger = Storage(storage.place, lambda: keys.KeyRing(RING.naming, keys.new_ring().keys))
    with pytest.raises(WrongKey, match=RING.newest.id):
        stranger.get(key)


def test_a_damaged_file_is_not_sealed_anew(tmp_path: Path) -> None:
    rings = [RING]
    storage = Storage(FolderPlace(tmp_path / "files"), lambda: rings[-1])
    key = storage.put("documents", b"content").key
    path = file_of(storage, key)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    before = path.read_bytes()
    rings.append(RING.rotated())
    with pytest.raises(DamagedContent):
        storage.reseal(key)
    assert path.read_bytes() == before


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "storage.keys"
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(keys.load_or_make(path, lambda: False).newest.id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "storage.keys"
    place = FolderPlace(tmp_path / "files")
    ring_file = keys.RingFile(path, lambda: any(True for _ in place.names()))
    storage = Storage(place, ring_file.ring)
    storage.put("documents", b"content")
    path.unlink()
    with pytest.raises(KeyProblem, match="missing"):
        storage.put("documents", b"more")
    assert not path.exists()


@pytest.mark.parametrize("change", ["digit", "cut", "others", "nonsense"])
def test_a_key_file_that_was_changed_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "keys" / "storage.keys"
    keys.load_or_make(path, lambda: False)
    text = path.read_text()
    digit = text.index('"key": "') + 20
    replaced = {
        "digit": text[:digit] + ("0" if text[digit] != "0" else "1") + text[digit + 1 :],
        "cut": text[: len(text) // 2],
        "others": text,
        "nonsense": "[]",
    }[change]
    path.write_text(replaced)
    if change == "others":
        path.chmod(0o644)
    with pytest.raises(KeyProblem):
        keys.load(path)


def test_an_exported_key_needs_its_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SCRYPT_N", 2**10)
    text = keys.export(RING, "correct horse battery")
    assert RING.newest.secret.hex() not in text
    assert keys.from_export(text, "correct horse battery") == RING
    with pytest.raises(KeyProblem, match="passphrase"):
        keys.from_export(text, "correct horse batterz")
    with pytest.raises(KeyProblem, match="12"):
        keys.export(RING, "short")
    with pytest.raises(KeyProblem):
        keys.from_export("{}", "correct horse battery")


# ---- places --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting",
    [
        {"FILES_URL": "file://{data}"},
        {"ARCHIVE_URL": "file://{root}/portal/static/archive"},
        {"ARCHIVE_URL": "file:relative"},
        {"ARCHIVE_URL": "ftp://server/archive"},
        {"ARCHIVE_URL": "file://{data}/files"},
        {"ARCHIVE_KEY_FILE": "{data}/archive/storage.keys"},
    ],
)
def test_places_that_would_be_unsafe_stop_the_start(tmp_path: Path, setting: dict[str, str]) -> None:
    from portal.config import PROJECT_ROOT

    filled = {name: value.format(data=tmp_path, root=PROJECT_ROOT) for name, value in setting.items()}
    config = load_config({}, **settings_for(tmp_path, "", **filled))
    with pytest.raises(ConfigError):
        check_places(config)
    check_places(load_config({}, **settings_for(tmp_path, "")))


@pytest.mark.parametrize("name", ["keys/storage.keys", "keys/backup.keys", "secret.key"])
def test_keys_that_every_account_can_read_stop_the_start(tmp_path: Path, name: str) -> None:
    config = load_config({}, **settings_for(tmp_path, ""))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("key")
    for mode, fits in ((0o600, True), (0o640, True), (0o644, False), (0o602, False)):
        path.chmod(mode)
        if fits:
            check_keys(config)
        else:
            with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
                check_keys(config)


def test_the_check_of_keys_is_one_of_the_start(app: Flask) -> None:
    path = key_file(app.config)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        run_checks(app)


def test_folders_of_a_place_are_the_owners_alone(storage: Storage) -> None:
    path = file_of(storage, storage.put("documents", b"x").key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_link_in_the_storage_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    storage.put("documents", b"x")
    outside = tmp_path / "outside"
    outside.write_bytes(b"secret")
    assert isinstance(storage.place, FolderPlace)
    os.symlink(outside, storage.place.root / "documents" / "link")
    assert len(list(storage.place.names())) == 1
