"""Care duties, executive visits and their calendar, meetings, forecasts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import select

from plugins.key_accounts.care import jobs, meeting_queries, meetings, queries, rules, services, visits
from plugins.key_accounts.care.invitations import Sent
from plugins.key_accounts.care.meetings import MeetingInput
from plugins.key_accounts.care.models import CalendarFeed, CareDuty, DutyRecord, ExecutiveVisit, Meeting
from plugins.key_accounts.care.services import DoneInput, DutyInput, IncentiveInput
from plugins.key_accounts.care.visits import VisitInput
from plugins.key_accounts.plans import follow_up
from plugins.key_accounts.plans import services as plans
from portal.core import clock
from portal.core.errors import Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.inputs import ContactInput, InteractionInput
from portal.customers.services import add_contact, record_interaction
from portal.extensions import db
from portal.notifications.mailer import compose
from portal.notifications.models import Notice, OutboxMessage
from portal.org.actor import SYSTEM
from portal.org.services import LeavingInput, deactivate_person
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def app_settings() -> dict[str, object]:
    return {"BASE_URL": "https://portal.example.com"}


class Context:
    """What a job needs in a test."""

    run_id = 0
    actor = SYSTEM

    def progress(self, done: int, total: int | None = None, label: object = "") -> None: ...
    def check_cancelled(self) -> None: ...


def duties(world: World, customer: str = "maotai") -> dict[str, CareDuty]:
    with transaction():
        services.set_up_duties(world.customer_id(customer), world.actor("anna"))
    return {row.duty: row for row in queries.duties_of(world.customer_id(customer))}


def plan_visit(world: World, who: str = "boss", days: int = 5) -> int:
    data = VisitInput(
        world.user(who).id, clock.now() + timedelta(days=days), 90, "谈框架协议", "客户总部", "预算\n交期"
    )
    with transaction():
        return int(visits.save_visit(world.customer_id("maotai"), None, data, world.actor("anna")).id)


def test_ten_duties_are_set_up_once_with_owner_rhythm_and_days_ahead(world: World) -> None:
    found = duties(world)
    assert len(found) == 10
    assert all(row.owner_id == world.user("anna").id and row.due_on > clock.today() for row in found.values())
    assert len(duties(world)) == 10
    with pytest.raises(NotAllowed), transaction():
        services.set_up_duties(world.customer_id("maotai"), world.actor("ben"))


def test_a_duty_is_done_with_evidence_of_this_customer_and_can_be_taken_back(world: World) -> None:
    duty = duties(world)["supply"]
    anna, customer = world.actor("anna"), world.customer_id("maotai")
    with transaction():
        foreign = record_interaction(
            world.customer_id("wuliang"), InteractionInput("visit", clock.now(), subject="x"), anna
        ).id
        own = record_interaction(customer, InteractionInput("visit", clock.now(), subject="备货会谈"), anna).id
    for wrong in (
        DoneInput(clock.today()),
        DoneInput(clock.today(), "x", foreign),
        DoneInput(clock.today() + timedelta(1), "x"),
    ):
        with pytest.raises(Invalid), transaction():
            services.finish_duty(duty.id, wrong, anna)
    due = db.session.get_one(CareDuty, duty.id).due_on
    with transaction():
        done = services.finish_duty(duty.id, DoneInput(clock.today(), "", own), anna).id
    assert db.session.get_one(CareDuty, duty.id).due_on == max(due, rules.later(clock.today(), 3))
    assert [row.id for row in queries.records_of(customer, clock.today(), clock.today())] == [done]
    with transaction():
        services.take_back(done, anna)
    assert db.session.get_one(CareDuty, duty.id).due_on == due
    assert queries.records_of(customer, clock.today(), clock.today()) == []
    assert db.session.get_one(DutyRecord, done).cancelled_at is not None


def test_the_light_of_an_account_is_its_worst_duty(world: World) -> None:
    found = duties(world)
    customer, anna, today = world.customer_id("maotai"), world.actor("anna"), clock.today()
    owner = anna.user_id
    with transaction():
        for row in found.values():
            services.change_duty(row.id, DutyInput(owner, 12, today + timedelta(days=200)), anna)
    assert queries.lights_of([customer], today) == {customer: "green"}
    with transaction():
        services.change_duty(found["events"].id, DutyInput(owner, 12, today + timedelta(days=30)), anna)
    assert queries.lights_of([customer], today) == {customer: "yellow"}
    with transaction():
        services.change_duty(found["supply"].id, DutyInput(owner, 12, today - timedelta(days=1)), anna)
    assert queries.lights_of([customer], today) == {customer: "red"}
    with pytest.raises(Invalid), transaction():
        services.change_duty(found["supply"].id, DutyInput(owner, 12, today, False), anna)
    with transaction():
        services.change_duty(
            found["supply"].id, DutyInput(owner, 12, today - timedelta(days=1), False, "自有仓库"), anna
        )
    assert queries.lights_of([customer], today) == {customer: "yellow"}
    assert queries.lights_of([world.customer_id("wuliang")], today) == {}


def test_what_is_overdue_is_told_once_and_stands_in_the_agenda(app: Flask, world: World) -> None:
    duty, anna = duties(world)["events"], world.actor("anna")
    with transaction():
        services.change_duty(duty.id, DutyInput(anna.user_id, 12, clock.today() - timedelta(days=2)), anna)
        plan = plans.create_plan(world.customer_id("maotai"), "", clock.today().year, 1, anna)
        follow_up.save_action(plan.id, None, "提交降本方案", anna.user_id, clock.today() - timedelta(days=1), anna)
        follow_up.save_review(plan.id, None, clock.today(), None, "", anna)
    assert jobs.remind(Context()) == {"told": 3}  # type: ignore[arg-type]
    assert jobs.remind(Context()) == {"told": 0}  # type: ignore[arg-type]
    kinds = db.session.scalars(select(Notice.kind).where(Notice.user_id == anna.user_id)).all()
    assert kinds.count("key_accounts.due") == 3
    assert [row.what for row in queries.agenda(anna, clock.today())] == ["duty", "action", "review"]
    assert "提交降本方案" in world.login(app.test_client(), "anna").get("/").text
    assert queries.agenda(world.actor("ben"), clock.today()) == []


def test_visits_are_planned_for_people_who_see_the_customer(app: Flask, world: World) -> None:
    with pytest.raises(Invalid) as refused:
        plan_visit(world, "ben")
    assert [field for field, _text in refused.value.errors] == ["executive_id"]
    with pytest.raises(Invalid):
        plan_visit(world, days=-1)
    visit_id = plan_visit(world)
    told = db.session.scalars(select(Notice.kind).where(Notice.user_id == world.user("boss").id)).all()
    assert told == ["key_accounts.visit"]
    with pytest.raises(Invalid), transaction():
        visits.end_visit(visit_id, "held", "谈成", world.actor("boss"))
    with transaction():
        visits.end_visit(visit_id, "cancelled", "客户改期", world.actor("boss"))
    client = world.login(app.test_client(), "anna")
    month = clock.local(clock.now() + timedelta(days=5)).strftime("%Y-%m")
    assert "贵州茅台" in client.get(f"/key-accounts/calendar?month={month}").text
    assert client.get("/key-accounts/calendar?month=nonsense").status_code == 200
    assert world.login(app.test_client(), "ben").get(f"/key-accounts/visits/{visit_id}").status_code == 404


def test_the_briefing_and_the_yearly_record_print(app: Flask, world: World) -> None:
    duties(world)
    visit_id = plan_visit(world)
    client = world.login(app.test_client(), "anna")
    for address in (
        f"/key-accounts/visits/{visit_id}/briefing",
        f"/key-accounts/customers/{world.customer_id('maotai')}/care/print",
    ):
        assert client.post(address, follow_redirects=True).data.startswith(b"%PDF"), address


def test_a_private_address_shows_what_its_owner_sees_until_it_is_revoked(app: Flask, world: World) -> None:
    visit_id = plan_visit(world)
    anna = world.actor("anna")
    with transaction():
        first = visits.open_feed(anna)
        of_ben = visits.open_feed(world.actor("ben"))
    nobody = app.test_client()
    answer = nobody.get(f"/key-accounts/calendar/{first}.ics")
    assert answer.mimetype == "text/calendar"
    renamed = nobody.get(f"/key-accounts/calendar/{first}.ics", headers={"Host": "elsewhere.example.org"})
    events = list(Calendar.from_ical(renamed.data).walk("VEVENT"))
    assert [str(event["uid"]) for event in events] == [f"visit-{visit_id}@portal.example.com"]
    assert str(events[0]["url"]) == f"https://portal.example.com/key-accounts/visits/{visit_id}"
    begins = db.session.get_one(ExecutiveVisit, visit_id).starts_at
    assert events[0]["dtstart"].dt == begins.replace(microsecond=0)
    assert b"VEVENT" not in nobody.get(f"/key-accounts/calendar/{of_ben}.ics").data
    assert len(first) >= 43
    assert first not in str([row.token_digest for row in db.session.scalars(select(CalendarFeed))])
    with transaction():
        second = visits.open_feed(anna)
    wrong = nobody.get(f"/key-accounts/calendar/{'w' * len(first)}.ics")
    assert wrong.status_code == 404
    revoked = nobody.get(f"/key-accounts/calendar/{first}.ics")
    assert (revoked.status_code, len(revoked.data)) == (404, len(wrong.data))
    assert nobody.get(f"/key-accounts/calendar/{second}.ics").status_code == 200
    with transaction():
        visits.revoke_feed(anna)
    assert nobody.get(f"/key-accounts/calendar/{second}.ics").status_code == 404
    with transaction():
        deactivate_person(world.user("ben").id, LeavingInput(world.user("anna").id), world.actor("admin"))
    assert nobody.get(f"/key-accounts/calendar/{of_ben}.ics").status_code == 404


def test_an_executive_who_left_visits_nobody(world: World) -> None:
    visit_id = plan_visit(world, "hugo")
    with transaction():
        deactivate_person(world.user("hugo").id, LeavingInput(world.user("boss").id), world.actor("admin"))
    assert db.session.get_one(ExecutiveVisit, visit_id).executive_id == world.user("boss").id
    with transaction():
        visits.hand_over(world.user("boss"), None, world.actor("admin"))
    row = db.session.get_one(ExecutiveVisit, visit_id)
    assert row.state == "cancelled"


def invitations() -> list[tuple[str, str, str]]:
    """To whom a calendar entry is on its way, with its method and lasting name, as the mail carries them."""
    found = []
    for row in db.session.scalars(select(OutboxMessage).where(OutboxMessage.user_id.is_(None)).order_by("id")):
        mail = compose(row)
        (part,) = mail.iter_attachments()
        calendar = Calendar.from_ical(part.get_content())
        (entry,) = calendar.walk("VEVENT")
        assert part.get_content_type() == "text/calendar"
        assert part["Content-Type"].params["method"] == calendar["method"]
        assert str(entry["attendee"]) == f"mailto:{row.to_address}"
        assert "/key-accounts/" not in mail.as_string()
        found.append((row.to_address, str(calendar["method"]), str(entry["uid"])))
    return found


def test_a_meeting_has_guests_minutes_and_actions(app: Flask, world: World) -> None:
    anna, hanna = world.actor("anna"), world.actor("hanna")
    with transaction():
        agreed = ContactInput(
            "周总",
            email="zhou@example.com",
            message_consent=True,
            message_consent_on=clock.today(),
            message_consent_source="微信",
        )
        contact = add_contact(world.customer_id("maotai"), agreed, anna).id
        silent = add_contact(world.customer_id("maotai"), ContactInput("钱总", email="qian@example.com"), anna).id
        foreign = add_contact(world.customer_id("fenjiu"), ContactInput("吴总"), world.actor("cara")).id
    data = MeetingInput(
        "年会", "yearly", clock.now() + timedelta(days=30), 240, hanna.user_id, "会议中心", "回顾\n新品"
    )
    with pytest.raises(NotAllowed), transaction():
        meetings.save_meeting(None, data, anna)
    with transaction():
        meeting_id = meetings.save_meeting(None, data, hanna).id
    with transaction():
        assert meetings.invite(meeting_id, [contact, silent], anna) == Sent(1, ("钱总",))
        assert meetings.invite(meeting_id, [contact], anna) == Sent(0, ())
    assert invitations() == [("zhou@example.com", "REQUEST", f"meeting-{meeting_id}@portal.example.com")]
    with pytest.raises(NotFound), transaction():
        meetings.invite(meeting_id, [foreign], anna)
    with transaction():
        meetings.invite(meeting_id, [foreign], world.actor("cara"))
    assert [row.name for row in meeting_queries.guests_of(meeting_id, anna)] == ["钱总", "周总"]
    assert len(meeting_queries.guests_of(meeting_id, world.actor("boss"))) == 3
    later = MeetingInput(**{**data.__dict__, "starts_at": data.starts_at + timedelta(days=1)})
    with transaction():
        meetings.save_meeting(meeting_id, MeetingInput(**{**later.__dict__, "record": "草稿"}), hanna)
    assert len(invitations()) == 2, "guests hear of another day, not of the minutes"
    with transaction():
        meetings.save_meeting(meeting_id, later, hanna)
    assert len(invitations()) == 2
    with transaction():
        meetings.save_meeting(meeting_id, MeetingInput(**{**later.__dict__, "state": "cancelled"}), hanna)
    assert [method for _to, method, _uid in invitations()] == ["REQUEST", "REQUEST", "CANCEL"]
    with transaction():
        meetings.save_meeting(meeting_id, later, hanna)
    held = MeetingInput(**{**data.__dict__, "state": "held"})
    with pytest.raises(Invalid), transaction():
        meetings.save_meeting(meeting_id, held, hanna)
    with transaction():
        meetings.save_meeting(meeting_id, MeetingInput(**{**held.__dict__, "record": "达成三项共识"}), hanna)
        action = meetings.add_meeting_action(meeting_id, "答复建议", anna.user_id, clock.today(), hanna).id
    assert db.session.get_one(Meeting, meeting_id).record == "达成三项共识"
    with pytest.raises(NotAllowed), transaction():
        meetings.finish_meeting_action(action, world.actor("ben"))
    with transaction():
        assert meetings.finish_meeting_action(action, anna).state == "done"
    page = world.login(app.test_client(), "ben").get(f"/key-accounts/meetings/{meeting_id}").text
    assert "周总" not in page


def test_forecast_of_six_months_and_incentives(app: Flask, world: World) -> None:
    customer, anna = world.customer_id("maotai"), world.actor("anna")
    months = rules.next_months(clock.today())
    with pytest.raises(Invalid), transaction():
        services.set_forecast(customer, {}, anna)
    with transaction():
        services.set_forecast(customer, {months[0]: Decimal("1000"), months[5]: Decimal("0")}, anna)
        services.set_forecast(customer, {months[0]: Decimal("1200")}, anna)
    assert queries.present_round(customer, clock.today().replace(day=1)) == {months[0]: Decimal("1200")}
    with transaction():
        terms = IncentiveInput("rebate", "满二十万返一个点", clock.today(), clock.today(), Decimal("100"))
        services.record_incentive(customer, terms, anna)
    page = world.login(app.test_client(), "anna").get(f"/key-accounts/customers/{customer}/care").text
    assert "满二十万返一个点" in page
    assert "1,200.00" in page


def test_the_latest_round_before_the_month_counts() -> None:
    today = date(2026, 3, 15)
    rounds = {
        date(2026, 1, 1): {date(2026, 2, 1): Decimal(100), date(2026, 3, 1): Decimal(90)},
        date(2026, 2, 1): {date(2026, 3, 1): Decimal(120), date(2026, 4, 1): Decimal(50)},
        date(2026, 3, 1): {date(2026, 4, 1): Decimal(70)},
    }
    found = {
        row.month: row for row in rules.compare(rounds, {(2026, 2): Decimal(125), (2026, 3): Decimal(1)}, today, 2, 2)
    }
    assert found[date(2026, 2, 1)].deviation == 25
    assert (found[date(2026, 3, 1)].forecast, found[date(2026, 3, 1)].actual) == (Decimal(120), None)
    assert found[date(2026, 4, 1)].forecast == Decimal(70)
    assert found[date(2026, 1, 1)].forecast is None


@settings(deadline=None)
@given(day=st.dates(date(2000, 1, 1), date(2090, 12, 31)), months=st.integers(-24, 24))
def test_later_keeps_the_day_or_takes_the_last_of_the_month(day: date, months: int) -> None:
    found = rules.later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found + timedelta(days=1)).day == 1
