"""Experiments with backups (`make faults ARGS="-k backups -s"` prints the figures).

- 25 backups while 50 changes a second are written: each is restored for trial.
- One byte changed in each of 100 files of backups and of the storage: each is found before use.
- Backups killed at random moments: never a broken one that counts as complete.
- A disk that is full (a small file system where one may be mounted, else a limit of the process): the old backup is
  untouched, nothing is left over, and it works again without a restart.
- Ten times two at once: one runs.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from portal.backups import making, place, queries, services
from portal.backups.errors import AnotherRuns, BackupError
from portal.backups.models import BackupKind
from portal.backups.sets import Shelf
from portal.config import PROJECT_ROOT
from portal.core.errors import PortalError
from portal.core.storage import FolderPlace, storage
from portal.core.storage.contract import StorageError
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.faults.backup_worker import write_once

pytestmark = [pytest.mark.db, pytest.mark.slow]
SEED = 20261121


def worker(app: Flask, *arguments: str) -> subprocess.Popen[bytes]:
    """Another process on the same data; it has said that it is ready."""
    url = db.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
    command = [sys.executable, "-m", "tests.faults.backup_worker", str(app.config["DATA_DIR"]), url, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=PROJECT_ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def forked_backup(app: Flask) -> int:
    """A backup in a child of this process (a new one would spend its time on starting); its number.

    Ends with 0 when it was made, 3 when another was at work.
    """
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with app.app_context():
            services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False)
        code = 0
    except AnotherRuns:
        code = 3
    finally:
        os._exit(code)


def place_folder() -> Path:
    found = place.backup_place()
    assert isinstance(found, FolderPlace)
    return found.root


def report(line: str) -> None:
    """Figures; shown with -s."""
    print(f"\n  {line}", flush=True)


def test_backups_under_load_are_consistent(app: Flask) -> None:
    for number in range(20):
        write_once(number, with_file=True)
    writer = worker(app, "write", "50")
    count, seconds, heads, problems = 25, [], [], []
    try:
        began = time.monotonic()
        for _number in range(count):
            started = time.monotonic()
            made = services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False)
            seconds.append(time.monotonic() - started)
            heads.append(made.audit_seq)
            if made.missing_files:
                problems.append(f"{made.missing_files} files missing")
        written = (heads[-1] - heads[0]) / (time.monotonic() - began)
        assert writer.poll() is None
    finally:
        end(writer)
    for name in making.open_shelf().names():
        proof = services.run_proof(name, SYSTEM)
        if not proof.is_whole:
            problems.append(proof.problem)
    assert len(making.open_shelf().names()) == count
    report(
        f"{count - len(problems)}/{count} consistent; {written:.0f} changes/s meanwhile; backup "
        f"{sorted(seconds)[count // 2]:.2f} s (median), {max(seconds):.2f} s (longest)"
    )
    assert problems == []
    assert heads == sorted(heads)
    assert heads[-1] > heads[0]


def test_one_wrong_byte_is_found_in_a_hundred_files(app: Flask) -> None:
    chance = random.Random(SEED)
    keys = []
    for number in range(60):
        keys.append(storage().put("documents", chance.randbytes(chance.randint(1, 5000))).key)
        write_once(number, with_file=True)
    names = [services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False).name for _number in range(3)]
    backup_files = [path for path in place_folder().rglob("*") if path.is_file()]
    stored = [Path(app.config["DATA_DIR"]) / "files" / key for key in keys]
    candidates = chance.sample(backup_files, 50) + chance.sample(stored, 50)
    found = 0
    for path in candidates:
        content = path.read_bytes()
        at = chance.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ chance.randint(1, 255)]) + content[at + 1 :])
        found += _is_found(path, names)
        path.write_bytes(content)
    report(f"{found}/{len(candidates)} changed bytes found before use")
    assert found == len(candidates)
    assert all(services.run_proof(name, SYSTEM).is_whole for name in names)


def _is_found(path: Path, names: list[str]) -> bool:
    if path.is_relative_to(place_folder()):
        relative = str(path.relative_to(place_folder()))
        for name in names:
            if relative.startswith("sets/") and f"/{name}/" not in f"/{relative}":
                continue
            try:
                if not services.run_proof(name, SYSTEM).is_whole:
                    return True
            except PortalError:
                return True
        return False
    key = "/".join(path.parts[-3:])
    try:
        storage().get(key)
    except StorageError:
        return True
    return False


def test_killed_backups_are_never_complete_and_broken(app: Flask) -> None:
    chance = random.Random(SEED)
    for number in range(40):
        write_once(number, with_file=True)
    began = time.monotonic()
    first = services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False).name
    whole_takes = time.monotonic() - began
    rounds, cut_off = 40, 0
    for number in range(rounds):
        for extra in range(4):
            write_once(1000 + number * 10 + extra, with_file=True)
        child = forked_backup(app)
        time.sleep(chance.uniform(0, whole_takes * 1.3))
        os.kill(child, signal.SIGKILL)
        cut_off += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    names = making.open_shelf().names()
    broken = [name for name in names if not services.run_proof(name, SYSTEM).is_whole]
    last = services.run_backup(SYSTEM, BackupKind.COMMAND, verify=True)
    left = list(_pieces_without_set(making.open_shelf()))
    report(f"{cut_off} of {rounds} backups killed at work, {len(names)} complete sets, {len(broken)} of them broken")
    assert first in names
    assert broken == []
    assert last.is_whole
    assert left == []
    assert list((place_folder() / ".unfinished").iterdir()) == []
    assert not any((Path(app.config["DATA_DIR"]) / "backup-work").iterdir())
    assert cut_off >= rounds // 3


def _pieces_without_set(shelf: Shelf) -> Iterator[str]:
    complete = set(shelf.names())
    for name in shelf.place.names("sets/"):
        if name.split("/")[1] not in complete:
            yield name


@contextmanager
def _small_disk(folder: Path) -> Iterator[str]:
    """A file system of 3 MiB at the folder; where nothing may be mounted, a limit on the size of files."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode == 0:
        try:
            yield "a file system of 3 MiB"
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
        return
    yield "a limit on files"


