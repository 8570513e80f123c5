"""F16 and F17: tampering with the trail, and writers side by side (in full with `make faults`)."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.audit import ddl
from portal.audit.anchors import FILE_NAME, write_anchor
from portal.audit.models import AuditEntry, AuditHead
from portal.audit.services import record
from portal.audit.verify import verify_chain
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.functional.test_audit_chain import (
    EDITS,
    changes_of_hand,
    last_seq,
    rechain,
    tamper,
    write_at_once,
)

pytestmark = pytest.mark.db
SEED = 20261122
FULL = os.environ.get("PORTAL_FAULTS") == "full"
ENTRIES, TIMES = (120, 20) if FULL else (30, 2)
WRITERS, ROUNDS = (6, 150) if FULL else (2, 20)
#: Found without the anchor as well.
BY_ITSELF = {"edit": TIMES, "delete": TIMES, "swap": TIMES, "tail": 0, "rechain": 0}


@pytest.fixture
def anchors(app: Flask) -> Path:
    return Path(app.config["DATA_DIR"]) / FILE_NAME


def attack(kind: str, chance: random.Random, last: int) -> None:
    """What somebody with the password of the database does."""
    seq = chance.randint(2, last - 2)
    if kind == "edit":
        column = chance.choice(sorted(EDITS))
        tamper(f"UPDATE audit_entry SET {column} = {EDITS[column]} WHERE seq = :seq", seq=seq)
    elif kind == "delete":
        tamper("DELETE FROM audit_entry WHERE seq = :seq", seq=seq)
    elif kind == "swap":
        for before, after in ((seq, 10**6), (seq + 1, seq), (10**6, seq + 1)):
            tamper("UPDATE audit_entry SET seq = :after WHERE seq = :before", before=before, after=after)
    elif kind == "tail":
        tamper("DELETE FROM audit_entry WHERE seq > :seq", seq=seq)
        tamper("UPDATE audit_head SET seq = :seq, hash = (SELECT hash FROM audit_entry WHERE seq = :seq)", seq=seq)
    else:
        rechain(seq, reason="forged")


def put_back(rows: list[dict[str, object]], head: dict[str, object]) -> None:
    with db.engine.begin() as connection:
        for drop in ddl.drop_statements(connection.dialect.name):
            connection.exec_driver_sql(drop)
        connection.execute(text("DELETE FROM audit_entry"))
        connection.execute(AuditEntry.__table__.insert(), rows)
        connection.execute(AuditHead.__table__.update().values(**head))


def test_tampering_is_found(app: Flask, anchors: Path) -> None:
    chance = random.Random(SEED)
    for number in range(ENTRIES):
        with transaction():
            record(
                SYSTEM, "test:thing:change", object_type="thing", object_id=number, old={"n": 0}, new={"n": number},
                object_label="王小明", private={"phone": "13800000000"}, reason="实验",
            )  # fmt: skip
    write_anchor(anchors)
    last = last_seq()
    with db.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(AuditEntry.__table__)).mappings()]
        head = dict(connection.execute(select(AuditHead.__table__)).mappings().one())
    with_anchor, without = dict.fromkeys(BY_ITSELF, 0), dict.fromkeys(BY_ITSELF, 0)
    for kind in BY_ITSELF:
        for _time in range(TIMES):
            attack(kind, chance, last)
            with_anchor[kind] += not verify_chain(anchors).is_whole
            without[kind] += not verify_chain(None).is_whole
            db.session.remove()
            put_back(rows, head)
            assert verify_chain(anchors).is_whole
    print(f"\n  F16: found of {TIMES} each, with the anchor {with_anchor}; without it {without}", flush=True)
    assert set(with_anchor.values()) == {TIMES}
    assert without == BY_ITSELF


def test_writers_side_by_side_make_one_chain(app: Flask, database_url: str, anchors: Path, tmp_path: Path) -> None:
    before, writers, rounds = last_seq(), WRITERS, ROUNDS
    began = time.monotonic()
    expected = write_at_once(tmp_path, database_url, writers, rounds)
    seconds = time.monotonic() - began
    verdict = verify_chain(anchors)
    print(
        f"\n  F17: {writers} writers × {rounds} transactions, {expected} entries, {changes_of_hand()} changes of hand, "
        f"{0 if verdict.is_whole else 1} broken links, {seconds:.0f} s with their start",
        flush=True,
    )
    assert verdict.is_whole
    assert verdict.entries - before == expected
    assert changes_of_hand() >= writers
