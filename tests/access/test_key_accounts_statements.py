"""No page of key accounts asks the database more than fifteen times, whatever the core's frame adds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from portal.extensions import db
from tests.access.pages import Page
from tests.access.stage import QUERY, Stage

MOST = 15
#: All plugins together, on the overview of a customer's record.
MOST_RECORD = 36


@contextmanager
def asked(stage: Stage) -> Iterator[list[str]]:
    """Statements that are sent meanwhile; beginning a transaction asks nothing."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement != "BEGIN":
            found.append(" ".join(statement.split())[:100])

    with stage.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _ways(stage: Stage) -> Iterator[tuple[str, str]]:
    """(role, address) of every page of the plugin that shows something."""
    for rule in stage.app.url_map.iter_rules():
        if rule.endpoint.startswith("key_accounts.") and "GET" in (rule.methods or ()):
            yield ("hanna" if "customer_id" in rule.arguments else "anna"), stage.path(rule)


def test_no_page_asks_more_than_fifteen_times(stage: Stage) -> None:
    clients: dict[str, Any] = {role: stage.client(role) for role in ("anna", "hanna")}
    shown, dear = 0, {}
    for role, path in _ways(stage):
        rule, _values = stage.app.url_map.bind("localhost").match(path, return_rule=True)
        query = QUERY.get(rule.endpoint)
        with asked(stage) as statements, clients[role].get(path, query_string=query) as answer:
            shown += answer.status_code == 200
        if len(statements) > MOST:
            dear[f"{role} {path}"] = statements
    assert not dear
    assert shown > 60


def test_this_plugin_adds_two_questions_to_the_record_of_a_customer(stage: Stage) -> None:
    client = stage.client("anna")
    path = f"/customers/{stage.ids['customer_id']}"
    with asked(stage) as statements, client.get(path) as answer:
        assert Page(answer.text).links
    assert len(statements) <= MOST_RECORD, statements
    ours = [text for text in statements if "key_accounts_" in text.split(" FROM ")[-1] or "key_accounts_" in text[:40]]
    assert len(ours) <= 2, ours