def test_a_full_disk_leaves_the_old_backup_alone(app: Flask) -> None:
    with _small_disk(place_folder()) as how:
        write_once(1, with_file=True)
        old = services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False).name
        before = {path: path.read_bytes() for path in place_folder().rglob("*") if path.is_file()}
        chance = random.Random(SEED)
        if how == "a limit on files":
            key = storage().put("unknownarea", chance.randbytes(2_000_000)).key
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, limits[1]))
        else:
            key = storage().put("unknownarea", chance.randbytes(4_000_000)).key
        try:
            with pytest.raises(BackupError) as refused:
                services.run_backup(SYSTEM, BackupKind.COMMAND, verify=False)
        finally:
            if how == "a limit on files":
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        after = {path: path.read_bytes() for path in place_folder().rglob("*") if path.is_file()}
        assert after == before
        assert making.open_shelf().names() == [old]
        assert services.run_proof(old, SYSTEM).is_whole
        assert queries.health().tone == "danger"
        storage().delete(key)
        assert services.run_backup(SYSTEM, BackupKind.COMMAND, verify=True).is_whole
        report(f"{how}: “{refused.value.message}”; old backup untouched, nothing left over, next backup whole")


def test_two_at_once_are_one(app: Flask) -> None:
    write_once(1, with_file=True)
    refused, made = 0, 0
    for _round in range(10):
        children = [forked_backup(app), forked_backup(app)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        made += codes.count(0)
        refused += codes.count(3)
    report(f"10 × two at once: {made} made, {refused} refused")
    names = making.open_shelf().names()
    assert len(names) == made
    assert made + refused == 20
    assert made >= 10
    assert all(services.run_proof(name, SYSTEM).is_whole for name in names)
