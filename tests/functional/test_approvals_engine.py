"""The engine: decisions happen once, only by whom they may, and every point of the life of a request."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from portal.approvals import deciding, jobs, presenting, queries, services
from portal.approvals.models import (
    ApprovalCopy,
    ApprovalDecision,
    ApprovalEvent,
    ApprovalRequest,
    ApprovalSeat,
)
from portal.approvals.services import base
from portal.audit.models import AuditEntry
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.models import Delegation, User
from tests.approvals_kinds import (
    APPLICANT_HEAD,
    EXECUTIVE,
    HEAD,
    digest,
    install,
    person,
    state,
    step,
    submit,
    vote,
)
from tests.world import World


@pytest.fixture(autouse=True)
def _kinds(app: Flask) -> None:
    install(app)


def delegate(world: World, delegator: str, to: str, **more: Any) -> int:
    """A delegation in force since yesterday."""
    now = clock.now()
    with transaction() as session:
        row = Delegation(
            delegator_id=world.user(delegator).id,
            delegate_id=world.user(to).id,
            begins_at=more.pop("begins_at", now - timedelta(days=1)),
            ends_at=more.pop("ends_at", now + timedelta(days=5)),
            created_at=now,
            created_by_id=world.user(delegator).id,
            **more,
        )
        session.add(row)
        session.flush()
        return row.id


def change(statement: str, **values: Any) -> None:
    """Change something behind the engine's back."""
    with transaction() as session:
        session.execute(text(statement), values)


def seated(request_id: int) -> set[str]:
    """Log-in names of those whose turn it is."""
    db.session.rollback()
    return set(
        db.session.scalars(
            select(User.login)
            .join(ApprovalSeat, ApprovalSeat.user_id == User.id)
            .where(ApprovalSeat.request_id == request_id, ApprovalSeat.state == "open")
        )
    )


def count(model: Any, *conditions: Any) -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0)


def decisions(request_id: int) -> int:
    return count(ApprovalDecision, ApprovalDecision.request_id == request_id)


def audited(action: str, request_id: int, result: str = "ok") -> int:
    return count(
        AuditEntry, AuditEntry.action == action, AuditEntry.object_id == request_id, AuditEntry.result == result
    )


# ---- a decision happens once ---------------------------------------------------------------------------------------


def test_the_head_approves_and_the_grant_is_made(world: World) -> None:
    request_id = submit(world.actor("anna"))
    assert seated(request_id) == {"hanna"}
    vote(request_id, world.actor("hanna"), opinion="fine")
    assert state(request_id) == "approved"
    assert audited("test:grant:approved", request_id) == 1
    assert audited("approvals:request:approve", request_id) == 1
    found = db.session.scalars(select(ApprovalDecision)).one()
    one = world.department("one").id
    assert (found.vote, found.outcome, found.authority, found.opinion) == ("approve", "approved", f"head:{one}", "fine")
    assert found.policy_version == "1"
    assert len(found.digest) == 64
    assert found.for_id is None


def test_a_failing_grant_takes_decision_state_audit_and_notice_back(world: World) -> None:
    request_id = submit(world.actor("anna"), fails="approved")
    notices = count(Notice)
    with pytest.raises(Invalid):
        vote(request_id, world.actor("hanna"))
    assert state(request_id) == "pending"
    assert decisions(request_id) == 0
    assert audited("approvals:request:approve", request_id) == 0
    assert count(Notice) == notices
    assert seated(request_id) == {"hanna"}


