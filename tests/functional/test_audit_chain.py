"""The chain of the audit trail: written by one at a time, protected by the database, proved or disproved."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.audit import ddl
from portal.audit.anchors import FILE_NAME, AnchorError, read_anchors, write_anchor
from portal.audit.chain import FIELDS, GENESIS, entry_hash, moment_text
from portal.audit.models import AuditEntry, AuditHead
from portal.audit.services import AuditError, erase_private, pending, record, write_pending
from portal.audit.verify import Verdict, verify_chain
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM
from portal.org.models import User
from tests.conftest import SECRET
from tests.world import World

pytestmark = pytest.mark.db

ENTRIES = 12


@pytest.fixture
def anchors(app: Flask) -> Path:
    return Path(app.config["DATA_DIR"]) / FILE_NAME


@pytest.fixture
def trail(app: Flask, world: World) -> int:
    """A dozen entries in several transactions. Returns the number of the last."""
    actor = world.actor("anna")
    for number in range(ENTRIES // 3):
        with transaction():
            for part in range(3):
                record(
                    actor,
                    "customers:contact:change",
                    object_type="contact",
                    object_id=number,
                    object_label=f"王小明 {number}",
                    old={"title": "采购"},
                    new={"title": "采购总监", "part": part},
                    private={"phone": "13800000000"},
                    customer_id=5,
                    reason="测试",
                )
    return last_seq()


def last_seq() -> int:
    seq = int(db.session.scalar(select(AuditHead.seq)) or 0)
    db.session.rollback()
    return seq


def tamper(statement: str, **values: Any) -> None:
    """What somebody with the database's password does: triggers away, then the change."""
    with db.engine.begin() as connection:
        for drop in ddl.drop_statements(connection.dialect.name):
            connection.exec_driver_sql(drop)
        connection.execute(text(statement), values)


def rechain(first: int, **changed: Any) -> None:
    """Change one entry and write all hashes from there on anew, the head included: the perfect forgery."""
    with db.engine.begin() as connection:
        for drop in ddl.drop_statements(connection.dialect.name):
            connection.exec_driver_sql(drop)
        table = AuditEntry.__table__
        previous = connection.scalar(select(table.c.hash).where(table.c.seq == first - 1)) or GENESIS
        rows = connection.execute(select(table).where(table.c.seq >= first).order_by(table.c.seq)).mappings().all()
        for row in rows:
            values = {**row, **(changed if row["seq"] == first else {}), "previous_hash": previous}
            previous = entry_hash([moment_text(values[f]) if f == "at" else values[f] for f in FIELDS])
            values["hash"] = previous
            connection.execute(table.update().where(table.c.seq == row["seq"]).values(**values))
        connection.execute(text("UPDATE audit_head SET hash = :h"), {"h": previous})


def test_a_trail_that_nobody_touched_is_whole(trail: int, anchors: Path) -> None:
    write_anchor(anchors)
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.entries, verdict.anchors) == (True, trail, 1)
    assert verdict.head_hash == db.session.scalar(select(AuditHead.hash))


EDITS = {
    "actor_name": "'somebody else'",
    "actor_id": "99",
    "on_behalf_of_id": "7",
    "action": "'customers:contact:create'",
    "object_type": "'customer'",
    "object_id": "42",
    "customer_id": "6",
    "old_values": "NULL",
    "new_values": '\'{"title":"总裁"}\'',
    "at": "'2020-01-01 00:00:00.000000'",
    "ip": "'10.0.0.1'",
    "session_hint": "'abc'",
    "result": "'refused'",
    "reason": "'another reason'",
    "private_hash": "'" + "a" * 64 + "'",
    "hash": "'" + "b" * 64 + "'",
}


@pytest.mark.parametrize("column", EDITS)
def test_every_edited_column_is_found(trail: int, anchors: Path, column: str) -> None:
    tamper(f"UPDATE audit_entry SET {column} = {EDITS[column]} WHERE seq = 5")
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.broken_seq, verdict.problem) == (False, 5, "content")


