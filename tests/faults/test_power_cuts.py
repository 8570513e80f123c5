"""The power goes while the portal files customers on its embedded database.

A real process is watched by strace; from what it wrote and synced, the files are made as a disk may keep them when the
power goes at a random moment (see `powercut`). Whatever was acknowledged must be there, whole, with its audit entry.
The same with the waiting for the disk turned off must lose something: that shows that the experiment can fail.

Quick in `make test`; `make faults` cuts 200 times and prints the figures.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from portal.config import PROJECT_ROOT
from portal.core.database import sqlite_module
from tests.conftest import SERVER_URL, Template
from tests.conftest_servers import unavailable
from tests.faults.powercut import Disk, Event, events, strace_works, watched

FULL = os.environ.get("PORTAL_FAULTS") == "full"
CUTS, COMMITS = (200, 100) if FULL else (40, 25)
SEED = 20261122

pytestmark = pytest.mark.skipif(bool(SERVER_URL), reason="PostgreSQL does its own waiting for the disk")


class Recording(NamedTuple):
    """The disk before, what the process did while it waited for the disk, and what without."""

    before: bytes
    waiting: list[Event]
    without: list[Event]


@pytest.fixture(scope="module")
def recording(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A process that commits `COMMITS` times as the portal does, and as often without waiting for the disk."""
    folder = tmp_path_factory.mktemp("power")
    if not strace_works(folder):
        unavailable("strace is not installed or may not watch here.")
    shutil.copyfile(template.file, folder / "portal.sqlite3")
    before = (folder / "portal.sqlite3").read_bytes()
    command = [sys.executable, "-m", "tests.faults.commit_worker", str(folder)]
    command += [f"sqlite:///{folder}/portal.sqlite3", str(COMMITS)]
    log = folder / "calls"
    done = subprocess.run(
        watched(command, log), cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = events(log, folder)
    log.unlink()
    assert [event.number for event in found if event.kind == "say"] == list(range(2 * COMMITS))
    middle = next(place for place, event in enumerate(found) if event.number == COMMITS - 1) + 1
    return Recording(before, found[:middle], found[middle:])


def cut(disk: Disk, found: list[Event], folder: Path, chance: random.Random, said: int = -1) -> Counter[str]:
    """Cut the power at random moments; how often something was acknowledged and lost, or broken."""
    moments = Counter(chance.randrange(len(found)) for _number in range(CUTS))
    outcome: Counter[str] = Counter()
    for number, event in enumerate(found):
        disk.do(event)
        said = event.number if event.kind == "say" else said
        for _again in range(moments[number]):
            outcome[look(disk.after_a_cut(chance), folder, said)] += 1
    return outcome


def look(files: dict[str, bytes], folder: Path, said: int) -> str:
    """What the portal finds when the power is back: "whole", "lost" or "broken"."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    module = sqlite_module()
    connection = module.connect(folder / "portal.sqlite3")
    try:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return "broken"
        names = {name for (name,) in connection.execute("SELECT name FROM customer WHERE name LIKE '电厂%'")}
        entries = connection.execute("SELECT COUNT(*), MAX(seq) FROM audit_entry").fetchone()
        head = connection.execute("SELECT seq FROM audit_head").fetchone()
        made = connection.execute("SELECT COUNT(*) FROM audit_entry WHERE action LIKE '%customer:create'").fetchone()
    except module.DatabaseError:
        return "broken"
    finally:
        connection.close()
    if (made[0], entries[0], entries[1] or 0) != (len(names), entries[1] or 0, head[0]):
        return "broken"
    return "whole" if {f"电厂{number:05d}" for number in range(said + 1)} <= names else "lost"


def test_nothing_acknowledged_is_lost(recording: Recording, tmp_path: Path) -> None:
    # Before each answer the disk was waited for.
    synced, without = False, []
    for event in recording.waiting:
        if event.kind == "sync":
            synced = True
        elif event.kind == "say":
            if not synced:
                without.append(event.number)
            synced = False
    assert without == []
    disk = Disk({"portal.sqlite3": bytearray(recording.before)})
    outcome = cut(disk, recording.waiting, tmp_path / "cut", random.Random(SEED))
    syncs = sum(event.kind == "sync" for event in recording.waiting)
    print(f"\n  {CUTS} power cuts in {COMMITS} commits: {dict(outcome)}; {syncs} syncs, one before each answer")
    assert outcome == {"whole": CUTS}


def test_the_experiment_can_fail(recording: Recording, tmp_path: Path) -> None:
    disk = Disk({"portal.sqlite3": bytearray(recording.before)})
    for event in recording.waiting:
        disk.do(event)
    outcome = cut(disk, recording.without, tmp_path / "cut", random.Random(SEED), COMMITS - 1)
    print(f"\n  the same without waiting for the disk: {dict(outcome)}")
    assert outcome["lost"] > CUTS // 4
    assert outcome["broken"] == 0, "what is there is whole even then"