def test_the_same_decision_again_returns_the_first_and_writes_nothing(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen, hanna = digest(request_id), world.actor("hanna")
    first = vote(request_id, hanna, opinion="yes", seen_digest=seen)
    before = [count(model) for model in (ApprovalDecision, ApprovalEvent, AuditEntry, Notice)]
    assert vote(request_id, hanna, opinion="yes", seen_digest=seen) == first
    assert [count(model) for model in (ApprovalDecision, ApprovalEvent, AuditEntry, Notice)] == before


def test_a_different_decision_afterwards_is_a_conflict(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen, hanna = digest(request_id), world.actor("hanna")
    vote(request_id, hanna, seen_digest=seen)
    with pytest.raises(Conflict):
        vote(request_id, hanna, "reject", seen_digest=seen)
    assert state(request_id) == "approved"


def test_the_loser_is_told_who_decided_and_when(world: World) -> None:
    people = [person(world.user(login).id) for login in ("hugo", "hector")]
    request_id = submit(world.actor("anna"), step(*people, mode="any"))
    seen = digest(request_id)
    vote(request_id, world.actor("hugo"), seen_digest=seen)
    with pytest.raises(Conflict) as caught:
        vote(request_id, world.actor("hector"), seen_digest=seen)
    assert caught.value.details["decided_by"] == world.user("hugo").name
    assert caught.value.details["outcome"] == "approved"
    assert caught.value.details["decided_at"] is not None
    assert world.user("hugo").name in str(caught.value)


def test_a_changed_request_is_refused_and_shown_again(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen = digest(request_id)
    change("UPDATE org_department SET name = 'renamed' WHERE code = 'one'")
    with pytest.raises(Conflict) as caught:
        vote(request_id, world.actor("hanna"), seen_digest=seen)
    assert caught.value.details["changed"]
    assert state(request_id) == "pending"
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "approved"


def test_a_vote_for_one_step_never_counts_for_the_next(world: World) -> None:
    """A double click on the first step arrives when the second one is open for the same person."""
    request_id = submit(world.actor("anna"), step(HEAD, key="one"), step(HEAD, key="two"))
    seen, hanna = digest(request_id), world.actor("hanna")
    first = vote(request_id, hanna, seen_digest=seen)
    assert vote(request_id, hanna, seen_digest=seen) == first
    assert state(request_id) == "pending"
    assert decisions(request_id) == 1
    vote(request_id, hanna)
    assert state(request_id) == "approved"
    assert decisions(request_id) == 2


@pytest.mark.parametrize("table", ["approval_decision", "approval_event"])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
def test_decisions_and_events_are_append_only_in_the_database(world: World, table: str, statement: str) -> None:
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hanna"))
    with pytest.raises(IntegrityError, match="append-only"):
        change(statement.format(table=table))


@pytest.mark.parametrize("target", ["pending", "rejected", "withdrawn", "draft"])
def test_final_is_final_in_the_database(world: World, target: str) -> None:
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hanna"))
    with pytest.raises(IntegrityError, match="final"):
        change("UPDATE approval_request SET state = :state WHERE id = :id", state=target, id=request_id)


@pytest.mark.parametrize("target", ["approved", "rejected", "returned"])
def test_no_state_of_decision_without_a_decision_in_the_database(world: World, target: str) -> None:
    request_id = submit(world.actor("anna"))
    with pytest.raises(IntegrityError, match="no such decision"):
        change("UPDATE approval_request SET state = :state WHERE id = :id", state=target, id=request_id)


def test_a_filed_request_is_not_edited_even_in_the_database(world: World) -> None:
    request_id = submit(world.actor("anna"))
    for column, value in (("payload", "{}"), ("title", "x"), ("applicant_id", world.user("ben").id)):
        with pytest.raises(IntegrityError, match="not edited"):
            change(f"UPDATE approval_request SET {column} = :value WHERE id = :id", value=value, id=request_id)
    with pytest.raises(IntegrityError, match="kept"):
        change("DELETE FROM approval_request WHERE id = :id", id=request_id)
    with pytest.raises(Conflict), transaction():
        services.update_draft(request_id, world.actor("anna"), title="other")


def test_one_final_decision_per_round_and_one_vote_per_person_in_the_database(world: World) -> None:
    people = [person(world.user(login).id) for login in ("hugo", "hector")]
    request_id = submit(world.actor("anna"), step(*people, mode="all"))
    vote(request_id, world.actor("hugo"))
    row = db.session.scalars(select(ApprovalDecision)).one()
    columns = "request_id, step_id, vote, by_id, person, authority, opinion, policy_version, digest, decided_at"
    seat = db.session.scalars(select(ApprovalSeat.id).where(ApprovalSeat.state == "open")).one()
    change("UPDATE approval_seat SET user_id = :hugo WHERE id = :seat", hugo=row.by_id, seat=seat)
    with pytest.raises(IntegrityError):
        change(
            f"INSERT INTO approval_decision (seat_id, outcome, {columns}) "
            f"SELECT :seat, '', {columns} FROM approval_decision WHERE id = :id",
            seat=seat,
            id=row.id,
        )


# ---- withdraw, expire ----------------------------------------------------------------------------------------------


def test_the_applicant_withdraws_and_nobody_decides_any_more(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen = digest(request_id)
    with transaction():
        services.withdraw(request_id, world.actor("anna"), reason="wrong customer")
    assert state(request_id) == "withdrawn"
    assert audited("test:grant:withdrawn", request_id) == 1
    with pytest.raises(Conflict) as caught:
        vote(request_id, world.actor("hanna"), seen_digest=seen)
    assert caught.value.details["outcome"] == "withdrawn"


def test_after_approval_the_applicant_cannot_withdraw(world: World) -> None:
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hanna"))
    with pytest.raises(Conflict), transaction():
        services.withdraw(request_id, world.actor("anna"))


def test_others_cannot_withdraw(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with pytest.raises(NotAllowed), transaction():
        services.withdraw(request_id, world.actor("hanna"))
    with pytest.raises(NotFound), transaction():
        services.withdraw(request_id, world.actor("carl"))


def test_the_deadline_holds_with_the_scheduler_dead(world: World) -> None:
    """On the database's own clock: no job has run, and the clock of the application is not asked."""
    request_id = submit(world.actor("anna"))
    past = clock.now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(
            ApprovalRequest.__table__.update().where(ApprovalRequest.id == request_id).values(expires_at=past)
        )
    with pytest.raises(Conflict) as caught:
        vote(request_id, world.actor("hanna"))
    assert caught.value.details["outcome"] == "expired"
    assert queries.inbox_count(world.actor("hanna")) == 0
    with pytest.raises(Conflict), transaction():
        services.withdraw(request_id, world.actor("anna"))
    jobs.run_deadlines()
    assert state(request_id) == "expired"
    assert audited("test:grant:expired", request_id) == 1
    assert audited("test:grant:approved", request_id) == 0


def test_a_kind_whose_plugin_was_off_when_a_request_ended_reacts_once_it_is_on_again(app: Flask, world: World) -> None:
    anna, kinds = world.actor("anna"), app.extensions["portal_approval_kinds"]
    expired, again, withdrawn, cancelled, stuck = (
        submit(anna, fails="expired" if number == 4 else "") for number in range(5)
    )
    change("UPDATE approval_request SET expires_at = created_at WHERE id IN (:a, :b, :c)", a=expired, b=again, c=stuck)
    off = kinds._items.pop("test.plain")
    jobs.run_deadlines()
    with transaction():
        services.withdraw(withdrawn, anna)
        services.cancel(cancelled, world.actor("admin"), reason="gone")
    ends = {expired: "expired", withdrawn: "withdrawn", cancelled: "cancelled"}
    assert {request_id: state(request_id) for request_id in ends} == ends
    assert jobs.run_deadlines()["caught_up"] == 0
    assert sum(audited(f"test:grant:{end}", request_id) for request_id, end in ends.items()) == 0
    kinds._items["test.plain"] = off
    # Filed again before the job has run: the reaction to the old end comes before the new beginning, and once.
    with transaction():
        services.resubmit(again, anna, token="once more")
    assert audited("test:grant:expired", again) == 1
    for _time in range(2):
        counts = jobs.run_deadlines()
        assert counts["failed"] == 1  # the one that its plugin cannot handle is tried again and stops no other
    assert [audited(f"test:grant:{end}", request_id) for request_id, end in ends.items()] == [1, 1, 1]
    assert audited("test:grant:expired", again) == 1
    assert audited("test:grant:expired", stuck) == 0
    page = [entry.title for entry in presenting.timeline(queries.events_of([expired]), {})]
    assert page[-2:] == [
        "What follows waits: the plugin is switched off",
        "What follows was made up for: the plugin is on again",
    ]


def test_what_was_asked_for_anew_meanwhile_is_left_alone(app: Flask, world: World) -> None:
    anna, kinds = world.actor("anna"), app.extensions["portal_approval_kinds"]
    old = submit(anna, subject_id=77_001)
    off = kinds._items.pop("test.plain")
    with transaction():
        services.withdraw(old, anna)
    kinds._items["test.plain"] = off
    submit(anna, subject_id=77_001)
    assert jobs.run_deadlines()["caught_up"] == 1
    assert audited("test:grant:withdrawn", old) == 0
    assert jobs.run_deadlines()["caught_up"] == 0


def test_nothing_expires_early(world: World) -> None:
    request_id = submit(world.actor("anna"))
    assert services.overdue_ids() == []
    with pytest.raises(Conflict), transaction():
        services.expire(request_id)
    assert state(request_id) == "pending"


# ---- who may decide ------------------------------------------------------------------------------------------------


def test_a_head_who_applies_goes_to_the_head_above(world: World) -> None:
    request_id = submit(world.actor("hanna"))
    assert seated(request_id) == {"hugo"}  # not dora, her deputy and subordinate


def test_the_deputy_there_decides_when_the_head_above_is_missing(world: World) -> None:
    change(
        "UPDATE org_department SET head_id = NULL, deputy_id = :carl WHERE code = 'sales'", carl=world.user("carl").id
    )
    request_id = submit(world.actor("hanna"))
    assert seated(request_id) == {"carl"}
    vote(request_id, world.actor("carl"))
    assert state(request_id) == "approved"


def test_a_department_without_active_head_passes_to_the_one_above(world: World) -> None:
    change("UPDATE org_user SET is_active = :no WHERE login = 'hector'", no=False)
    assert seated(submit(world.actor("cara"))) == {"hugo"}


def test_nobody_up_to_the_top_means_the_fallback(world: World) -> None:
    change("UPDATE org_department SET head_id = NULL, deputy_id = NULL")
    request_id = submit(world.actor("anna"))
    assert seated(request_id) == {"boss"}  # the executive
    with transaction():
        settings.put("approvals.fallback_logins", "olga arne", None)
    assert seated(submit(world.actor("anna"))) == {"olga", "arne"}


def test_nobody_at_all_means_held_with_an_alarm_never_approved(world: World) -> None:
    change("UPDATE org_department SET head_id = NULL, deputy_id = NULL")
    with transaction():
        settings.put("approvals.fallback_role", "", None)
    request_id = submit(world.actor("anna"))
    found = db.session.get_one(ApprovalRequest, request_id)
    assert found.state == "pending"
    assert found.held_since is not None
    admin = world.user("admin").id
    assert count(Notice, Notice.user_id == admin, Notice.kind == "approvals.alarm") == 1
    jobs.run_deadlines()
    assert state(request_id) == "pending"
    assert decisions(request_id) == 0
    change("UPDATE org_department SET head_id = :olga WHERE code = 'sales'", olga=world.user("olga").id)
    jobs.run_deadlines()
    assert seated(request_id) == {"olga"}
    assert db.session.get_one(ApprovalRequest, request_id).held_since is None


@pytest.mark.parametrize("role", ["applicant", "beneficiary", "typist"])
def test_a_party_never_decides(world: World, role: str) -> None:
    hugo = world.user("hugo").id
    route = [step(person(hugo))]
    if role == "applicant":
        request_id = submit(world.actor("hugo"), *route)
    elif role == "beneficiary":
        request_id = submit(world.actor("anna"), *route, beneficiary_ids=[hugo])
    else:
        request_id = submit(world.actor("hugo"), *route, on_behalf_of=world.user("anna").id)
    assert "hugo" not in seated(request_id)
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("hugo"))
    assert state(request_id) == "pending"


def test_a_second_account_of_the_applicant_is_the_applicant(world: World) -> None:
    change("UPDATE org_user SET person_key = 'person-hector' WHERE login = 'hugo'")
    request_id = submit(world.actor("hugo"), step(person(world.user("hector").id)))
    assert "hector" not in seated(request_id)
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("hector"))


def test_an_approver_who_stands_in_for_the_applicant_since_then_is_passed_over(world: World) -> None:
    """The head above sits there; then the head who applied delegates to him: the next level up decides, on record."""
    request_id = submit(world.actor("hanna"))
    assert seated(request_id) == {"hugo"}
    delegate(world, "hanna", "hugo")
    with transaction():
        assert services.follow_changes(request_id, services.SYSTEM)
    assert seated(request_id) == {"boss"}
    assert audited("approvals:request:reroute", request_id) == 1
    vote(request_id, world.actor("boss"))
    assert state(request_id) == "approved"


def test_a_second_account_of_the_applicants_delegate_does_not_decide(world: World) -> None:
    change("UPDATE org_user SET person_key = 'person-hector' WHERE login IN ('hector', 'hugo')")
    request_id = submit(world.actor("hanna"))
    delegate(world, "hanna", "hector")
    with pytest.raises((NotAllowed, Conflict)):
        vote(request_id, world.actor("hugo"))


def test_a_second_account_has_no_second_vote(world: World) -> None:
    change("UPDATE org_user SET person_key = 'person-hector' WHERE login = 'hugo'")
    people = [person(world.user(login).id) for login in ("hugo", "hector")]
    request_id = submit(world.actor("anna"), step(*people, mode="all"))
    vote(request_id, world.actor("hugo"))
    with pytest.raises(Conflict):
        vote(request_id, world.actor("hector"))
    assert decisions(request_id) == 1


def test_the_delegate_of_the_applicant_does_not_decide(world: World) -> None:
    """The delegation begins after the seat was frozen: refused at the moment of the decision."""
    request_id = submit(world.actor("hanna"), step(person(world.user("hector").id)))
    assert seated(request_id) == {"hector"}
    delegate(world, "hanna", "hector")
    with pytest.raises(NotAllowed):
        vote(request_id, world.actor("hector"))


def _raw_decision(request_id: int, by: int, for_id: int | None = None) -> None:
    """A decision inserted with raw SQL, in a seat made to fit: the checks of the code are bypassed."""
    seat = db.session.scalars(select(ApprovalSeat).where(ApprovalSeat.request_id == request_id)).first()
    assert seat is not None
    values = {"seat": seat.id, "step": seat.step_id, "request": request_id, "by": by, "for_id": for_id}
    db.session.rollback()
    change("UPDATE approval_seat SET user_id = :user WHERE id = :seat", user=for_id or by, seat=values["seat"])
    with transaction() as session:
        session.execute(
            ApprovalDecision.__table__.insert().values(
                request_id=request_id,
                step_id=values["step"],
                seat_id=values["seat"],
                vote="approve",
                outcome="approved",
                by_id=by,
                for_id=for_id,
                person="somebody",
                authority="none",
                opinion="",
                policy_version="1",
                digest="0" * 64,
                decided_at=clock.now(),
            )
        )


def test_the_database_refuses_a_decision_on_ones_own_request(world: World) -> None:
    anna, ben, hanna = (world.user(login).id for login in ("anna", "ben", "hanna"))
    request_id = submit(world.actor("anna"), beneficiary_ids=[ben])
    for by, for_id in ((anna, None), (ben, None), (hanna, anna), (anna, hanna)):
        with pytest.raises(IntegrityError, match="own request"):
            _raw_decision(request_id, by, for_id)
    typed = submit(world.actor("hugo"), on_behalf_of=anna)
    with pytest.raises(IntegrityError, match="own request"):
        _raw_decision(typed, world.user("hugo").id)
    change("UPDATE org_user SET person_key = 'person-anna' WHERE login = 'carl'")
    with pytest.raises(IntegrityError, match="own request"):
        _raw_decision(request_id, world.user("carl").id)
    delegate(world, "anna", "cara")
    with pytest.raises(IntegrityError, match="delegate of a party"):
        _raw_decision(request_id, world.user("cara").id)
    _raw_decision(request_id, hanna)  # the statement itself is sound


def test_the_database_refuses_a_decision_without_an_open_seat(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.withdraw(request_id, world.actor("anna"))
    with pytest.raises(IntegrityError, match="no open seat"):
        _raw_decision(request_id, world.user("hanna").id)


def test_beneficiaries_are_fixed_once_filed(world: World) -> None:
    request_id = submit(world.actor("anna"), beneficiary_ids=[world.user("ben").id])
    with pytest.raises(IntegrityError, match="beneficiaries"):
        change("DELETE FROM approval_beneficiary WHERE request_id = :id", id=request_id)


@pytest.mark.parametrize(
    "loss",
    [
        "UPDATE org_department SET head_id = NULL WHERE code = 'one'",
        "UPDATE org_user SET is_active = :no WHERE login = 'hanna'",
        "UPDATE org_department SET is_active = :no WHERE code = 'one'",
    ],
)
def test_authority_is_checked_at_the_moment_of_the_decision(world: World, loss: str) -> None:
    request_id = submit(world.actor("anna"))
    hanna = world.actor("hanna")
    change(loss, **({"no": False} if ":no" in loss else {}))
    with pytest.raises(NotAllowed):
        vote(request_id, hanna)
    assert decisions(request_id) == 0


def test_a_role_that_was_taken_away_gives_no_authority(world: World) -> None:
    request_id = submit(world.actor("anna"), step(EXECUTIVE))
    boss = world.actor("boss")
    change("DELETE FROM org_user_role WHERE role = 'executive'")
    with pytest.raises(NotAllowed):
        vote(request_id, boss)


def test_administrators_reassign_but_never_decide(world: World) -> None:
    request_id = submit(world.actor("anna"))
    admin = world.actor("admin")
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, admin)
    hanna = world.user("hanna").id
    for wrong in ("admin", "anna"):
        with pytest.raises(Invalid), transaction():
            services.reassign(request_id, admin, to_user_id=world.user(wrong).id, reason="x", from_user_id=hanna)
    with pytest.raises(NotAllowed), transaction():
        services.reassign(request_id, world.actor("hugo"), to_user_id=hanna, reason="x", from_user_id=hanna)
    with transaction():
        services.reassign(request_id, admin, to_user_id=world.user("hector").id, reason="on leave", from_user_id=hanna)
    assert seated(request_id) == {"hector"}
    with pytest.raises((NotAllowed, Conflict)):
        vote(request_id, world.actor("hanna"))
    vote(request_id, world.actor("hector"))
    assert state(request_id) == "approved"
    assert audited("approvals:request:reassign", request_id) == 1


# ---- the organisation changes --------------------------------------------------------------------------------------


def test_the_applicant_changes_department_and_the_request_follows(world: World) -> None:
    request_id = submit(world.actor("anna"), step(APPLICANT_HEAD))
    assert seated(request_id) == {"hanna"}
    change("UPDATE org_user SET department_id = :two WHERE login = 'anna'", two=world.department("two").id)
    hanna = world.actor("hanna")
    with pytest.raises(NotAllowed):  # refused even before anything was rerouted
        vote(request_id, hanna)
    jobs.run_deadlines()
    assert seated(request_id) == {"hector"}
    assert count(ApprovalEvent, ApprovalEvent.request_id == request_id, ApprovalEvent.what == "rerouted") == 1
    assert audited("approvals:request:reroute", request_id) == 1
    vote(request_id, world.actor("hector"))
    assert state(request_id) == "approved"


def test_the_customer_changes_department_and_the_request_follows(world: World) -> None:
    customer = world.customer_id("maotai")
    request_id = submit(world.actor("anna"), customer_id=customer)
    assert seated(request_id) == {"hanna"}
    change("UPDATE customer SET department_id = :two WHERE id = :id", two=world.department("two").id, id=customer)
    with transaction():
        services.follow_customer(customer, world.actor("admin"))
    assert seated(request_id) == {"hector"}


def test_an_attempt_reroutes_first_and_keeps_that(world: World) -> None:
    request_id = submit(world.actor("anna"), step(APPLICANT_HEAD))
    change("UPDATE org_user SET department_id = :two WHERE login = 'anna'", two=world.department("two").id)
    hanna, seen = world.actor("hanna"), digest(request_id)
    with pytest.raises((NotAllowed, Conflict)):
        deciding.attempt(
            request_id, hanna, "approve", lambda: services.decide(request_id, hanna, vote="approve", seen_digest=seen)
        )
    assert seated(request_id) == {"hector"}
    assert audited("approvals:request:attempt", request_id, "refused") == 1


def test_who_leaves_hands_over_what_he_had_to_decide_and_his_requests_end(world: World) -> None:
    waiting = submit(world.actor("anna"))
    own = submit(world.actor("hanna"))
    change("UPDATE org_user SET is_active = :no WHERE login = 'hanna'", no=False)
    with transaction():
        services.hand_over(world.user("hanna").id, world.actor("admin"))
    assert seated(waiting) == {"hugo"}
    assert state(own) == "cancelled"
    assert audited("test:grant:cancelled", own) == 1


def test_a_changed_route_does_not_touch_open_rounds(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = submit(world.actor("anna"), step(HEAD, key="one"), step(EXECUTIVE, key="two"))
    registry = app.extensions["portal_approval_kinds"]
    changed = dataclasses.replace(registry["test.plain"], route=lambda _request: [], policy_version="2")
    monkeypatch.setitem(registry._items, "test.plain", changed)
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "pending"
    assert seated(request_id) == {"boss"}
    vote(request_id, world.actor("boss"))
    assert state(request_id) == "approved"
    assert set(db.session.scalars(select(ApprovalDecision.policy_version))) == {"1"}


# ---- delegation ----------------------------------------------------------------------------------------------------


def test_a_delegate_decides_for_the_head_and_that_is_recorded(world: World) -> None:
    row = delegate(world, "hanna", "hector")
    request_id = submit(world.actor("anna"))
    assert count(Notice, Notice.user_id == world.user("hector").id, Notice.kind == "approvals.to_decide") == 1
    vote(request_id, world.actor("hector"))
    found = db.session.scalars(select(ApprovalDecision)).one()
    assert (found.by_id, found.for_id) == (world.user("hector").id, world.user("hanna").id)
    assert found.authority.endswith(f"delegation:{row}")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "approvals:request:approve")).one()
    assert entry.on_behalf_of_id == world.user("hanna").id


def test_the_delegator_can_still_decide(world: World) -> None:
    delegate(world, "hanna", "hector")
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "approved"


@pytest.mark.parametrize("end", ["revoked", "over", "not begun", "other kind", "other department"])
def test_a_delegation_counts_only_in_its_window_and_scope(world: World, end: str) -> None:
    now = clock.now()
    more: dict[str, Any] = {
        "revoked": {"revoked_at": now},
        "over": {"begins_at": now - timedelta(days=3), "ends_at": now - timedelta(seconds=1)},
        "not begun": {"begins_at": now + timedelta(hours=1)},
        "other kind": {"kinds": "test.low test.copies"},
        "other department": {"departments": str(world.department("two").id)},
    }[end]
    delegate(world, "hanna", "hector", **more)
    request_id = submit(world.actor("anna"))
    assert queries.inbox_count(world.actor("hector")) == 0
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("hector"))


def test_a_delegation_with_scope_counts_for_that_scope(world: World) -> None:
    delegate(world, "hanna", "hector", kinds="test.low test.plain", departments=str(world.department("one").id))
    request_id = submit(world.actor("anna"))
    assert queries.inbox_count(world.actor("hector")) == 1
    vote(request_id, world.actor("hector"))
    assert state(request_id) == "approved"


def test_delegation_is_one_level_deep(world: World) -> None:
    delegate(world, "hanna", "hector")
    delegate(world, "hector", "carl")
    request_id = submit(world.actor("anna"))
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("carl"))
    with pytest.raises(NotAllowed), transaction():
        services.transfer(request_id, world.actor("hector"), to_user_id=world.user("carl").id, reason="you do it")


