"""F28: the organisation changes at random while people decide; the rules of authority hold after every step.

PORTAL_STATEFUL_STEPS=2000 makes the long experiment; the ordinary run takes a few short ones.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, text

from portal.approvals import jobs, queries, services
from portal.approvals.models import ApprovalDecision, ApprovalRequest, ApprovalSeat
from portal.core import clock
from portal.core.errors import PortalError
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.delegation import Grant, scope_from_text, usable
from portal.org.models import Delegation, Department, User, UserRole
from tests.approvals_kinds import APPLICANT_HEAD, EXECUTIVE, HEAD, digest, install, step, submit
from tests.world import World

STEPS = int(os.environ.get("PORTAL_STATEFUL_STEPS", "0"))
LOGINS = ("boss", "hugo", "hanna", "dora", "anna", "ben", "hector", "cara", "carl", "admin", "olga")
DEPARTMENTS = ("company", "sales", "one", "two", "office")
ROUTES = (
    (step(HEAD),),
    (step(HEAD, key="one"), step(EXECUTIVE, key="two")),
    (step(APPLICANT_HEAD, HEAD, mode="all"),),
    (step(APPLICANT_HEAD, EXECUTIVE, mode="any"),),
    (step(HEAD, EXECUTIVE, mode="sequence"),),
)

people = st.sampled_from(LOGINS)
places = st.sampled_from(DEPARTMENTS)


class Office(RuleBasedStateMachine):
    """People file, decide and hand on, while others move, leave, gain and lose offices and delegations."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[int] = []
        self.known: set[int] = set()
        db.session.rollback()
        with transaction() as session:
            session.execute(text("UPDATE org_user SET is_active = :yes"), {"yes": True})
            session.execute(text("UPDATE org_delegation SET revoked_at = :now"), {"now": clock.now()})

    def _attempt(self, action: Any) -> None:
        try:
            with transaction():
                action()
        except PortalError:
            db.session.rollback()

    # ---- what people do ----

    @rule(who=people, route=st.sampled_from(ROUTES), behalf=st.none() | people, gains=st.none() | people)
    def file(self, who: str, route: Any, behalf: str | None, gains: str | None) -> None:
        try:
            self.requests.append(
                submit(
                    self.world.actor(who),
                    *route,
                    on_behalf_of=self.world.user(behalf).id if behalf else None,
                    beneficiary_ids=[self.world.user(gains).id] if gains else [],
                )
            )
        except PortalError:
            db.session.rollback()

    @precondition(lambda self: self.requests)
    @rule(who=people, which=st.integers(0, 50), choice=st.sampled_from(("approve", "approve", "approve", "reject")))
    def decide(self, who: str, which: int, choice: str) -> None:
        request_id = self.requests[which % len(self.requests)]
        try:
            actor, seen = self.world.actor(who), digest(request_id)
        except PortalError:
            db.session.rollback()
            return
        expected = self._may_decide(request_id, who)
        before = self._count()
        self._attempt(lambda: services.decide(request_id, actor, vote=choice, seen_digest=seen, opinion="so"))
        db.session.rollback()
        if self._count() > before:
            assert expected, f"{who} decided {request_id} without authority"

    @precondition(lambda self: self.requests)
    @rule(who=people, other=people, which=st.integers(0, 50), action=st.sampled_from(("transfer", "sign", "reassign")))
    def hand_on(self, who: str, other: str, which: int, action: str) -> None:
        request_id = self.requests[which % len(self.requests)]
        try:
            actor = self.world.actor(who)
        except PortalError:
            return
        target = self.world.user(other).id
        calls = {
            "transfer": lambda: services.transfer(request_id, actor, to_user_id=target, reason="x"),
            "sign": lambda: services.add_signer(request_id, actor, user_id=target, reason="x"),
            "reassign": lambda: services.reassign(request_id, actor, to_user_id=target, reason="x"),
        }
        db.session.rollback()
        self._attempt(calls[action])

    @rule()
    def clockwork(self) -> None:
        db.session.rollback()
        assert jobs.run_deadlines()["failed"] == 0

    # ---- how the organisation changes ----

    def _change(self, action: Any) -> None:
        db.session.rollback()
        with transaction() as session:
            action(session)

    @rule(where=places, head=st.none() | people)
    def appoint(self, where: str, head: str | None) -> None:
        def act(_session: Any) -> None:
            department = self.world.department(where)
            department.deputy_id = None
            department.head_id = self.world.user(head).id if head else None

        self._change(act)

    @rule(who=people, where=places)
    def move(self, who: str, where: str) -> None:
        def act(_session: Any) -> None:
            self.world.user(who).department_id = self.world.department(where).id

        self._change(act)

    @rule(who=people)
    def leave_or_come_back(self, who: str) -> None:
        def act(_session: Any) -> None:
            user = self.world.user(who)
            user.is_active = not user.is_active

        self._change(act)

    @rule(who=people)
    def executive_or_not(self, who: str) -> None:
        def act(session: Any) -> None:
            key = (self.world.user(who).id, "executive")
            row = session.get(UserRole, key)
            if row is None:
                session.add(UserRole(user_id=key[0], role=key[1]))
            else:
                session.delete(row)

        self._change(act)

    @rule(who=people, to=people)
    def delegate(self, who: str, to: str) -> None:
        if who == to:
            return

        def act(session: Any) -> None:
            now = clock.now()
            session.add(
                Delegation(
                    delegator_id=self.world.user(who).id,
                    delegate_id=self.world.user(to).id,
                    begins_at=now - timedelta(seconds=1),
                    ends_at=now + timedelta(days=1),
                    created_at=now,
                    created_by_id=self.world.user(who).id,
                )
            )

        self._change(act)

    @rule()
    def revoke_delegations(self) -> None:
        self._change(
            lambda session: session.execute(
                Delegation.__table__.update().where(Delegation.revoked_at.is_(None)).values(revoked_at=clock.now())
            )
        )

    # ---- what must hold: written anew here, not with the engine's own functions ----

    def _count(self) -> int:
        return int(db.session.scalar(select(func.count()).select_from(ApprovalDecision)) or 0)

    def _may_decide(self, request_id: int, login: str) -> bool:
        """Whether the person may decide just now: no party, active, and a seat of his or of a delegator whose reason
        still holds."""
        db.session.rollback()
        request = db.session.get_one(ApprovalRequest, request_id)
        user = self.world.user(login)
        parties = {request.applicant_id, request.typed_by_id} | {row.user_id for row in request.beneficiaries}
        now = clock.now()
        grants = usable(
            [
                Grant(
                    d.id, d.delegator_id, d.delegate_id, d.begins_at, d.ends_at, scope_from_text(d.kinds, d.departments)
                )
                for d in db.session.scalars(select(Delegation).where(Delegation.revoked_at.is_(None)))
                if d.delegator.is_active and d.delegate.is_active
            ],
            now,
        )
        if user.id in parties or not user.is_active or request.state != "pending":
            return False
        if any(grant.delegator_id in parties and grant.delegate_id == user.id for grant in grants):
            return False
        principals = {user.id} | {grant.delegator_id for grant in grants if grant.delegate_id == user.id}
        for seat in db.session.scalars(
            select(ApprovalSeat).where(ApprovalSeat.request_id == request_id, ApprovalSeat.state == "open")
        ):
            personal = seat.basis in ("transfer", "signer", "reassigned")
            if seat.user_id not in principals or (personal and seat.user_id != user.id):
                continue
            holder = db.session.get_one(User, seat.user_id)
            what, _colon, detail = seat.basis.partition(":")
            holds = personal or what == "fallback" or what == "person"
            if what == "head":
                department = db.session.get_one(Department, int(detail))
                holds = department.head_id == holder.id
            elif what == "role":
                holds = any(role.role == detail for role in holder.roles)
            if holds and holder.is_active and holder.id not in parties:
                return True
        return False

    @invariant()
    def no_decision_by_a_party_and_one_final_per_round(self) -> None:
        db.session.rollback()
        finals: dict[int, int] = {}
        for decision in db.session.scalars(select(ApprovalDecision)):
            request = db.session.get_one(ApprovalRequest, decision.request_id)
            parties = {request.applicant_id, request.typed_by_id} | {row.user_id for row in request.beneficiaries}
            assert not parties & {decision.by_id, decision.for_id or decision.by_id}
            finals[request.id] = finals.get(request.id, 0) + decision.is_final
        assert all(number <= 1 for number in finals.values())
        for request in db.session.scalars(select(ApprovalRequest)):
            assert (finals.get(request.id, 0) == 1) == (request.state in ("approved", "rejected", "returned"))

    @invariant()
    def nobody_has_a_seat_that_he_can_never_use(self) -> None:
        """A live seat never belongs to a party; a pending request without any live seat is held."""
        for request in db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.state == "pending")):
            seats = db.session.scalars(
                select(ApprovalSeat).where(
                    ApprovalSeat.request_id == request.id, ApprovalSeat.state.in_(("open", "waiting"))
                )
            ).all()
            parties = {request.applicant_id, request.typed_by_id} | {row.user_id for row in request.beneficiaries}
            assert not parties & {seat.user_id for seat in seats}
            assert any(seat.state == "open" for seat in seats) or request.held_since is not None

    @invariant()
    def the_inbox_asks_nobody_about_his_own_request(self) -> None:
        for request_id in self.requests[-2:]:
            request = db.session.get_one(ApprovalRequest, request_id)
            applicant = db.session.get(User, request.applicant_id) if request.applicant_id else None
            if applicant is not None and applicant.is_active:
                waiting = queries.waiting_condition(self.world.actor(applicant.login))
                found = select(ApprovalRequest.id).where(waiting, ApprovalRequest.id == request_id)
                assert db.session.scalar(found) is None


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_the_rules_hold_while_the_organisation_changes(app: Flask, world: World, tmp_path: Path) -> None:
    install(app)
    machine = type("Here", (Office,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=STEPS // 50 or 4,
            stateful_step_count=50 if STEPS else 20,
            deadline=None,
            database=None,
            derandomize=not STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
