"""Customers, contacts, interactions: the rules of the services."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.customers import queries, services
from portal.customers.models import Contact, Customer, CustomerStageChange, NextStep
from portal.customers.services import (
    AssignInput,
    ContactInput,
    CustomerInput,
    InteractionInput,
    NextStepInput,
    PersonInput,
    PhoneInput,
    QualificationInput,
)
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.world import World

#: Invented, with a wrong check digit.
CODE = "91520000MA6DPTEX10"


def valid_code(stem: str = "91520000MA6DPTEX1") -> str:
    from stdnum.cn import uscc

    return stem + uscc.calc_check_digit(stem)


def fields_of(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {field for field, _message in error.value.errors}


def create(world: World, login: str = "anna", **values: object) -> int:
    data = CustomerInput(**{"name": "试验客户", "kind": "dealer", **values})  # type: ignore[arg-type]
    with transaction():
        return services.create_customer(data, world.actor(login)).id


def visit(**values: object) -> InteractionInput:
    given = {"kind": "visit", "at": clock.now() - timedelta(hours=1), "result": "谈了秋季订单", **values}
    return InteractionInput(**given)  # type: ignore[arg-type]


# ---- creating and changing -----------------------------------------------------------------------------------------


def test_an_account_manager_creates_for_himself_and_it_is_recorded(world: World) -> None:
    anna = world.user("anna")
    customer_id = create(
        world, name=" 贵阳　南明老干爹 ", phone="0851-8888 6666 转 801", credit_code=valid_code().lower()
    )
    customer = db.session.get(Customer, customer_id)
    assert customer is not None
    assert (customer.name, customer.account_manager_id, customer.department_id) == (
        "贵阳 南明老干爹",
        anna.id,
        anna.department_id,
    )
    assert (customer.phone, customer.phone_digits) == ("+8685188886666;ext=801", "085188886666")
    assert customer.credit_code == valid_code()
    assert customer.name_sort.startswith("gui yang nan ming")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:customer:create")).one()
    assert (entry.customer_id, entry.actor_id) == (customer_id, anna.id)
    # The phone is personal data: beside the chain, never in its hashed part.
    assert "88886666" in (entry.private or "")
    assert "88886666" not in (entry.new_values or "")
    first = db.session.scalars(select(CustomerStageChange).where(CustomerStageChange.customer_id == customer_id)).one()
    assert (first.from_stage, first.to_stage) == ("", "to_identify")


def test_a_new_customer_is_found_at_once(world: World) -> None:
    from portal.customers.search import search

    customer_id = create(world, name="清镇老汤面馆")
    assert [hit.customer_id for hit in search(world.actor("anna"), "ltmg")] == [customer_id]
    with transaction():
        data = replace(CustomerInput(name="清镇牛肉粉馆", kind="dealer"))
        services.change_customer(customer_id, data, world.actor("anna"), 1)
    assert search(world.actor("anna"), "ltmg") == []
    assert [hit.customer_id for hit in search(world.actor("anna"), "nrfg")] == [customer_id]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "长" * 100_000}, "name"),
        ({"name": "左\u202e右"}, "name"),
        ({"name": "左\x00右"}, "name"),
        ({"kind": "friend"}, "kind"),
        ({"credit_code": CODE}, "credit_code"),
        ({"phone": "123"}, "phone"),
        ({"email": "not an address"}, "email"),
        ({"website": "javascript:alert(1)"}, "website"),
        ({"region_code": "999999"}, "region_code"),
        ({"latitude": 91.0, "longitude": 10.0}, "latitude"),
        ({"latitude": float("nan"), "longitude": 10.0}, "latitude"),
        ({"latitude": 10.0}, "latitude"),
        ({"status": "merged"}, "status"),
        ({"aliases": [f"别名{n}" for n in range(30)]}, "aliases"),
        ({"person": PersonInput(sex="female")}, "party"),
        ({"party": "person", "credit_code": "x"}, "credit_code"),
        ({"party": "person", "person": PersonInput(birth_year=203)}, "birth_year"),
        ({"party": "person", "person": PersonInput(sex="female", purpose="送货")}, "consent"),
        ({"referrer_id": 999_999}, "referrer_id"),
    ],
)
def test_what_a_field_cannot_mean_is_refused(world: World, values: dict[str, object], field: str) -> None:
    before = db.session.scalar(select(func.count()).select_from(Customer))
    with pytest.raises(Invalid) as error:
        create(world, **values)
    assert field in fields_of(error)
    assert db.session.scalar(select(func.count()).select_from(Customer)) == before


def test_all_wrong_fields_are_told_at_once(world: World) -> None:
    with pytest.raises(Invalid) as error:
        create(world, name="", phone="1", email="x", kind="")
    assert {"name", "phone", "email", "kind"} <= fields_of(error)


def test_a_credit_code_exists_once_and_the_keeper_is_named(world: World) -> None:
    create(world, login="cara", name="第一家", credit_code=valid_code())
    with pytest.raises(Invalid) as error:
        create(world, name="第二家", credit_code=valid_code())
    message = str(dict(error.value.errors)["credit_code"])
    assert "柯兰" in message
    assert "第一家" not in message


def test_personal_data_need_purpose_and_consent(world: World) -> None:
    person = PersonInput(
        sex="male", birth_year=1980, purpose="送货上门", consent="微信确认", consented_on=clock.today()
    )
    customer_id = create(world, name="王小明", party="person", kind="end_user", person=person)
    customer = queries.load_customer(customer_id)
    assert customer.person is not None
    assert customer.person.consent_recorded_by_id == world.user("anna").id
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.customer_id == customer_id)).one()
    assert entry.object_label == "王**"
    assert "王小明" not in (entry.new_values or "")


def test_who_may_create_for_whom(world: World) -> None:
    data = CustomerInput(name="某客户", kind="dealer")
    ben, cara = world.user("ben"), world.user("cara")
    with transaction():
        assert (
            services.create_customer(data, world.actor("hanna"), account_manager_id=ben.id).account_manager_id == ben.id
        )
    with pytest.raises(NotAllowed), transaction():
        services.create_customer(data, world.actor("hanna"), account_manager_id=cara.id)
    with pytest.raises(NotAllowed), transaction():
        services.create_customer(data, world.actor("anna"), account_manager_id=ben.id)
    for login in ("admin", "audrey", "nora", "paula"):
        with pytest.raises(NotAllowed), transaction():
            services.create_customer(data, world.actor(login))
    with transaction():
        customer = services.create_customer(data, world.actor("boss"), account_manager_id=cara.id)
        assert customer.department_id == cara.department_id


def test_two_people_change_the_same_customer(world: World) -> None:
    customer_id = world.customer_id("maotai")
    seen = queries.load_customer(customer_id)
    base, version = services.input_of(seen), seen.version
    with transaction():
        services.change_customer(customer_id, replace(base, industry="白酒"), world.actor("hanna"), version)
    with pytest.raises(Conflict) as conflict, transaction():
        services.change_customer(customer_id, replace(base, industry="饮料"), world.actor("anna"), version)
    details = conflict.value.details
    assert (details["theirs"]["industry"], details["mine"]["industry"]) == ("白酒", "饮料")
    assert details["changed_by"] == "韩娜"
    with transaction():
        services.change_customer(customer_id, replace(base, industry="饮料"), world.actor("anna"), details["version"])
    assert queries.load_customer(customer_id).industry == "饮料"


def test_saving_without_a_change_writes_nothing(world: World) -> None:
    customer_id = world.customer_id("maotai")
    before = queries.load_customer(customer_id)
    version, entries = before.version, db.session.scalar(select(func.count()).select_from(AuditEntry))
    with transaction():
        services.change_customer(
            customer_id, services.input_of(queries.load_customer(customer_id)), world.actor("anna")
        )
    assert queries.load_customer(customer_id).version == version
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == entries


def test_recording_a_visit_disturbs_nobody_who_edits(world: World) -> None:
    customer_id = world.customer_id("maotai")
    seen = queries.load_customer(customer_id)
    base, version = services.input_of(seen), seen.version
    with transaction():
        services.record_interaction(customer_id, visit(), world.actor("anna"))
    with transaction():
        services.change_customer(customer_id, replace(base, industry="白酒"), world.actor("anna"), version)


# ---- stages --------------------------------------------------------------------------------------------------------


def test_opportunity_needs_need_means_and_reputation(world: World) -> None:
    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        services.change_stage(customer_id, "potential", anna)
    with pytest.raises(Invalid), transaction():
        services.change_stage(customer_id, "opportunity", anna)
    with transaction():
        services.assess_customer(customer_id, QualificationInput("good", "poor", "good"), anna)
    with pytest.raises(Invalid), transaction():
        services.change_stage(customer_id, "opportunity", anna)
    with transaction():
        services.assess_customer(customer_id, QualificationInput("good", "fair", "good"), anna)
    with transaction():
        services.change_stage(customer_id, "opportunity", anna)
    rows = queries.stage_changes_of(customer_id)
    assert [(row.from_stage, row.to_stage) for row in rows] == [
        ("potential", "opportunity"),
        ("to_identify", "potential"),
    ]
    assert rows[0].changed_by is not None
    assert rows[0].changed_by.name == "安娜"


@pytest.mark.parametrize("wanted", ["lost", "dormant", "to_identify"])
def test_going_back_needs_a_reason(world: World, wanted: str) -> None:
    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        services.change_stage(customer_id, "potential", anna)
    with pytest.raises(Invalid) as error, transaction():
        services.change_stage(customer_id, wanted, anna)
    assert fields_of(error) == {"reason"}
    with transaction():
        services.change_stage(customer_id, wanted, anna, reason="换了供应商")
    assert queries.stage_changes_of(customer_id)[0].reason == "换了供应商"


def test_a_purchase_proves_need_and_means(world: World) -> None:
    with transaction():
        customer = services.change_stage(world.customer_id("maotai"), "ordering", SYSTEM, proven=True)
        assert customer.stage == "ordering"


def test_a_stage_changed_by_somebody_else_is_told(world: World) -> None:
    customer_id = world.customer_id("maotai")
    with transaction():
        services.change_stage(customer_id, "potential", world.actor("hanna"))
    with pytest.raises(Conflict), transaction():
        services.change_stage(customer_id, "lost", world.actor("anna"), reason="x", seen="to_identify")


# ---- assignment and handing over -----------------------------------------------------------------------------------


def test_assigning_many_reports_what_was_refused(world: World) -> None:
    ids = [world.customer_id(key) for key in ("maotai", "yanghe", "fenjiu")]
    ben = world.user("ben")
    with transaction():
        result = services.assign_customers(ids, AssignInput(ben.id, reason="分工"), world.actor("hanna"))
    assert result.done == [world.customer_id("maotai")]
    # Ben's own would not change; Cara's is not visible to Hanna and not even named.
    assert [refusal.customer_id for refusal in result.refused] == [world.customer_id("yanghe")]
    assert not can(world.actor("anna"), "customers.view", world.customer_id("maotai"))


def test_an_account_manager_assigns_nothing(world: World) -> None:
    ids = [world.customer_id("maotai")]
    with pytest.raises(Invalid), transaction():
        services.assign_customers(ids, AssignInput(world.user("ben").id), world.actor("anna"))
    with transaction():
        result = services.assign_customers(ids, AssignInput(None), world.actor("anna"))
    assert result.done == []
    assert len(result.refused) == 1


def test_a_head_gives_nothing_away_to_another_department(world: World) -> None:
    with pytest.raises(Invalid) as error, transaction():
        services.assign_customers(
            [world.customer_id("maotai")], AssignInput(world.user("cara").id), world.actor("hanna")
        )
    assert "account_manager_id" in fields_of(error)


def test_who_leaves_hands_over_customers_and_next_steps(world: World) -> None:
    from portal.pluginmanager import manager

    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        services.plan_step(customer_id, NextStepInput("寄样品", clock.today()), anna)
    with transaction():
        manager().hook.user_deactivated(
            user=world.user("anna"), successor=world.user("ben"), actor=world.actor("hanna")
        )
    assert (
        db.session.scalar(
            select(func.count()).select_from(Customer).where(Customer.account_manager_id == world.user("anna").id)
        )
        == 0
    )
    step = db.session.scalars(select(NextStep)).one()
    assert step.owner_id == world.user("ben").id
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:customer:hand_over")).all()
    assert len(entries) == 2


# ---- contacts ------------------------------------------------------------------------------------------------------


def add_contact(world: World, **values: object) -> int:
    data = ContactInput(**{"name": "李大明", **values})  # type: ignore[arg-type]
    with transaction():
        return services.add_contact(world.customer_id("maotai"), data, world.actor("anna")).id


def test_the_first_contact_is_primary_and_there_is_one(world: World) -> None:
    first = add_contact(world)
    second = add_contact(world, name="张小红", is_primary=True)
    rows = {row.id: row.is_primary for row in queries.contacts_of(world.customer_id("maotai"))}
    assert rows == {first: False, second: True}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"birthday_calendar": "lunar", "birthday_month": 13, "birthday_day": 1}, "birthday_month"),
        ({"birthday_calendar": "lunar", "birthday_month": 2, "birthday_day": 31}, "birthday_day"),
        (
            # 2020 had a leap fourth month, not a leap fifth.
            {
                "birthday_calendar": "lunar",
                "birthday_month": 5,
                "birthday_day": 1,
                "birthday_leap": True,
                "birthday_year": 2020,
            },
            "birthday_leap",
        ),
        ({"birthday_month": 5, "birthday_day": 1}, "birthday_calendar"),
        ({"birthday_calendar": "solar", "birthday_month": 5}, "birthday_day"),
        ({"birthday_calendar": "solar", "birthday_month": 1, "birthday_day": 1, "birthday_year": 203}, "birthday_year"),
        ({"phones": (PhoneInput("123"),)}, "phones-0-number"),
        ({"phones": (PhoneInput("13800138000"), PhoneInput("+86 138 0013 8000"))}, "phones-1-number"),
        ({"email": "x@y"}, "email"),
        ({"wechat": "1"}, "wechat"),
        ({"attitude": 3}, "attitude"),
        ({"message_consent": True}, "message_consent_on"),
        ({"rank": "division", "employer_kind": "private_enterprise"}, "rank"),
    ],
)
def test_wrong_contacts_are_refused(world: World, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as error:
        add_contact(world, **values)
    assert field in fields_of(error)


def test_a_lunar_birthday_in_a_leap_month_is_kept(world: World) -> None:
    contact_id = add_contact(
        world,
        birthday_calendar="lunar",
        birthday_month=4,
        birthday_day=8,
        birthday_leap=True,
        birthday_year=2020,
        phones=(PhoneInput("138 0013 8000"), PhoneInput("0851-88886666", "office")),
    )
    contact = queries.contact_for(contact_id, world.actor("anna"))
    assert [(phone.number, phone.digits) for phone in contact.phones] == [
        ("+8613800138000", "13800138000"),
        ("+8685188886666", "085188886666"),
    ]
    assert (contact.birthday_month, contact.birthday_day, contact.birthday_leap) == (4, 8, True)


def test_taking_a_contact_out_can_be_undone(world: World) -> None:
    contact_id, anna = add_contact(world), world.actor("anna")
    with transaction():
        services.deactivate_contact(contact_id, anna)
    assert not db.session.get_one(Contact, contact_id).is_active
    with transaction():
        services.reactivate_contact(contact_id, anna)
    assert db.session.get_one(Contact, contact_id).is_active


def test_contacts_of_strangers_do_not_exist(world: World) -> None:
    contact_id = add_contact(world, phones=(PhoneInput("13800138000"),))
    phone_id = db.session.get_one(Contact, contact_id).phones[0].id
    for login in ("cara", "ben", "admin", "audrey", "nora", "hector"):
        stranger = world.actor(login)
        with pytest.raises(NotFound):
            queries.contact_for(contact_id, stranger)
        with pytest.raises(NotFound), transaction():
            services.change_contact(contact_id, ContactInput("x"), stranger)
        with pytest.raises(NotFound), transaction():
            services.reveal_phone(phone_id, stranger)


# ---- interactions and next steps -----------------------------------------------------------------------------------


def test_a_visit_with_a_next_step(world: World) -> None:
    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    contact_id = add_contact(world)
    day = clock.today() + timedelta(days=3)
    data = visit(
        minutes=45,
        cost=Decimal("128.50"),
        appointment="confirmed",
        opinions="希望交货再快一点",
        contact_ids=(contact_id,),
        colleague_ids=(world.user("ben").id,),
        next_step=NextStepInput("送新样品", day, "visit", "requested"),
    )
    with transaction():
        interaction_id = services.record_interaction(customer_id, data, anna).id
    found = queries.interaction_for(interaction_id, anna)
    assert found.cost == Decimal("128.50")
    assert [contact.name for contact in found.contacts] == ["李大明"]
    assert [user.name for user in found.colleagues] == ["贝宁"]
    customer = queries.load_customer(customer_id)
    assert customer.next_contact_on == day
    assert customer.last_contact_at == data.at
    assert [step.task for step in queries.due_steps(anna, day)] == ["送新样品"]
    assert queries.due_steps(world.actor("ben"), day) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"at": None}, "at"),
        ({"at": datetime(203, 3, 5, tzinfo=UTC)}, "at"),
        ({"at": datetime(2099, 3, 5, tzinfo=UTC)}, "at"),
        ({"minutes": -5}, "minutes"),
        ({"minutes": 100_000}, "minutes"),
        ({"cost": Decimal("-1")}, "cost"),
        ({"cost": Decimal("0.001")}, "cost"),
        ({"result": ""}, "result"),
        ({"kind": "séance"}, "kind"),
        ({"contact_ids": (999,)}, "contact_ids"),
        ({"colleague_ids": (999,)}, "colleague_ids"),
        ({"next_step": NextStepInput("", date(2099, 1, 1))}, "next_step-task"),
        ({"next_step": NextStepInput("x", None)}, "next_step-due_on"),
        ({"next_step": NextStepInput("x", date(2020, 1, 1))}, "next_step-due_on"),
        ({"next_step": NextStepInput("x", date(2999, 1, 1))}, "next_step-due_on"),
    ],
)
def test_wrong_interactions_are_refused(world: World, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as error, transaction():
        services.record_interaction(world.customer_id("maotai"), visit(**values), world.actor("anna"))
    assert field in fields_of(error)


def test_done_and_plan_the_next(world: World) -> None:
    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    today = clock.today()
    with transaction():
        step_id = services.plan_step(customer_id, NextStepInput("打电话", today), anna).id
    following = NextStepInput("上门签约", today + timedelta(days=5), "visit")
    with transaction():
        services.finish_step(step_id, anna, interaction=visit(kind="phone", next_step=following))
    step = db.session.get_one(NextStep, step_id)
    assert step.done_interaction_id is not None
    assert [row.task for row in queries.open_steps_of(customer_id)] == ["上门签约"]
    assert queries.load_customer(customer_id).next_contact_on == today + timedelta(days=5)
    with pytest.raises(Conflict), transaction():
        services.finish_step(step_id, anna)


def test_taking_back_an_interaction(world: World) -> None:
    customer_id, anna = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        planned = NextStepInput("下次", clock.today())
        interaction_id = services.record_interaction(customer_id, visit(next_step=planned), anna).id
    with pytest.raises(Invalid), transaction():
        services.cancel_interaction(interaction_id, " ", anna)
    with pytest.raises(NotFound), transaction():
        services.cancel_interaction(interaction_id, "x", world.actor("ben"))
    with transaction():
        services.cancel_interaction(interaction_id, "记错了客户", anna)
    customer = queries.load_customer(customer_id)
    assert (customer.last_contact_at, customer.next_contact_on) == (None, None)
    assert queries.open_steps_of(customer_id) == []
    with pytest.raises(Conflict), transaction():
        services.change_interaction(interaction_id, visit(), anna)


def test_only_the_author_or_the_head_corrects_an_interaction(world: World) -> None:
    customer_id = world.customer_id("maotai")
    with transaction():
        interaction_id = services.record_interaction(customer_id, visit(), world.actor("hanna")).id
    with pytest.raises(NotAllowed), transaction():
        services.change_interaction(interaction_id, visit(result="别的"), world.actor("anna"))
    with transaction():
        services.change_interaction(interaction_id, visit(result="更正"), world.actor("dora"))


def test_birthdays_of_both_calendars_are_found(world: World) -> None:
    anna = world.actor("anna")
    # 25 June 2020 was 五月初五 in the lunar calendar.
    moment = datetime(2020, 6, 22, 4, 0, tzinfo=UTC)
    with clock.frozen(moment):
        add_contact(world, name="端午", birthday_calendar="lunar", birthday_month=5, birthday_day=5)
        add_contact(
            world, name="公历", birthday_calendar="solar", birthday_month=6, birthday_day=24, birthday_year=1990
        )
        add_contact(world, name="以后", birthday_calendar="solar", birthday_month=7, birthday_day=24)
        found = queries.upcoming_birthdays(anna, clock.today(), clock.today() + timedelta(days=7))
    assert [(row.name, row.day, row.age) for row in found] == [
        ("公历", date(2020, 6, 24), 30),
        ("端午", date(2020, 6, 25), None),
    ]


def test_a_leap_month_birthday_is_kept_in_the_leap_month(world: World) -> None:
    anna = world.actor("anna")
    add_contact(world, name="闰月", birthday_calendar="lunar", birthday_month=4, birthday_day=8, birthday_leap=True)
    # 2020: 闰四月初八 is 30 May, 四月初八 was 30 April; 2021 has no leap month.
    assert [row.day for row in queries.upcoming_birthdays(anna, date(2020, 4, 28), date(2020, 5, 5))] == []
    assert [row.day for row in queries.upcoming_birthdays(anna, date(2020, 5, 28), date(2020, 6, 2))] == [
        date(2020, 5, 30)
    ]
    assert [row.day for row in queries.upcoming_birthdays(anna, date(2021, 5, 15), date(2021, 5, 22))] == [
        date(2021, 5, 19)
    ]


def test_favourites_take_only_what_one_sees(world: World) -> None:
    ids = [world.customer_id("maotai"), world.customer_id("fenjiu")]
    with transaction():
        assert services.set_favourite(ids, True, world.actor("anna")) == 1
    with transaction():
        assert services.set_favourite(ids, True, world.actor("anna")) == 0
        assert services.set_favourite(ids, False, world.actor("anna")) == 1