def test_a_circle_gives_no_authority(world: World) -> None:
    delegate(world, "hanna", "hector")
    delegate(world, "hector", "hanna")
    request_id = submit(world.actor("anna"))
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("hector"))


def test_a_delegate_who_is_the_applicant_is_skipped(world: World) -> None:
    delegate(world, "hanna", "anna")
    request_id = submit(world.actor("anna"))
    assert queries.inbox_count(world.actor("anna")) == 0
    with pytest.raises(NotAllowed):
        vote(request_id, world.actor("anna"))


def test_a_delegation_gives_no_more_than_the_delegator_has(world: World) -> None:
    delegate(world, "hanna", "hector")
    request_id = submit(world.actor("anna"))
    change("UPDATE org_department SET head_id = NULL WHERE code = 'one'")
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("hector"))


# ---- several approvers ---------------------------------------------------------------------------------------------


def three(world: World, mode: str) -> dict[str, Any]:
    return step(*(person(world.user(login).id) for login in ("hugo", "hector", "olga")), mode=mode)


def test_all_must_sign(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "all"))
    for login in ("olga", "hugo"):
        vote(request_id, world.actor(login))
        assert state(request_id) == "pending"
    vote(request_id, world.actor("hector"))
    assert state(request_id) == "approved"
    assert audited("test:grant:approved", request_id) == 1


