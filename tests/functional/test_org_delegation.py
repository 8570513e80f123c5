"""Delegation: the pure rules under random input, and the pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.core import clock
from portal.core.errors import Invalid, NotAllowed, NotFound
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org import delegation as rules
from portal.org import queries, services
from portal.org.delegation import Grant, Scope
from portal.org.models import Delegation, User
from portal.org.services import DelegationInput
from tests.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = ("a", "b", "c")

scopes = st.builds(
    Scope,
    st.none() | st.frozensets(st.sampled_from(KINDS), min_size=1),
    st.none() | st.frozensets(st.integers(1, 4), min_size=1),
)


@st.composite
def grants(draw: st.DrawFn, people: int = 4) -> Grant:
    delegator = draw(st.integers(1, people))
    delegate = draw(st.integers(1, people).filter(lambda number: number != delegator))
    begin = draw(st.integers(0, 9))
    end = draw(st.integers(begin + 1, 10))
    return Grant(
        draw(st.integers(1, 10_000)),
        delegator,
        delegate,
        START + timedelta(days=begin),
        START + timedelta(days=end),
        draw(scopes),
    )


@given(scopes, scopes)
def test_scopes_overlap_exactly_when_a_request_is_in_both(first: Scope, second: Scope) -> None:
    both = any(
        first.covers(kind, department) and second.covers(kind, department)
        for kind in KINDS
        for department in range(1, 5)
    )
    assert first.overlaps(second) == both
    assert first.overlaps(second) == second.overlaps(first)


@given(scopes)
def test_scope_survives_the_table(scope: Scope) -> None:
    assert rules.scope_from_text(*rules.scope_to_text(scope)) == scope


def _leads_back(present: list[Grant], kind: str) -> bool:
    """Slow reference: with the grants of one moment and one kind, is there a way round?"""
    edges = {
        (grant.delegator_id, grant.delegate_id)
        for grant in present
        if grant.scope.kinds is None or kind in grant.scope.kinds
    }
    reach = set(edges)
    for _step in range(5):
        reach |= {(a, d) for a, b in reach for c, d in edges if b == c}
    return any(a == b for a, b in reach)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(grants(), max_size=7, unique_by=lambda grant: grant.id))
def test_accepted_delegations_never_make_a_circle_and_never_overlap(offered: list[Grant]) -> None:
    accepted: list[Grant] = []
    for grant in offered:
        if not rules.first_overlap(grant, accepted) and not rules.closes_circle(grant, accepted):
            accepted.append(grant)
    for half_day in range(21):
        moment = START + timedelta(hours=12 * half_day)
        present = [grant for grant in accepted if grant.active(moment)]
        assert rules.usable(accepted, moment) == present
        for kind in KINDS:
            assert not _leads_back(present, kind)
            for department in range(1, 5):
                owners = [grant.delegator_id for grant in present if grant.scope.covers(kind, department)]
                assert len(owners) == len(set(owners)), "two delegates for one request"


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(grants(), max_size=7, unique_by=lambda grant: grant.id), st.integers(0, 9))
def test_circles_that_came_otherwise_are_not_used(stored: list[Grant], day: int) -> None:
    moment = START + timedelta(days=day, hours=1)
    usable = rules.usable(stored, moment)
    assert all(grant.active(moment) for grant in usable)
    for kind in KINDS:
        assert not _leads_back(usable, kind)


def test_only_a_real_circle_is_refused() -> None:
    def grant(number: int, a: int, b: int, begin: int, end: int, *kinds: str) -> Grant:
        scope = Scope(frozenset(kinds) or None)
        return Grant(number, a, b, START + timedelta(days=begin), START + timedelta(days=end), scope)

    chain = [grant(1, 1, 2, 0, 10), grant(2, 2, 3, 0, 10, "a")]
    assert rules.closes_circle(grant(9, 3, 1, 0, 10), chain)
    assert rules.closes_circle(grant(9, 3, 1, 9, 12, "a"), chain)
    assert not rules.closes_circle(grant(9, 3, 1, 10, 12), chain), "the window has no moment in common"
    assert not rules.closes_circle(grant(9, 3, 1, 0, 10, "b"), chain), "no kind in common"
    assert not rules.closes_circle(grant(9, 3, 4, 0, 10), chain)


# ---- service and pages ---------------------------------------------------------------------------------------------


def plan(world: World, delegate: str, begin: int = 0, end: int = 7, **more: object) -> DelegationInput:
    now = clock.now()
    fields: dict[str, object] = {"reason": "leave", **more}
    return DelegationInput(
        world.user(delegate).id,
        now + timedelta(days=begin),
        now + timedelta(days=end),
        **fields,  # type: ignore[arg-type]
    )


def create(world: World, head: str, data: DelegationInput) -> Delegation:
    with transaction():
        return services.create_delegation(data, world.actor(head))


def refusal(world: World, head: str, data: DelegationInput) -> str:
    with pytest.raises(Invalid) as refused:
        create(world, head, data)
    db.session.rollback()
    return refused.value.errors[0][0]


def stand_ins(at: datetime) -> list[tuple[str, str]]:
    """Who stands in for whom at a moment, by log-in names: (delegator, delegate)."""
    names = {row.id: row.login for row in db.session.execute(select(User.id, User.login))}
    return sorted((names[grant.delegator_id], names[grant.delegate_id]) for grant in queries.active_delegations(at))


def test_delegate_decides_while_the_window_is_open(world: World) -> None:
    now = clock.now()
    with clock.frozen(now):
        create(world, "hanna", plan(world, "ben", 1, 3))
    assert stand_ins(now) == []
    assert stand_ins(now + timedelta(days=2)) == [("hanna", "ben")]
    assert stand_ins(now + timedelta(days=3)) == [], "the end is not part of it"


def test_one_level_deep(world: World) -> None:
    create(world, "hugo", plan(world, "hanna"))
    create(world, "hanna", plan(world, "ben"))
    assert stand_ins(clock.now() + timedelta(days=1)) == [("hanna", "ben"), ("hugo", "hanna")]


def test_revoking_works_at_once(world: World) -> None:
    made = create(world, "hanna", plan(world, "ben")).id
    with pytest.raises(NotFound), transaction():
        services.revoke_delegation(made, world.actor("cara"))
    with transaction():
        services.revoke_delegation(made, world.actor("hanna"))
    assert queries.active_delegations(clock.now() + timedelta(days=1)) == []
    assert create(world, "hanna", plan(world, "anna")).id != made


def test_refused_delegations(world: World) -> None:
    assert refusal(world, "hanna", plan(world, "hanna")) == "delegate_id"
    assert refusal(world, "hanna", plan(world, "ben", 3, 3)) == "ends_at"
    assert refusal(world, "hanna", plan(world, "ben", -5, -1)) == "ends_at"
    assert refusal(world, "hanna", plan(world, "ben", 0, 500)) == "ends_at"
    assert refusal(world, "hanna", plan(world, "ben", reason=" ")) == "reason"
    assert refusal(world, "hanna", plan(world, "ben", kinds=("no.such",))) == "kinds"
    two = world.department("two").id
    assert refusal(world, "hanna", plan(world, "ben", departments=(two,))) == "departments"
    create(world, "hugo", plan(world, "hector", departments=(two,)))
    create(world, "hugo", plan(world, "hanna", departments=(world.department("one").id,)))
    assert refusal(world, "hugo", plan(world, "anna", departments=(two,))) == "begins_at"
    assert refusal(world, "hanna", plan(world, "hugo")) == "delegate_id", "a circle"


def test_second_account_of_the_head_is_no_delegate(world: World) -> None:
    with transaction():
        world.user("ben").person_key = world.user("hanna").person_key
    assert refusal(world, "hanna", plan(world, "ben")) == "delegate_id"


def test_only_heads_delegate(client: FlaskClient, world: World) -> None:
    with pytest.raises(NotAllowed):
        create(world, "anna", plan(world, "ben"))
    with pytest.raises(NotAllowed):
        create(world, "admin", plan(world, "ben"))


def test_head_delegates_and_revokes_by_page(client: FlaskClient, world: World) -> None:
    world.login(client, "hanna")
    form = {"delegate_id_text": "ben", "begins_at": "2099-05-01T09:00", "ends_at": "2099-05-08T09:00", "reason": "年假"}
    kinds = [kind.key for kind in registry("approval_kinds")]
    if kinds:
        form["kinds"] = kinds[0]
    assert client.post("/delegations/new", data=form).status_code == 302
    page = client.get("/delegations").text
    assert "贝宁" in page
    assert "2099-05-01 09:00" in page, "the organisation's time"
    again = client.post("/delegations/new", data=form)
    assert again.status_code == 400
    assert 'id="begins_at-error"' in again.text
    found = re.search(r"/delegations/(\d+)/revoke", page)
    assert found
    client.post(found.group(0))
    assert "Revoked" in client.get("/delegations").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("begins_at", "0203-01-01T00:00"), ("begins_at", "soon"), ("ends_at", "2026-13-45"), ("departments", "x"),
     ("departments", "999"), ("kinds", "nothing.like.it"), ("delegate_id_text", "Niemand"), ("reason", "")],
)  # fmt: skip
def test_bad_input_on_the_page(client: FlaskClient, world: World, field: str, value: str) -> None:
    world.login(client, "hanna")
    form = {"delegate_id_text": "ben", "begins_at": "2099-05-01T09:00", "ends_at": "2099-05-08T09:00", "reason": "年假"}
    answer = client.post("/delegations/new", data={**form, field: value})
    assert answer.status_code == 400
    name = field.removesuffix("_text")
    assert f'id="{name}-error"' in answer.text