@pytest.mark.parametrize(
    ("statement", "broken", "problem"),
    [
        ("UPDATE audit_entry SET private = '{}' WHERE seq = 4", 4, "private"),
        ("UPDATE audit_entry SET object_label = '李四' WHERE seq = 4", 4, "private"),
        ("UPDATE audit_entry SET private_salt = 'x' WHERE seq = 4", 4, "private"),
        ("UPDATE audit_entry SET private = NULL, private_salt = NULL, object_label = '' WHERE seq = 4", 4, "erased"),
        ("DELETE FROM audit_entry WHERE seq = 6", 6, "missing"),
        ("DELETE FROM audit_entry WHERE seq = 1", 1, "missing"),
        ("DELETE FROM audit_entry WHERE seq > 10", 11, "missing"),
        ("DELETE FROM audit_entry", 1, "missing"),
        ("UPDATE audit_entry SET seq = 500 WHERE seq = 12", 12, "missing"),
        ("UPDATE audit_head SET hash = 'f'", 12, "head"),
        ("UPDATE audit_head SET seq = 11", 12, "head"),
    ],
)  # fmt: skip
def test_tampering_names_the_first_broken_entry(
    trail: int, anchors: Path, statement: str, broken: int, problem: str
) -> None:
    assert trail == ENTRIES
    tamper(statement)
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.broken_seq, verdict.problem) == (False, broken, problem)


def test_two_swapped_entries_are_found(trail: int, anchors: Path) -> None:
    tamper("UPDATE audit_entry SET seq = 1000 WHERE seq = 4")
    tamper("UPDATE audit_entry SET seq = 4 WHERE seq = 5")
    tamper("UPDATE audit_entry SET seq = 5 WHERE seq = 1000")
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.broken_seq) == (False, 4)


def cut_tail(length: int) -> None:
    tamper("DELETE FROM audit_entry WHERE seq > :s", s=ENTRIES - length)
    tamper("UPDATE audit_head SET seq = :s, hash = (SELECT hash FROM audit_entry WHERE seq = :s)", s=ENTRIES - length)


def test_a_cut_tail_is_found_by_the_anchor_alone(trail: int, anchors: Path) -> None:
    write_anchor(anchors)
    cut_tail(3)
    assert verify_chain(None).is_whole, "without the anchor nobody can see it: that is what it is for"
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.broken_seq, verdict.problem) == (False, 10, "tail")


def test_a_trail_written_anew_is_found_by_the_anchor_alone(trail: int, anchors: Path) -> None:
    write_anchor(anchors)
    rechain(3, reason="forged")
    assert verify_chain(None).is_whole
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.broken_seq, verdict.problem) == (False, ENTRIES, "anchor")


def test_a_hash_known_from_elsewhere_finds_it_too(trail: int, anchors: Path) -> None:
    known = verify_chain(None).head_hash
    rechain(3, reason="forged")
    assert not verify_chain(None, expected=(ENTRIES, known)).is_whole
    assert verify_chain(None, expected=(ENTRIES, verify_chain(None).head_hash)).is_whole


def test_no_anchor_is_written_over_a_cut_trail(trail: int, anchors: Path) -> None:
    write_anchor(anchors)
    cut_tail(2)
    with pytest.raises(AnchorError):
        write_anchor(anchors)
    assert [anchor.seq for anchor in read_anchors(anchors)] == [ENTRIES]


