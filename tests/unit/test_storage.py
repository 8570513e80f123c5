"""Content of files: whole or not at all, found again only when it is the same."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from portal.core.storage import DamagedContent, FolderPlace, MissingContent, Storage
from portal.core.storage.keyring import new_ring

RING = new_ring()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(FolderPlace(tmp_path / "files"), lambda: RING)


def root_of(storage: Storage) -> Path:
    assert isinstance(storage.place, FolderPlace)
    return storage.place.root


def test_what_was_put_comes_back(storage: Storage) -> None:
    stored = storage.put("documents", b"content")
    assert stored.size == 7
    assert stored.digest == hashlib.sha256(b"content").hexdigest()
    assert stored.digest not in stored.key  # names say nothing about the content
    assert storage.get(stored.key) == b"content"
    assert storage.exists(stored.key)
    assert list(storage.iterate("documents")) == [stored.key]
    assert list(storage.iterate("archive")) == []


def test_equal_content_is_kept_once_per_area(storage: Storage) -> None:
    assert storage.put("documents", b"x") == storage.put("documents", b"x")
    assert storage.put("archive", b"x").key != storage.put("documents", b"x").key


def test_delete(storage: Storage) -> None:
    key = storage.put("documents", b"x").key
    assert storage.delete(key)
    assert not storage.delete(key)
    with pytest.raises(MissingContent):
        storage.get(key)


def test_damage_is_noticed_and_mended_by_putting_again(storage: Storage) -> None:
    stored = storage.put("documents", b"content")
    (root_of(storage) / stored.key).write_bytes(b"c0ntent")
    with pytest.raises(DamagedContent):
        storage.get(stored.key)
    storage.put("documents", b"content")
    assert storage.get(stored.key) == b"content"


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "documents/../x", "/etc/passwd", "documents/aa/zz", "", "documents/aa/" + "b" * 64]
)
def test_keys_never_lead_elsewhere(storage: Storage, key: str) -> None:
    assert key.count("b") != 64 or not storage.exists("documents/bb/" + "b" * 64)
    with pytest.raises(MissingContent):
        storage.get(key)


@pytest.mark.parametrize("area", ["", "../x", "A", "a/b"])
def test_areas_are_words(storage: Storage, area: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        storage.put(area, b"x")


def test_only_the_owner_reads(storage: Storage) -> None:
    stored = storage.put("documents", b"x")
    assert (root_of(storage) / stored.key).stat().st_mode & 0o077 == 0
    assert (root_of(storage) / "documents").stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_nothing_behind(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.put("documents", b"x")
    assert list(storage.iterate("documents")) == []
    assert list((root_of(storage) / ".unfinished").iterdir()) == []


def test_names_are_synced_after_the_content(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "content")
        fsync(descriptor)

    def noted_replace(source: object, target: object) -> None:
        steps.append("named")
        replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_replace)
    storage.put("documents", b"x")
    assert steps[:2] == ["content", "named"]
    assert steps[2:]
    assert set(steps[2:]) == {"folder"}


def test_a_kill_leaves_whole_files_only(storage: Storage) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(PROJECT_ROOT)!r})
from pathlib import Path
from portal.core.storage import FolderPlace, Storage
from portal.core.storage.keyring import from_text
ring = from_text({RING.to_text()!r}, "key")
storage = Storage(FolderPlace(Path({str(root_of(storage))!r})), lambda: ring)
number = 0
print("go", flush=True)
while True:
    storage.put("documents", bytes([number % 256]) * 400_000 + str(number).encode())
    number += 1
"""
    for pause in (0.05, 0.2):
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    keys = list(storage.iterate("documents"))
    assert keys
    for key in keys:
        assert len(storage.get(key)) > 400_000  # get() checks the digest
    storage.sweep(older_than_seconds=0)
    assert list((root_of(storage) / ".unfinished").iterdir()) == []


def test_sweep_spares_what_is_being_written(storage: Storage) -> None:
    storage.put("documents", b"x")
    young = root_of(storage) / ".unfinished" / "young"
    young.write_bytes(b"part")
    assert storage.sweep() == 0
    assert young.exists()
    os.utime(young, (0, 0))
    assert storage.sweep() == 1
