"""Account teams: sight for a time, what is told, what happens when somebody leaves; the stakeholder map."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from werkzeug.datastructures import MultiDict

from plugins.key_accounts.stakeholders import services as stakeholders
from plugins.key_accounts.stakeholders.chart import BOX_WIDTH, chain, layout, would_loop
from plugins.key_accounts.stakeholders.models import StakeholderChange
from plugins.key_accounts.stakeholders.services import StakeholderInput
from plugins.key_accounts.team import channels, experts, queries, services
from plugins.key_accounts.team.models import AccountTeam, Channel, TeamMember
from plugins.key_accounts.team.services import MemberInput, TeamInput
from portal.core import clock
from portal.core.errors import Invalid, NotAllowed, NotFound
from portal.core.permissions import can, decide, holders, visible
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.customers.inputs import ContactInput, InteractionInput
from portal.customers.models import Contact, Customer
from portal.customers.services import add_contact, record_interaction
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.services import LeavingInput, deactivate_person
from tests.world import World

pytestmark = pytest.mark.db


def join(world: World, person: str = "cara", customer: str = "maotai", first: int = 0, last: int = 30) -> int:
    today = clock.today()
    data = MemberInput(
        world.user(person).id, "technical", today + timedelta(first), today + timedelta(last), "选型与调试"
    )
    with transaction():
        return int(services.add_member(world.customer_id(customer), data, world.actor("anna")).id)


def contact(world: World, name: str, customer: str = "maotai") -> int:
    with transaction():
        return int(add_contact(world.customer_id(customer), ContactInput(name), world.actor("anna")).id)


def test_a_member_sees_the_customer_while_he_is_a_member_and_not_longer(app: Flask, world: World) -> None:
    cara, customer = world.actor("cara"), world.customer_id("maotai")
    assert not can(cara, "customers.view", customer)
    member_id = join(world)
    assert can(cara, "customers.view", customer)
    assert not can(cara, "customers.edit", customer)
    assert [reason.key for reason in decide(cara, "customers.view", customer).reasons] == ["account_team"]
    client = world.login(app.test_client(), "cara")
    assert client.get(f"/customers/{customer}").status_code == 200
    assert client.get(f"/key-accounts/customers/{customer}/team").status_code == 200
    notices = db.session.scalars(select(Notice).where(Notice.user_id == world.user("cara").id)).all()
    assert [notice.kind for notice in notices] == ["key_accounts.team"]
    with clock.frozen(clock.now() + timedelta(days=31)):
        db.session.rollback()
        db.session().info.clear()
        assert not can(cara, "customers.view", customer)
    with transaction():
        services.end_member(member_id, "项目结束", world.actor("anna"))
        assert not can(cara, "customers.view", customer)
    assert client.get(f"/customers/{customer}").status_code == 403


def test_membership_that_begins_later_opens_nothing_today(world: World) -> None:
    join(world, first=1, last=5)
    assert not can(world.actor("cara"), "customers.view", world.customer_id("maotai"))


def test_lists_single_checks_and_holders_agree_with_teams(app: Flask, world: World) -> None:
    join(world, "cara", "maotai")
    join(world, "nora", "wuliang")
    join(world, "ben", "maotai", first=2, last=4)
    join(world, "hanna", "maotai")
    every = list(db.session.scalars(select(Customer.id)))
    listing = registry("listings")["customers"]
    for login in ("anna", "ben", "cara", "nora", "hanna", "hector", "boss", "audrey"):
        actor = world.actor(login)
        rows = set(db.session.scalars(select(Customer.id).where(visible(actor, "customers.view"))))
        assert rows == {key for key in every if can(actor, "customers.view", key)}, login
        assert rows == {row.id for row in db.session.execute(listing.statement(actor, MultiDict()))}, login
        assert rows == {key for key in every if actor.user_id in holders("customers.view", key)}, login
    with app.test_request_context():
        shown = listing.page(world.actor("cara"), MultiDict())
    assert len(shown.rows) == len({row.id for row in shown.rows}) == 2


def test_people_without_a_team_cost_one_statement_and_keep_their_conditions(world: World) -> None:
    db.session.rollback()
    db.session().info.clear()
    actor = world.actor("hanna")
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for _round in range(3):
        condition = visible(actor, "customers.view")
    assert len([sql for sql in asked if "key_accounts_team_member" in sql]) == 1
    assert "key_accounts" not in str(condition)
    assert "customer.id" not in str(condition)


def test_only_who_may_change_the_customer_forms_its_team(world: World) -> None:
    today = clock.today()
    data = MemberInput(world.user("ben").id, "service", today, today)
    with pytest.raises(NotAllowed), transaction():
        services.add_member(world.customer_id("maotai"), data, world.actor("ben"))
    join(world)
    with pytest.raises(NotAllowed), transaction():
        services.add_member(world.customer_id("maotai"), data, world.actor("cara"))
    with pytest.raises(Invalid) as refused, transaction():
        services.add_member(
            world.customer_id("maotai"), MemberInput(world.user("cara").id, "x", today, None), world.actor("anna")
        )
    assert {field for field, _text in refused.value.errors} == {"role", "valid_until"}
    with pytest.raises(Invalid), transaction():  # the same days again
        services.add_member(
            world.customer_id("maotai"), MemberInput(world.user("cara").id, "other", today, today), world.actor("anna")
        )


def test_complaints_never_go_to_the_account_manager(world: World) -> None:
    customer, anna = world.customer_id("maotai"), world.actor("anna")
    with pytest.raises(Invalid), transaction():
        services.set_team(customer, TeamInput(complaint_id=anna.user_id), anna)
    with pytest.raises(Invalid), transaction():
        services.set_team(customer, TeamInput(sponsor_id=world.user("ben").id), anna)
    told = TeamInput(world.user("boss").id, world.user("hanna").id, clock.today(), "拜访时当面告知")
    with transaction():
        services.set_team(customer, told, anna)
    assert queries.team_of(customer).told_on == clock.today()  # type: ignore[union-attr]
    with transaction():
        services.set_team(customer, TeamInput(None, world.user("dora").id, clock.today(), "x"), anna)
    assert queries.team_of(customer).told_on is None  # type: ignore[union-attr]


def test_when_somebody_leaves_his_offices_pass_on_and_the_account_manager_is_told(world: World) -> None:
    customer, anna = world.customer_id("maotai"), world.actor("anna")
    member_id = join(world, "carl")
    told = TeamInput(None, world.user("carl").id, clock.today(), "信函")
    person = contact(world, "周总工")
    with transaction():
        services.set_team(customer, told, anna)
        channels.add_channel(customer, "technical", world.user("carl").id, person, "工艺", anna)
    with transaction():
        deactivate_person(world.user("carl").id, LeavingInput(world.user("cara").id), world.actor("admin"))
    member = db.session.get_one(TeamMember, member_id)
    assert member.ended_at is not None
    team = db.session.scalars(select(AccountTeam)).one()
    assert (team.complaint_id, team.told_on) == (world.user("cara").id, None)
    assert db.session.scalars(select(Channel.user_id)).one() == world.user("cara").id
    titles = db.session.scalars(select(Notice.kind).where(Notice.user_id == anna.user_id)).all()
    assert "key_accounts.team" in titles
    assert queries.in_force(queries.members_of(customer), clock.today()) == []


def test_a_channel_knows_its_last_contact(world: World) -> None:
    customer, anna = world.customer_id("maotai"), world.actor("anna")
    person, other = contact(world, "周总工"), contact(world, "吴经理")
    with transaction():
        channels.add_channel(customer, "technical", anna.user_id, person, "", anna)
        channels.add_channel(customer, "management", world.user("boss").id, other, "", anna)
        at = clock.now() - timedelta(days=2)
        record_interaction(customer, InteractionInput("visit", at, subject="试机", contact_ids=(person, other)), anna)
    found = {line.theirs: line.last_at for line in queries.channels_of(customer)}
    assert found == {"周总工": at, "吴经理": None}


def test_skills_are_found_by_words(app: Flask, world: World) -> None:
    ben = world.actor("ben")
    with transaction():
        experts.set_skills(ben.user_id or 0, [("润滑工艺", 3, "十年"), ("英语", 1, "")], ben)
    with pytest.raises(NotAllowed), transaction():
        experts.set_skills(ben.user_id or 0, [], world.actor("cara"))
    assert [row.id for row in queries.experts("润滑", None)] == [ben.user_id]
    client = world.login(app.test_client(), "anna")
    assert "润滑工艺" in client.get("/key-accounts/experts?q=润滑").text
    assert client.get(f"/key-accounts/experts/{ben.user_id}").status_code == 404


# ---- stakeholders --------------------------------------------------------------------------------------------------


def test_reporting_lines_make_no_circle_and_changes_are_kept(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    chief, head, clerk = (contact(world, name) for name in ("陈总", "李部长", "王工"))
    foreign = contact(world, "外人", "wuliang")
    with transaction():
        stakeholders.judge(chief, StakeholderInput(5, 1), anna)
        stakeholders.judge(head, StakeholderInput(4, 0, chief), anna)
        stakeholders.judge(clerk, StakeholderInput(2, -1, head, "关心交期"), anna)
    with pytest.raises(Invalid) as refused, transaction():
        stakeholders.judge(chief, StakeholderInput(5, 1, clerk), anna)
    assert "王工" in str(refused.value)
    for superior in (chief, foreign, 987654):
        with pytest.raises(Invalid), transaction():
            stakeholders.judge(chief, StakeholderInput(5, 1, superior), anna)
    with pytest.raises(NotFound), transaction():
        stakeholders.judge(chief, StakeholderInput(1, 1), world.actor("cara"))
    with transaction():
        stakeholders.judge(head, StakeholderInput(4, -2, chief), anna)
        stakeholders.judge(head, StakeholderInput(4, -2, chief), anna)
    assert db.session.get_one(Contact, head).attitude == -2
    assert len(db.session.scalars(select(StakeholderChange)).all()) == 4
    client = world.login(app.test_client(), "anna")
    page = client.get(f"/key-accounts/customers/{world.customer_id('maotai')}/stakeholders").text
    assert page.count('<path class="line"') == 2
    assert "关心交期" in page
    empty = client.get(f"/key-accounts/customers/{world.customer_id('wuliang')}/stakeholders")
    assert empty.status_code == 200


people = st.dictionaries(st.integers(1, 8), st.one_of(st.none(), st.integers(1, 9)), min_size=1)


@settings(deadline=None)
@given(superiors=people)
def test_the_picture_places_everybody_once_and_nobody_on_another(superiors: dict[int, int | None]) -> None:
    keys = sorted(superiors)
    tree = layout(keys, superiors)
    assert [box.key for box in tree.boxes] == keys
    places = sorted((box.y, box.x) for box in tree.boxes)
    for (y, x), (next_y, next_x) in itertools.pairwise(places):
        assert y != next_y or next_x - x >= BOX_WIDTH
    for box in tree.boxes:
        assert 0 <= box.x <= tree.width - BOX_WIDTH
        if box.parent is not None:
            assert next(other for other in tree.boxes if other.key == box.parent).y < box.y


@settings(deadline=None)
@given(superiors=people, person=st.integers(1, 8), superior=st.integers(1, 9))
def test_a_circle_is_what_leads_back(superiors: dict[int, int | None], person: int, superior: int) -> None:
    loops = would_loop(superiors, person, superior)
    after = {**superiors, person: superior}
    walked = chain(after, person)
    closed = bool(walked) and after.get(walked[-1]) is not None
    assert loops == (person == superior or closed)
