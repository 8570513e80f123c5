"""The same contract on an S3-compatible service: a server of its own, spoken to over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.core.storage import DamagedContent, MissingContent, Storage, StorageUnavailable
from portal.core.storage.keyring import new_ring
from portal.core.storage.s3 import PART_SIZE, S3Access, S3Place
from tests.conftest_servers import free_port

RING = new_ring()


@pytest.fixture
def place(s3_endpoint: str, request: pytest.FixtureRequest) -> S3Place:
    prefix = f"t{abs(hash(request.node.name))}"
    return S3Place("portal", prefix, S3Access(s3_endpoint, "us-east-1", "test", "test"))


@pytest.fixture
def storage(place: S3Place) -> Storage:
    return Storage(place, lambda: RING)


def test_what_was_put_comes_back(storage: Storage) -> None:
    stored = storage.put("documents", b"content")
    assert storage.get(stored.key) == b"content"
    assert storage.exists(stored.key)
    assert storage.put("documents", b"content") == stored
    assert list(storage.iterate("documents")) == [stored.key]
    assert list(storage.iterate("archive")) == []
    assert storage.sealed_with(stored.key) == RING.newest.id
    assert storage.delete(stored.key)
    assert not storage.delete(stored.key)
    assert not storage.exists(stored.key)
    with pytest.raises(MissingContent):
        storage.get(stored.key)


def test_a_file_of_several_parts(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"0123456789abcdef" * (PART_SIZE // 16) * 2 + b"end")
    with path.open("rb") as handle:
        stored = storage.put("archive", handle)
    assert stored.size == PART_SIZE * 2 + 3
    assert storage.check(stored.key) == stored.size
    assert storage.get(stored.key) == path.read_bytes()


def test_damage_in_the_bucket_is_found(storage: Storage, place: S3Place) -> None:
    key = storage.put("documents", b"content").key
    sealed = b"".join(place.read(key))
    place.write(key, [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    with pytest.raises(DamagedContent):
        storage.get(key)
    storage.put("documents", b"content")
    assert storage.get(key) == b"content"


def test_an_error_of_the_source_leaves_nothing(place: S3Place) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * (PART_SIZE + 1)
        raise DamagedContent("source")

    with pytest.raises(DamagedContent, match="source"):
        place.write("documents/broken", broken())
    assert not place.exists("documents/broken")


def test_names_come_in_order_and_stay_below_the_prefix(place: S3Place, s3_endpoint: str) -> None:
    for name in ("sets/b/manifest", "sets/a/manifest", "pool/aa/x"):
        place.write(name, [b"x"])
    S3Place("portal", place.prefix + "other", place.access).write("sets/c/manifest", [b"x"])
    assert list(place.names("sets/")) == ["sets/a/manifest", "sets/b/manifest"]
    assert list(place.names()) == ["pool/aa/x", "sets/a/manifest", "sets/b/manifest"]
    assert place.size("pool/aa/x") == 1
    for name in ("../x", "/x", "a/../b", "a//b", ""):
        assert not _exists(place, name)


def _exists(place: S3Place, name: str) -> bool:
    try:
        return place.exists(name)
    except MissingContent:
        return False


def test_a_service_that_is_away_is_said_to_be() -> None:
    place = S3Place("portal", "", S3Access(f"http://127.0.0.1:{free_port()}", "us-east-1", "test", "test"))
    place._store  # noqa: B018
    with pytest.raises(StorageUnavailable):
        place.size("documents/x")
