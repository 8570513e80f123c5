"""Two tick the same step at once, a run is started twice: nothing is doubled, the second learns who was first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from plugins.sop.runs import scheduling, services
from plugins.sop.runs.models import SopOccurrence, SopRun, SopRunEvent, SopRunStep
from plugins.sop.runs.scheduling import ScheduleInput
from portal.core import clock
from portal.core.errors import Conflict
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.sop_work import publish
from tests.world import World

pytestmark = pytest.mark.db
ROUNDS = 4


def at_once(app: Flask, *actions: Callable[[], Any]) -> list[Any]:
    """Run actions in threads that start together, each in its own transaction; the text of a conflict for who lost."""
    db.session.remove()
    gate = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)
    errors: list[BaseException] = []

    def run(index: int, action: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                gate.wait(20)
                with transaction():
                    results[index] = action()
            except Conflict as conflict:
                results[index] = str(conflict)
            except BaseException as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors
    return results


def _run(world: World, procedure_id: int) -> tuple[int, list[int]]:
    with transaction():
        data = services.StartInput(procedure_id, customer_id=world.customer_id("maotai"))
        run_id = services.start_run(data, world.actor("anna")).id
    ids = db.session.scalars(select(SopRunStep.id).where(SopRunStep.run_id == run_id).order_by(SopRunStep.position))
    return run_id, list(ids)


def test_the_second_who_ticks_learns_who_was_first_and_nothing_is_doubled(app: Flask, world: World) -> None:
    procedure_id = publish(world)
    anna, hanna = world.actor("anna"), world.actor("hanna")
    for _round in range(ROUNDS):
        run_id, steps = _run(world, procedure_id)
        results = at_once(
            app,
            lambda step=steps[0]: services.tick_step(step, "", anna),
            lambda step=steps[0]: services.tick_step(step, "", hanna),
        )
        assert sorted(map(type, results), key=str) == sorted([bool, str], key=str)
        [words] = [result for result in results if isinstance(result, str)]
        run = db.session.get_one(SopRun, run_id)
        step = db.session.get_one(SopRunStep, steps[0])
        assert step.closed_by is not None
        assert step.closed_by.name in words
        assert run.steps_closed == 1
        ticked = select(func.count(SopRunEvent.id)).where(SopRunEvent.run_id == run_id, SopRunEvent.kind == "ticked")
        assert db.session.scalar(ticked) == 1


def test_different_steps_at_once_are_all_counted(app: Flask, world: World) -> None:
    procedure_id = publish(world)
    anna, hanna = world.actor("anna"), world.actor("hanna")
    run_id, steps = _run(world, procedure_id)
    assert at_once(
        app,
        lambda: services.tick_step(steps[0], "", anna),
        lambda: services.tick_step(steps[1], "", hanna),
    ) == [True, True]
    assert db.session.get_one(SopRun, run_id).steps_closed == 2


def test_one_token_starts_one_run(app: Flask, world: World) -> None:
    procedure_id = publish(world)
    anna = world.actor("anna")

    def start() -> int:
        return services.start_run(services.StartInput(procedure_id, token="double-click"), anna).id

    first, second = at_once(app, start, start)
    assert first == second
    assert db.session.scalar(select(func.count(SopRun.id))) == 1


def test_two_workers_start_an_occasion_once(app: Flask, world: World) -> None:
    procedure_id = publish(world)
    with transaction():
        data = ScheduleInput(procedure_id, clock.today(), occasion="customers.created", owner_id=world.user("anna").id)
        scheduling.save_schedule(None, data, world.actor("edda"))
    with transaction():
        scheduling.note_occasion("customers.created", "customer:1", world.customer_id("maotai"), SYSTEM)
    occurrence = db.session.scalars(select(SopOccurrence.id)).one()

    def start() -> bool:
        return scheduling.start_occurrence(occurrence) is not None

    assert sorted(at_once(app, start, start)) == [False, True]
    assert db.session.scalar(select(func.count(SopRun.id))) == 1