def test_anchors_are_appended_once_per_head_and_survive_a_torn_line(trail: int, world: World, anchors: Path) -> None:
    first = write_anchor(anchors)
    assert write_anchor(anchors) == first
    with anchors.open("a") as handle:
        handle.write("13 abc")  # the power went away in the middle of a line
    assert [anchor.seq for anchor in read_anchors(anchors)] == [ENTRIES]
    with transaction():
        record(SYSTEM, "tests:thing:change", object_type="thing", object_id=1)
    write_anchor(anchors)
    assert [anchor.seq for anchor in read_anchors(anchors)] == [ENTRIES, ENTRIES + 1]
    assert verify_chain(anchors).is_whole


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines, "nonsense"],
        lambda lines: [*reversed(lines)],
        lambda lines: [lines[0].replace("0", "g", 1) if "0" in lines[0][3:] else "x", *lines[1:]],
    ],
)
def test_an_edited_file_of_anchors_is_found(
    trail: int, anchors: Path, change: Callable[[list[str]], list[str]]
) -> None:
    write_anchor(anchors)
    with transaction():
        record(SYSTEM, "tests:thing:change", object_type="thing", object_id=1)
    write_anchor(anchors)
    lines = anchors.read_text().splitlines()
    anchors.write_text("\n".join(change(lines)) + "\n")
    verdict = verify_chain(anchors)
    assert not verdict.is_whole
    assert verdict.problem in {"anchor_file", "anchor"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET reason = 'x' WHERE seq = 2",
        "UPDATE audit_entry SET private = '{}' WHERE seq = 2",
        "UPDATE audit_entry SET private = NULL, private_salt = NULL, object_label = '', reason = 'x' WHERE seq = 2",
        "DELETE FROM audit_entry WHERE seq = 2",
        "DELETE FROM audit_entry",
        "UPDATE audit_head SET seq = 1",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_changes(trail: int, statement: str) -> None:
    with pytest.raises(Exception, match=r"cannot be|only grows|has a head"), db.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify_chain(None).is_whole


@pytest.mark.parametrize("table", ["audit_entry", "audit_head"])
def test_the_database_refuses_to_empty_the_trail(trail: int, table: str) -> None:
    # SQLite has one way to empty a table, PostgreSQL a second one that no trigger on rows sees.
    statement = f"TRUNCATE {table}" if db.engine.dialect.name == "postgresql" else f"DELETE FROM {table}"
    with pytest.raises(Exception, match=r"cannot be|has a head"), db.engine.begin() as connection:
        connection.execute(text(statement))
    assert verify_chain(None).is_whole


def test_erased_personal_data_leaves_the_chain_whole(trail: int, world: World, anchors: Path) -> None:
    with transaction():
        assert erase_private(world.actor("admin"), customer_id=5, reason="本人要求删除") == ENTRIES
    row = db.session.get_one(AuditEntry, 3)
    assert (row.private, row.private_salt, row.object_label) == (None, None, "")
    last = db.session.get_one(AuditEntry, ENTRIES + 1)
    assert json.loads(last.new_values or "")["entries"] == [[1, ENTRIES]]
    verdict = verify_chain(anchors)
    assert (verdict.is_whole, verdict.erased) == (True, ENTRIES)


def test_personal_data_is_not_in_the_hashed_part(trail: int) -> None:
    row = db.session.get_one(AuditEntry, 1)
    hashed = json.dumps([str(getattr(row, field)) for field in FIELDS], ensure_ascii=False)
    assert "13800000000" not in hashed
    assert "王小明" not in hashed
    assert "13800000000" in (row.private or "")


@pytest.mark.parametrize("days", [1, -1, -400])
def test_a_clock_that_jumps_leaves_the_order_of_the_trail(trail: int, anchors: Path, days: int) -> None:
    """The trail is ordered by its own numbers; a moment before its predecessor breaks nothing and hides nothing."""
    write_anchor(anchors)
    moments = [clock.now() + timedelta(days=days), clock.now()]
    for moment in moments:
        with clock.frozen(moment), transaction():
            record(SYSTEM, "tests:thing:change", object_type="thing", object_id=days)
    last = db.session.execute(select(AuditEntry.seq, AuditEntry.at).order_by(AuditEntry.seq.desc()).limit(2)).all()
    assert [row.seq for row in last] == [trail + 2, trail + 1]
    assert [row.at for row in reversed(last)] == moments
    assert verify_chain(anchors).is_whole


def test_without_a_trail_nothing_is_done(app: Flask, world: World) -> None:
    for drop in ddl.drop_statements(db.engine.dialect.name):
        with db.engine.begin() as connection:
            connection.exec_driver_sql(drop)
    tamper("DELETE FROM audit_head")
    anna = world.user("anna").id
    with pytest.raises(AuditError), transaction():  # noqa: PT012
        db.session.get_one(User, anna).title = "changed"
        record(world.actor("anna"), "org:user:change", object_type="user", object_id=anna)
    db.session.expire_all()
    assert db.session.get_one(User, anna).title == ""


def test_a_refused_action_leaves_no_entry(app: Flask, world: World) -> None:
    before = last_seq()
    with pytest.raises(RuntimeError, match="refused"), transaction():  # noqa: PT012
        record(SYSTEM, "tests:thing:change", object_type="thing", object_id=1)
        raise RuntimeError("refused")
    assert pending() == []
    with transaction():
        record(SYSTEM, "tests:thing:create", object_type="thing", object_id=2)
    assert last_seq() == before + 1
    assert db.session.get_one(AuditEntry, before + 1).action == "tests:thing:create"


def test_a_savepoint_takes_its_entries_along(app: Flask) -> None:
    with transaction() as session:
        record(SYSTEM, "tests:row:first", object_type="row", object_id=1)
        with pytest.raises(ValueError, match="bad row"), session.begin_nested():  # noqa: PT012
            record(SYSTEM, "tests:row:lost", object_type="row", object_id=2)
            with session.begin_nested():
                record(SYSTEM, "tests:row:lost", object_type="row", object_id=3)
            raise ValueError("bad row")
        with session.begin_nested():
            record(SYSTEM, "tests:row:kept", object_type="row", object_id=4)
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "row")).all()
    assert sorted(actions) == ["tests:row:first", "tests:row:kept"]
    assert verify_chain(None).is_whole


