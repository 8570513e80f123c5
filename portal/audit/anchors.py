"""Anchors: the head of the chain, written down outside the database.

A chain alone does not show that its last entries were cut off, or that all of it was written anew. The file
``DATA_DIR/audit-anchors.log`` (lines "seq hash time") does; every anchor also goes to the log of the process, and from
there to wherever logs are gathered.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from portal.audit.chain import moment_text
from portal.audit.models import AuditHead
from portal.core import clock
from portal.extensions import db

logger = logging.getLogger("portal.audit.anchor")

FILE_NAME = "audit-anchors.log"
_LINE = re.compile(r"([1-9][0-9]{0,18}) ([0-9a-f]{64}) ([0-9T:.-]{10,32}Z)")


class AnchorError(Exception):
    """The file of anchors cannot be what the portal wrote."""


@dataclass(frozen=True)
class Anchor:
    """The hash that entry `seq` had at a time."""

    seq: int
    hash: str
    at: datetime


def read_anchors(path: Path) -> list[Anchor]:
    """All anchors, oldest first; a missing file is empty. A last line that a power cut left unfinished is passed over.

    :raises AnchorError: for any other line that is none, or numbers that fall.
    """
    try:
        content = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return []
    found: list[Anchor] = []
    for number, line in enumerate(content.split("\n")[:-1], 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise AnchorError(f"line {number} of {path.name} is not an anchor")
        anchor = Anchor(int(match[1]), match[2], datetime.fromisoformat(match[3]))
        if found and anchor.seq < found[-1].seq:
            raise AnchorError(f"line {number} of {path.name} goes back")
        found.append(anchor)
    return found


def last_anchor(path: Path) -> Anchor | None:
    """The newest anchor. :raises AnchorError: as `read_anchors`."""
    anchors = read_anchors(path)
    return anchors[-1] if anchors else None


def write_anchor(path: Path) -> Anchor | None:
    """Append the present head of the chain, durably; nothing when it is anchored already or the chain is empty.

    :raises AnchorError: when the chain is shorter than its last anchor: entries are gone.
    """
    head = db.session.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)).first()
    db.session.rollback()
    if head is None or head.seq == 0:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        before = last_anchor(path)
        if before is not None and before.seq > head.seq:
            raise AnchorError(f"the trail ends at {head.seq}, but entry {before.seq} has been anchored")
        if before is not None and before.seq == head.seq and before.hash == head.hash:
            return before
        handle.truncate(handle.read().rfind(b"\n") + 1)  # what a power cut left unfinished
        anchor = Anchor(head.seq, head.hash, clock.now())
        handle.write(f"{anchor.seq} {anchor.hash} {moment_text(anchor.at)}\n".encode("ascii"))
        os.fsync(handle.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    logger.info("audit trail anchored: %s %s", anchor.seq, anchor.hash)
    return anchor
