"""Many at once at one grant and one copy (F4, F23, I3, I6): what was granted is the most that ever comes out.

The number of rounds is small in the ordinary run; PORTAL_RACE_ROUNDS=200 makes the full experiment.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from plugins.archive.copies import endings, services, states
from plugins.archive.copies.models import ArchiveCopy, ArchiveCopyEvent
from plugins.archive.lookups import grants
from plugins.archive.lookups.models import PAPER, REVOKED, VIEW, ArchiveGrant, ArchiveView
from portal.core import settings
from portal.core.errors import Conflict
from portal.core.transaction import transaction
from portal.extensions import db
from tests.archive_world import add_file, granted, reserved, walk
from tests.world import World

pytestmark = pytest.mark.db

ROUNDS = int(os.environ.get("PORTAL_RACE_ROUNDS", "2"))
CLIENTS = 20


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 22, "max_overflow": 4}, "JOBS_IMMEDIATE": False}


def at_once(app: Flask, *actions: Callable[[], Any]) -> Counter[str]:
    """Run actions in threads that start together; how many were done and how many were told that they came too late."""
    db.session.remove()
    gate = threading.Barrier(len(actions))
    results: Counter[str] = Counter()
    errors: list[BaseException] = []

    def run(action: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                gate.wait(20)
                with transaction():
                    action()
                results["done"] += 1
            except Conflict:
                results["late"] += 1
            except BaseException as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not errors, errors
    return results


def count(model: Any) -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def test_twenty_clients_at_a_grant_of_one_copy_get_one_copy(app: Flask, world: World) -> None:
    add_file(world.customer_id("maotai"))
    otto = world.actor("otto")
    with transaction():
        settings.put("archive.prints_hour", 1000, None)  # what the limit of an hour does is not the question here
    began = time.monotonic()
    for number in range(1, ROUNDS + 1):
        grant_id = granted(app, world, "anna", "maotai", PAPER, 1)
        actions = [lambda g=grant_id: services.reserve(g, secrets.token_hex(8), otto) for _client in range(CLIENTS)]
        assert at_once(app, *actions) == Counter(done=1, late=CLIENTS - 1)
        assert count(ArchiveCopy) == number
        assert db.session.get_one(ArchiveGrant, grant_id).used == 1
    seconds = time.monotonic() - began
    print(f"\nF4: {ROUNDS} grants of one copy, {CLIENTS} clients each: {count(ArchiveCopy)} copies, {seconds:.0f} s")


def test_twenty_clients_at_a_grant_of_three_views_get_three(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    grant_id = granted(app, world, "anna", "maotai", VIEW, 3)
    actions = [lambda: grants.open_view(grant_id, secrets.token_hex(8), anna) for _client in range(CLIENTS)]
    assert at_once(app, *actions) == Counter(done=3, late=CLIENTS - 3)
    assert count(ArchiveView) == 3


def test_the_pages_of_a_copy_go_out_once_whoever_clicks(app: Flask, world: World) -> None:
    add_file(world.customer_id("maotai"))
    otto = world.actor("otto")
    copy_id = reserved(world, granted(app, world, "anna", "maotai", PAPER, 1))
    walk(world, copy_id, states.MAKE)

    def send() -> None:
        services.move(db.session.get_one(ArchiveCopy, copy_id), states.SEND, otto, seal=None)

    assert at_once(app, *[send] * 8) == Counter(done=1, late=7)
    events = Counter(db.session.scalars(select(ArchiveCopyEvent.step)))
    assert events == Counter(reserve=1, make=1, send=1)


def test_revoking_while_copies_are_reserved_leaves_none_to_print(app: Flask, world: World) -> None:
    with transaction():
        settings.put("archive.copies_most", 20, None)
    add_file(world.customer_id("maotai"))
    otto, hanna = world.actor("otto"), world.actor("hanna")
    grant_id = granted(app, world, "anna", "maotai", PAPER, 8)

    def revoke() -> None:
        endings.end_grant(db.session.get_one(ArchiveGrant, grant_id), REVOKED, "撤销", hanna)

    reserving = [lambda: services.reserve(grant_id, secrets.token_hex(8), otto) for _client in range(8)]
    outcome = at_once(app, *reserving, revoke)
    assert outcome["done"] >= 1
    db.session.rollback()
    assert db.session.get_one(ArchiveGrant, grant_id).ended_how == REVOKED
    found = Counter(db.session.scalars(select(ArchiveCopy.state)))
    assert set(found) <= {states.CANCELLED}
    assert found[states.CANCELLED] == outcome["done"] - 1
