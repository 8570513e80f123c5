"""Proving the chain whole, or naming the first entry that is not. Reads entries as a stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from portal.audit.actions import AuditAction
from portal.audit.anchors import Anchor, AnchorError, read_anchors
from portal.audit.chain import FIELDS, GENESIS, entry_hash, moment_text, private_digest
from portal.audit.models import AuditEntry, AuditHead
from portal.extensions import db

CHUNK = 5000

#: code → English sentence for the command line and logs (pages translate, see `labels.problem_text`).
PROBLEMS = {
    "missing": "The entry is missing.",
    "content": "The entry does not have the content it was written with.",
    "link": "The entry does not follow the one before it.",
    "private": "The personal data beside the entry is not what was written.",
    "erased": "The personal data beside the entry was removed without a record of the erasure.",
    "tail": "The trail was longer: an anchor outside the database names this entry, but it is gone.",
    "anchor": "The entry differs from the anchor outside the database: the trail was written anew.",
    "expected": "The entry differs from the hash that was given.",
    "head": "The head of the trail does not match its last entry.",
    "anchor_file": "The file of anchors was changed.",
}


@dataclass(frozen=True)
class Verdict:
    """What came of a verification.

    :ivar entries: how many entries were read.
    :ivar broken_seq: the first broken entry; 0 when the head or the file of anchors is at fault.
    :ivar anchors: how many anchors were compared.
    :ivar last_anchor: the newest anchor, or None.
    :ivar erased: entries whose personal data was erased, with a record.
    """

    is_whole: bool
    entries: int
    head_hash: str
    broken_seq: int | None = None
    problem: str = ""
    anchors: int = 0
    last_anchor: Anchor | None = None
    erased: int = 0
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """The problem in English, "" when whole."""
        return PROBLEMS.get(self.problem, "")


def verify_chain(
    anchor_file: Path | None,
    *,
    expected: tuple[int, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    engine: Engine | None = None,
) -> Verdict:
    """Read the whole trail in one snapshot and prove it.

    :param anchor_file: anchors to compare with; None compares with none.
    :param expected: (seq, hash) known from elsewhere: a mail, a printed sheet.
    :param progress: called with (entries read, entries in all).
    :param engine: another database than the portal's: a restored copy.
    """
    began = time.monotonic()
    broken: list[tuple[int, str]] = []
    anchors: list[Anchor] = []
    if anchor_file is not None:
        try:
            anchors = read_anchors(anchor_file)
        except AnchorError:
            broken.append((0, "anchor_file"))
    wanted: dict[int, dict[str, str]] = {}
    for anchor in anchors:
        wanted.setdefault(anchor.seq, {})[anchor.hash] = "anchor"
    if expected is not None:
        wanted.setdefault(expected[0], {})[expected[1]] = "expected"
    with (engine or db.engine).connect() as plain:
        # One snapshot for head and entries: writers go on meanwhile.
        level = {"isolation_level": "REPEATABLE READ"} if plain.dialect.name == "postgresql" else {}
        connection = plain.execution_options(**level)
        head = connection.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)).first()
        total = head.seq if head else 0
        entries = AuditEntry.__table__.c
        columns = [entries[name] for name in (*FIELDS, "hash", "object_label", "private", "private_salt")]
        statement = select(*columns).order_by(entries.seq).execution_options(yield_per=CHUNK)
        hash_at, at_at, values = len(FIELDS), FIELDS.index("at"), len(FIELDS)
        link_at, action_at, new_at = (FIELDS.index(name) for name in ("previous_hash", "action", "new_values"))
        digest_at = FIELDS.index("private_hash")
        count, previous_seq, previous_hash = 0, 0, GENESIS
        erased: set[int] = set()
        declared: set[int] = set()
        for row in connection.execute(statement):
            count += 1
            seq = row[0]
            if seq != previous_seq + 1:
                broken.append((previous_seq + 1, "missing"))
                break
            if row[link_at] != previous_hash:
                # The neighbour may have been swapped or the link edited: a false content is the better word for it.
                same = _hash_of(row, values, at_at) == row[hash_at]
                broken.append((seq, "link" if same else "content"))
                break
            if _hash_of(row, values, at_at) != row[hash_at]:
                broken.append((seq, "content"))
                break
            label, private, salt = row[hash_at + 1], row[hash_at + 2], row[hash_at + 3]
            if salt is None and private is None and label == "":
                erased.add(seq)
            elif private_digest(salt or "", label, private) != row[digest_at]:
                broken.append((seq, "private"))
                break
            if seq in wanted:
                differing = [kind for known, kind in wanted.pop(seq).items() if known != row[hash_at]]
                if differing:
                    broken.append((seq, differing[0]))
                    break
            if row[action_at] == AuditAction.PRIVATE_ERASED and row[new_at]:
                declared.update(_declared(row[new_at]))
            previous_seq, previous_hash = seq, row[hash_at]
            if progress is not None and count % CHUNK == 0:
                progress(count, total)
    if not broken:
        missing = [seq for seq in wanted if seq > previous_seq]
        if missing:
            kind = next(iter(wanted[min(missing)].values()))
            broken.append((previous_seq + 1, "tail" if kind == "anchor" else "expected"))
        elif head is None or head.seq != previous_seq or head.hash != previous_hash:
            # The head ahead of the last entry: the tail was cut. Otherwise somebody turned the head.
            gone = head is not None and head.seq > previous_seq
            broken.append((previous_seq + 1, "missing") if gone else (previous_seq, "head"))
        undeclared = erased - declared
        if undeclared:
            broken.append((min(undeclared), "erased"))
    first = min(broken, default=None)
    return Verdict(
        is_whole=first is None,
        entries=count,
        head_hash=previous_hash,
        broken_seq=first[0] if first else None,
        problem=first[1] if first else "",
        anchors=len(anchors),
        last_anchor=anchors[-1] if anchors else None,
        erased=len(erased & declared),
        seconds=time.monotonic() - began,
    )


def _hash_of(row: object, values: int, at_at: int) -> str:
    fields = list(row[:values])  # type: ignore[index]
    fields[at_at] = moment_text(fields[at_at])
    return entry_hash(fields)


def _declared(new_values: str) -> set[int]:
    """Numbers that a recorded erasure names, as [first, last] pairs."""
    found: set[int] = set()
    for first, last in json.loads(new_values).get("entries", []):
        found.update(range(first, last + 1))
    return found
