"""Power cuts of a process that was watched: its writes and syncs as strace tells them, what a disk may keep of them.

A disk keeps whatever was written before the last sync of a file. Of each later write it keeps all, nothing, or the
first sectors, in any order: the worst that a disk without a battery does. The names of files are taken for kept.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
CALLS = "pwrite64,write,ftruncate,fsync,fdatasync"
_LINE = re.compile(r"^(?:\[pid +)?(\d+)\]? +(.*)$")
_CALL = re.compile(r"^(\w+)\((\d+)<([^>]*)>(?:, (.*))?\) = (-?\d+)", re.DOTALL)
_ESCAPES = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Event:
    """What the process did. `kind` is write, cut (to `offset` bytes), sync or say.

    :ivar name: the file's name within the folder. :ivar number: for say, what it had acknowledged.
    """

    kind: str
    name: str = ""
    offset: int = 0
    content: bytes = b""
    number: int = -1


def watched(command: list[str], log: Path) -> list[str]:
    """The command below strace, which writes every call of `CALLS` with its whole content into `log`."""
    return ["strace", "-f", "-y", "-xx", "-s", "2000000", "-e", f"trace={CALLS}", "-o", str(log), *command]


def strace_works(folder: Path) -> bool:
    """Whether strace is here and may watch (some containers forbid it)."""
    try:
        tried = subprocess.run(watched(["true"], folder / "tried"), capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def events(log: Path, folder: Path) -> list[Event]:
    """What a log tells of the database's files in `folder`, in order, with the acknowledgements between."""
    return list(_events(log.read_text("ascii").splitlines(), f"{folder}/"))


def _events(lines: Iterable[str], prefix: str) -> Iterator[Event]:
    unfinished: dict[str, str] = {}
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        process, told = match[1], match[2]
        if told.endswith("<unfinished ...>"):
            unfinished[process] = told.removesuffix("<unfinished ...>").rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)$", told)
        if resumed:
            told = unfinished.pop(process) + resumed[1]
        call = _CALL.match(told)
        if call is None or int(call[5]) < 0:
            continue
        event = _event(call[1], _bytes(call[3]).decode("utf-8", "replace"), int(call[2]), call[4] or "", prefix)
        if event is not None:
            yield event


def _event(call: str, path: str, descriptor: int, rest: str, prefix: str) -> Event | None:
    if call == "write" and descriptor == 1:
        said = re.match(rb"ack (\d+)\n", _bytes(rest.split('"')[1]))
        return Event("say", number=int(said[1])) if said else None
    name = path.removeprefix(prefix)
    if not path.startswith(prefix) or not name.startswith("portal.sqlite3") or name.endswith("-shm"):
        return None
    if call in ("fsync", "fdatasync"):
        return Event("sync", name)
    if call == "ftruncate":
        return Event("cut", name, int(rest))
    if call == "pwrite64":
        _empty, content, numbers = rest.split('"')
        return Event("write", name, int(numbers.rsplit(", ", 1)[1]), _bytes(content))
    raise AssertionError(f"{call} of {path}: the database writes in a way that this experiment does not know")


def _bytes(text: str) -> bytes:
    """What strace wrote as escapes; a path may stand in plain letters."""
    if "\\x" not in text:
        return text.encode()
    return bytes.fromhex("".join(_ESCAPES.findall(text)))


@dataclass
class Disk:
    """A disk that may lose its power: the files as they are certain, and what was written since their last sync."""

    certain: dict[str, bytearray]
    pending: dict[str, list[Event]] = field(default_factory=dict)

    def do(self, event: Event) -> None:
        """Take an event."""
        if event.kind == "sync":
            for earlier in self.pending.pop(event.name, []):
                apply(self.certain.setdefault(event.name, bytearray()), earlier)
        elif event.kind in ("write", "cut"):
            self.pending.setdefault(event.name, []).append(event)

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files as they may be when the power comes back."""
        found = {name: bytearray(content) for name, content in self.certain.items()}
        for name, waiting in self.pending.items():
            content = found.setdefault(name, bytearray())
            for event in waiting:
                fate = chance.random()
                if fate < 1 / 3:
                    continue
                if fate < 2 / 3 and event.kind == "write" and len(event.content) > SECTOR:
                    kept = SECTOR * chance.randrange(1, (len(event.content) + SECTOR - 1) // SECTOR)
                    event = Event("write", name, event.offset, event.content[:kept])
                apply(content, event)
        return {name: bytes(content) for name, content in found.items()}


def apply(content: bytearray, event: Event) -> None:
    """Change a file's content as a write or a cut does."""
    if event.kind == "cut":
        content[event.offset :] = bytes(max(0, event.offset - len(content)))
        return
    end = event.offset + len(event.content)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[event.offset : end] = event.content
