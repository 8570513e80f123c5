"""Checklist runs: started with one click, ticked, locked, assigned, undone, completed, called off, printed."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from lxml import html as lxml_html
from PIL import Image
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DatabaseError

from plugins.sop.manuals import drafting
from plugins.sop.manuals.models import ManualVersion
from plugins.sop.runs import queries, services
from plugins.sop.runs.models import SopRun, SopRunEvent, SopRunFile, SopRunStep
from portal.core import clock
from portal.core.calendar import add_working_days
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.documents.models import Document
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.services import LeavingInput, deactivate_person
from tests.sop_story import effective_manual
from tests.sop_work import StepText, publish, publish_next
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def procedure_id(world: World) -> int:
    return publish(world)


def _start(world: World, procedure_id: int, login: str = "anna", **more: object) -> int:
    with transaction():
        return services.start_run(services.StartInput(procedure_id, **more), world.actor(login)).id  # type: ignore[arg-type]


def _steps(run_id: int) -> list[SopRunStep]:
    return list(db.session.scalars(select(SopRunStep).where(SopRunStep.run_id == run_id).order_by(SopRunStep.position)))


def _kinds(run_id: int) -> list[str]:
    return list(
        db.session.scalars(select(SopRunEvent.kind).where(SopRunEvent.run_id == run_id).order_by(SopRunEvent.id))
    )


def test_from_the_customers_page_to_the_end(client: FlaskClient, world: World, procedure_id: int) -> None:
    maotai = world.customer_id("maotai")
    world.login(client, "anna")
    page = client.get(f"/customers/{maotai}").text
    assert "/sop/runs/start" in page
    assert "新客户建档" in page
    sent = {"procedure_id": procedure_id, "customer_id": maotai, "token": "once"}
    answer = client.post("/sop/runs/start", data=sent)
    assert answer.status_code == 302
    assert client.post("/sop/runs/start", data=sent).location == answer.location  # a double click
    assert db.session.scalar(select(func.count(SopRun.id))) == 1
    run_id = int(answer.location.rsplit("/", 1)[1])
    first, stop, last = _steps(run_id)
    today = clock.today()
    first_due = add_working_days(add_working_days(today, 0), 1)
    assert first.due_on == first_due
    assert stop.due_on == add_working_days(first_due, 2)
    assert client.get(f"/sop/runs/{run_id}").status_code == 200

    locked = client.post(f"/sop/runs/steps/{last.id}/tick", follow_redirects=True).text
    assert "Step 2 has to be done first." in locked
    assert client.post(f"/sop/runs/steps/{first.id}/tick", data={"note": "齐全"}).status_code == 302
    refused = client.post(f"/sop/runs/steps/{stop.id}/skip", data={"note": ""})
    assert refused.status_code == 400
    assert "Say why the step does not apply." in refused.text
    client.post(f"/sop/runs/steps/{stop.id}/skip", data={"note": "老客户"})
    done = client.post(f"/sop/runs/steps/{last.id}/tick", follow_redirects=True).text
    assert "the checklist is completed" in done
    run = db.session.get_one(SopRun, run_id)
    db.session.refresh(run)
    assert (run.state, run.steps_closed) == ("done", 3)
    assert _kinds(run_id) == ["started", "ticked", "skipped", "ticked", "completed"]

    client.post(f"/sop/runs/steps/{last.id}/undo")
    db.session.refresh(run)
    assert (run.state, run.steps_closed, run.closed_on) == ("open", 2, None)
    assert _kinds(run_id)[-2:] == ["reopened", "undone"]
    history = client.get(f"/customers/{maotai}/history").text
    assert run.number in history or "新客户建档" in history


def test_the_version_of_the_start_is_pinned(client: FlaskClient, world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id)
    publish_next(procedure_id, "全新的步骤")
    world.login(client, "anna")
    page = client.get(f"/sop/runs/{run_id}").text
    assert "核对证照" in page
    assert "全新的步骤" not in page
    newer = client.get(f"/sop/runs/{_start(world, procedure_id)}").text
    assert "全新的步骤" in newer


def test_the_second_who_ticks_learns_who_was_first(world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id, customer_id=world.customer_id("maotai"))
    step = _steps(run_id)[0].id
    with transaction():
        assert services.tick_step(step, "", world.actor("anna"))
    with transaction():
        assert not services.tick_step(step, "", world.actor("anna"))  # a double click is no conflict
    with pytest.raises(Conflict, match="安娜"), transaction():
        services.tick_step(step, "", world.actor("hanna"))
    assert _kinds(run_id).count("ticked") == 1


def test_steps_are_given_to_colleagues_who_then_see_the_run(
    client: FlaskClient, world: World, procedure_id: int
) -> None:
    run_id = _start(world, procedure_id, customer_id=world.customer_id("maotai"))
    step = _steps(run_id)[0]
    world.login(client, "olga")
    assert client.get(f"/sop/runs/{run_id}").status_code == 404
    world.login(client, "anna")
    due = clock.today() + timedelta(days=3)
    answer = client.post(
        f"/sop/runs/steps/{step.id}/plan", data={"assignee_id_text": "olga", "due_on": due.isoformat()}
    )
    assert answer.status_code == 302
    before = client.post(f"/sop/runs/steps/{step.id}/plan", data={"assignee_id_text": "olga", "due_on": "2020-01-01"})
    assert before.status_code == 400
    assert "before the first day of the run" in before.text
    assert db.session.scalars(select(Notice.user_id).where(Notice.kind == "sop.run")).all() == [world.user("olga").id]
    world.login(client, "olga")
    assert "核对证照" in client.get("/sop/runs/mine").text
    page = client.get(f"/sop/runs/{run_id}")
    assert page.status_code == 200
    assert f"/customers/{world.customer_id('maotai')}" not in page.text  # she may work on it, not open the customer
    assert client.post(f"/sop/runs/steps/{step.id}/tick").status_code == 302


def test_who_has_no_part_in_a_run_learns_nothing_of_it(client: FlaskClient, world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id, customer_id=world.customer_id("maotai"))
    step = _steps(run_id)[0].id
    for login in ("ben", "hector", "nora", "admin"):
        world.login(client, login)
        assert client.get(f"/sop/runs/{run_id}").status_code == 404, login
        assert client.post(f"/sop/runs/steps/{step}/tick").status_code == 404, login
        assert "新客户建档" not in client.get("/sop/runs/").text, login
    world.login(client, "hanna")
    assert "新客户建档" in client.get("/sop/runs/").text
    with pytest.raises(NotFound):
        queries.load_run(run_id, world.actor("ben"))


def test_a_last_day_before_the_first_one_is_refused(world: World, procedure_id: int) -> None:
    with pytest.raises(Invalid, match="before the first one"):
        _start(world, procedure_id, starts_on=date(2026, 5, 5), due_on=date(2026, 5, 4))


def test_only_what_is_effective_and_readable_is_started(world: World) -> None:
    later = publish(world, code="XS-002", effective_from=date(2090, 1, 1))
    with pytest.raises(NotFound):
        _start(world, later)
    secret = publish(world, code="XS-003", classification="confidential")
    with pytest.raises(NotFound):
        _start(world, secret, "anna")
    assert _start(world, secret, "edda")
    empty = publish(world, (), code="XS-004")
    with pytest.raises(Invalid, match="no steps"):
        _start(world, empty)


def test_only_checks_are_ticked_and_the_rest_is_read(client: FlaskClient, world: World) -> None:
    mixed = publish(world, (StepText("说明", is_check=False), StepText("核对")), code="XS-005")
    run_id = _start(world, mixed)
    assert [step.position for step in _steps(run_id)] == [2]
    world.login(client, "anna")
    page = client.get(f"/sop/runs/{run_id}").text
    assert "说明" in page
    assert page.count('class="sop-tick"') == 1


def test_photos_lose_their_metadata_and_files_are_checked(client: FlaskClient, world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id)
    step = _steps(run_id)[0].id
    world.login(client, "anna")
    photo = Image.new("RGB", (3000, 1200), "red")
    exif = photo.getexif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6  # lies on its side
    content = io.BytesIO()
    photo.save(content, "JPEG", exif=exif)
    assert b"SecretCamera" in content.getvalue()
    client.post(f"/sop/runs/steps/{step}/files", data={"file": (io.BytesIO(content.getvalue()), "../门头<照>.jpeg")})
    kept = db.session.scalars(select(SopRunFile)).one()
    stored = storage().get(kept.storage_key)
    assert b"SecretCamera" not in stored
    with Image.open(io.BytesIO(stored)) as made:
        assert not made.getexif()
        assert made.height > made.width  # upright
        assert max(made.size) <= 2400
    assert kept.file_name == "门头_照_.jpg"
    shown = client.get(f"/sop/runs/files/{kept.id}")
    assert shown.status_code == 200
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    for name, bad in (("x.pdf", b"MZ\x90"), ("x.html", b"<script>"), ("x.png", b"\x89PNG\r\n\x1a\nbroken"), ("x", b"")):
        client.post(f"/sop/runs/steps/{step}/files", data={"file": (io.BytesIO(bad), name)})
    assert db.session.scalar(select(func.count(SopRunFile.id))) == 1
    world.login(client, "ben")
    assert client.get(f"/sop/runs/files/{kept.id}").status_code == 404
    world.login(client, "anna")
    client.post(f"/sop/runs/files/{kept.id}/remove")
    assert client.get(f"/sop/runs/files/{kept.id}").status_code == 404
    assert _kinds(run_id)[-2:] == ["file", "file_removed"]


def test_called_off_with_a_reason_and_closed_for_good(client: FlaskClient, world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id)
    world.login(client, "anna")
    assert client.post(f"/sop/runs/{run_id}/cancel", data={"reason": " "}).status_code == 400
    assert client.post(f"/sop/runs/{run_id}/cancel", data={"reason": "客户撤单"}).status_code == 302
    page = client.post(f"/sop/runs/steps/{_steps(run_id)[0].id}/tick", follow_redirects=True).text
    assert "This checklist was called off." in page
    assert "客户撤单" in page
    assert client.post(f"/sop/runs/{run_id}/comment", data={"text": "后续再议"}).status_code == 302
    assert "后续再议" in client.get(f"/sop/runs/{run_id}").text


def test_lists_tell_late_from_open_from_done(client: FlaskClient, world: World, procedure_id: int) -> None:
    late = _start(world, procedure_id)
    with transaction():
        run = db.session.get_one(SopRun, late)
        run.starts_on, run.due_on = date(2026, 1, 5), date(2026, 1, 6)
        for step in _steps(late):
            step.due_on = date(2026, 1, 6)
    fresh = _start(world, procedure_id)
    numbers = {key: db.session.get_one(SopRun, key).number for key in (late, fresh)}
    world.login(client, "anna")
    overdue = client.get("/sop/runs/?scene=overdue").text
    assert numbers[late] in overdue
    assert numbers[fresh] not in overdue
    assert "days overdue" in overdue
    assert numbers[fresh] in client.get("/sop/runs/?scene=mine").text
    assert "Overdue" in client.get("/sop/runs/mine").text
    home = client.get("/").text
    assert "核对证照" in home


def test_filled_and_blank_checklists_as_numbered_documents(
    client: FlaskClient, world: World, procedure_id: int
) -> None:
    run_id = _start(world, procedure_id, customer_id=world.customer_id("maotai"))
    world.login(client, "anna")
    filled = client.post(f"/sop/runs/{run_id}/pdf")
    assert filled.status_code == 302
    again = client.post(f"/sop/runs/{run_id}/pdf")
    assert again.location == filled.location
    assert client.get(filled.location).data.startswith(b"%PDF-")
    blank = client.post(f"/sop/runs/blank/{procedure_id}")
    assert client.get(blank.location).data.startswith(b"%PDF-")
    assert db.session.scalars(select(Document.kind).order_by(Document.id)).all() == ["sop.run", "sop.checklist"]
    world.login(client, "ben")
    assert client.get(filled.location).status_code in (403, 404)


def test_from_the_procedures_page_with_one_click_or_for_a_customer(client: FlaskClient, world: World) -> None:
    made = effective_manual(world)
    world.login(client, "anna")
    page = lxml_html.document_fromstring(client.get(f"/sop/procedures/{made.procedure_id}").text)
    form = next(form for form in page.forms if form.action == "/sop/runs/start")
    answer = client.post(form.action, data=dict(form.fields))
    assert client.post(form.action, data=dict(form.fields)).location == answer.location  # a double click
    one = db.session.scalars(select(SopRun)).one()
    assert (one.version_id, one.customer_id, one.owner_id) == (made.version_id, None, world.user("anna").id)

    path = f"/sop/procedures/{made.procedure_id}/start"
    assert client.get(path).status_code == 200
    today = clock.today()
    wanted = {"customer_id": world.customer_id("maotai"), "starts_on": today, "owner_id": world.user("ben").id}
    refused = client.post(path, data={**wanted, "due_on": today - timedelta(days=1)})
    assert refused.status_code == 400
    assert "The last day lies before the first one." in refused.text
    assert client.post(path, data={**wanted, "due_on": today + timedelta(days=9)}).status_code == 302
    db.session.expire_all()
    run = db.session.scalars(select(SopRun).where(SopRun.id != one.id)).one()
    assert (run.customer_id, run.owner_id) == (world.customer_id("maotai"), world.user("ben").id)
    assert run.due_on == today + timedelta(days=9)

    # The next version leaves the procedure out: the runs keep their text, and whoever does it is told of them.
    with transaction():
        draft_id = drafting.start_draft(made.manual_id, world.actor("edda")).id
    world.login(client, "edda")
    sent = {"do": f"remove:{made.procedure_id}"}
    removed = client.post(f"/sop/drafts/{draft_id}/arrange", data=sent, follow_redirects=True).text
    assert "2 checklists were made by it (2 under way)" in removed
    world.login(client, "anna")
    assert "预约时间" in client.get(f"/sop/runs/{one.id}").text


def test_who_leaves_hands_over_runs_and_steps(world: World, procedure_id: int) -> None:
    run_id = _start(world, procedure_id)
    with transaction():
        services.assign_step(_steps(run_id)[0].id, world.user("anna").id, world.actor("anna"))
    with transaction():
        anna, ben = world.user("anna"), world.user("ben")
        deactivate_person(anna.id, LeavingInput(successor_id=ben.id), world.actor("admin"))
    run = db.session.get_one(SopRun, run_id)
    db.session.refresh(run)
    assert run.owner_id == world.user("ben").id
    assert _steps(run_id)[0].assignee_id == world.user("ben").id


def test_a_run_keeps_its_procedure_from_vanishing(client: FlaskClient, world: World, procedure_id: int) -> None:
    assert queries.uses_of(procedure_id) == queries.Uses(0, 0, 0)
    first, second = _start(world, procedure_id), _start(world, procedure_id)
    with transaction():
        services.cancel_run(first, "重复", world.actor("anna"))
    assert queries.uses_of(procedure_id) == queries.Uses(2, 1, 0)
    version = db.session.scalars(select(ManualVersion)).one()
    with pytest.raises(DatabaseError), transaction():
        db.session.execute(delete(ManualVersion).where(ManualVersion.id == version.id))
    with transaction():
        draft_id = drafting.start_draft(version.manual_id, world.actor("edda")).id
    world.login(client, "edda")
    removal = {"do": f"remove:{procedure_id}"}
    answer = client.post(f"/sop/drafts/{draft_id}/arrange", data=removal, follow_redirects=True)
    assert "2 checklists were made by it (1 under way); they keep the text they began with." in answer.text
    assert "Published versions keep it." in answer.text
    world.login(client, "anna")
    assert "核对证照" in client.get(f"/sop/runs/{second}").text
