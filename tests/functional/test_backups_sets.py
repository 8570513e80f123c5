"""Backups through the real parts: made, proven, restored, damaged, cut off, kept and removed."""

from __future__ import annotations

import errno
import json
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text, update

from portal.audit.anchors import FILE_NAME as ANCHORS
from portal.audit.anchors import write_anchor
from portal.audit.models import AuditEntry
from portal.audit.services import record
from portal.audit.verify import verify_chain
from portal.backups import integrity, making, place, proving, queries, restoring, services
from portal.backups.errors import AnotherRuns, BackupError
from portal.backups.models import Backup, BackupKind
from portal.backups.sets import POOL, SETS
from portal.core import clock, settings
from portal.core.storage import FolderPlace, archive_storage, key_ring, storage
from portal.core.storage.keyring import add_key, new_ring, save
from portal.core.storage.places import ring_file
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.documents.models import READY, Document
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from tests.world import World

pytestmark = pytest.mark.db


def keep_document(number: int, content: bytes | None = None) -> str:
    """A finished document with its file; returns the key of the storage."""
    stored = storage().put("documents", content if content is not None else f"document {number}".encode() * 50)
    with transaction():
        db.session.add(
            Document(
                kind="test",
                number=f"T-2026-{number:06d}",
                version=1,
                title=f"文件 {number}",
                language="zh_Hans_CN",
                state=READY,
                storage_key=stored.key,
                content_digest=stored.digest,
                size=stored.size,
                made_at=clock.now(),
            )
        )
    return stored.key


def change_something(text_: str = "x") -> None:
    with transaction():
        record(SYSTEM, "test:thing:change", object_type="thing", object_id=1, new={"value": text_})


def shelf_folder() -> Path:
    found = place.backup_place()
    assert isinstance(found, FolderPlace)
    return found.root


def make(verify: bool = False) -> Backup:
    return services.run_backup(SYSTEM, BackupKind.COMMAND, verify=verify)


def pieces() -> list[Path]:
    return sorted(path for path in shelf_folder().rglob("*") if path.is_file() and ".unfinished" not in path.parts)


def names_of_customers() -> list[str]:
    found = list(db.session.scalars(select(Customer.name).order_by(Customer.id)))
    db.session.rollback()
    return found


def trail_of(action: str) -> list[AuditEntry]:
    found = list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))
    db.session.rollback()
    return found


@pytest.fixture
def stocked(app: Flask) -> list[str]:
    """Three documents, a trail with an anchor."""
    keys = [keep_document(number) for number in range(3)]
    for number in range(5):
        change_something(str(number))
    write_anchor(Path(app.config["DATA_DIR"]) / ANCHORS)
    return keys


# ---- making and proving --------------------------------------------------------------------------------------------


def test_a_backup_is_proven_by_restoring_it(stocked: list[str]) -> None:
    made = make(verify=True)
    assert (made.state, made.files, made.is_whole, made.missing_files) == ("complete", 3, True, 0)
    proof = services.run_proof(made.name, SYSTEM)
    assert proof.is_whole
    assert proof.audit_entries == made.audit_seq >= 5
    assert proof.rows > 20
    assert [entry.object_label for entry in trail_of("backups:backup:create")] == [made.name]
    assert len(trail_of("backups:backup:verify")) == 2


def test_nothing_in_a_backup_can_be_read_without_the_key(stocked: list[str]) -> None:
    make()
    kept = b"".join(path.read_bytes() for path in pieces())
    for secret in (b"document 1", "贵州茅台".encode(), b"org_user", b"SQLite format", b"PGDMP", b'"tables"'):
        assert secret not in kept


def test_files_are_copied_once_for_all_backups(stocked: list[str]) -> None:
    first = make()
    keep_document(10)
    second = make()
    assert (first.files, first.new_files) == (3, 3)
    assert (second.files, second.new_files) == (4, 1)
    assert len(list(place.backup_place().names(POOL))) == 4


