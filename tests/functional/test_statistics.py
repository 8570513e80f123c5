"""What the embedded database counts decides in which order it joins."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import event, insert, text

from portal.core.jobs import Schedule
from portal.core.registry import registry
from portal.core.statistics import take_statistics
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from tests.world import CREATED, World

#: Candidates for a VIP membership with their customers, as their list asks for them.
CANDIDATES = (
    "SELECT c.id FROM vip_candidate c JOIN customer ON customer.id = c.customer_id"
    " WHERE customer.status <> 'merged' ORDER BY c.amount DESC, c.id DESC LIMIT 50"
)


def _first_table(statement: str) -> str:
    plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
    return str(plan[0].detail).split()[1]


def test_empty_tables_are_known_to_be_small(app: Flask, world: World) -> None:
    if db.engine.dialect.name != "sqlite":
        # It counts by itself: nothing is asked of it, not even a transaction.
        asked: list[str] = []

        def note(*given: object) -> None:
            asked.append(str(given[2]))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert take_statistics() == 0
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        assert asked == []
        return
    rows = [
        {
            "party": "organisation",
            "kind": "end_user",
            "name": f"公司{number}",
            "name_sort": f"gongsi{number}",
            "department_id": world.department("one").id,
            "stage_changed_at": CREATED,
            "created_at": CREATED,
            "updated_at": CREATED,
        }
        for number in range(5_000)
    ]
    db.session.rollback()
    with transaction() as session:
        session.execute(insert(Customer), rows)
        session.execute(text("ANALYZE"))
    db.session.remove()
    assert _first_table(CANDIDATES) == "customer", "as SQLite goes by itself; if it learns better, this is not needed"
    db.session.remove()
    first = take_statistics()
    assert first > 50
    db.session.remove()
    noted = {
        (row.tbl, row.idx, row.stat) for row in db.session.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1"))
    }
    assert ("vip_candidate", None, "1") in noted
    assert not [entry for entry in noted if entry[0] == "customer" and entry[2] == "1"]
    assert _first_table(CANDIDATES) == "c"
    again = take_statistics()
    assert again == first


def test_the_tables_are_counted_each_night(app: Flask) -> None:
    job = registry("jobs")["jobs.statistics"]
    assert isinstance(job.schedule, Schedule)
    assert job.schedule.hour == "3"
    result = app.test_cli_runner().invoke(args=["jobs", "run", "jobs.statistics"])
    assert result.exit_code == 0, result.output
