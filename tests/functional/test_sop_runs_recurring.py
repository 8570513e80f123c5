"""Runs that start themselves, once each; reminders; figures of those who lead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from plugins.sop.management import queries as figures
from plugins.sop.runs import scheduling, services
from plugins.sop.runs.models import SopOccurrence, SopRun, SopRunStep, SopSchedule
from plugins.sop.runs.scheduling import ScheduleInput
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.customers import services as customers
from portal.customers.inputs import CustomerInput
from portal.customers.models import Customer
from portal.extensions import db
from portal.jobs.services import enqueue
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.pluginmanager import manager
from tests.functional.test_import_customers import gbk, wizard
from tests.sop_work import publish
from tests.world import World

pytestmark = pytest.mark.db
MONDAY = date(2026, 3, 2)


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC)


def _job(key: str) -> None:
    with transaction():
        enqueue(key, SYSTEM)


def _runs() -> int:
    return int(db.session.scalar(select(func.count(SopRun.id))) or 0)


def _save(world: World, login: str = "edda", **fields: object) -> int:
    fields.setdefault("owner_id", world.user("anna").id)
    fields.setdefault("starts_on", MONDAY)
    with transaction():
        data = ScheduleInput(**fields)  # type: ignore[arg-type]
        return scheduling.save_schedule(None, data, world.actor(login)).id


def test_every_monday_once_and_missed_weeks_make_one_run(world: World) -> None:
    procedure = publish(world)
    with clock.frozen(_at(MONDAY)):
        _save(world, procedure_id=procedure, frequency="weekly", weekday=1, due_days=2)
        _job("sop.start_schedules")
        _job("sop.start_schedules")
        assert _runs() == 1
    run = db.session.scalars(select(SopRun)).one()
    assert (run.owner_id, run.started_by_id, run.due_on) == (world.user("anna").id, None, date(2026, 3, 4))
    with clock.frozen(_at(MONDAY + timedelta(days=22))):
        _job("sop.start_schedules")
        _job("sop.start_schedules")
    assert _runs() == 2
    origins = set(db.session.scalars(select(SopRun.origin)))
    assert "schedule:1:2026-03-23" in {origin.replace(origin.split(":")[1], "1") for origin in origins if origin}


def test_each_new_customer_starts_one_run_for_his_account_manager(world: World) -> None:
    procedure = publish(world)
    _save(
        world,
        procedure_id=procedure,
        occasion="customers.created",
        responsible="manager",
        owner_id=world.user("hanna").id,
        department_id=world.department("one").id,
        starts_on=clock.today(),
    )
    with transaction():
        made = customers.create_customer(CustomerInput(name="新客户", kind="end_user"), world.actor("anna")).id
    with transaction():
        customers.create_customer(CustomerInput(name="外区客户", kind="end_user"), world.actor("cara"))
    run = db.session.scalars(select(SopRun)).one()
    assert (run.customer_id, run.owner_id) == (made, world.user("anna").id)
    # Told again: noted once, started once.
    with transaction():
        manager().hook.occasion_happened(
            occasion="customers.created", subject=f"customer:{made}", customer_id=made, actor=world.actor("anna")
        )
    _job("sop.start_occasions")
    assert _runs() == 1
    assert db.session.scalar(select(func.count(SopOccurrence.id))) == 1


def test_an_import_is_taken_back_with_the_runs_that_it_started(client: FlaskClient, world: World) -> None:
    _save(
        world,
        procedure_id=publish(world),
        occasion="customers.created",
        responsible="manager",
        owner_id=world.user("hanna").id,
        starts_on=clock.today(),
    )
    world.login(client, "anna")
    batch = wizard(client, gbk([["客户名称"], ["新客户甲"], ["新客户乙"]]))
    client.post(f"/imports/{batch}/run")
    runs = {run.customer.name: run.id for run in db.session.scalars(select(SopRun)) if run.customer}
    assert set(runs) == {"新客户甲", "新客户乙"}
    with transaction():
        step = select(SopRunStep.id).where(SopRunStep.run_id == runs["新客户乙"]).order_by(SopRunStep.position)
        services.tick_step(db.session.scalars(step).first() or 0, "", world.actor("anna"))
    page = client.post(f"/imports/{batch}/undo", follow_redirects=True).text
    assert "Work was recorded with it since" in page
    db.session.expire_all()
    names = set(db.session.scalars(select(Customer.name)))
    assert "新客户甲" not in names
    assert "新客户乙" in names
    called_off = db.session.get_one(SopRun, runs["新客户甲"])
    assert (called_off.state, called_off.customer_id, bool(called_off.reason)) == ("cancelled", None, True)
    assert db.session.get_one(SopRun, runs["新客户乙"]).state == "open"
    # Nothing that still waited begins for a customer who is gone.
    assert set(db.session.scalars(select(SopOccurrence.handled_at.is_not(None)))) == {True}
    _job("sop.start_occasions")
    assert _runs() == 2


def test_what_cannot_start_says_why(client: FlaskClient, world: World) -> None:
    procedure = publish(world)
    schedule_id = _save(world, procedure_id=procedure, frequency="daily", starts_on=clock.today())
    later = publish(world, code="XS-9", effective_from=date(2090, 1, 1))
    with transaction():
        db.session.get_one(SopSchedule, schedule_id).procedure_id = later
    with transaction():
        scheduling.start_due(schedule_id, clock.today() + timedelta(days=7))
    assert _runs() == 0
    world.login(client, "edda")
    assert "No effective version has this procedure." in client.get("/sop/schedules").text


def test_what_cannot_be_is_refused_with_all_reasons(world: World) -> None:
    procedure = publish(world)
    with pytest.raises(Invalid) as caught:
        _save(world, procedure_id=procedure, frequency="weekly", ends_on=MONDAY - timedelta(days=1), owner_id=None)
    assert {name for name, _text in caught.value.errors} == {"weekday", "ends_on", "owner_id"}
    with pytest.raises(Invalid, match="No effective version"):
        _save(world, procedure_id=publish(world, code="X", effective_from=date(2090, 1, 1)), frequency="daily")


def test_set_up_changed_and_switched_off_in_the_browser(client: FlaskClient, world: World) -> None:
    procedure = publish(world)
    world.login(client, "hanna")
    sent = {
        "procedure_id": str(procedure),
        "frequency": "monthly",
        "weekday": "1",
        "day": "31",
        "responsible": "person",
        "owner_id_text": "anna",
        "starts_on": MONDAY.isoformat(),
    }
    assert client.post("/sop/schedules/new", data=sent).status_code == 302
    assert "Every month on day 31" in client.get("/sop/schedules").text
    schedule_id = db.session.scalar(select(SopSchedule.id))
    wrong = client.post(f"/sop/schedules/{schedule_id}", data={**sent, "day": "40"})
    assert wrong.status_code == 400
    client.post(f"/sop/schedules/{schedule_id}/off")
    _job("sop.start_schedules")
    assert _runs() == 0


def test_people_are_reminded_once_a_day(world: World) -> None:
    procedure = publish(world)
    with clock.frozen(_at(MONDAY)), transaction():
        services.start_run(services.StartInput(procedure), world.actor("anna"))
    with clock.frozen(_at(MONDAY + timedelta(days=3))):
        _job("sop.remind_steps")
        _job("sop.remind_steps")
        notices = db.session.scalars(select(Notice).where(Notice.kind == "sop.run")).all()
        assert [notice.user_id for notice in notices] == [world.user("anna").id]
    assert db.session.scalars(select(SopRunStep.reminded_on).order_by(SopRunStep.position)).first() == date(2026, 3, 5)


# ---- figures -------------------------------------------------------------------------------------------------------


def _finish(run_id: int, login: str, world: World) -> None:
    steps = db.session.scalars(select(SopRunStep.id).where(SopRunStep.run_id == run_id).order_by(SopRunStep.position))
    for step in list(steps):
        with transaction():
            services.tick_step(step, "", world.actor(login))


def _history(world: World) -> int:
    """anna: one in time, one late, one overdue, one called off; cara: one running."""
    procedure = publish(world)
    ids = []
    with clock.frozen(_at(MONDAY)):
        for login in ("anna", "anna", "anna", "anna", "cara"):
            due = None if login == "cara" else MONDAY + timedelta(days=3)
            with transaction():
                data = services.StartInput(procedure, due_on=due or date(2026, 12, 1))
                ids.append(services.start_run(data, world.actor(login)).id)
        _finish(ids[0], "anna", world)
        with transaction():
            services.cancel_run(ids[3], "撤单", world.actor("anna"))
    with clock.frozen(_at(MONDAY + timedelta(days=10))):
        _finish(ids[1], "anna", world)
    return procedure


def test_completion_and_punctuality_are_counted_by_the_rule(world: World) -> None:
    _history(world)
    today = MONDAY + timedelta(days=20)
    period = (MONDAY, today, today)
    told = figures.total(world.actor("boss"), *period)
    assert (told.started, told.on_time, told.late, told.overdue, told.running, told.cancelled) == (4, 1, 1, 1, 1, 1)
    assert (told.completion, told.punctuality) == (50, 33)
    by_person = {item.key: item.figures for item in figures.groups(world.actor("boss"), "person", *period)}
    assert by_person["anna"].completion == 66
    assert by_person["cara"].running == 1
    assert [item.key for item in figures.groups(world.actor("boss"), "procedure", *period)] == ["XS-001"]
    months = figures.by_month(world.actor("boss"), date(2026, 2, 1), today, today)
    assert [(month, item.started) for month, item in months] == [("2026-02", 0), ("2026-03", 4)]


def test_each_sees_the_figures_of_his_own_rank(client: FlaskClient, world: World) -> None:
    _history(world)
    today = MONDAY + timedelta(days=20)
    seen = {
        login: figures.total(world.actor(login), MONDAY, today, today).started
        for login in ("boss", "hugo", "hanna", "hector", "anna", "ben", "edda")
    }
    assert seen == {"boss": 4, "hugo": 4, "hanna": 3, "hector": 1, "anna": 3, "ben": 0, "edda": 0}
    page = "/sop/figures?from=2026-03-01&to=2026-03-31&by=person"
    world.login(client, "hector")
    assert "安娜" not in client.get(page).text
    assert "柯兰" in client.get(page).text
    world.login(client, "hanna")
    shown = client.get(page).text
    assert "安娜" in shown
    assert "owner=anna" in shown
    behind = client.get("/sop/runs/?owner=anna&started_from=2026-03-02&started_to=2026-03-22").text
    assert behind.count("/sop/runs/") >= 3
    assert "ends before it begins" in client.get("/sop/figures?from=2026-03-31&to=2026-03-01").text


def test_statements_do_not_grow_with_runs(client: FlaskClient, world: World) -> None:
    procedure = publish(world)
    world.login(client, "hanna")

    def statements(path: str) -> int:
        client.get(path)
        count = 0

        def seen(*_more: object) -> None:
            nonlocal count
            count += 1

        event.listen(db.engine, "before_cursor_execute", seen)
        try:
            assert client.get(path).status_code == 200
        finally:
            event.remove(db.engine, "before_cursor_execute", seen)
        return count

    record = f"/customers/{world.customer_id('maotai')}"
    pages = ["/sop/runs/", "/sop/runs/mine", "/sop/figures", "/sop/runs/start", record]
    few = {path: statements(path) for path in pages}
    for _number in range(5):
        with transaction():
            data = services.StartInput(procedure, customer_id=world.customer_id("maotai"))
            services.start_run(data, world.actor("hanna"))
    many = {path: statements(path) for path in pages}
    # The first runs make one more chart or name to load; more runs make nothing more.
    for _number in range(5):
        with transaction():
            data = services.StartInput(procedure, customer_id=world.customer_id("maotai"))
            services.start_run(data, world.actor("hanna"))
    assert {path: statements(path) for path in pages} == many
    assert max(count for path, count in few.items() if path.startswith("/sop/")) <= 12