def test_a_file_that_was_deleted_while_the_backup_was_made_is_in_it(
    stocked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    references = making._references
    calls: list[int] = []

    def deleting(connection: Any) -> Any:
        found = references(connection)
        calls.append(1)
        if len(calls) == 2:  # the rows of the snapshot were read; now the file goes
            storage().delete(stocked[0])
        return found

    monkeypatch.setattr(making, "_references", deleting)
    made = make()
    assert (made.files, made.missing_files) == (3, 0)
    monkeypatch.undo()
    assert services.run_proof(made.name, SYSTEM).is_whole


def test_a_file_that_was_added_while_the_backup_was_made_is_in_it(
    stocked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_files = making._copy_files
    calls: list[int] = []

    def adding(*arguments: Any) -> None:
        copy_files(*arguments)
        calls.append(1)
        if len(calls) == 1:
            keep_document(77)

    monkeypatch.setattr(making, "_copy_files", adding)
    made = make(verify=True)
    assert made.files == 4
    assert made.is_whole


def test_a_missing_file_does_not_prevent_the_backup_but_is_told(stocked: list[str], world: World) -> None:
    storage().delete(stocked[0])
    made = make(verify=True)
    assert (made.files, made.missing_files, made.is_whole) == (2, 1, True)
    told = db.session.scalars(select(Notice).where(Notice.kind == "backups.trouble")).all()
    assert {notice.user_id for notice in told} == {world.user("admin").id}
    assert queries.health().tone == "danger"


def test_files_of_a_plugin_that_is_switched_off_are_taken_along(stocked: list[str]) -> None:
    key = storage().put("unknownarea", b"of a plugin that is not here").key
    archived = archive_storage().put("nobodys", b"in the archive").key
    made = make(verify=True)
    assert made.files == 5
    entries = {entry.key for entry in making.open_shelf().files(making.open_shelf().manifest(made.name))}
    assert {key, archived} <= entries


def test_a_damaged_copy_in_the_pool_is_made_anew(stocked: list[str]) -> None:
    first = make()
    pooled = next(path for path in pieces() if POOL.strip("/") in path.parts)
    pooled.write_bytes(pooled.read_bytes()[:-1])
    assert not services.run_proof(first.name, SYSTEM).is_whole
    make()
    assert services.run_proof(first.name, SYSTEM).is_whole  # the earlier one is whole again too


# ---- damage --------------------------------------------------------------------------------------------------------


def test_each_piece_with_one_wrong_byte_is_found_and_nothing_is_restored(stocked: list[str], app: Flask) -> None:
    made = make()
    before = names_of_customers()
    for number, path in enumerate(pieces()):
        content = path.read_bytes()
        at = (number * 7919) % len(content)
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        try:
            found = services.run_proof(made.name, SYSTEM)
        except BackupError:
            assert path.name == "manifest"
        else:
            assert not found.is_whole, path
        with place.exclusive(), pytest.raises(BackupError):
            restoring.restore(made.name, replace=True)
        path.write_bytes(content)
    assert names_of_customers() == before
    assert services.run_proof(made.name, SYSTEM).is_whole
    assert queries.health().tone == "success"


def test_a_missing_piece_is_found(stocked: list[str]) -> None:
    made = make()
    for path in pieces():
        if path.name == "manifest":
            continue
        aside = path.with_name("x")
        path.rename(aside)
        assert not services.run_proof(made.name, SYSTEM).is_whole
        aside.rename(path)


def test_pieces_of_another_backup_are_found(stocked: list[str]) -> None:
    first, second = make(), make()
    folder = shelf_folder() / SETS
    shutil.copyfile(folder / first.name / "database", folder / second.name / "database")
    assert not services.run_proof(second.name, SYSTEM).is_whole
    shutil.copyfile(folder / first.name / "manifest", folder / second.name / "manifest")
    with pytest.raises(BackupError, match="damaged"):
        services.run_proof(second.name, SYSTEM)


def test_a_trail_that_was_tampered_with_before_the_backup_is_found(stocked: list[str]) -> None:
    with db.engine.begin() as connection:
        names = connection.dialect.name
        if names == "sqlite":
            for (trigger,) in connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'")
            ).all():
                connection.exec_driver_sql(f'DROP TRIGGER "{trigger}"')
        else:
            connection.exec_driver_sql("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        connection.execute(update(AuditEntry).where(AuditEntry.seq == 3).values(new_values='{"value": "forged"}'))
    made = make(verify=True)
    assert made.is_whole is False
    assert "3" in made.verify_problem
    assert queries.health().tone == "danger"


# ---- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [0, 2, 5])
def test_a_full_disk_leaves_no_part_and_the_old_backup(
    stocked: list[str], monkeypatch: pytest.MonkeyPatch, written: int, world: World
) -> None:
    old = make()
    keep_document(20)
    keep_document(21)
    before = {path: path.read_bytes() for path in pieces()}
    write, count = FolderPlace.write, [0]

    def full(self: FolderPlace, name: str, blocks: Any, durable: bool = True) -> int:
        count[0] += 1
        if count[0] > written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, name, blocks, durable)

    monkeypatch.setattr(FolderPlace, "write", full)
    with pytest.raises(BackupError, match="disk is full"):
        make()
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in pieces()} == before
    assert making.open_shelf().names() == [old.name]
    assert "disk is full" in queries.health().sentence
    assert db.session.scalars(select(Notice.user_id).where(Notice.kind == "backups.trouble")).all() == [
        world.user("admin").id
    ]
    assert make(verify=True).is_whole  # without a restart


