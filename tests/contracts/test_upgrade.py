"""From a database as the first release left it to the present one: nothing is lost, nothing is changed, all goes on.

tests/data/upgrade holds what that release wrote (core and vip): the small organisation with a contact and his lunar
birthday, a visit with a next step, purchases, a membership out of an approved request, and a request that waits.
"""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from plugins.vip.models import VipMembership
from portal import migrating
from portal.approvals.models import ApprovalRequest
from portal.approvals.queries import digest_of
from portal.approvals.services import decide
from portal.audit.verify import verify_chain
from portal.core import clock
from portal.core.database import sqlite_module
from portal.core.transaction import transaction
from portal.extensions import db
from tests.conftest import SERVER_URL, _database_url, _server_command, make_app
from tests.world import World

pytestmark = pytest.mark.db

KEPT = Path(__file__).parent.parent / "data" / "upgrade"
#: The revision of the core that the first release ended with.
CORE = "portal_0001"
#: Tables that a start or a log-in may write.
LIVING = {"alembic_version", "auth_session", "auth_attempt", "job_beat", "job_schedule"}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def old_url(tmp_path: Path) -> Iterator[str]:
    if not SERVER_URL:
        script = gzip.decompress((KEPT / "first.sqlite.sql.gz").read_bytes()).decode()
        connection = sqlite_module().connect(tmp_path / "old.sqlite3")
        connection.executescript(script)
        connection.close()
        yield f"sqlite:///{tmp_path / 'old.sqlite3'}"
        return
    name = f"upgrade_{uuid.uuid4().hex}"
    _server_command(f'CREATE DATABASE "{name}"')
    with psycopg.connect(_database_url(name), autocommit=True) as connection:
        connection.execute(gzip.decompress((KEPT / "first.postgresql.sql.gz").read_bytes()))
    yield _database_url(name)
    _server_command(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def app(tmp_path: Path, old_url: str) -> Iterator[Flask]:
    app = make_app(tmp_path, old_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def rows(only: Rows | None = None) -> Rows:
    """All rows of all tables; with `only`, those tables and columns alone."""
    found: Rows = {}
    with db.engine.connect() as connection:
        for table in sorted(set(inspect(connection).get_table_names()) - LIVING):
            if only is not None and table not in only:
                continue
            lines = [dict(row) for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings()]
            if only is not None and only[table]:
                columns = only[table][0].keys()
                lines = [{name: line[name] for name in columns} for line in lines]
            found[table] = sorted(lines, key=repr)
    db.session.remove()
    return found


def test_everything_is_there_as_it_was(app: Flask) -> None:
    before = rows()
    assert len([table for table in before if before[table]]) > 25
    migrating.upgrade(app)
    assert migrating.missing_heads(app) == set()
    assert rows(before) == before
    assert verify_chain(None).is_whole
    # Down to where it came from, and up once more.
    for branch in ("archive", "sop", "key_accounts"):
        migrating.downgrade(app, f"{branch}@base")
    migrating.downgrade(app, f"portal@{CORE}")
    assert rows() == before
    migrating.upgrade(app)
    assert rows(before) == before


@pytest.fixture
def then() -> Iterator[None]:
    """Some hours after the data was written: requests do not wait for ever."""
    with clock.frozen(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        yield


@pytest.mark.usefixtures("then")
def test_work_goes_on_where_it_stopped(app: Flask) -> None:
    migrating.upgrade(app)
    world = World(app)
    anna, hanna = app.test_client(), app.test_client()
    world.login(anna, "anna")
    world.login(hanna, "hanna")
    record = anna.get(f"/customers/{world.customer_id('maotai')}").get_data(as_text=True)
    for kept in ("王小明", "谈了秋季订单", "寄样品", "VIP-2026-000001", "N-maotai"):
        assert kept in record, kept
    # The request that was filed before is decided now.
    request = db.session.query(ApprovalRequest).filter_by(state="pending").one()
    assert hanna.get(f"/approvals/{request.id}").status_code == 200
    digest = digest_of(request)
    with transaction():
        decide(request.id, world.actor("hanna"), vote="approve", opinion="", seen_digest=digest)
    assert db.session.query(VipMembership).count() == 2
    assert verify_chain(None).is_whole
    for page in ("/", "/customers/", "/sop/", "/key-accounts/", "/archive/dossiers/", "/vip/"):
        assert hanna.get(page).status_code == 200, page
