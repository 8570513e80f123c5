"""Several questions in one statement."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Integer, bindparam, event, func, select

from portal.core.together import Question, ask
from portal.customers.models import Customer
from portal.extensions import db
from tests.world import World

pytestmark = pytest.mark.db


def test_many_questions_are_one_statement_and_each_gets_its_own_answer(app: Flask, world: World) -> None:
    wanted = bindparam("wanted", type_=Integer)
    name = select(Customer.name).where(Customer.id == wanted)
    here = {"wanted": world.customer_id("maotai")}
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        found = ask(
            {
                "name": Question(name, here),
                "nobody": Question(select(Customer.name).where(Customer.id == -1)),
                "all": Question(select(func.count()).select_from(Customer)),
                "again": Question(name, here),
            }
        )
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(sent) == 1
    assert found["name"] == found["again"] == db.session.get_one(Customer, here["wanted"]).name
    assert found["nobody"] is None
    assert found["all"] == db.session.scalar(select(func.count()).select_from(Customer))
    assert ask({}) == {}
    with pytest.raises(ValueError, match="wanted"):
        ask({"one": Question(name, here), "other": Question(name, {"wanted": -1})})