def test_what_a_kill_left_is_no_backup_and_is_removed(stocked: list[str]) -> None:
    whole = make()
    folder = shelf_folder() / SETS
    shutil.copytree(folder / whole.name, folder / "20990101t000000z-dead")
    (folder / "20990101t000000z-dead" / "manifest").unlink()
    with transaction():
        db.session.add(Backup(name="20990101t000000z-dead", kind="hand", state="running", started_at=clock.now()))
    assert making.open_shelf().names() == [whole.name]
    make()
    assert not (folder / "20990101t000000z-dead").joinpath("database").exists()
    dead = db.session.scalars(select(Backup).where(Backup.name == "20990101t000000z-dead")).one()
    assert dead.state == "failed"


def test_one_at_a_time(stocked: list[str]) -> None:
    with place.exclusive():
        for action in (make, lambda: services.run_proof("latest", SYSTEM)):
            with pytest.raises(AnotherRuns):
                action()
    make()


# ---- restoring -----------------------------------------------------------------------------------------------------


def test_after_a_restore_everything_is_as_it_was(stocked: list[str], app: Flask) -> None:
    made = make()
    before = names_of_customers()
    with transaction():
        db.session.execute(update(Customer).values(name="改坏了"))
    late = keep_document(30)
    storage().delete(stocked[1])
    change_something("later")
    write_anchor(Path(app.config["DATA_DIR"]) / ANCHORS)
    with place.exclusive():
        done = restoring.restore(made.name, replace=True)
    assert names_of_customers() == before
    assert done.files_written == 1
    assert [storage().get(key) for key in stocked] == [f"document {number}".encode() * 50 for number in range(3)]
    assert storage().exists(late)  # files of the state that was put aside are not touched
    assert done.aside
    assert verify_chain(Path(app.config["DATA_DIR"]) / ANCHORS).is_whole
    with transaction():
        services.take_stock()
    assert [row.name for row in queries.kept()] == [made.name]


def test_the_old_state_is_kept_aside(stocked: list[str], app: Flask) -> None:
    made = make()
    with transaction():
        db.session.execute(update(Customer).values(name="后来的状态"))
    with place.exclusive():
        done = restoring.restore(made.name, replace=True)
    where = next(item for item in done.aside if "keys" not in item and "anchors" not in item)
    if db.engine.dialect.name == "sqlite":
        from portal.core.database import sqlite_module

        connection = sqlite_module().connect(where)
        names = {row[0] for row in connection.execute("SELECT name FROM customer")}
        connection.close()
    else:
        schema = where.removeprefix("schema ")
        with db.engine.connect() as connection:
            names = set(connection.scalars(text(f'SELECT name FROM "{schema}".customer')))
    assert names == {"后来的状态"}


def test_a_database_with_data_is_not_overwritten_unasked(stocked: list[str]) -> None:
    made = make()
    with place.exclusive(), pytest.raises(BackupError, match="not empty"):
        restoring.restore(made.name)


def test_the_wrong_key_is_said_and_the_exported_one_helps(stocked: list[str], tmp_path: Path) -> None:
    from portal.backups.commands import export_key, import_key, restore

    made = make()
    runner = CliRunner()
    target = tmp_path / "escrow.json"
    said = runner.invoke(export_key, [str(target), "--passphrase", "correct horse battery"])
    assert said.exit_code == 0, said.output
    place.backup_key_file().unlink()
    said = runner.invoke(restore, [made.name, "--replace", "--yes"])
    assert said.exit_code == 1
    assert "key file" in said.output
    save(place.backup_key_file(), new_ring())
    said = runner.invoke(restore, [made.name, "--replace", "--yes"])
    assert said.exit_code == 1
    assert "another key" in said.output
    wrong = runner.invoke(import_key, [str(target), "--passphrase", "wrong horse battery"])
    assert wrong.exit_code == 1
    assert "passphrase" in wrong.output
    said = runner.invoke(import_key, [str(target), "--passphrase", "correct horse battery"])
    assert said.exit_code == 0, said.output
    said = runner.invoke(restore, [made.name, "--replace", "--yes"])
    assert said.exit_code == 0, said.output
    assert [entry.object_label for entry in trail_of("backups:backup:restore")] == [made.name]


def test_a_lost_storage_comes_back_with_its_keys(stocked: list[str], app: Flask) -> None:
    """An empty machine: only the backups and their key are left."""
    made = make()
    data = Path(app.config["DATA_DIR"])
    shutil.rmtree(data / "files")
    ring_file().path.unlink()
    storage().put("documents", b"the new machine has made a key of its own")
    strange = key_ring()
    with place.exclusive():
        done = restoring.restore(made.name, replace=True)
    assert done.files_written == 3
    assert [storage().get(key) for key in stocked] == [f"document {number}".encode() * 50 for number in range(3)]
    assert key_ring().find(strange.newest.id) is not None
    report = integrity.scan()
    assert (report.missing, report.damaged) == (0, 0)


