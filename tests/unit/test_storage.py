"""Content of files: whole or not at all, found again only when it is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from portal.core.storage import DamagedContent, FolderStorage, MissingContent


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "files")


def test_what_was_put_comes_back(storage: FolderStorage) -> None:
    stored = storage.put("documents", b"content")
    assert stored.size == 7
    assert stored.key.endswith(stored.digest)
    assert storage.get(stored.key) == b"content"
    assert storage.exists(stored.key)
    assert list(storage.iterate("documents")) == [stored.key]
    assert list(storage.iterate("archive")) == []


def test_equal_content_is_kept_once_per_area(storage: FolderStorage) -> None:
    assert storage.put("documents", b"x") == storage.put("documents", b"x")
    assert storage.put("archive", b"x").key != storage.put("documents", b"x").key


def test_delete(storage: FolderStorage) -> None:
    key = storage.put("documents", b"x").key
    assert storage.delete(key)
    assert not storage.delete(key)
    with pytest.raises(MissingContent):
        storage.get(key)


def test_damage_is_noticed_and_mended_by_putting_again(storage: FolderStorage) -> None:
    stored = storage.put("documents", b"content")
    (storage.root / stored.key).write_bytes(b"c0ntent")
    with pytest.raises(DamagedContent):
        storage.get(stored.key)
    storage.put("documents", b"content")
    assert storage.get(stored.key) == b"content"


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "documents/../x", "/etc/passwd", "documents/aa/zz", "", "documents/aa/" + "b" * 64]
)
def test_keys_never_lead_elsewhere(storage: FolderStorage, key: str) -> None:
    assert key.count("b") != 64 or not storage.exists("documents/bb/" + "b" * 64)
    with pytest.raises(MissingContent):
        storage.get(key)


@pytest.mark.parametrize("area", ["", "../x", "A", "a/b"])
def test_areas_are_words(storage: FolderStorage, area: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        storage.put(area, b"x")


def test_only_the_owner_reads(storage: FolderStorage) -> None:
    stored = storage.put("documents", b"x")
    assert (storage.root / stored.key).stat().st_mode & 0o077 == 0
    assert (storage.root / "documents").stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_nothing_behind(storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.put("documents", b"x")
    assert list(storage.iterate("documents")) == []
    assert list((storage.root / ".unfinished").iterdir()) == []


def test_names_are_synced_after_the_content(storage: FolderStorage, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_kill_leaves_whole_files_only(storage: FolderStorage) -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(PROJECT_ROOT)!r})
from pathlib import Path
from portal.core.storage import FolderStorage
storage = FolderStorage(Path({str(storage.root)!r}))
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
    assert list((storage.root / ".unfinished").iterdir()) == []


def test_sweep_spares_what_is_being_written(storage: FolderStorage) -> None:
    storage.put("documents", b"x")
    young = storage.root / ".unfinished" / "young"
    young.write_bytes(b"part")
    assert storage.sweep() == 0
    assert young.exists()
    os.utime(young, (0, 0))
    assert storage.sweep() == 1
