"""The collision check: names whom to ask, confirms no guessed phone number (R-CUS-6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.customers import duplicates, services
from portal.customers.duplicates import PhoneLookup, find_duplicates
from portal.customers.importing.customers import CustomerTarget
from portal.customers.importing.customers.lookup import Lookup
from portal.customers.importing.targets import Row, Rules
from portal.customers.inputs import ContactInput, CustomerInput, PhoneInput
from portal.customers.models import Customer
from portal.extensions import db
from tests.world import World

CODE = "91520000214330054F"
NUMBER = "13800138000"


@pytest.fixture
def filled(app: Flask, world: World) -> World:
    with transaction():
        row = db.session.get_one(Customer, world.customer_id("fenjiu"))
        row.credit_code = CODE
        services.add_contact(row.id, ContactInput(name="王敏", phones=(PhoneInput(NUMBER),)), world.actor("cara"))
    return world


def test_a_strangers_customer_gives_name_department_and_account_manager_only(filled: World) -> None:
    for asked in ({"credit_code": CODE}, {"phone": "138 0013 8000"}, {"name": "汾酒（山西）"}):
        (hint,) = find_duplicates(filled.actor("anna"), **asked)
        assert (hint.name, hint.department, hint.account_manager) == ("山西汾酒", "销售二部", "柯兰")
        assert hint.customer_id is None
    (hint,) = find_duplicates(filled.actor("cara"), credit_code=CODE)
    assert hint.customer_id == filled.customer_id("fenjiu")


def test_near_names_are_found_and_others_are_not(filled: World) -> None:
    anna = filled.actor("anna")
    assert [hint.name for hint in find_duplicates(anna, name="贵州茅台股份有限公司")] == ["贵州茅台"]
    assert find_duplicates(anna, name="深圳前海某某科技有限公司") == []
    assert find_duplicates(anna, name="贵州茅台", exclude_id=filled.customer_id("maotai")) == []


CYRILLIC, LATIN = "АВС饮料", "ABC饮料"


@pytest.mark.parametrize(("kept", "typed"), [(LATIN, CYRILLIC), (CYRILLIC, LATIN)])
def test_a_name_that_looks_the_same_is_told_and_not_imported_beside_it(kept: str, typed: str, world: World) -> None:
    """Letters of another alphabet (security statement 41), on either side."""
    cara, ben = world.actor("cara"), world.actor("ben")
    with transaction():
        known = services.create_customer(CustomerInput(name=kept, kind="end_user"), cara).id
    (hint,) = find_duplicates(cara, name=typed)
    assert (hint.customer_id, hint.certain) == (known, True)
    assert hint.reason == "a name that looks the same, in letters of another alphabet"
    (record,) = CustomerTarget().group([Row(2, {"name": typed, "kind": "end_user"})])
    assert Lookup([record], ben).match(record, Rules()) is None
    assert [str(message) for _field, message in record.errors] == [
        "This customer exists and is looked after by somebody else: 销售二部 · 柯兰."
    ]


def test_a_word_of_two_alphabets_that_look_alike_is_refused_beside_its_field(client: FlaskClient, world: World) -> None:
    anna = world.actor("anna")
    world.login(client, "anna")
    page = client.post("/customers/new", data={"name": "Sоny中国", "kind": "end_user"})
    assert page.status_code == 400
    assert "“Sоny” mixes letters of two alphabets that look alike." in page.text
    with pytest.raises(Invalid) as refused:
        services.create_customer(CustomerInput(name="索尼", aliases=("Sоny",), kind="end_user"), anna)
    assert [field for field, _message in refused.value.errors] == ["aliases"]
    db.session.rollback()
    # A record that bears such a name already can still be changed otherwise.
    known = world.customer_id("maotai")
    with transaction():
        row = db.session.get_one(Customer, known)
        row.name = "Sоny中国"
        same = CustomerInput(name=row.name, kind=row.kind, demand="试用装")
    with transaction():
        assert services.change_customer(known, same, anna).demand == "试用装"


def test_parts_of_a_number_say_nothing(filled: World) -> None:
    anna = filled.actor("anna")
    for length in range(1, len(NUMBER)):
        assert find_duplicates(anna, phone=NUMBER[:length]) == []
        assert find_duplicates(anna, phone=NUMBER[length:]) == []
    assert find_duplicates(anna, phone="13800138001") == []


def test_numbers_are_counted_recorded_and_limited(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "NUMBERS_PER_HOUR", 3)
    anna = filled.actor("anna")
    for last in range(3):
        find_duplicates(anna, phone=f"1390013900{last}")
        find_duplicates(anna, phone=f"1390013900{last}")  # a repetition costs nothing
    entries = select(func.count()).where(AuditEntry.action == "customers:phone:lookup", AuditEntry.result == "ok")
    assert db.session.scalar(entries) == 3
    assert find_duplicates(anna, phone=NUMBER) == []
    refused = select(func.count()).where(AuditEntry.action == "customers:phone:lookup", AuditEntry.result == "refused")
    assert db.session.scalar(refused) == 1
    # One's own customers are found all the same; a colleague is not slowed down; an hour later it goes on.
    with transaction():
        services.add_contact(
            filled.customer_id("maotai"), ContactInput(name="李强", phones=(PhoneInput("13700137000"),)), anna
        )
    assert [hint.name for hint in find_duplicates(anna, phone="13700137000")] == ["贵州茅台"]
    assert [hint.name for hint in find_duplicates(filled.actor("ben"), phone=NUMBER)] == ["山西汾酒"]
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        assert [hint.name for hint in find_duplicates(anna, phone=NUMBER)] == ["山西汾酒"]
    # What was tried is not kept in clear.
    assert NUMBER not in "".join(db.session.scalars(select(PhoneLookup.digest)))


def test_merged_records_are_no_duplicates(filled: World) -> None:
    with transaction():
        row = db.session.get_one(Customer, filled.customer_id("fenjiu"))
        row.status, row.merged_into_id = "merged", filled.customer_id("luzhou")
    assert find_duplicates(filled.actor("anna"), credit_code=CODE, phone=NUMBER, name="山西汾酒") == []
