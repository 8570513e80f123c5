"""Weekly sales reports from draft to the dossier; stock, targets, assessment and forecast behind the pages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plugins.archive.dossiers import queries as dossiers
from plugins.archive.dossiers import statistics
from plugins.archive.dossiers.completeness import FileFacts, Rules, states_of
from plugins.archive.reports import consumption, figures, forecasting, jobs, queries, services, stock
from plugins.archive.reports.models import (
    ACCEPTED,
    DRAFT,
    RETURNED,
    SUBMITTED,
    ArchiveForecast,
    ArchiveOutlook,
    ArchiveReport,
    ArchiveReportLine,
)
from plugins.archive.reports.services import LineInput, TargetInput
from plugins.archive.reports.weeks import due_on, monday_of
from portal.approvals import deciding
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, RETURN, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.jobs.models import JobRun
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.purchases.services import LineInput as PurchaseLineInput
from portal.purchases.services import ProductInput, PurchaseInput, create_product, record_purchase
from tests.world import World

pytestmark = pytest.mark.db


class Context:
    """What a job needs in a test."""

    run_id = 0
    actor = SYSTEM

    def progress(self, done: int, total: int | None = None, label: object = "") -> None: ...

    def check_cancelled(self) -> None: ...


@pytest.fixture
def tea(world: World) -> int:
    with transaction():
        product = ProductInput("TE-1", "会议绿茶", "茶叶", "middle", Decimal("100"), Decimal("50"), days_per_unit=10)
        return create_product(product, SYSTEM).id


def buy(world: World, product: int, quantity: int, day: date, customer: str = "maotai", who: str = "anna") -> None:
    with transaction():
        record_purchase(
            PurchaseInput(
                customer_id=world.customer_id(customer),
                number=f"{customer}-{product}-{day}",
                purchased_on=day,
                lines=(PurchaseLineInput(product, quantity, Decimal("100")),),
            ),
            world.actor(who),
        )


def begin(world: World, who: str = "anna", week: date | None = None) -> ArchiveReport:
    actor = world.actor(who)
    assert actor.user_id is not None
    with transaction():
        return services.begin_report(actor.user_id, week or monday_of(clock.today()), actor)


def submit(world: World, report_id: int, token: str = "t", who: str = "anna") -> int:
    with transaction():
        return services.submit_report(report_id, token, world.actor(who)).id


def decide(asked_id: int, world: World, who: str, vote: str = APPROVE, opinion: str = "") -> None:
    shown = digest_of(db.session.get_one(ApprovalRequest, asked_id))
    actor = world.actor(who)
    deciding.attempt(
        asked_id, actor, vote, lambda: approvals.decide(asked_id, actor, vote=vote, seen_digest=shown, opinion=opinion)
    )


# ---- the weekly report ---------------------------------------------------------------------------------------------


def test_a_report_is_filled_completed_returned_submitted_again_and_becomes_part_four(world: World, tea: int) -> None:
    today = clock.today()
    buy(world, tea, 3, today)
    report_id = begin(world).id
    line = db.session.scalars(select(ArchiveReportLine)).one()
    assert (line.bought, line.amount, line.stock) == (3, Decimal("300.00"), None)
    line_id, version = line.id, db.session.get_one(ArchiveReport, report_id).version
    with transaction():
        services.save_report(
            report_id, {line_id: LineInput(12, 5, "monthly")}, "quiet week", version, world.actor("anna")
        )
    asked = submit(world, report_id)
    assert db.session.get_one(ArchiveReport, report_id).state == SUBMITTED
    with pytest.raises((NotAllowed, NotFound)):
        decide(asked, world, "hector")
    decide(asked, world, "hanna", RETURN, "stock looks wrong")
    assert db.session.get_one(ArchiveReport, report_id).state == RETURNED
    asked = submit(world, report_id, "again")
    decide(asked, world, "hanna")
    assert db.session.get_one(ArchiveReport, report_id).state == ACCEPTED
    run = db.session.scalars(select(JobRun).where(JobRun.job_key == services.STATISTICS_JOB)).one()
    assert run.state == "done", "tests run jobs at once"
    files = dossiers.files_of(world.customer_id("maotai"), ("statistics",))
    assert len(files) == 1
    made = jobs.make_statistics(Context(), report_id)  # type: ignore[arg-type]
    assert made == {"files": 0}, "run twice, made once"
    context = statistics.build_context(
        db.session.get_one(Customer, world.customer_id("maotai")), statistics.quarter_of(today)
    )
    if statistics.quarter_of(today) == statistics.quarter_of(monday_of(today)):
        assert context["weeks"][0][4:7] == ["12", "5", "monthly"]


def test_a_submitted_report_is_not_changed_any_more(world: World, tea: int) -> None:
    report = begin(world)
    submit(world, report.id)
    with pytest.raises(Conflict), transaction():
        services.save_report(report.id, {}, "later", report.version, world.actor("anna"))


def test_two_windows_do_not_overwrite_each_other(world: World) -> None:
    report = begin(world)
    version = report.version
    with transaction():
        services.save_report(report.id, {}, "first", version, world.actor("anna"))
    with pytest.raises(Conflict), transaction():
        services.save_report(report.id, {}, "second", version, world.actor("anna"))


def test_nobody_writes_the_report_of_a_colleague(world: World) -> None:
    report = begin(world)
    with pytest.raises(NotFound), transaction():
        services.save_report(report.id, {}, "", report.version, world.actor("ben"))
    with pytest.raises(NotFound):
        queries.load_report(report.id, world.actor("ben"))
    assert queries.load_report(report.id, world.actor("hanna")).id == report.id
    with pytest.raises(NotFound):
        queries.load_report(report.id, world.actor("hector"))


def test_lines_of_customers_that_went_to_somebody_else_are_hidden(world: World, tea: int) -> None:
    buy(world, tea, 1, clock.today())
    report = begin(world)
    assert len(queries.lines_of(report, world.actor("anna"))) == 1
    with transaction():
        customer = db.session.get_one(Customer, world.customer_id("maotai"))
        customer.account_manager_id = world.user("cara").id
        customer.department_id = world.department("two").id
    report = db.session.get_one(ArchiveReport, report.id)
    assert queries.lines_of(report, world.actor("anna")) == []
    assert queries.hidden_lines(report, 0) == 1


@pytest.mark.parametrize(("entered", "field"), [("abc", "stock"), ("-1", "stock"), ("1.5", "expected")])
def test_the_page_refuses_what_is_no_number_and_keeps_what_was_typed(
    client: FlaskClient, world: World, tea: int, entered: str, field: str
) -> None:
    buy(world, tea, 1, clock.today())
    report = begin(world)
    line = db.session.scalars(select(ArchiveReportLine.id)).one()
    world.login(client, "anna")
    form = {"version": report.version, f"stock-{line}": "1", f"expected-{line}": "1", "remarks": "typed"}
    answer = client.post(f"/archive/reports/{report.id}", data={**form, f"{field}-{line}": entered})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert f'value="{entered}"' in text
    assert "typed" in text


def test_overdue_reports_are_listed_for_both_sides_and_reminded_of_once(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = queries.last_due_week(clock.today())
    late = next(row for row in queries.team(world.actor("hanna")) if row.name == "安娜")
    states = {item.week: item.state for item in late.weeks}
    assert states[week - timedelta(weeks=1)] == "overdue"
    world.login(client, "anna")
    assert "Overdue" in client.get("/archive/reports/").get_data(as_text=True)
    monkeypatch.setattr(clock, "today", lambda: due_on(week, queries.days_after()) + timedelta(days=1))
    monkeypatch.setattr(queries, "last_due_week", lambda _today: week)
    for _time in range(2):
        jobs.remind_of_reports(Context())  # type: ignore[arg-type]
    told = [row.user_id for row in db.session.scalars(select(Notice).where(Notice.kind == "archive.report"))]
    assert told.count(world.user("anna").id) == 1
    assert told.count(world.user("hanna").id) == 1


def test_the_friday_job_prepares_one_draft_for_everybody_with_customers(world: World) -> None:
    for _time in range(2):
        jobs.begin_weekly_reports(Context())  # type: ignore[arg-type]
    rows = db.session.scalars(select(ArchiveReport)).all()
    assert {row.user.login for row in rows} == {"anna", "ben", "cara", "carl"}
    assert all(row.state == DRAFT for row in rows)
    assert len(rows) == 4


# ---- stock and consumption -----------------------------------------------------------------------------------------

TODAY = date(2026, 6, 30)


def test_ten_days_supply_runs_out_after_ten_days() -> None:
    said = consumption.outlook([(TODAY, 10)], [], 1, TODAY)
    assert said is not None
    assert (said.basis, said.runs_out) == (consumption.FROM_PRODUCT, TODAY + timedelta(days=10))
    assert said.earliest is not None
    assert said.latest is not None
    assert said.earliest < said.runs_out < said.latest


def test_stock_reports_say_more_than_purchases() -> None:
    purchases = [(TODAY - timedelta(days=60), 30), (TODAY - timedelta(days=30), 30)]
    stocks = [(TODAY - timedelta(days=20), 30), (TODAY - timedelta(days=10), 20), (TODAY, 10)]
    said = consumption.outlook(purchases, stocks, None, TODAY)
    assert said is not None
    assert (said.basis, said.is_counted, round(said.rate, 3)) == (consumption.FROM_REPORTS, True, 1.0)
    assert said.runs_out == TODAY + timedelta(days=10)


days = st.integers(0, 360).map(lambda number: TODAY - timedelta(days=number))
units = st.integers(1, 500)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(days, units), max_size=8),
    st.lists(st.tuples(days, st.integers(0, 500)), max_size=6),
    st.none() | st.integers(1, 400),
)
def test_whatever_was_bought_and_counted_the_span_holds_the_day(
    purchases: list[tuple[date, int]], stocks: list[tuple[date, int]], days_per_unit: int | None
) -> None:
    said = consumption.outlook(purchases, stocks, days_per_unit, TODAY)
    if said is None:
        return
    assert said.rate > 0
    assert said.stock >= 0
    assert 0 < said.error < 1
    if said.runs_out is not None:
        assert said.earliest is not None
        assert said.earliest <= said.runs_out
        assert said.latest is None or said.runs_out <= said.latest


def test_a_purchase_computes_the_outlook_anew(client: FlaskClient, world: World, tea: int) -> None:
    buy(world, tea, 2, clock.today())
    kept = db.session.scalars(select(ArchiveOutlook)).one()
    assert kept.runs_out == clock.today() + timedelta(days=20)
    world.login(client, "anna")
    assert "会议绿茶" in client.get("/archive/stock/").get_data(as_text=True)
    world.login(client, "cara")
    assert "会议绿茶" not in client.get("/archive/stock/").get_data(as_text=True)
    with transaction():
        assert stock.refresh([world.customer_id("maotai")]) == 1


# ---- completeness --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(("card", "assessment", "contract", "statistics")), days), max_size=8))
def test_more_files_never_make_a_dossier_less_complete(found: list[tuple[str, date]]) -> None:
    rules = Rules(12, 60)
    facts = [FileFacts(part, day) for part, day in found]
    fine = {state.part for state in states_of(facts[:-1], True, rules, TODAY) if state.is_fine}
    assert fine <= {state.part for state in states_of(facts, True, rules, TODAY) if state.is_fine}


# ---- targets, assessment, forecast ---------------------------------------------------------------------------------


def test_heads_set_the_targets_of_their_own_people_and_departments_only(world: World) -> None:
    anna, two = world.user("anna").id, world.department("two").id
    goal = TargetInput("month", 2026, 3, Decimal("1000.00"), user_id=anna)
    with pytest.raises(NotAllowed), transaction():
        services.set_target(goal, world.actor("anna"))
    with pytest.raises(NotAllowed), transaction():
        services.set_target(goal, world.actor("hector"))
    with pytest.raises(NotAllowed), transaction():
        services.set_target(TargetInput("year", 2026, 1, Decimal(1), department_id=two), world.actor("hanna"))
    with pytest.raises(Invalid), transaction():
        services.set_target(TargetInput("quarter", 2026, 5, Decimal(1), user_id=anna), world.actor("hanna"))
    with transaction():
        services.set_target(goal, world.actor("hanna"))
    row = next(row for row in figures.targets(world.actor("anna"), "month", 2026, 3) if not row.is_department)
    assert (row.name, row.target, row.may_set) == ("安娜", Decimal("1000.00"), False)


def test_attainment_is_sales_by_target(client: FlaskClient, world: World, tea: int) -> None:
    today = clock.today()
    buy(world, tea, 5, today)
    world.login(client, "hanna")
    owner = f"user:{world.user('anna').id}"
    form = {"period": "month", "year": today.year, "number": today.month, owner: "1,000"}
    assert client.post("/archive/targets/", data=form).status_code == 302
    rows = figures.targets(world.actor("hanna"), "month", today.year, today.month)
    assert next(row.percent for row in rows if row.owner == owner) == 50
    measures = next(row for row in figures.assessments(world.actor("hanna")) if row.name == "安娜")
    assert (measures.sales, measures.attainment, measures.buyers) == (Decimal("500.00"), 50, 1)
    assert client.post("/archive/targets/", data={**form, owner: "many"}).status_code == 400


def test_a_forecast_follows_a_trend_and_knows_its_error() -> None:
    found = forecasting.forecast([100.0 + 5 * month for month in range(16)])
    assert found is not None
    assert found.error is not None
    assert found.error < 0.1
    assert 165 < found.expected[0] < 195
    for low, expected, high in zip(found.low, found.expected, found.high, strict=True):
        assert 0 <= low <= expected <= high
    assert forecasting.forecast([1.0] * 7) is None
    assert forecasting.forecast([0.0] * 24) is None


def test_forecasts_are_kept_and_shown_to_those_who_see_the_customers(client: FlaskClient, world: World) -> None:
    last = figures.last_complete_month(clock.today())
    months = [jobs.shifted(last, -number) for number in range(9, -1, -1)]
    owner = f"department:{world.department('one').id}"
    assert jobs.keep_forecast(owner, months, [100.0 + number for number in range(10)], last) == 1
    assert jobs.keep_forecast(owner, months, [200.0 + number for number in range(10)], last) == 1
    assert len(db.session.scalars(select(ArchiveForecast)).all()) == 1, "a forecast takes the place of the one before"
    page = world.login(client, "hanna").get("/archive/forecast/").get_data(as_text=True)
    assert "Error of the backtest" in page
    shown = world.login(client, "hector").get(f"/archive/forecast/?owner={owner}").get_data(as_text=True)
    assert "Error of the backtest" not in shown


def test_planning_brings_sales_target_expected_orders_and_what_runs_out_together(
    client: FlaskClient, world: World, tea: int
) -> None:
    today = clock.today()
    buy(world, tea, 5, today)
    report_id = begin(world).id
    line_id = db.session.scalars(select(ArchiveReportLine.id)).one()
    with transaction():
        version = db.session.get_one(ArchiveReport, report_id).version
        services.save_report(report_id, {line_id: LineInput(1, 7, "")}, "", version, world.actor("anna"))
        services.set_target(
            TargetInput("year", today.year, 1, Decimal("2000"), department_id=world.department("one").id),
            world.actor("hanna"),
        )
    assert figures.expected_orders(world.actor("hanna")) == [], "a draft is nobody's figure"
    submit(world, report_id)
    (order,) = figures.expected_orders(world.actor("hanna"))
    assert (order.code, order.units, order.customers) == ("TE-1", 7, 1)
    page = world.login(client, "hanna").get("/archive/planning/").text
    assert "25% of the target" in page
    assert "¥700.00" in page
    assert figures.expected_orders(world.actor("hector")) == []
    assert "TE-1" not in world.login(client, "hector").get("/archive/planning/").text


@pytest.mark.parametrize("path", ["planning", "assessment", "forecast", "stock", "targets"])
def test_the_pages_are_whole_without_any_data(client: FlaskClient, world: World, path: str) -> None:
    for who in ("boss", "anna"):
        assert world.login(client, who).get(f"/archive/{path}/").status_code == 200


def test_statements_of_the_teams_page_do_not_grow_with_people(client: FlaskClient, world: World) -> None:
    from sqlalchemy import event

    def statements(who: str) -> int:
        world.login(client, who)
        client.get("/archive/reports/team")
        seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", note := lambda *args: seen.append(args[2]))
        try:
            client.get("/archive/reports/team")
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    assert abs(statements("boss") - statements("hector")) <= 2