def test_the_first_rejection_rejects(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "all"))
    vote(request_id, world.actor("olga"))
    vote(request_id, world.actor("hugo"), "reject", opinion="no")
    assert state(request_id) == "rejected"
    assert seated(request_id) == set()
    with pytest.raises(Conflict):
        vote(request_id, world.actor("hector"))


def test_any_may_sign_and_closes_it_for_all(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "any"), step(EXECUTIVE, key="two"))
    seen = digest(request_id)
    vote(request_id, world.actor("olga"), seen_digest=seen)
    assert seated(request_id) == {"boss"}
    with pytest.raises(Conflict) as caught:
        vote(request_id, world.actor("hugo"), seen_digest=seen)
    assert caught.value.details["decided_by"] == world.user("olga").name


def test_in_order_the_next_seat_opens_after_the_one_before(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "sequence"))
    for login in ("hugo", "hector", "olga"):
        assert seated(request_id) == {login}
        vote(request_id, world.actor(login))
    assert state(request_id) == "approved"


def test_out_of_turn_is_refused(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "sequence"))
    with pytest.raises(NotAllowed):
        vote(request_id, world.actor("olga"))


def test_one_person_in_two_seats_signs_once(world: World) -> None:
    """Applicant's head and owning head are the same person: one vote serves both."""
    request_id = submit(world.actor("anna"), step(APPLICANT_HEAD, HEAD, mode="all"))
    assert seated(request_id) == {"hanna"}
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "approved"


