"""Background jobs: the row is the truth. Nothing is done twice, nothing is lost, a dead worker is found."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _
from portal.jobs import clockwork, queue, services
from portal.jobs.models import JobRun, JobSchedule, JobSlot, JobState, JobWorker
from portal.jobs.running import claim, execute_run
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.org.models import User
from tests.conftest import SECRET
from tests.world import World

pytestmark = pytest.mark.db

CALLS: list[Mapping[str, Any]] = []


def note(context: JobContext, **parameters: Any) -> dict[str, Any]:
    CALLS.append({"actor": context.actor.name, "run": context.run_id, **parameters})
    return {"message": _("Yes"), "rows": 3}


def fail(context: JobContext) -> None:
    context.progress(3, 10, "rows")
    raise RuntimeError("secret of the inside")


def refuse(context: JobContext) -> None:
    with transaction():
        raise Invalid("The file has no rows.")


def until_cancelled(context: JobContext) -> None:
    with transaction():
        db.session.execute(update(JobRun).where(JobRun.id == context.run_id).values(cancel_requested=True))
    for number in range(100):
        context.progress(number, 100)
        context.check_cancelled()
        time.sleep(0.05)
    raise AssertionError("never looked")


def half_done(context: JobContext) -> None:
    with transaction():
        db.session.execute(update(User).where(User.login == "nora").values(title="half"))
        context.progress(5, 9, "in the middle")  # inside a transaction it only remembers
        raise RuntimeError("fails after the change")


TEST_JOBS = [
    Job("tests.note", "Note", note),
    Job("tests.fail", "Fail", fail),
    Job("tests.refuse", "Refuse", refuse),
    Job("tests.cancel", "Until cancelled", until_cancelled),
    Job("tests.half", "Half", half_done),
    Job("tests.repeat", "Repeat", note, idempotent=True, attempts=2),
    Job("tests.hourly", "Hourly", note, Schedule(minute="0"), idempotent=True),
    Job("tests.quiet", "Quiet", note, Schedule(minute="*"), quiet=True),
    Job("tests.told", "Told", note, tell_owner=True),
]


@pytest.fixture(autouse=True)
def test_jobs(app: Flask) -> Iterator[None]:
    CALLS.clear()
    app.extensions["portal_jobs"].add(TEST_JOBS)
    return


def order(world: World, key: str, login: str = "anna", **more: Any) -> int:
    with transaction():
        return services.enqueue(key, world.actor(login), **more).id


def fetch(run_id: int) -> JobRun:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(JobRun, run_id)


def test_a_job_runs_after_the_commit_as_the_person_who_ordered_it(app: Flask, world: World) -> None:
    with transaction():
        run_id = services.enqueue("tests.note", world.actor("anna"), parameters={"number": 7}).id
        assert CALLS == [], "nothing runs before the commit"
    assert [{"actor": "安娜", "run": run_id, "number": 7}] == CALLS
    run = fetch(run_id)
    assert (run.state, run.attempt) == (JobState.DONE, 1)
    assert json.loads(run.result or "")["rows"] == 3


def test_nothing_runs_when_the_order_is_rolled_back(app: Flask, world: World) -> None:
    with pytest.raises(RuntimeError), transaction():  # noqa: PT012
        services.enqueue("tests.note", world.actor("anna"))
        raise RuntimeError
    assert CALLS == []
    assert db.session.scalar(select(func.count()).select_from(JobRun)) == 0


def test_the_owners_language_is_spoken(app: Flask, world: World) -> None:
    with transaction():
        world.user("anna").language = "zh_Hans_CN"
    run = fetch(order(world, "tests.note"))
    assert json.loads(run.result or "")["message"] in {"是", "Yes"}
    from flask import g

    seen: list[str] = []
    app.extensions["portal_jobs"].add(
        [Job("tests.language", "Language", lambda context: seen.append(g.language))]  # type: ignore[func-returns-value]
    )
    order(world, "tests.language")
    assert seen == ["zh_Hans_CN"]


def test_a_failure_tells_the_owner_a_number_and_nothing_else(app: Flask, world: World) -> None:
    run = fetch(order(world, "tests.fail"))
    assert run.state == JobState.FAILED
    assert len(run.error_id) == 8
    assert "secret" not in run.error
    assert (run.progress_done, run.progress_total, run.progress_label) == (3, 10, "rows")
    assert db.session.scalar(select(AuditEntry.seq).where(AuditEntry.action == "jobs:run:fail"))
    notice = db.session.scalars(select(Notice).where(Notice.user_id == run.owner_id)).one()
    assert notice.url == f"/jobs/{run.id}"


def test_a_rule_that_refuses_is_shown_in_its_words(app: Flask, world: World) -> None:
    run = fetch(order(world, "tests.refuse"))
    assert (run.state, run.error, run.error_id) == (JobState.FAILED, "The file has no rows.", "")


def test_a_failed_job_leaves_no_half_transaction(app: Flask, world: World) -> None:
    run = fetch(order(world, "tests.half"))
    assert run.state == JobState.FAILED
    assert run.progress_done == 5
    assert world.user("nora").title == ""


def test_a_job_of_somebody_who_left_is_refused(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.note")
    with transaction():
        world.user("anna").is_active = False
    assert execute_run(app, run_id) == JobState.FAILED
    assert CALLS == []


def test_a_job_of_a_plugin_that_was_switched_off_fails_clearly(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.note")
    del app.extensions["portal_jobs"]._items["tests.note"]
    assert execute_run(app, run_id) == JobState.FAILED
    assert "switched off" in fetch(run_id).error


def test_a_message_that_comes_twice_runs_once(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.note")
    assert execute_run(app, run_id) == JobState.DONE
    assert execute_run(app, run_id) is None
    assert len(CALLS) == 1


def test_eight_workers_race_for_one_run(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    for _round in range(5):
        CALLS.clear()
        run_id = order(world, "tests.note")
        start = threading.Barrier(8)
        outcomes: list[str | None] = []

        def work(number: int = run_id, gate: threading.Barrier = start, into: list[str | None] = outcomes) -> None:
            gate.wait()
            into.append(execute_run(app, number))

        threads = [threading.Thread(target=work) for _number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(JobState.DONE) == 1
        assert outcomes.count(None) == 7
        assert len(CALLS) == 1


def test_a_unique_key_gives_the_run_that_is_there(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    first = order(world, "tests.note", unique_key="export:5")
    assert order(world, "tests.note", unique_key="export:5") == first
    execute_run(app, first)
    assert order(world, "tests.note", unique_key="export:5") != first


def test_cancelling_a_waiting_and_a_running_job(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    waiting = order(world, "tests.note")
    with transaction():
        services.cancel_run(db.session.get_one(JobRun, waiting), world.actor("anna"))
    assert execute_run(app, waiting) is None
    assert fetch(waiting).state == JobState.CANCELLED
    running = order(world, "tests.cancel")
    assert execute_run(app, running) == JobState.CANCELLED
    with pytest.raises(Conflict), transaction():
        services.cancel_run(db.session.get_one(JobRun, running), world.actor("anna"))


def test_a_lost_message_is_sent_again(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    sent: list[int] = []
    monkeypatch.setattr(queue, "send", lambda _app, run_id: False)  # the queue is away
    run_id = order(world, "tests.note")
    monkeypatch.setattr(clockwork, "send", lambda _app, run_id: sent.append(run_id))
    clockwork.tick(app)
    assert sent == []
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        clockwork.tick(app)
        clockwork.tick(app)
    assert sent.count(run_id) == 1
    assert execute_run(app, run_id) == JobState.DONE


def test_the_queue_being_away_fails_no_order(app: Flask, world: World, tmp_path: Path) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    app.extensions.pop(queue.EXTENSION, None)
    app.config["DATA_DIR"] = tmp_path / "there" / "is" / "a" / "file"
    (tmp_path / "there").write_text("not a folder")
    assert fetch(order(world, "tests.note")).state == JobState.QUEUED


def test_the_queue_carries_numbers_under_a_signature(app: Flask) -> None:
    huey = queue.huey_of(app)
    queue.send(app, 41)
    data = huey.storage.enqueued_items()[0]
    assert b"41" in bytes(data)
    with pytest.raises(ValueError, match="not signed"):
        huey.serializer.deserialize(bytes(data).replace(b"41", b"42"))
    with pytest.raises(ValueError, match="not signed"):
        huey.serializer.deserialize(b"\x80\x04K\x01.")
    task = huey.dequeue()
    assert task.args == [41]
    connection = huey.storage.conn
    assert type(connection).__module__.startswith("pysqlite3")


def dead(run_id: int, process: str, minutes: float) -> None:
    with transaction():
        db.session.execute(
            update(JobRun)
            .where(JobRun.id == run_id)
            .values(claimed_by=process, heartbeat_at=clock.now() - timedelta(minutes=minutes))
        )


@pytest.mark.parametrize(
    ("process", "minutes", "found"),
    [
        ("elsewhere:7:abc", 1, False),
        ("elsewhere:7:abc", 3, True),
        ("{host}:999999:abc", 0.1, True),
        ("{host}:{pid}:abc", 0.1, True),
        ("{host}:1:abc", 5, False),
        ("{host}:1:abc", 30, True),
    ],
)
def test_runs_of_dead_workers_are_found(app: Flask, world: World, process: str, minutes: float, found: bool) -> None:
    import os
    import socket

    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.note")
    assert claim(run_id) is not None
    dead(run_id, process.format(host=socket.gethostname()[:60], pid=os.getpid()), minutes)
    clockwork.sweep()
    assert fetch(run_id).state == (JobState.FAILED if found else JobState.RUNNING)


def test_an_idempotent_job_is_tried_again_but_not_for_ever(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.repeat")
    assert claim(run_id) is not None
    dead(run_id, "elsewhere:7:abc", 5)
    assert clockwork.sweep() == [run_id]
    assert fetch(run_id).state == JobState.QUEUED
    assert claim(run_id) is not None
    dead(run_id, "elsewhere:7:abc", 5)
    assert clockwork.sweep() == []
    assert fetch(run_id).state == JobState.FAILED


def test_a_worker_thought_dead_cannot_write_its_end_over_the_verdict(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False

    def swept_meanwhile(context: JobContext) -> dict[str, Any]:
        dead(context.run_id, "elsewhere:7:abc", 5)
        clockwork.sweep()
        return {"message": "too late"}

    app.extensions["portal_jobs"].add([Job("tests.late", "Late", swept_meanwhile)])
    run_id = order(world, "tests.late")
    assert execute_run(app, run_id) == JobState.FAILED
    assert fetch(run_id).result is None


BASE = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def hourly_runs() -> list[JobRun]:
    db.session.rollback()
    return list(db.session.scalars(select(JobRun).where(JobRun.job_key == "tests.hourly").order_by(JobRun.id)))


def test_the_clock_starts_a_slot_once_and_makes_up_for_an_outage_once(app: Flask) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(BASE):
        clockwork.start_due()
        assert hourly_runs() == [], "a new job begins with its next time"
    with clock.frozen(BASE + timedelta(minutes=31)):
        for _number in range(3):
            clockwork.start_due()
    assert [run.slot for run in hourly_runs()] == [datetime(2026, 3, 2, 2, 0, tzinfo=UTC)]
    execute_run(app, hourly_runs()[0].id)
    with clock.frozen(BASE + timedelta(days=3)):
        clockwork.start_due()
    assert len(hourly_runs()) == 2
    assert hourly_runs()[1].slot == datetime(2026, 3, 5, 1, 0, tzinfo=UTC)


def test_a_slot_is_passed_over_while_the_last_run_still_works(app: Flask) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(BASE):
        clockwork.start_due()
    with clock.frozen(BASE + timedelta(hours=1)):
        clockwork.start_due()
    with clock.frozen(BASE + timedelta(hours=2)):
        clockwork.start_due()
    assert len(hourly_runs()) == 1


def test_two_schedulers_start_every_slot_once(app: Flask) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(BASE):
        clockwork.start_due()
    for hour in range(1, 9):
        with clock.frozen(BASE + timedelta(hours=hour)):
            gate = threading.Barrier(4)

            def work(start: threading.Barrier = gate) -> None:
                with app.app_context():
                    start.wait()
                    clockwork.start_due()
                    db.session.remove()

            threads = [threading.Thread(target=work) for _number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        runs = hourly_runs()
        assert len(runs) == hour
        execute_run(app, runs[-1].id)
    assert db.session.scalar(select(func.count()).select_from(JobSlot).where(JobSlot.job_key == "tests.hourly")) == 8


def test_the_database_itself_refuses_a_slot_twice(app: Flask) -> None:
    with transaction():
        db.session.add(JobSlot(job_key="tests.hourly", slot=BASE))
    with pytest.raises(Exception, match=r"(?i)unique"), transaction():
        db.session.add(JobSlot(job_key="tests.hourly", slot=BASE))


def test_a_schedule_can_be_switched_off_and_does_not_catch_up(app: Flask, world: World) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(BASE):
        clockwork.start_due()
        with transaction():
            services.set_schedule("tests.hourly", False, world.actor("admin"))
    with clock.frozen(BASE + timedelta(hours=5)):
        clockwork.start_due()
        assert hourly_runs() == []
        with transaction():
            services.set_schedule("tests.hourly", True, world.actor("admin"))
        clockwork.start_due()
        assert hourly_runs() == []
    with clock.frozen(BASE + timedelta(hours=6)):
        clockwork.start_due()
    assert len(hourly_runs()) == 1


def test_scheduled_jobs_run_as_the_portal_also_when_started_by_hand(app: Flask, world: World) -> None:
    with transaction():
        run_id = services.start_by_hand("tests.hourly", world.actor("admin")).id
    assert CALLS[0]["actor"] == SYSTEM.name
    assert fetch(run_id).owner_id == world.user("admin").id


def test_of_a_quiet_job_only_the_last_good_run_is_kept(app: Flask) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(BASE):
        clockwork.start_due()
    for minute in range(1, 5):
        with clock.frozen(BASE + timedelta(minutes=minute)):
            for run_id in clockwork.start_due():
                execute_run(app, run_id)
    rows = db.session.scalars(select(JobRun).where(JobRun.job_key == "tests.quiet")).all()
    assert len(rows) == 1
    assert rows[0].slot == BASE + timedelta(minutes=4)


def test_whoever_wants_it_is_told(app: Flask, world: World) -> None:
    order(world, "tests.told", title="Import of 茅台.xlsx")
    notice = db.session.scalars(select(Notice)).one()
    assert "茅台.xlsx" in notice.title
    order(world, "tests.note")
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1


def test_repeating_a_failed_run(app: Flask, world: World) -> None:
    run_id = order(world, "tests.fail")
    with transaction():
        again = services.retry_run(db.session.get_one(JobRun, run_id), world.actor("admin")).id
    run = fetch(again)
    assert (run.owner_id, run.retry_of_id, run.state) == (world.user("anna").id, run_id, JobState.FAILED)
    done = order(world, "tests.note")
    with pytest.raises(Conflict), transaction():
        services.retry_run(db.session.get_one(JobRun, done), world.actor("admin"))


@pytest.mark.parametrize(
    ("schedule", "moment", "expected"),
    [
        (Schedule(minute="*/15"), "2026-03-02T10:07", "2026-03-02T10:00"),
        (Schedule(minute="0", hour="8"), "2026-03-02T07:59", "2026-03-01T08:00"),
        (Schedule(minute="0", hour="2", day_of_week="0"), "2026-03-04T12:00", "2026-03-01T02:00"),
        (Schedule(minute="0", hour="2", day_of_week="7"), "2026-03-04T12:00", "2026-03-01T02:00"),
        (Schedule(minute="30", hour="9-17/4", day_of_week="1-5"), "2026-03-07T12:00", "2026-03-06T17:30"),
        (Schedule(minute="0", hour="0", day="1"), "2026-03-02T00:00", "2026-03-01T00:00"),
        (Schedule(minute="0", hour="8", working_days=True), "2026-10-05T12:00", "2026-09-30T08:00"),
        (Schedule(minute="0", hour="0", day="31", month="2"), "2026-03-02T00:00", None),
    ],
)
def test_schedules(app: Flask, schedule: Schedule, moment: str, expected: str | None) -> None:
    found = schedule.latest(datetime.fromisoformat(moment).replace(tzinfo=clock.zone()))
    assert (clock.local(found).strftime("%Y-%m-%dT%H:%M") if found else None) == expected
    if found is not None:
        assert schedule.following(found - timedelta(seconds=1)) == found


@pytest.mark.parametrize("wrong", ["60", "a", "5-3", "*/0", "1-", ""])
def test_misspelt_schedules_stop_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="minute"):
        Schedule(minute=wrong)


def test_commands_run_and_list_jobs(app: Flask) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["jobs", "run", "tests.note", "--parameters", '{"number": 3}'])
    assert (done.exit_code, CALLS[0]["number"]) == (0, 3), done.output
    assert runner.invoke(args=["jobs", "run", "tests.fail"]).exit_code == 1
    assert runner.invoke(args=["jobs", "run", "tests.nothing"]).exit_code == 1
    lines = json.loads(runner.invoke(args=["jobs", "list", "--json"]).output)
    by_key = {line["key"]: line for line in lines}
    assert (by_key["tests.note"]["state"], by_key["tests.fail"]["failures"]) == ("done", 1)
    assert by_key["tests.hourly"]["next"]


def wait_for(condition: Any, seconds: float = 150) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def start_worker(folder: Path, url: str, log: Path) -> subprocess.Popen[bytes]:
    import os

    environment = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": url, "SECRET_KEY": SECRET}
    command = [sys.executable, "-c", "from portal.cli import main; main()", "jobs", "worker", "--workers", "2"]
    with log.open("ab") as handle:
        return subprocess.Popen(command, env=environment, stdout=handle, stderr=handle)


def test_a_killed_worker_and_its_successor(app: Flask, world: World, database_url: str, tmp_path: Path) -> None:
    """The real worker: it takes word from the queue, is killed in the middle, the next one cleans up after it."""
    app.config["JOBS_IMMEDIATE"] = False
    log = tmp_path / "worker.log"
    with transaction():
        first = services.enqueue("jobs.tidy", SYSTEM).id
    worker = start_worker(tmp_path, database_url, log)
    try:
        wait_for(lambda: fetch(first).state == JobState.DONE)
        assert wait_for(lambda: db.session.scalar(select(JobWorker.name)))
        # As if it were in the middle of two runs: their rows carry its name.
        name = str(db.session.scalar(select(JobWorker.name)))
        db.session.rollback()
        with transaction():
            broken = services.enqueue("notifications.digest", SYSTEM)
            whole = services.enqueue("jobs.tidy", SYSTEM)
            numbers = broken.id, whole.id
            for run in (broken, whole):
                run.state, run.claimed_by, run.attempt = JobState.RUNNING, name, 1
                run.started_at = run.heartbeat_at = clock.now()
            broken.attempt = 3
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    successor = start_worker(tmp_path, database_url, log)
    try:
        wait_for(lambda: fetch(numbers[1]).state == JobState.DONE)
        assert (fetch(numbers[0]).state, fetch(numbers[1]).attempt) == (JobState.FAILED, 2)
    finally:
        successor.terminate()
        successor.wait(timeout=30)
    db.session.rollback()  # away from the snapshot in which the successor still worked
    names = set(db.session.scalars(select(JobWorker.name)))
    assert names <= {name}, "a worker that stops in order signs off"
    schedules = set(db.session.scalars(select(JobSchedule.job_key)))
    assert {"audit.verify", "notifications.send"} <= schedules, "the worker ticks"
