"""Pages of the jobs: the owner's progress, the administrator's overview."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from portal.core import clock
from portal.core.jobs import Job, JobContext
from portal.core.transaction import transaction
from portal.extensions import db
from portal.jobs import clockwork, services
from portal.jobs.models import JobRun, JobState
from portal.jobs.running import execute_run, run_folder
from portal.notifications.models import Notice
from portal.org.models import UserRole
from tests.world import World

pytestmark = pytest.mark.db


def export(context: JobContext) -> dict[str, Any]:
    (context.folder / "customers.csv").write_text("secret rows")
    return {"file": "customers.csv", "url": "/customers/", "message": "3 rows of 贵州茅台", "rows": 3}


def evil(_context: JobContext) -> dict[str, Any]:
    return {"file": "../../portal.sqlite3", "url": "https://evil.example/"}


def fail(_context: JobContext) -> None:
    raise RuntimeError("boom")


@pytest.fixture(autouse=True)
def test_jobs(app: Flask) -> Iterator[None]:
    app.extensions["portal_jobs"].add(
        [Job("tests.export", "Export", export), Job("tests.evil", "Evil", evil), Job("tests.fail", "Fail", fail)]
    )
    return


def bare(page: str, run_id: int) -> str:
    """A page without what differs anyhow: its own address and the form's token."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(f"/jobs/{run_id}", "")


def order(world: World, key: str, login: str = "anna", **more: Any) -> int:
    with transaction():
        return services.enqueue(key, world.actor(login), **more).id


def test_the_owner_gets_result_and_file(app: Flask, world: World, client: FlaskClient) -> None:
    run_id = order(world, "tests.export", title="Export of 3 customers")
    world.login(client, "anna")
    page = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert "Export of 3 customers" in page
    assert "3 rows of 贵州茅台" in page
    assert 'href="/customers/"' in page
    answer = client.get(f"/jobs/{run_id}/file")
    assert answer.get_data() == b"secret rows"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "Export of 3 customers" in client.get("/jobs/").get_data(as_text=True)


def test_others_see_nothing_and_administrators_no_content(app: Flask, world: World, client: FlaskClient) -> None:
    run_id = order(world, "tests.export")
    world.login(client, "ben")
    missing = client.get("/jobs/999999")
    for path in (f"/jobs/{run_id}", f"/jobs/{run_id}/file"):
        assert client.get(path).status_code == 404
    assert client.post(f"/jobs/{run_id}/cancel").status_code == 404
    assert missing.status_code == 404
    theirs = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert bare(theirs, run_id) == bare(missing.get_data(as_text=True), 999999)
    admin = world.login(app.test_client(), "admin")
    page = admin.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert "Done" in page
    assert "贵州茅台" not in page
    assert admin.get(f"/jobs/{run_id}/file").status_code == 404


def test_a_file_is_given_while_its_owner_may_do_and_see_what_it_is_about(
    app: Flask, world: World, client: FlaskClient
) -> None:
    """Security statement 6: who lost an office, or the sight of a thing, gets no file of it either."""
    seen = {"it": True}

    def may_fetch(actor: Any, parameters: Any) -> bool:
        return bool(seen["it"] and actor.login == "anna" and parameters == {"part": "all"})

    def export_part(context: JobContext, part: str) -> dict[str, Any]:
        return export(context)

    app.extensions["portal_jobs"].add(
        [
            Job("tests.office", "Office", export, permission="customers.create"),
            Job("tests.sight", "Sight", export_part, may_fetch=may_fetch),
        ]
    )
    office, sight = order(world, "tests.office"), order(world, "tests.sight", parameters={"part": "all"})
    world.login(client, "anna")
    for run_id in (office, sight):
        assert client.get(f"/jobs/{run_id}/file").get_data() == b"secret rows"
    seen["it"] = False
    with transaction():
        db.session.execute(delete(UserRole).where(UserRole.user_id == world.user("anna").id))
    world.login(client, "anna")
    for run_id in (office, sight):
        assert client.get(f"/jobs/{run_id}/file").status_code == 404
        assert f"/jobs/{run_id}/file" not in client.get(f"/jobs/{run_id}").get_data(as_text=True)


def test_a_job_cannot_lead_out_of_its_folder_or_the_portal(app: Flask, world: World, client: FlaskClient) -> None:
    run_id = order(world, "tests.evil")
    run_folder(run_id).mkdir(parents=True)
    world.login(client, "anna")
    assert client.get(f"/jobs/{run_id}/file").status_code == 404
    assert "evil.example" not in client.get(f"/jobs/{run_id}").get_data(as_text=True)


