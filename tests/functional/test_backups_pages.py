"""The administrator's page, the clock, the alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from portal.backups import jobs, queries, services
from portal.backups.errors import BackupError
from portal.backups.models import Backup, BackupKind, StorageScan
from portal.core import clock, settings
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.extensions import db
from portal.jobs.models import JobRun
from portal.jobs.services import enqueue
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from tests.world import World

pytestmark = pytest.mark.db

#: a Saturday noon in Shanghai; the backup is due on Sunday 02:00, which is 18:00 UTC of this day
SATURDAY = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


def tick() -> list[JobRun]:
    """What the hourly job starts."""
    before = set(db.session.scalars(select(JobRun.id)))
    jobs.due(None)  # type: ignore[arg-type]
    return [run for run in db.session.scalars(select(JobRun)) if run.id not in before]


def backup_row(moment: datetime, **more: Any) -> None:
    values: dict[str, Any] = {"kind": "schedule", "state": "complete", "started_at": moment, **more}
    with transaction():
        db.session.add(Backup(name=f"{moment:%Y%m%dt%H%M%Sz}-test", **values))


def notices() -> list[str]:
    return [str(row.title) for row in db.session.scalars(select(Notice).where(Notice.kind == services.NOTICE))]


# ---- the page ------------------------------------------------------------------------------------------------------


def test_back_up_now_prove_and_see_it(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    assert "No backup has been made yet" in client.get("/admin/backups").text
    answer = client.post("/admin/backups/create", follow_redirects=True)
    assert "proven by a trial restore" in answer.text
    page = client.get("/admin/backups").text
    assert "Proven whole" in page
    assert "started by hand" in page
    backup = db.session.scalars(select(Backup)).one()
    assert backup.started_by_id == world.user("admin").id
    answer = client.post(f"/admin/backups/{backup.id}/verify", follow_redirects=True)
    assert "The backup is whole" in answer.text
    assert "The last backup is whole" in client.get("/").text


def test_nothing_of_a_backup_can_be_downloaded(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    client.post("/admin/backups/create")
    page = client.get("/admin/backups").text
    name = db.session.scalars(select(Backup.name)).one()
    assert f'href="{name}' not in page
    for address in (f"/admin/backups/{name}", f"/admin/backups/{name}/database", "/backups/pool", "/data/backups"):
        assert client.get(address).status_code == 404


def test_reading_all_files_is_told_on_the_page(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    stored = storage().put("documents", b"nobody's")
    answer = client.post("/admin/backups/scan", follow_redirects=True)
    assert "1 files read: 0 missing, 0 damaged, 1 without a row" in answer.text
    page = client.get("/admin/backups").text
    assert "Files without a row" in page
    assert stored.key in page


def test_only_administrators_have_the_tile(client: FlaskClient, world: World) -> None:
    for login, shown in (("admin", True), ("anna", False), ("boss", False), ("audrey", False)):
        world.login(client, login)
        assert ('id="panel-backups"' in client.get("/").text) is shown, login


def test_statements_of_the_page_do_not_grow(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    counts = []
    for rows in (1, 12):
        for number in range(rows):
            backup_row(SATURDAY - timedelta(days=number, hours=rows))
        client.get("/admin/backups")
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any, seen: list[str] = seen) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        assert client.get("/admin/backups").status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# ---- the clock -----------------------------------------------------------------------------------------------------


def test_the_backup_is_made_on_sunday_at_two(world: World) -> None:
    backup_row(SATURDAY - timedelta(days=5))
    with clock.frozen(DUE - timedelta(hours=1)):
        assert tick() == []
    with clock.frozen(DUE):
        assert [run.job_key for run in tick()] == [services.CREATE_JOB]
        newest = queries.latest("complete")
        assert newest is not None
        assert (newest.kind, newest.started_at, newest.is_whole) == ("schedule", DUE, True)
    with clock.frozen(DUE + timedelta(hours=1)):
        assert tick() == []
    assert notices() == []


def test_another_day_and_hour_by_the_settings(world: World) -> None:
    with transaction():
        settings.put("backups.day", "*", None)
        settings.put("backups.hour", 23, None)
        settings.put("backups.verify", False, None)
    backup_row(SATURDAY - timedelta(hours=12))
    with clock.frozen(datetime(2026, 11, 21, 14, 0, tzinfo=UTC)):
        assert tick() == []
    with clock.frozen(datetime(2026, 11, 21, 15, 0, tzinfo=UTC)):  # 23:00 in Shanghai
        assert len(tick()) == 1
    with clock.frozen(datetime(2026, 11, 22, 15, 0, tzinfo=UTC)):
        assert len(tick()) == 1


def test_a_missed_backup_is_told_and_made(world: World) -> None:
    backup_row(SATURDAY - timedelta(days=5))
    with clock.frozen(DUE + timedelta(days=1)):
        assert queries.health().tone == "danger"
        assert "2026-11-22 02:00" in queries.health().sentence
        assert len(tick()) == 1
        assert queries.health().tone == "success"
    assert len(notices()) == 1
    assert "2026-11-22 02:00" in notices()[0]


def test_a_failed_backup_is_tried_again_each_hour_and_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    backup_row(SATURDAY - timedelta(days=5))

    def broken(*_arguments: Any, **_more: Any) -> Any:
        raise BackupError("no")

    monkeypatch.setattr(services.making, "create", broken)
    for hours in range(3):
        with clock.frozen(DUE + timedelta(hours=hours)):
            assert [run.state for run in tick()] == ["failed"]
    assert len(notices()) == 1  # an unread one is replaced
    monkeypatch.undo()
    with clock.frozen(DUE + timedelta(hours=3)):
        assert queries.health().tone == "danger"
        assert [run.state for run in tick()] == ["done"]
        assert queries.health().tone == "success"


def test_two_starts_at_once_are_one_backup(world: World) -> None:
    with transaction():
        db.session.add(
            JobRun(
                job_key=services.CREATE_JOB,
                state="queued",
                created_at=clock.now(),
                sent_at=clock.now(),
                unique_key=services.CREATE_JOB,
            )
        )
    with transaction():
        waiting = services.start_backup(world.actor("admin"), BackupKind.HAND)
        assert waiting.owner_id is None  # the one that waits already


def test_switched_off_is_said(world: World) -> None:
    backup_row(SATURDAY, is_whole=True, verified_at=SATURDAY)
    with transaction():
        settings.put("backups.enabled", False, None)
    with clock.frozen(DUE + timedelta(days=30)):
        assert tick() == []
        assert (queries.health().tone, queries.health().next_at) == ("warning", None)


@pytest.mark.parametrize(
    ("last", "scan", "tone"),
    [
        ({"is_whole": True, "verified_at": DUE}, {}, "success"),
        ({}, {}, "warning"),
        ({"is_whole": False, "verified_at": DUE, "verify_problem": "x"}, {}, "danger"),
        ({"is_whole": True, "verified_at": DUE, "missing_files": 2}, {}, "danger"),
        ({"is_whole": True, "verified_at": DUE}, {"damaged": 1}, "danger"),
        ({"is_whole": True, "verified_at": DUE}, {"orphans": 1}, "success"),
    ],
)
def test_the_alarm(world: World, last: dict[str, Any], scan: dict[str, Any], tone: str) -> None:
    backup_row(DUE, **last)
    with transaction():
        db.session.add(StorageScan(at=DUE, details="{}", **scan))
    with clock.frozen(DUE + timedelta(hours=1)):
        assert queries.health().tone == tone


def test_old_files_are_sealed_anew_by_the_worker(world: World) -> None:
    from portal.core.storage.keyring import add_key
    from portal.core.storage.places import ring_file

    key = storage().put("documents", b"content").key
    ring_file().ring()
    newest = add_key(ring_file().path).newest.id
    with transaction():
        run = enqueue(services.RESEAL_JOB, SYSTEM).id
    assert db.session.get_one(JobRun, run, populate_existing=True).state == "done"
    assert storage().sealed_with(key) == newest