def test_files_are_mended_from_a_backup(stocked: list[str], app: Flask) -> None:
    made = make()
    storage().delete(stocked[0])
    path = Path(app.config["DATA_DIR"]) / "files" / stocked[1]
    path.write_bytes(path.read_bytes()[:-3])
    found = services.run_scan(SYSTEM)
    assert (found.missing, found.damaged) == (1, 1)
    assert queries.health().tone == "danger"
    with place.exclusive():
        assert restoring.mend_files(made.name) == 2
    found = services.run_scan(SYSTEM)
    assert (found.files, found.missing, found.damaged, found.orphans) == (3, 0, 0, 0)


def test_a_backup_of_a_newer_version_is_refused(stocked: list[str]) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES ('portal_9999')"))
    made = make()
    with place.exclusive(), pytest.raises(BackupError, match="portal_9999"):
        restoring.restore(made.name, replace=True)


# ---- keys ----------------------------------------------------------------------------------------------------------


def test_with_a_new_key_old_and_new_backups_can_be_read(stocked: list[str]) -> None:
    first = make()
    add_key(place.backup_key_file())
    second = make()
    assert second.new_files == 3  # all copies anew, under the new key
    assert services.run_proof(first.name, SYSTEM).is_whole
    assert services.run_proof(second.name, SYSTEM).is_whole


def test_sealing_anew_goes_on_where_it_was_cut_off(stocked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    storage_class = type(storage())
    reseal, done = storage_class.reseal, []

    def cut_off(self: Any, key: str) -> bool:
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(key)
        return reseal(self, key)

    monkeypatch.setattr(storage_class, "reseal", cut_off)
    with pytest.raises(KeyboardInterrupt):
        integrity.rotate()
    monkeypatch.undo()
    assert len({storage().sealed_with(key) for key in stocked}) == 2
    assert integrity.rotate(new=False) == {"files": 3, "resealed": 2, "failed": 0}
    assert {storage().sealed_with(key) for key in stocked} == {key_ring().newest.id}


# ---- retention and schedule ----------------------------------------------------------------------------------------


def test_old_backups_go_and_their_files_with_them(stocked: list[str], app: Flask) -> None:
    first = make()
    with transaction():
        db.session.execute(
            update(Document).where(Document.storage_key == stocked[0]).values(state="erased", storage_key="")
        )
    storage().delete(stocked[0])
    with clock.frozen(clock.now() + timedelta(days=800)):
        second = make()
    names = making.open_shelf().names()
    assert names == [first.name, second.name]  # two periods, both kept
    with transaction():
        settings.put("backups.keep_weekly", 1, None)
        settings.put("backups.keep_monthly", 0, None)
    with clock.frozen(clock.now() + timedelta(days=801)):
        third = make()
    assert first.name not in making.open_shelf().names()
    assert len(list(place.backup_place().names(POOL))) == 2
    assert [entry.object_label for entry in trail_of("backups:backup:remove")] == [first.name]
    assert services.run_proof(third.name, SYSTEM).is_whole


def test_the_command_line(stocked: list[str]) -> None:
    from portal.backups.commands import backup as group
    from portal.backups.commands import storage as storage_group

    runner = CliRunner()
    said = runner.invoke(group, ["create", "--json"])
    assert said.exit_code == 0, said.output
    made = json.loads(said.stdout)
    assert made["is_whole"] is True
    [row] = json.loads(runner.invoke(group, ["list", "--json"]).stdout)
    assert row["name"] == made["name"]
    local = clock.local(datetime.fromisoformat(row["made_at"]))
    assert f"{made['name']}  {local:%Y-%m-%d %H:%M}" in runner.invoke(group, ["list"]).stdout
    assert "is whole" in runner.invoke(group, ["verify"]).stdout
    said = runner.invoke(group, ["verify", "nosuch"])
    assert (said.exit_code, "There is no backup nosuch" in said.output) == (1, True)
    assert runner.invoke(storage_group, ["check"]).exit_code == 0
    storage().delete(stocked[0])
    said = runner.invoke(storage_group, ["check", "--json"])
    assert (said.exit_code, json.loads(said.stdout)["missing"]) == (1, 1)
    assert "1 files were brought back" in runner.invoke(group, ["mend"]).stdout
    said = runner.invoke(storage_group, ["rotate-key", "--now"])
    assert (said.exit_code, "3 of 3 files" in said.output) == (0, True)


def test_proof_counts_what_the_manifest_says(stocked: list[str]) -> None:
    """A manifest that promises more rows than the copy has is not believed."""
    made = make()
    shelf = making.open_shelf()
    manifest = shelf.manifest(made.name)
    manifest.tables["customer"][0] += 1
    shelf.write_manifest(manifest)
    with place.exclusive():
        proof = proving.prove(made.name)
    assert "customer" in proof.problem