def test_the_page_of_a_running_job_brings_itself_up_to_date(app: Flask, world: World, client: FlaskClient) -> None:
    app.config["JOBS_IMMEDIATE"] = False
    run_id = order(world, "tests.export")
    world.login(client, "anna")
    page = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert f'data-poll="/jobs/{run_id}"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    with transaction():
        run = db.session.get_one(JobRun, run_id)
        run.state, run.progress_done, run.progress_total, run.progress_label = "running", 40, 200, "rows read"
    page = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert 'value="40" max="200"' in page
    assert "rows read" in page
    client.post(f"/jobs/{run_id}/cancel")
    page = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert "Stopping" in page
    with transaction():
        db.session.get_one(JobRun, run_id).state = "done"
    page = client.get(f"/jobs/{run_id}").get_data(as_text=True)
    assert "data-poll" not in page
    assert "refresh" not in page
    assert client.post(f"/jobs/{run_id}/cancel").status_code == 409


def test_the_administrators_page(app: Flask, world: World, client: FlaskClient) -> None:
    failed = order(world, "tests.fail")
    world.login(client, "admin")
    page = client.get("/jobs/all").get_data(as_text=True)
    assert "Daily digest" in page
    assert "No worker has been seen" in page
    clockwork.beat(app)
    assert "No worker has been seen" not in client.get("/jobs/all").get_data(as_text=True)
    assert str(failed) in client.get("/jobs/runs?scene=failed").get_data(as_text=True)
    answer = client.post(f"/jobs/{failed}/retry")
    again = int(answer.headers["Location"].rsplit("/", 1)[1])
    db.session.rollback()
    assert db.session.get_one(JobRun, again).retry_of_id == failed
    started = client.post("/jobs/start/jobs.tidy")
    assert "done" in client.get(started.headers["Location"]).get_data(as_text=True)
    client.post("/jobs/schedule/jobs.tidy", data={"enabled": "0"})
    assert "Schedule off" in client.get("/jobs/all").get_data(as_text=True)


def test_only_administrators_administer(app: Flask, world: World, client: FlaskClient) -> None:
    run_id = order(world, "tests.fail")
    world.login(client, "anna")
    assert client.get("/jobs/all").status_code == 403
    assert client.get("/jobs/runs").status_code == 403
    assert client.post(f"/jobs/{run_id}/retry").status_code == 403
    assert client.post("/jobs/start/jobs.tidy").status_code == 403
    assert client.post("/jobs/start/audit.verify").status_code == 403
    assert client.post("/jobs/start/nothing").status_code == 404
    assert client.post("/jobs/schedule/jobs.tidy", data={"enabled": "0"}).status_code == 403
    auditor = world.login(app.test_client(), "audrey")
    assert auditor.post("/jobs/start/audit.verify").status_code == 302, "the job names a permission auditors have"
    assert auditor.post("/jobs/start/jobs.tidy").status_code == 403


def test_a_broken_trail_alarms_auditors_and_administrators(app: Flask, world: World) -> None:
    from tests.functional.test_audit_chain import tamper

    order(world, "tests.export")
    with transaction():
        world.actor("anna")
    order(world, "tests.fail")  # writes an entry
    tamper("UPDATE audit_entry SET reason = 'forged' WHERE seq = 1")
    with transaction():
        services.start_by_hand("audit.verify", world.actor("admin"))
    told = set(db.session.scalars(select(Notice.user_id).where(Notice.kind == "jobs.alarm")))
    assert told == {world.user("audrey").id}
    owner = db.session.scalars(select(Notice).where(Notice.user_id == world.user("admin").id)).one()
    assert "entry 1" in owner.body


def test_health_needs_a_fresh_worker(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, json.loads(answer.data)["checks"]["worker"]) == (503, "failed")
    clockwork.beat(app)
    assert json.loads(client.get("/healthz").data)["checks"]["worker"] == "ok"
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert json.loads(client.get("/healthz").data)["checks"]["worker"] == "failed"


def test_storage_that_cannot_be_written_is_reported(app: Flask, client: FlaskClient, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("x")
    app.config["DATA_DIR"] = tmp_path / "file"
    assert json.loads(client.get("/healthz").data)["checks"]["storage"] == "failed"


def test_old_files_and_runs_are_tidied_up(app: Flask, world: World) -> None:
    run_id = order(world, "tests.export")
    folder = run_folder(run_id)
    assert (folder / "customers.csv").exists()
    app.config["JOBS_IMMEDIATE"] = False
    with clock.frozen(clock.now() + timedelta(days=8)):
        with transaction():
            tidy = services.start_by_hand("jobs.tidy", world.actor("admin")).id
        assert execute_run(app, tidy) == JobState.DONE
    assert not folder.exists()
    with clock.frozen(clock.now() + timedelta(days=200)):
        with transaction():
            tidy = services.start_by_hand("jobs.tidy", world.actor("admin")).id
        assert execute_run(app, tidy) == JobState.DONE
    assert db.session.get(JobRun, run_id) is None