def test_a_merged_seat_comes_apart_when_the_customer_moves(world: World) -> None:
    customer = world.customer_id("maotai")
    request_id = submit(world.actor("anna"), step(APPLICANT_HEAD, HEAD, mode="all"), customer_id=customer)
    change("UPDATE customer SET department_id = :two WHERE id = :id", two=world.department("two").id, id=customer)
    with transaction():
        services.follow_customer(customer, world.actor("admin"))
    assert seated(request_id) == {"hanna", "hector"}
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "pending"
    vote(request_id, world.actor("hector"))
    assert state(request_id) == "approved"


def test_seats_are_frozen_when_the_step_opens(world: World) -> None:
    request_id = submit(world.actor("anna"), step(EXECUTIVE))
    change("INSERT INTO org_user_role (user_id, role) VALUES (:id, 'executive')", id=world.user("olga").id)
    assert seated(request_id) == {"boss"}
    with pytest.raises((NotAllowed, NotFound)):
        vote(request_id, world.actor("olga"))


# ---- hand on, add, ask, copy ---------------------------------------------------------------------------------------


def test_transfer_gives_the_seat_away_for_good(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.transfer(request_id, world.actor("hanna"), to_user_id=world.user("olga").id, reason="knows it")
    assert seated(request_id) == {"olga"}
    with pytest.raises((NotAllowed, Conflict)):
        vote(request_id, world.actor("hanna"))
    vote(request_id, world.actor("olga"))
    assert db.session.scalars(select(ApprovalDecision.authority)).one() == "transfer"


@pytest.mark.parametrize("action", ["transfer", "sign", "ask"])
@pytest.mark.parametrize("who", ["anna", "ben", "carl"])
def test_never_to_the_applicant_a_beneficiary_or_their_other_account(world: World, action: str, who: str) -> None:
    change("UPDATE org_user SET person_key = 'person-anna' WHERE login = 'carl'")
    request_id = submit(world.actor("anna"), beneficiary_ids=[world.user("ben").id])
    hanna, target = world.actor("hanna"), world.user(who).id
    calls = {
        "transfer": lambda: services.transfer(request_id, hanna, to_user_id=target, reason="x"),
        "sign": lambda: services.add_signer(request_id, hanna, user_id=target, reason="x"),
        "ask": lambda: services.ask_opinion(request_id, hanna, user_id=target, question="x"),
    }
    with pytest.raises(Invalid), transaction():
        calls[action]()


def test_never_to_somebody_who_voted(world: World) -> None:
    request_id = submit(world.actor("anna"), three(world, "all"))
    vote(request_id, world.actor("olga"))
    with pytest.raises(Invalid), transaction():
        services.transfer(request_id, world.actor("hugo"), to_user_id=world.user("olga").id, reason="x")
    with pytest.raises(Invalid), transaction():
        services.add_signer(request_id, world.actor("hugo"), user_id=world.user("olga").id, reason="x")
    with pytest.raises(Invalid), transaction():
        services.ask_opinion(request_id, world.actor("hugo"), user_id=world.user("olga").id, question="x")
    with transaction():
        ids = [world.user(login).id for login in ("olga", "anna", "cara")]
        assert services.copy_to(request_id, world.actor("hugo"), user_ids=ids) == [world.user("cara").id]


@pytest.mark.parametrize("first", ["hanna", "olga"])
def test_an_added_signer_must_sign_too(world: World, first: str) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.add_signer(request_id, world.actor("hanna"), user_id=world.user("olga").id, reason="knows it")
    assert seated(request_id) == {"hanna", "olga"}
    vote(request_id, world.actor(first))
    assert state(request_id) == "pending"
    vote(request_id, world.actor("olga" if first == "hanna" else "hanna"))
    assert state(request_id) == "approved"


def test_an_added_signer_can_reject(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.add_signer(request_id, world.actor("hanna"), user_id=world.user("olga").id, reason="knows it")
    vote(request_id, world.actor("olga"), "reject")
    assert state(request_id) == "rejected"


def test_an_added_signer_who_leaves_is_replaced_not_forgotten(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.add_signer(request_id, world.actor("hanna"), user_id=world.user("edda").id, reason="knows it")
    change("UPDATE org_user SET is_active = :no WHERE login = 'edda'", no=False)
    with transaction():
        services.hand_over(world.user("edda").id, world.actor("admin"))
    assert seated(request_id) == {"hanna", "olga"}
    vote(request_id, world.actor("hanna"))
    assert state(request_id) == "pending"


def test_an_opinion_does_not_decide(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.ask_opinion(request_id, world.actor("hanna"), user_id=world.user("olga").id, question="good?")
    olga = world.actor("olga")
    assert queries.inbox_count(olga) == 1
    with pytest.raises(NotAllowed):
        vote(request_id, olga)
    with transaction():
        services.give_opinion(request_id, olga, answer="yes")
    assert queries.inbox_count(olga) == 0
    assert state(request_id) == "pending"
    vote(request_id, world.actor("hanna"))


def test_a_copy_shows_the_status_not_the_content(world: World) -> None:
    request_id = submit(world.actor("anna"))
    with transaction():
        services.copy_to(request_id, world.actor("hanna"), user_ids=[world.user("olga").id])
    olga = world.actor("olga")
    found, readable = queries.get_status(request_id, olga)
    assert found.id == request_id
    assert not readable
    with pytest.raises(NotFound):
        queries.get_request(request_id, olga)
    row = queries.inbox_page(olga, queries.COPIED, queries.InboxFilter()).rows[0]
    assert "Request" not in row.title
    assert row.waiting_for == (world.user("hanna").name,)


# ---- the life of a request -----------------------------------------------------------------------------------------


def test_one_token_files_one_request(world: World) -> None:
    anna = world.actor("anna")
    first = submit(anna, token="click", subject_id=7)
    events = count(ApprovalEvent)
    assert submit(anna, token="click", subject_id=7) == first
    assert count(ApprovalRequest) == 1
    assert count(ApprovalEvent) == events
    with pytest.raises(Conflict):
        submit(world.actor("ben"), token="click", subject_id=7)


def test_one_pending_request_per_applicant_subject_and_scope(world: World) -> None:
    anna = world.actor("anna")
    first = submit(anna, subject_id=7, scope="parts:1")
    with pytest.raises(Conflict) as caught:
        submit(anna, subject_id=7, scope="parts:1")
    assert caught.value.details["request_id"] == first
    submit(anna, subject_id=7, scope="parts:2")
    submit(world.actor("ben"), subject_id=7, scope="parts:1")
    vote(first, world.actor("hanna"), "reject")
    submit(anna, subject_id=7, scope="parts:1")


def test_the_partial_unique_index_holds_in_the_database(world: World) -> None:
    anna = world.actor("anna")
    submit(anna, subject_id=7)
    with transaction():
        draft = services.save_draft(
            "test.plain", anna, subject_type="test", subject_id=7, title="x", payload={"route": []},
            department_id=anna.department_id, token="draft",
        ).id  # fmt: skip
    now = clock.now()
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(
            ApprovalRequest.__table__.update()
            .where(ApprovalRequest.id == draft)
            .values(state="pending", filed_at=now, expires_at=now)
        )


def test_rejecting_and_returning_need_an_opinion(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen = digest(request_id)
    for choice in ("reject", "return"):
        with pytest.raises(Invalid) as caught, transaction():
            services.decide(request_id, world.actor("hanna"), vote=choice, seen_digest=seen, opinion="  ")
        assert caught.value.errors[0][0] == "opinion"
    assert state(request_id) == "pending"


def test_returned_closes_the_round_and_opens_a_draft_of_the_next(world: World) -> None:
    anna = world.actor("anna")
    request_id = submit(anna, three(world, "all"))
    vote(request_id, world.actor("olga"))
    vote(request_id, world.actor("hugo"), "return", opinion="say why")
    assert state(request_id) == "returned"
    draft = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.previous_id == request_id)).one()
    assert (draft.state, draft.round) == ("draft", 2)
    route = {"route": [three(world, "all")], "copies": 2}
    with transaction():
        following = services.resubmit(request_id, anna, token="again", payload=route).id
    assert following == draft.id
    assert state(following) == "pending"
    assert db.session.get_one(ApprovalRequest, following).payload["copies"] == 2
    # Old votes never count: all three are asked again.
    assert seated(following) == {"hugo", "hector", "olga"}
    assert decisions(following) == 0
    with transaction():
        assert services.resubmit(request_id, anna, token="again").id == following
    with pytest.raises(Conflict), transaction():
        services.resubmit(request_id, anna, token="another")


@pytest.mark.parametrize("end", ["reject", "withdraw"])
def test_a_closed_request_can_be_filed_again_once(world: World, end: str) -> None:
    anna = world.actor("anna")
    request_id = submit(anna)
    if end == "reject":
        vote(request_id, world.actor("hanna"), "reject")
    else:
        with transaction():
            services.withdraw(request_id, anna)
    with transaction():
        following = services.resubmit(request_id, anna, token="again")
        assert (following.round, following.previous_id, following.state) == (2, request_id, "pending")
    with pytest.raises(NotFound), transaction():
        services.resubmit(request_id, world.actor("carl"), token="mine")


def test_an_approved_request_is_not_filed_again(world: World) -> None:
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hanna"))
    with pytest.raises(Conflict), transaction():
        services.resubmit(request_id, world.actor("anna"), token="again")


def test_deadlines_are_working_days(world: World) -> None:
    """Monday 29 September 2025: 1 to 8 October are off, Saturday 11 October is worked."""
    with clock.frozen(datetime(2025, 9, 29, 2, 0, tzinfo=UTC)):
        request_id = submit(world.actor("anna"))
    found = db.session.get_one(ApprovalRequest, request_id)
    assert found.due_at is not None
    assert found.expires_at is not None
    assert clock.local(found.due_at).date() == date(2025, 10, 10)
    assert clock.local(found.expires_at) == datetime(2025, 10, 15, tzinfo=clock.zone())


def _reminders(request_id: int) -> list[str]:
    db.session.rollback()
    wanted = ApprovalEvent.what.in_(("reminded", "escalated", "expired"))
    return list(
        db.session.scalars(
            select(ApprovalEvent.what).where(ApprovalEvent.request_id == request_id, wanted).order_by(ApprovalEvent.id)
        )
    )


MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_remind_remind_escalate_expire(world: World) -> None:
    with clock.frozen(MONDAY):
        request_id = submit(world.actor("anna"))
    seen = {}
    for day in range(12):
        with clock.frozen(MONDAY + timedelta(days=day, hours=1)):
            for _again in range(2):
                jobs.run_deadlines()
            seen[day] = _reminders(request_id)
    # Due on Thursday: reminded on Wednesday and Thursday, escalated on Friday, expired after Tuesday.
    assert seen[1] == []
    assert seen[2] == ["reminded"]
    assert seen[3] == ["reminded", "reminded"]
    assert seen[4] == ["reminded", "reminded", "escalated"]
    assert seen[8] == seen[4]
    assert seen[9] == [*seen[4], "expired"]
    assert state(request_id) == "expired"
    assert count(ApprovalCopy, ApprovalCopy.user_id == world.user("hugo").id) == 1


def test_after_an_outage_there_is_one_reminder_not_ten(world: World) -> None:
    with clock.frozen(MONDAY):
        requests = [submit(world.actor("anna")) for _number in range(3)]
    with clock.frozen(MONDAY + timedelta(days=4, hours=1)):
        for _again in range(3):
            jobs.run_deadlines()
        hanna = Notice.user_id == world.user("hanna").id
        assert count(Notice, hanna, Notice.kind == "approvals.reminder") == len(requests)
    assert all(_reminders(request_id) == ["escalated"] for request_id in requests)


def test_a_reminder_by_hand_once_in_four_hours(world: World) -> None:
    anna = world.actor("anna")
    with clock.frozen(MONDAY):
        request_id = submit(anna)
    for hours, allowed in ((1, True), (2, False), (4.9, False), (5, True), (6, False)):
        with clock.frozen(MONDAY + timedelta(hours=hours)):
            if allowed:
                with transaction():
                    services.remind(request_id, anna)
            else:
                with pytest.raises(Invalid), transaction():
                    services.remind(request_id, anna)
    assert count(ApprovalEvent, ApprovalEvent.what == "urged") == 2
    with pytest.raises(NotAllowed), transaction():
        services.remind(request_id, world.actor("hanna"))


def test_several_low_risk_requests_at_once_with_a_result_for_each(world: World) -> None:
    anna, hanna = world.actor("anna"), world.actor("hanna")
    good = [submit(anna, kind="test.low") for _number in range(3)]
    withdrawn, plain = submit(anna, kind="test.low"), submit(anna)
    items = [(request_id, digest(request_id)) for request_id in (*good, withdrawn, plain)]
    with transaction():
        services.withdraw(withdrawn, anna)
    results = deciding.approve_many(hanna, items)
    assert [result.ok for result in results] == [True, True, True, False, False]
    assert [state(request_id) for request_id in good] == ["approved"] * 3
    assert state(plain) == "pending"
    with pytest.raises(Invalid):
        deciding.approve_many(hanna, items * 5)


def test_less_can_be_granted_but_not_more(world: World) -> None:
    request_id = submit(world.actor("anna"), kind="test.copies", copies=3)
    with pytest.raises(Invalid):
        vote(request_id, world.actor("hanna"), conditions={"copies": 4})
    vote(request_id, world.actor("hanna"), conditions={"copies": 2})
    found = db.session.get_one(ApprovalRequest, request_id)
    assert (found.state, found.conditions) == ("approved", {"copies": 2})
    plain = submit(world.actor("anna"))
    with pytest.raises(Invalid):
        vote(plain, world.actor("hanna"), conditions={"copies": 1})


def test_refused_attempts_are_in_the_audit_trail(world: World) -> None:
    request_id = submit(world.actor("anna"))
    seen = digest(request_id)
    for login in ("anna", "carl", "admin"):
        actor = world.actor(login)
        with pytest.raises((NotAllowed, NotFound)):
            deciding.attempt(
                request_id,
                actor,
                "approve",
                lambda actor=actor: services.decide(request_id, actor, vote="approve", seen_digest=seen),
            )
    assert audited("approvals:request:attempt", request_id, "refused") == 3
    assert state(request_id) == "pending"


def test_the_applicant_sees_who_is_next_and_since_when(world: World) -> None:
    request_id = submit(world.actor("anna"), step(HEAD, key="one"), step(EXECUTIVE, key="two"))
    vote(request_id, world.actor("hanna"))
    row = queries.inbox_page(world.actor("anna"), queries.MINE, queries.InboxFilter()).rows[0]
    assert row.waiting_for == (world.user("boss").name,)
    assert [seat.opened_at is not None for seat in queries.seats_of(request_id)] == [True, True]


# ---- the inbox -----------------------------------------------------------------------------------------------------


def test_the_inbox_is_oldest_due_first_and_paged_by_key(world: World) -> None:
    hanna = world.actor("hanna")
    made = []
    for day in (3, 1, 2, 5, 4):
        with clock.frozen(clock.now() + timedelta(days=7 * day)):
            made.append((day, submit(world.actor("anna"))))
    expected = [request_id for _day, request_id in sorted(made)]
    everything = queries.InboxFilter()
    first = queries.inbox_page(hanna, queries.TO_DECIDE, everything, size=2)
    second = queries.inbox_page(hanna, queries.TO_DECIDE, everything, size=2, after=first.next_cursor)
    third = queries.inbox_page(hanna, queries.TO_DECIDE, everything, size=2, after=second.next_cursor)
    assert [row.id for page in (first, second, third) for row in page.rows] == expected
    assert (first.previous_cursor, third.next_cursor) == ("", "")
    back = queries.inbox_page(hanna, queries.TO_DECIDE, everything, size=2, before=third.previous_cursor)
    assert [row.id for row in back.rows] == expected[2:4]
    assert queries.inbox_count(hanna) == queries.tab_counts(hanna)["todo"] == 5
    assert queries.next_waiting(hanna) == expected[0]
    last = db.session.get_one(ApprovalRequest, expected[-1])
    assert queries.next_waiting(hanna, last) == expected[0]


def test_filters_of_the_inbox(world: World) -> None:
    boss = world.actor("boss")
    low = submit(world.actor("anna"), step(EXECUTIVE), kind="test.low")
    plain = submit(world.actor("cara"), step(EXECUTIVE))

    def ids(**chosen: Any) -> set[int]:
        return {row.id for row in queries.inbox_page(boss, queries.TO_DECIDE, queries.InboxFilter(**chosen)).rows}

    assert ids() == {low, plain}
    assert ids(kind="test.low") == {low}
    assert ids(applicant=world.user("cara").name) == {plain}
    assert ids(department_id=world.department("one").id) == {low}
    assert ids(overdue=True) == set()
    with clock.frozen(clock.now() + timedelta(days=6)):
        change("UPDATE approval_request SET expires_at = :far", far=clock.now() + timedelta(days=30))
        assert ids(overdue=True) == {low, plain}


def test_what_a_delegate_did_is_in_the_delegators_list_too(world: World) -> None:
    delegate(world, "hanna", "hector")
    request_id = submit(world.actor("anna"))
    vote(request_id, world.actor("hector"))
    for login in ("hanna", "hector"):
        rows = queries.inbox_page(world.actor(login), queries.DONE, queries.InboxFilter()).rows
        assert [row.id for row in rows] == [request_id]
        assert rows[0].for_name == world.user("hanna").name


def test_a_customer_page_shows_the_status_to_those_who_may_view_him(world: World, app: Flask) -> None:
    from portal.approvals.presenting import customer_timeline

    customer = world.customer_id("maotai")
    submit(world.actor("anna"), customer_id=customer)
    with app.test_request_context():
        assert len(customer_timeline(customer, world.actor("hanna"), None, 10)) == 1
        assert customer_timeline(customer, world.actor("carl"), None, 10) == []
        assert customer_timeline(customer, world.actor("hanna"), clock.now() - timedelta(days=1), 10) == []


def test_merging_customers_moves_their_requests(world: World) -> None:
    column = ApprovalRequest.__table__.c.customer_id
    assert column.info == {"merge": "move"}
    request_id = submit(world.actor("anna"), customer_id=world.customer_id("maotai"))
    change("UPDATE approval_request SET customer_id = :id", id=world.customer_id("wuliang"))
    assert state(request_id) == "pending"


@pytest.mark.parametrize("column", ["version = version + 1", "state = 'cancelled'"])
def test_a_transition_is_conditional_on_the_state_and_version_that_were_seen(world: World, column: str) -> None:
    """The lock is not what decides: an outdated picture changes nothing."""
    request_id = submit(world.actor("anna"))
    with transaction() as session:
        found = session.get_one(ApprovalRequest, request_id)
        assert (found.state, found.version) == ("pending", 3)
        session.execute(text(f"UPDATE approval_request SET {column} WHERE id = :id"), {"id": request_id})
        with pytest.raises(Conflict):
            base.move_request(found, state="withdrawn")