def test_entries_can_be_written_before_the_commit(app: Flask) -> None:
    with transaction():
        first = record(SYSTEM, "tests:row:first", object_type="row", object_id=1)
        write_pending()
        assert first.seq == last_in_transaction()
        second = record(SYSTEM, "tests:row:second", object_type="row", object_id=1)
    assert second.previous_hash == first.hash
    assert verify_chain(None).is_whole


def last_in_transaction() -> int:
    return int(db.session.scalar(select(AuditHead.seq)) or 0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"action": "create"}, ValueError),
        ({"result": "perhaps"}, ValueError),
        ({"new": {"price": object()}}, TypeError),
        ({"new": {"price": float("nan")}}, ValueError),
    ],
)
def test_what_cannot_be_kept_is_refused(app: Flask, arguments: dict[str, Any], error: type[Exception]) -> None:
    given = {"action": "tests:thing:change", "object_type": "thing", "object_id": 1, **arguments}
    with pytest.raises(error), transaction():
        record(SYSTEM, given.pop("action"), **given)


def test_line_breaks_and_nul_never_enter_the_trail(app: Flask) -> None:
    with transaction():
        record(
            SYSTEM,
            "tests:thing:change",
            object_type="thing",
            object_id=1,
            object_label="a\r\nb\x00c",
            reason="one\ntwo",
            new={"text": "nul\x00here"},
        )
    row = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert row is not None
    assert (row.object_label, row.reason) == ("a  b c", "one two")
    assert "\x00" not in (row.new_values or "")
    assert verify_chain(None).is_whole


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["audit", *arguments])


def test_the_command_proves_and_disproves(app: Flask, trail: int, anchors: Path) -> None:
    whole = run(app, "verify")
    assert (whole.exit_code, f"{trail} entries" in whole.output) == (0, True)
    assert read_anchors(anchors)[-1].seq == trail
    answer = json.loads(run(app, "verify", "--json").output)
    assert answer["whole"]
    assert answer["entries"] == trail
    assert answer["anchors"] == 1
    tamper("UPDATE audit_entry SET reason = 'x' WHERE seq = 7")
    broken = run(app, "verify")
    assert (broken.exit_code, "entry 7" in broken.output) == (1, True)
    told = run(app, "verify", "--json")
    assert (told.exit_code, json.loads(told.output)["broken"]) == (1, 7)


#: Loads the portal once and becomes as many processes as there are writers; they begin together.
WRITERS = """
import os, sys, time, traceback
from portal.app import create_app
from portal.audit.services import record
from portal.core.transaction import transaction
from portal.org.actor import SYSTEM
app = create_app(DATA_DIR=sys.argv[1], DATABASE_URL=sys.argv[2], SECRET_KEY=sys.argv[3], TESTING=True)

def write(reason, rounds):
    with app.app_context():
        for number in range(rounds):
            with transaction():
                for part in range(1 + number % 3):
                    record(SYSTEM, "tests:parallel:write", object_type="thing", object_id=number, reason=reason)
            time.sleep(0.005)  # SQLite's lock is not fair: without a pause one writer may finish before the next begins

gate, opener = os.pipe()
children = []
for writer in range(int(sys.argv[4])):
    child = os.fork()
    if child:
        children.append(child)
        continue
    try:
        os.close(opener)
        os.read(gate, 1)
        write(f"writer {writer}", int(sys.argv[5]))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
os.close(opener)
ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
sys.exit(1 if any(ends) else 0)
"""


def write_at_once(folder: Path, database_url: str, writers: int, rounds: int) -> int:
    """Let processes write side by side; how many entries they were to write."""
    ran = subprocess.run(
        [sys.executable, "-c", WRITERS, str(folder), database_url, SECRET, str(writers), str(rounds)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return writers * sum(1 + number % 3 for number in range(rounds))


def changes_of_hand() -> int:
    """How often another writer's entry follows one's own."""
    reasons = db.session.scalars(select(AuditEntry.reason).where(AuditEntry.action == "tests:parallel:write")).all()
    return sum(1 for one, two in itertools.pairwise(reasons) if one != two)


def test_parallel_writers_make_one_chain(app: Flask, database_url: str, anchors: Path, tmp_path: Path) -> None:
    before, writers = last_seq(), 4
    expected = write_at_once(tmp_path, database_url, writers, 60)
    verdict: Verdict = verify_chain(anchors)
    assert verdict.is_whole
    assert verdict.entries - before == expected
    assert changes_of_hand() >= writers, "the writers did not run side by side"
