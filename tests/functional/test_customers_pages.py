"""Pages of customers: the stories of an account manager, and what strangers do not get to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.listing import keyset
from portal.core.text import sort_key
from portal.core.transaction import transaction
from portal.customers import queries, services
from portal.customers.models import Contact, Customer, CustomerFavourite, Interaction, NextStep
from portal.customers.services import ContactInput, InteractionInput, NextStepInput, PhoneInput, QualificationInput
from portal.extensions import db
from tests.world import CREATED, World


@contextmanager
def counted() -> Iterator[list[str]]:
    """The SQL statements sent meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def anna(world: World, client: FlaskClient) -> FlaskClient:
    return world.login(client, "anna")


@pytest.fixture
def as_person(world: World) -> Callable[[str], FlaskClient]:
    return lambda login: world.login(world.app.test_client(), login)


def plain(page: str) -> str:
    """The main part of a page without its token."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page.split("<main")[1])


def moment_text() -> str:
    return clock.local(clock.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")


# ---- list ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "sees"),
    [
        ("anna", {"贵州茅台", "五粮液"}),
        ("hanna", {"贵州茅台", "五粮液", "洋河股份"}),
        ("dora", {"贵州茅台", "五粮液", "洋河股份"}),
        ("hector", {"山西汾酒", "泸州老窖", "水井坊"}),
        ("hugo", {"贵州茅台", "五粮液", "洋河股份", "山西汾酒", "泸州老窖", "水井坊"}),
        ("boss", {"贵州茅台", "五粮液", "洋河股份", "山西汾酒", "泸州老窖", "水井坊"}),
        ("admin", set()),
        ("audrey", set()),
        ("paula", set()),
        ("nora", set()),
    ],
)
def test_the_list_shows_what_one_may_see(
    world: World, as_person: Callable[[str], FlaskClient], login: str, sees: set[str]
) -> None:
    page = as_person(login).get("/customers/")
    assert page.status_code == 200
    names = {"贵州茅台", "五粮液", "洋河股份", "山西汾酒", "泸州老窖", "水井坊"}
    assert {name for name in names if name in page.text} == sees


def test_filters_scenes_and_search_of_the_list(world: World, anna: FlaskClient) -> None:
    with transaction():
        services.plan_step(world.customer_id("maotai"), NextStepInput("回访", clock.today()), world.actor("anna"))
        services.set_favourite([world.customer_id("wuliang")], True, world.actor("anna"))
    for query, sees in [
        ("scene=today", {"贵州茅台"}),
        ("scene=favourites", {"五粮液"}),
        ("scene=mine", {"贵州茅台", "五粮液"}),
        ("scene=idle", {"贵州茅台", "五粮液"}),
        ("stage=potential", set()),
        ("stage=to_identify&kind=end_user", {"贵州茅台", "五粮液"}),
        ("closed=closed", set()),
        ("q=gzmt", {"贵州茅台"}),
        ("q=茅台", {"贵州茅台"}),
        ("sales_from=0&sales_to=0", {"贵州茅台", "五粮液"}),
        ("contacted_from=2020-01-01", set()),
        ("sort=-next_contact", {"贵州茅台", "五粮液"}),
        ("manager=abc&created_from=nonsense", {"贵州茅台", "五粮液"}),
    ]:
        page = anna.get(f"/customers/?{query}")
        assert page.status_code == 200, query
        rows = {re.sub("<[^>]+>", "", cell) for cell in re.findall(r'<th scope="row">(.*?)</th>', page.text)}
        assert rows == sees, query


def test_a_page_whose_rows_are_gone_is_the_first_one(anna: FlaskClient) -> None:
    last, first = keyset.encode("\uffff", 1), keyset.encode("", 0)
    for query in (f"after={last}", f"before={first}", f"q=茅台&after={last}"):
        page = anna.get(f"/customers/?{query}").text
        assert "贵州茅台" in page, query
        assert "No customers that you may see" not in page


def test_statements_of_a_page_do_not_grow_with_rows(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    hanna = as_person("hanna")
    contact_ids = []
    pages = ["/customers/", "/customers/contacts", "/customers/interactions", "/"]
    pages += [f"/customers/{world.customer_id('maotai')}{tail}" for tail in ("", "?in=", "/contacts", "/interactions")]

    def measure() -> list[int]:
        numbers = []
        for page in pages:
            hanna.get(page)
            with counted() as statements:
                assert hanna.get(page).status_code == 200
            # On the home page only what this module asks of rows: sums are remembered when they were slow.
            own = [
                text
                for text in statements
                if page != "/" or (("next_step" in text or "contact" in text) and "FILTER" not in text)
            ]
            numbers.append(len(own))
        return numbers

    def add(number: int) -> None:
        actor = world.actor("hanna")
        with transaction() as session:
            for index in range(number):
                name = f"客户{index}号"
                session.add(
                    Customer(
                        party="organisation",
                        kind="dealer",
                        name=name,
                        name_sort=sort_key(name),
                        account_manager_id=actor.user_id,
                        department_id=world.department("one").id,
                        stage_changed_at=CREATED,
                        created_at=CREATED,
                        updated_at=CREATED,
                    )
                )
            session.flush()
            customer_id = world.customer_id("maotai")
            for index in range(number):
                contact = services.add_contact(
                    customer_id,
                    ContactInput(
                        f"联系人{index}",
                        phones=(PhoneInput(f"1380013{index:04d}"),),
                        birthday_calendar="solar",
                        birthday_month=clock.today().month,
                        birthday_day=min(clock.today().day, 28),
                    ),
                    actor,
                )
                contact_ids.append(contact.id)
                services.record_interaction(
                    customer_id,
                    InteractionInput(
                        "phone",
                        clock.now() - timedelta(minutes=index + 1),
                        result=f"结果{index}",
                        contact_ids=tuple(contact_ids[-2:]),
                        next_step=NextStepInput(f"任务{index}", clock.today() + timedelta(days=index % 5)),
                    ),
                    actor,
                )

    add(2)
    few = measure()
    add(12)
    many = measure()
    assert dict(zip(pages, many, strict=True)) == dict(zip(pages, few, strict=True))
    # The record page with the panels, tabs and badges of four plugins; each of them adds one or two.
    assert max(many) <= 34


# ---- record --------------------------------------------------------------------------------------------------------


def test_a_stranger_learns_only_that_it_exists(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    customer_id = world.customer_id("maotai")
    with transaction():
        data = services.input_of(queries.load_customer(customer_id))
        from dataclasses import replace

        services.change_customer(
            customer_id, replace(data, demand="机密需求", phone="13800138000", industry="白酒"), world.actor("anna")
        )
    for login in ("ben", "cara", "hector", "admin", "audrey", "paula", "nora"):
        stranger = as_person(login)
        bodies = set()
        for tail in ("", "/contacts", "/interactions", "/history", "/who-can-see", "/edit", "/stage", "/edit/place"):
            page = stranger.get(f"/customers/{customer_id}{tail}")
            assert page.status_code == 403, (login, tail)
            assert "贵州茅台" in page.text
            assert "安娜" in page.text
            assert "销售一部" in page.text
            for secret in ("机密需求", "13800138", "138 0013", "白酒", "to_identify", "To identify"):
                assert secret not in page.text, (login, tail, secret)
            main = page.text.split('id="main"')[1]
            bodies.add(re.sub(r'(csrf_token" value=|next" value=)"[^"]*"', "", main))
        assert len(bodies) == 1
        for method, tail in (("post", "/phone"), ("post", "/watch"), ("post", "/contacts/new")):
            assert getattr(stranger, method)(f"/customers/{customer_id}{tail}").status_code == 403


def test_a_refusal_is_recorded(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    as_person("cara").get(f"/customers/{world.customer_id('maotai')}")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.result == "refused")).all()[-1]
    assert entry.actor_id == world.user("cara").id


def test_missing_and_absurd_ids(anna: FlaskClient) -> None:
    for address in ("/customers/99999", f"/customers/{10**18}", f"/customers/{10**30}", "/customers/contacts/99999"):
        assert anna.get(address).status_code == 404, address


def test_pages_of_strangers_contacts_and_interactions_are_404(
    world: World, as_person: Callable[[str], FlaskClient]
) -> None:
    customer_id, actor = world.customer_id("maotai"), world.actor("anna")
    with transaction():
        contact = services.add_contact(customer_id, ContactInput("李", phones=(PhoneInput("13800138000"),)), actor)
        interaction = services.record_interaction(
            customer_id,
            InteractionInput(
                "visit", clock.now(), result="x", next_step=NextStepInput("y", clock.today() + timedelta(days=1))
            ),
            actor,
        )
        ids = contact.id, contact.phones[0].id, interaction.id, interaction.next_steps[0].id
    contact_id, phone_id, interaction_id, step_id = ids
    cara = as_person("cara")
    for method, address in [
        ("get", f"/customers/contacts/{contact_id}"),
        ("get", f"/customers/contacts/{contact_id}/edit"),
        ("post", f"/customers/contacts/{contact_id}/edit"),
        ("post", f"/customers/contacts/{contact_id}/deactivate"),
        ("post", f"/customers/contacts/phones/{phone_id}"),
        ("get", f"/customers/interactions/{interaction_id}"),
        ("get", f"/customers/interactions/{interaction_id}/edit"),
        ("post", f"/customers/interactions/{interaction_id}/cancel"),
        ("get", f"/customers/steps/{step_id}/edit"),
        ("get", f"/customers/steps/{step_id}/done"),
        ("post", f"/customers/steps/{step_id}/tick"),
        ("post", f"/customers/steps/{step_id}/cancel"),
    ]:
        theirs = getattr(cara, method)(address)
        missing = getattr(cara, method)(re.sub(r"\d+", "987654", address))
        assert theirs.status_code == missing.status_code == 404, address
        # The page's own address and the token stand in it; nothing else may differ.
        number = re.findall(r"\d+", address)[0]
        assert plain(missing.text).replace("987654", "N") == plain(theirs.text).replace(
            address, address.replace(number, "N")
        )
    assert "李" not in cara.get("/customers/contacts").text.split('id="main"')[1]


def test_creating_with_the_short_form(world: World, anna: FlaskClient) -> None:
    form = {"party": "organisation", "kind": "dealer", "name": "黔南酒业商行", "phone": "13800138000"}
    form["account_manager_id"] = str(world.user("anna").id)
    answer = anna.post("/customers/new", data=form)
    assert answer.status_code == 302
    customer = db.session.scalars(select(Customer).where(Customer.name == "黔南酒业商行")).one()
    page = anna.get(f"/customers/{customer.id}")
    assert "138****8000" in page.text
    assert "13800138000" not in page.text


def test_a_wrong_form_keeps_what_was_typed(world: World, anna: FlaskClient) -> None:
    before = db.session.scalar(select(func.count()).select_from(Customer))
    answer = anna.post(
        "/customers/new", data={"party": "organisation", "kind": "dealer", "name": "要保留的名字", "phone": "abc"}
    )
    assert answer.status_code == 400
    assert "要保留的名字" in answer.text
    assert "abc" in answer.text
    assert 'aria-invalid="true"' in answer.text
    answer = anna.post("/customers/new", data={"party": "organisation", "kind": "dealer", "name": "长" * 100_000})
    assert answer.status_code == 400
    for form in ({}, {"kind": "\x00"}, {"party": "x", "name": "a\u202eb", "account_manager_id": "9" * 40}):
        assert anna.post("/customers/new", data=form).status_code == 400
    assert db.session.scalar(select(func.count()).select_from(Customer)) == before


def test_creating_a_person_with_the_full_form(world: World, anna: FlaskClient) -> None:
    form = {
        "party": "person",
        "kind": "end_user",
        "name": "王小明",
        "sex": "male",
        "birth_year": "1980",
        "region_code_text": "贵阳",
        "address": "某路 1 号",
        "source": "referral",
        "referrer_id_text": "贵州茅台",
        "account_manager_id": str(world.user("anna").id),
    }
    answer = anna.post("/customers/new/full", data=form)
    assert answer.status_code == 400
    assert "purpose" in answer.text
    form |= {"purpose": "送货上门", "consent": "微信确认", "consented_on": clock.today().isoformat()}
    answer = anna.post("/customers/new/full", data=form)
    assert answer.status_code == 302, re.findall(r"field-error[^>]*>.*?</p>", answer.text)
    customer = db.session.scalars(select(Customer).where(Customer.name == "王小明")).one()
    assert customer.region_code == "520100"
    assert customer.referrer_id == world.customer_id("maotai")
    assert customer.person is not None
    assert customer.person.birth_year == 1980


def test_editing_a_section_keeps_the_rest_and_the_masked_phone(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    page = anna.post(f"/customers/{customer_id}/edit/reach", data={"phone": "13800138000", "version": "1"})
    assert page.status_code == 302
    page = anna.get(f"/customers/{customer_id}/edit/reach")
    assert "138****8000" in page.text
    assert "13800138000" not in page.text
    page = anna.post(
        f"/customers/{customer_id}/edit/reach",
        data={"phone": "138****8000", "email": "info@Example.com", "version": "2"},
    )
    assert page.status_code == 302
    customer = queries.load_customer(customer_id)
    assert (customer.phone, customer.email, customer.name) == ("+8613800138000", "info@example.com", "贵州茅台")


def test_the_second_editor_sees_both_versions_and_chooses(
    world: World, as_person: Callable[[str], FlaskClient]
) -> None:
    customer_id = world.customer_id("maotai")
    address = f"/customers/{customer_id}/edit/demand"
    assert as_person("hanna").post(address, data={"demand": "韩娜写的需求", "version": "1"}).status_code == 302
    answer = as_person("anna").post(address, data={"demand": "安娜写的需求", "version": "1"})
    assert answer.status_code == 409
    assert "韩娜写的需求" in answer.text
    assert "安娜写的需求" in answer.text
    assert queries.load_customer(customer_id).demand == "韩娜写的需求"
    version = re.search(r'name="version"[^>]*value="(\d+)"', answer.text)
    assert version is not None
    answer = as_person("anna").post(address, data={"demand": "安娜写的需求", "version": version[1]})
    assert answer.status_code == 302
    db.session.rollback()
    assert queries.load_customer(customer_id).demand == "安娜写的需求"


def test_revealing_a_phone_is_recorded(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    anna.post(f"/customers/{customer_id}/edit/reach", data={"phone": "13800138000", "version": "1"})
    answer = anna.post(f"/customers/{customer_id}/phone", headers={"Accept": "application/json"})
    assert answer.json == {"value": "138 0013 8000"}
    assert "138 0013 8000" in anna.post(f"/customers/{customer_id}/phone").text
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:phone:reveal")).all()
    assert len(entries) == 2
    assert anna.get(f"/customers/{customer_id}/phone").status_code == 405


def test_a_contact_with_a_lunar_birthday_by_form(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    form = {
        "name": "李大明",
        "phones-0-number": "138 0013 8000",
        "phones-0-label": "mobile",
        "phones-1-number": "",
        "phones-1-label": "office",
        "birthday_calendar": "lunar",
        "birthday_month": "4",
        "birthday_day": "31",
    }
    answer = anna.post(f"/customers/{customer_id}/contacts/new", data=form)
    assert answer.status_code == 400
    assert "There is no such day in this month." in answer.text
    assert 'value="31"' in answer.text
    answer = anna.post(
        f"/customers/{customer_id}/contacts/new", data=form | {"birthday_day": "8", "birthday_leap": "y"}
    )
    assert answer.status_code == 302
    contact = db.session.scalars(select(Contact)).one()
    assert (contact.birthday_calendar, contact.birthday_month, contact.birthday_day, contact.birthday_leap) == (
        "lunar",
        4,
        8,
        True,
    )
    page = anna.get(f"/customers/{customer_id}/contacts")
    assert "04-08 lunar, leap month" in page.text
    assert "138****8000" in page.text
    assert "13800138000" not in page.text
    form = {"name": "李大明", "phones-0-number": "138****8000", "phones-0-label": "office", "version": "1"}
    assert anna.post(f"/customers/contacts/{contact.id}/edit", data=form).status_code == 302
    db.session.expire_all()
    assert [(phone.number, phone.label) for phone in contact.phones] == [("+8613800138000", "office")]
    stale = anna.post(f"/customers/contacts/{contact.id}/edit", data=form | {"title": "经理"})
    assert stale.status_code == 409
    assert "经理" in stale.text


def test_a_visit_with_a_next_step_by_the_quick_form(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    day = (clock.today() + timedelta(days=2)).isoformat()
    form = {
        "quick": "1",
        "kind": "visit",
        "at": moment_text(),
        "minutes": "30",
        "result": "试饮反馈很好",
        "next_step-task": "送报价单",
        "next_step-due_on": day,
        "next_step-kind": "visit",
        "next_step-appointment": "none",
        "appointment": "none",
    }
    assert anna.post(f"/customers/{customer_id}/interactions/new", data=form).status_code == 302
    page = anna.get(f"/customers/{customer_id}")
    assert "试饮反馈很好" in page.text
    assert "送报价单" in page.text
    home = anna.get("/")
    assert "送报价单" in home.text
    step = db.session.scalars(select(NextStep)).one()
    done = anna.get(f"/customers/steps/{step.id}/done")
    assert "送报价单" in done.text
    answer = anna.post(
        f"/customers/steps/{step.id}/done",
        data={
            "kind": "visit",
            "at": moment_text(),
            "appointment": "confirmed",
            "direction": "outgoing",
            "result": "已送到",
            "next_step-task": "签合同",
            "next_step-due_on": day,
            "next_step-kind": "visit",
            "next_step-appointment": "requested",
        },
    )
    assert answer.status_code == 302
    assert [row.task for row in queries.open_steps_of(customer_id)] == ["签合同"]
    assert anna.post(f"/customers/steps/{step.id}/tick").status_code == 409


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": "0203-01-01T10:00"}, "between 1900 and 2100"),
        ({"at": "tomorrow"}, "Enter date and time"),
        ({"cost": "-5"}, "A cost is never negative."),
        ({"cost": "viel"}, "Enter an amount in yuan"),
        ({"minutes": "9" * 5000}, "Enter a whole number."),
        ({"result": "", "subject": ""}, "Say what it was about"),
        ({"next_step-task": "x", "next_step-due_on": "2001-01-01"}, "A next step lies ahead"),
        ({"contact_ids": "12345"}, "Choose one of the list."),
        ({"kind": "x"}, "Choose one of the list."),
    ],
)
def test_a_wrong_visit_is_answered_beside_the_field(
    world: World, anna: FlaskClient, change: dict[str, str], message: str
) -> None:
    form = {
        "kind": "visit",
        "at": moment_text(),
        "appointment": "none",
        "direction": "outgoing",
        "result": "打过的字要留住",
        "opinions": "意见也要留住",
        "next_step-kind": "phone",
        "next_step-appointment": "none",
    }
    answer = anna.post(f"/customers/{world.customer_id('maotai')}/interactions/new", data=form | change)
    assert answer.status_code == 400
    assert message in answer.text
    assert "意见也要留住" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Interaction)) == 0


def test_the_stage_page(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    address = f"/customers/{customer_id}/stage"
    answer = anna.post(address, data={"stage": "opportunity", "seen": "to_identify"})
    assert answer.status_code == 400
    assert "Assess need, means and reputation first." in answer.text
    grades = {"need": "good", "means": "good", "reputation": "fair", "notes": "看过财报"}
    assert anna.post(f"/customers/{customer_id}/qualification", data=grades).status_code == 302
    assert anna.post(address, data={"stage": "opportunity", "seen": "to_identify"}).status_code == 302
    late = anna.post(address, data={"stage": "lost", "seen": "to_identify", "reason": "资金链断了"})
    assert late.status_code == 409
    assert "Somebody else changed the stage in the meantime." in late.text
    assert 'value="资金链断了"' in late.text
    assert re.search(r'name="seen"[^>]*value="opportunity"', late.text)
    assert "Opportunity" in anna.get(f"/customers/{customer_id}/history").text


def test_who_comes_late_to_a_next_step_loses_nothing_of_what_he_typed(
    world: World, as_person: Callable[[str], FlaskClient]
) -> None:
    customer_id, due = world.customer_id("maotai"), clock.today().isoformat()
    anna, hanna = as_person("anna"), as_person("hanna")
    plan = {"task": "送样品", "due_on": due, "kind": "visit", "appointment": "none", "owner_id": world.user("anna").id}
    assert anna.post(f"/customers/{customer_id}/steps/new", data=plan).status_code == 302
    address = f"/customers/steps/{db.session.scalars(select(NextStep.id)).one()}"
    assert hanna.post(f"{address}/edit", data={**plan, "task": "寄样品", "version": "1"}).status_code == 302
    late = anna.post(f"{address}/edit", data={**plan, "task": "当面送样品", "version": "1"})
    assert late.status_code == 400
    assert "“寄样品”" in late.text
    assert 'value="当面送样品"' in late.text
    version = re.search(r'name="version"[^>]*value="(\d+)"', late.text)
    assert version is not None
    assert anna.post(f"{address}/edit", data={**plan, "task": "当面送样品", "version": version[1]}).status_code == 302
    assert hanna.post(f"{address}/tick").status_code == 302
    visit = {"kind": "visit", "at": moment_text(), "result": "谈了两个小时的长报告", "appointment": "none"}
    late = anna.post(f"{address}/done", data={**visit, "direction": "outgoing"})
    assert late.status_code == 409
    assert "This next step is done already." in late.text
    assert "谈了两个小时的长报告" in late.text
    action = f"/customers/{customer_id}/interactions/new"
    assert f'action="{action}"' in late.text
    assert anna.post(action, data={**visit, "direction": "outgoing"}).status_code == 302
    note_id = db.session.scalars(select(Interaction.id)).one()
    assert anna.post(f"/customers/interactions/{note_id}/cancel", data={"reason": "记错"}).status_code == 302
    late = anna.post(
        f"/customers/interactions/{note_id}/edit", data={**visit, "result": "改正过的长报告", "version": "1"}
    )
    assert late.status_code == 400
    assert "This interaction was taken back." in late.text
    assert "改正过的长报告" in late.text


def test_assigning_many_from_the_list(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    hanna, ben = as_person("hanna"), world.user("ben")
    ids = [str(world.customer_id(key)) for key in ("maotai", "wuliang", "fenjiu")]
    page = hanna.post("/customers/bulk/assign", data={"ids": ids, "action": "assign"})
    assert "2 customers are selected." in page.text
    assert "山西汾酒" not in page.text
    report = hanna.post(
        "/customers/bulk/assign", data={"ids": ids, "go": "1", "account_manager_id": str(ben.id), "department_id": ""}
    )
    assert "2 customers assigned" in report.text
    managers = set(
        db.session.scalars(select(Customer.account_manager_id).where(Customer.id.in_([int(i) for i in ids])))
    )
    assert managers == {ben.id, world.user("cara").id}
    page = hanna.post("/customers/bulk/assign", data={"all": "1", "query": "scene=team"})
    assert "3 customers are selected." in page.text
    assert "No customer is selected" in hanna.post("/customers/bulk/stage").text


def test_moving_many_reports_reasons(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    hanna = as_person("hanna")
    with transaction():
        services.assess_customer(
            world.customer_id("maotai"), QualificationInput("good", "good", "good"), world.actor("anna")
        )
    ids = [str(world.customer_id(key)) for key in ("maotai", "wuliang")]
    report = hanna.post("/customers/bulk/stage", data={"ids": ids, "go": "1", "stage": "opportunity", "reason": ""})
    assert "1 customer moved" in report.text
    assert "Assess need, means and reputation first." in report.text


def test_watching(world: World, anna: FlaskClient) -> None:
    customer_id = world.customer_id("maotai")
    assert anna.post(f"/customers/{customer_id}/watch", data={"on": "1"}).status_code == 302
    assert "Stop watching" in anna.get(f"/customers/{customer_id}").text
    anna.post(f"/customers/{customer_id}/watch", data={"on": "0"})
    assert db.session.scalar(select(func.count()).select_from(CustomerFavourite)) == 0


def test_previous_and_next_follow_the_list(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    hugo = as_person("hugo")
    page = hugo.get("/customers/?sort=-name")
    urls = [url.replace("&amp;", "&") for url in re.findall(r'<th scope="row"><a href="([^"]+)"', page.text)]
    assert len(urls) == 6
    at = urls[0]
    walked = [at]
    while True:
        found = re.search(r'rel="next" href="([^"]+)"', hugo.get(at).text)
        if found is None:
            break
        at = found[1].replace("&amp;", "&")
        walked.append(at)
    assert [url.split("?")[0] for url in walked] == [url.split("?")[0] for url in urls]
    back = re.search(r'rel="prev" href="([^"]+)"', hugo.get(walked[-1]).text)
    assert back is not None
    assert back[1].split("?")[0] == urls[-2].split("?")[0]
    # Somebody who sees less walks through less.
    hanna = as_person("hanna").get(f"{urls[-1].split('?')[0]}?in=sort%3D-name")
    assert hanna.status_code in (200, 403)


def test_pickers_name_only_visible_customers(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    anna, cara = as_person("anna"), as_person("cara")
    assert [row["label"] for row in anna.get("/customers/pick?q=gzmt").json] == ["贵州茅台"]
    assert cara.get("/customers/pick?q=gzmt").json == []
    assert {row["label"] for row in cara.get("/customers/pick").json} == {"山西汾酒"}
    assert "440305" in {row["value"] for row in anna.get("/customers/regions?q=南山区").json}


def test_the_time_line_filters_and_pages(world: World, anna: FlaskClient) -> None:
    customer_id, actor = world.customer_id("maotai"), world.actor("anna")
    for hour in range(40):
        with transaction():
            services.record_interaction(
                customer_id,
                InteractionInput("phone", clock.now() - timedelta(hours=hour), result=f"第{hour:02d}次"),
                actor,
            )
    first = anna.get(f"/customers/{customer_id}/history")
    assert "第00次" in first.text
    assert "第39次" not in first.text
    older = re.search(r'href="([^"]+before=[^"]+)"', first.text)
    assert older is not None
    second = anna.get(older[1].replace("&amp;", "&"))
    seen = re.findall(r"第\d\d次", first.text + second.text)
    assert sorted(set(seen)) == [f"第{hour:02d}次" for hour in range(40)]
    only = anna.get(f"/customers/{customer_id}/history?kind=stage")
    assert "第00次" not in only.text
    for nonsense in ("before=x", "before=2020-01-01", "kind=%00", "before=99999-01-01T00:00:00Z"):
        assert anna.get(f"/customers/{customer_id}/history?{nonsense}").status_code == 200


def test_who_can_see_names_people_and_reasons(world: World, anna: FlaskClient) -> None:
    text = anna.get(f"/customers/{world.customer_id('maotai')}/who-can-see").text.split('id="main"')[1]
    assert {name for name in ("安娜", "韩娜", "董蕊", "许国强", "赵总", "贝宁", "柯兰", "安管") if name in text} == {
        "安娜",
        "韩娜",
        "董蕊",
        "许国强",
        "赵总",
    }


def test_a_merged_record_leads_to_the_kept_one(world: World, anna: FlaskClient) -> None:
    kept, gone = world.customer_id("maotai"), world.customer_id("wuliang")
    with transaction() as session:
        row = session.get_one(Customer, gone)
        row.status, row.merged_into_id = "merged", kept
    answer = anna.get(f"/customers/{gone}")
    assert (answer.status_code, answer.location) == (302, f"/customers/{kept}")
    assert "五粮液" not in anna.get("/customers/").text


def test_likely_duplicates_are_shown_before_creating(world: World, as_person: Callable[[str], FlaskClient]) -> None:
    cara = as_person("cara")
    maotai = world.customer_id("maotai")
    hints = cara.post("/customers/duplicates", data={"name": "贵州茅台"}).text
    assert "安娜" in hints
    assert f"/customers/{maotai}" not in hints
    assert f"/customers/{maotai}" in as_person("anna").post("/customers/duplicates", data={"name": "贵州茅台"}).text
    form = {"party": "organisation", "kind": "dealer", "name": "贵州茅台", "phone": ""}
    page = cara.post("/customers/new", data=form)
    assert "This customer may exist already" in page.text
    assert db.session.scalar(select(func.count()).where(Customer.name == "贵州茅台")) == 1
    assert cara.post("/customers/new", data=form | {"confirmed_duplicates": "1"}).status_code == 302
    assert db.session.scalar(select(func.count()).where(Customer.name == "贵州茅台")) == 2
    assert as_person("admin").post("/customers/duplicates", data={"name": "贵州茅台"}).status_code == 403
