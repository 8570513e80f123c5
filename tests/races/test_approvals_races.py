"""Many at once on a real database: whoever commits first wins, everybody else is told so calmly.

The number of rounds is small in the ordinary run; PORTAL_RACE_ROUNDS=300 makes the full experiment of F1 to F3.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.approvals import services
from portal.approvals.models import ApprovalDecision, ApprovalEvent, ApprovalRequest
from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Conflict
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import Actor
from tests.approvals_kinds import HEAD, digest, install, person, state, step, submit
from tests.world import World

ROUNDS = int(os.environ.get("PORTAL_RACE_ROUNDS", "8"))
#: Seconds of the last actions run at once, whoever won.
TOOK: list[float] = []
DECIDERS = ("hugo", "hector", "olga", "arne", "boss", "edda", "nora", "dora")


@pytest.fixture(autouse=True)
def _kinds(app: Flask) -> None:
    install(app)


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 12, "max_overflow": 4}}


def at_once(app: Flask, *actions: Callable[[], Any], jitter: float = 0.0) -> list[Any]:
    """Run actions in threads that start together; results in order, "conflict" for whoever lost.

    Any other error fails the test.
    """
    db.session.remove()
    gate = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)
    errors: list[BaseException] = []

    def run(index: int, action: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                gate.wait(20)
                if jitter:
                    time.sleep(random.uniform(0, jitter))
                began = time.perf_counter()
                try:
                    with transaction():
                        results[index] = action()
                finally:
                    TOOK.append(time.perf_counter() - began)
            except Conflict:
                results[index] = "conflict"
            except BaseException as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(i, action)) for i, action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    return results


def figures(name: str, line: str) -> None:
    """Print what an experiment came to (shown with -s); forgets the times."""
    times = sorted(TOOK)
    TOOK.clear()
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"\n  {name}: {line}; median {times[len(times) // 2] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms", flush=True)


def deciding(request_id: int, actor: Actor, seen: str, choice: str = "approve") -> Callable[[], int]:
    opinion = "" if choice == "approve" else "no"
    return lambda: services.decide(request_id, actor, vote=choice, seen_digest=seen, opinion=opinion).id


def final_decisions(request_id: int) -> int:
    db.session.rollback()
    return int(
        db.session.scalar(
            select(func.count())
            .select_from(ApprovalDecision)
            .where(ApprovalDecision.request_id == request_id, ApprovalDecision.outcome != "")
        )
        or 0
    )


def grants(request_id: int, name: str = "approved") -> int:
    db.session.rollback()
    return int(
        db.session.scalar(
            select(func.count())
            .select_from(AuditEntry)
            .where(AuditEntry.object_id == request_id, AuditEntry.action == f"test:grant:{name}")
        )
        or 0
    )


def test_eight_deciders_make_one_decision(app: Flask, world: World) -> None:
    TOOK.clear()
    actors = [world.actor(login) for login in DECIDERS]
    route = step(*(person(actor.user_id or 0) for actor in actors), mode="any")
    for number in range(ROUNDS):
        request_id = submit(world.actor("anna"), route)
        seen = digest(request_id)
        votes = [("approve", "reject", "return")[(number + i) % 3] for i in range(len(actors))]
        results = at_once(
            app, *(deciding(request_id, actor, seen, choice) for actor, choice in zip(actors, votes, strict=True))
        )
        assert Counter(result == "conflict" for result in results) == {True: 7, False: 1}
        winner = next(i for i, result in enumerate(results) if result != "conflict")
        assert final_decisions(request_id) == 1
        expected = {"approve": "approved", "reject": "rejected", "return": "returned"}[votes[winner]]
        assert state(request_id) == expected
        assert grants(request_id, expected) == 1
    figures("F1", f"{ROUNDS} requests, {len(actors)} deciders each: {ROUNDS} decisions")


def test_everybody_who_must_sign_does_without_losing(app: Flask, world: World) -> None:
    actors = [world.actor(login) for login in DECIDERS[:4]]
    route = step(*(person(actor.user_id or 0) for actor in actors), mode="all")
    for _number in range(max(2, ROUNDS // 4)):
        request_id = submit(world.actor("anna"), route)
        seen = digest(request_id)
        results = at_once(app, *(deciding(request_id, actor, seen) for actor in actors))
        assert "conflict" not in results
        assert state(request_id) == "approved"
        assert final_decisions(request_id) == 1
        assert grants(request_id) == 1


def test_approve_withdraw_and_expire_have_one_winner(app: Flask, world: World) -> None:
    TOOK.clear()
    anna, hanna = world.actor("anna"), world.actor("hanna")
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS * 2):
        request_id = submit(anna)
        seen = digest(request_id)
        if number % 2:  # the deadline comes in the middle of it
            with transaction() as session:
                soon = clock.now() + timedelta(milliseconds=random.uniform(0, 60))
                session.execute(
                    ApprovalRequest.__table__.update().where(ApprovalRequest.id == request_id).values(expires_at=soon)
                )

        def withdraw(request_id: int = request_id) -> str:
            return services.withdraw(request_id, anna).state

        def expire(request_id: int = request_id) -> str:
            return services.expire(request_id).state

        results = at_once(app, deciding(request_id, hanna, seen), withdraw, expire, jitter=0.05)
        winners = [result for result in results if result != "conflict"]
        assert len(winners) <= 1 if number % 2 else len(winners) == 1
        ended = state(request_id)
        outcomes[ended] += 1
        if ended == "pending":  # all three came between the deadline and the look of the expirer: it is late only
            assert not winners
            at_once(app, expire)
            ended = state(request_id)
            assert ended == "expired"
        assert final_decisions(request_id) == (1 if ended == "approved" else 0)
        assert sum(grants(request_id, name) for name in ("approved", "withdrawn", "expired")) == 1
    figures("F2", f"{ROUNDS * 2} times approve, withdraw and expire at once: one winner each, {dict(outcomes)}")
    assert len(outcomes) > 1, outcomes


def test_a_double_click_files_one_request(app: Flask, world: World) -> None:
    TOOK.clear()
    anna = world.actor("anna")
    for number in range(ROUNDS):
        values: dict[str, Any] = {
            "subject_type": "test",
            "subject_id": 1000 + number,
            "title": "Twice",
            "payload": {"route": [step(HEAD)]},
            "department_id": anna.department_id,
            "token": f"double-{number}",
        }

        def file(values: dict[str, Any] = values) -> int:
            return services.file_request("test.plain", anna, **values).id

        results = at_once(app, file, file, file)
        assert len(set(results)) == 1
        assert "conflict" not in results
        db.session.rollback()
        filed = select(func.count()).where(ApprovalEvent.request_id == results[0], ApprovalEvent.what == "filed")
        assert db.session.scalar(filed) == 1
    figures("F3", f"{ROUNDS} forms sent three times at once: {ROUNDS} requests, the same answer to all")


def test_two_forms_for_the_same_subject_leave_one_pending(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    for number in range(ROUNDS):

        def file(token: str, number: int = number) -> int:
            return services.file_request(
                "test.plain",
                anna,
                subject_type="test",
                subject_id=5000 + number,
                title="Same",
                payload={"route": [step(HEAD)]},
                department_id=anna.department_id,
                token=token,
            ).id

        results = at_once(app, lambda: file(f"a{number}"), lambda: file(f"b{number}"))  # noqa: B023 - run at once
        assert sorted(result == "conflict" for result in results) == [False, True]
        db.session.rollback()
        pending = select(func.count()).where(
            ApprovalRequest.subject_id == 5000 + number, ApprovalRequest.state == "pending"
        )
        assert db.session.scalar(pending) == 1


def test_the_same_decision_twice_at_the_same_moment_is_one(app: Flask, world: World) -> None:
    anna, hanna = world.actor("anna"), world.actor("hanna")
    for _number in range(ROUNDS):
        request_id = submit(anna)
        seen = digest(request_id)
        results = at_once(app, deciding(request_id, hanna, seen), deciding(request_id, hanna, seen))
        assert results[0] == results[1] != "conflict"
        assert final_decisions(request_id) == 1
        assert grants(request_id) == 1


def test_two_reminders_at_the_same_moment_are_one(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    with clock.frozen(clock.now() - timedelta(days=1)):
        request_id = submit(anna)
    results = at_once(app, *(lambda: services.send_reminder(request_id, 1) for _number in range(6)))
    assert sorted(results) == [False] * 5 + [True]
