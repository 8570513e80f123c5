"""Rules that say their condition lasts: it follows from the actor alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask
from sqlalchemy import event, select

from portal.core import clock
from portal.core.permissions import only_visible, visible
from portal.customers.models import Customer
from portal.extensions import db
from tests.world import PEOPLE, World


@contextmanager
def no_statements() -> Iterator[None]:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a lasting rule asked the database")

    engine = db.engine
    event.listen(engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", refuse)


def _written(condition: Any) -> tuple[str, str]:
    compiled = condition.compile(db.engine)
    return str(compiled), repr(sorted(compiled.params.items()))


def test_lasting_rules_know_neither_the_day_nor_the_data(app: Flask, world: World, monkeypatch: Any) -> None:
    registry = app.extensions["portal_permissions"]
    lasting = [rule for rules in registry.rules.values() for rule in rules if rule.lasting]
    assert len(lasting) > 10
    actors = [world.actor(person[0]) for person in PEOPLE]
    assert {rule.follows for rule in lasting} - {""} <= registry.permissions.keys()
    for rule in lasting:
        for actor in filter(rule.applies, actors):
            if rule.follows:
                # What it follows may ask (whose team somebody belongs to): a page has done so before.
                visible(actor, rule.follows)
            with no_statements():
                first = rule.rows(actor)
                with monkeypatch.context() as patch:
                    patch.setattr(clock, "now", lambda: datetime(2031, 5, 6, tzinfo=UTC))
                    patch.setattr(clock, "today", lambda: date(2031, 5, 6))
                    later = rule.rows(actor)
            assert _written(first) == _written(later), (rule.permission, rule.key)
            if rule.branches:
                with no_statements():
                    parts = [_written(part) for part in rule.branches(actor)]
                    with monkeypatch.context() as patch:
                        patch.setattr(clock, "today", lambda: date(2031, 5, 6))
                        assert [_written(part) for part in rule.branches(actor)] == parts


def test_statements_are_kept_from_one_page_to_the_next(app: Flask, world: World) -> None:
    bare = select(Customer.id)
    asked = []
    for _page in range(2):
        with app.test_request_context():
            asked.append(only_visible(bare, world.actor("anna"), "customers.view"))
    assert asked[0] is asked[1]
    with app.test_request_context():
        assert only_visible(bare, world.actor("ben"), "customers.view") is not asked[0]


def test_who_loses_a_role_loses_the_condition(app: Flask, world: World) -> None:
    """A remembered condition is that of the person as he is now, not as he was when it was made."""
    from portal.core.transaction import transaction
    from portal.org.models import UserRole

    before = _written(visible(world.actor("boss"), "customers.view"))
    with transaction() as session:
        for role in session.scalars(select(UserRole).where(UserRole.user_id == world.user("boss").id)):
            session.delete(role)
    after = _written(visible(world.actor("boss"), "customers.view"))
    assert before != after


def test_the_rule_of_teams_does_not_last(app: Flask) -> None:
    """It looks into the database: what holds for a member today is never kept for tomorrow."""
    rules = app.extensions["portal_permissions"].rules["customers.view"]
    assert [rule.key for rule in rules if not rule.lasting and rule.rows is not None] == ["account_team"]
