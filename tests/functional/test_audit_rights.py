"""The portal runs with an account of PostgreSQL that can do nothing to the trail but add to it (statement 63)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError

from portal.audit.anchors import FILE_NAME
from portal.audit.rights import RightsError, restrict, statements, surplus
from portal.audit.services import erase_private
from portal.audit.verify import verify_chain
from portal.core.transaction import transaction
from portal.extensions import db
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def account(app: Flask, world: World) -> Iterator[str]:
    """A fresh account of the server; every connection from here on acts as it once `act_as` was called. "" on SQLite,
    which knows none."""
    if db.engine.dialect.name != "postgresql":
        yield ""
        return
    name = f"app_{uuid.uuid4().hex[:8]}"
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name}")
    yield name
    db.session.remove()
    db.engine.dispose()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")


def act_as(name: str) -> Any:
    def options(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        parameters["options"] = f"-c role={name}"

    db.session.remove()
    db.engine.dispose()
    event.listen(db.engine, "do_connect", options)
    return options


def test_the_narrow_account_runs_the_portal_and_cannot_touch_the_trail(
    app: Flask, client: FlaskClient, world: World, account: str
) -> None:
    if not account:
        # Nobody is warned of accounts that there are not, and none can be narrowed.
        facts = app.test_cli_runner().invoke(args=["audit", "verify", "--json"])
        assert json.loads(facts.stdout)["rights"] == []
        assert "get past the triggers" not in app.test_cli_runner().invoke(args=["audit", "verify"]).output
        refused = app.test_cli_runner().invoke(args=["audit", "restrict", "portal_app"])
        assert refused.exit_code == 1
        assert "Only PostgreSQL has accounts" in refused.output
        return
    # The owner of the tables is warned of himself.
    assert set(surplus()) == {"owner", "DELETE", "TRUNCATE", "UPDATE"}
    verify = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert verify.exit_code == 0
    assert "could get past the triggers of the trail (owner, DELETE, TRUNCATE, UPDATE)" in verify.stderr
    done = app.test_cli_runner().invoke(args=["audit", "restrict", account])
    assert done.exit_code == 0, done.output
    assert f"GRANT SELECT ON audit_entry, audit_head, alembic_version TO {account};" in done.output

    options = act_as(account)
    try:
        assert surplus() == []
        world.login(client, "anna")
        form = {"name": "新客户公司", "kind": "end_user"}
        assert client.post("/customers/new", data=form).status_code == 302
        assert client.get("/customers/").status_code == 200
        with transaction():
            erase_private(world.actor("admin"), customer_id=world.customer_id("maotai"), reason="本人要求")
        db.session.remove()
        for statement in (
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
            "UPDATE audit_entry SET reason = 'x'",
            "DELETE FROM audit_head",
            "INSERT INTO audit_head (id, seq, hash) VALUES (2, 0, '')",
            "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_entry_no_change ON audit_entry",
            "CREATE OR REPLACE FUNCTION audit_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
            "UPDATE alembic_version SET version_num = 'x'",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), db.engine.begin() as found:
                found.execute(text(statement))
        facts = json.loads(app.test_cli_runner().invoke(args=["audit", "verify", "--json"]).stdout)
        assert (facts["whole"], facts["rights"]) == (True, [])
        assert verify_chain(Path(app.config["DATA_DIR"]) / FILE_NAME).is_whole
    finally:
        event.remove(db.engine, "do_connect", options)


def test_an_account_that_cannot_be_narrowed_is_said(app: Flask, world: World) -> None:
    if db.engine.dialect.name != "postgresql":
        assert surplus() == []
        with pytest.raises(RightsError, match="Only PostgreSQL"):
            restrict("portal_app")
        return
    for name, message in {
        "nobody_of_that_name": "There is no account",
        str(db.session.scalar(text("SELECT current_user"))): "is a superuser",
    }.items():
        failed = app.test_cli_runner().invoke(args=["audit", "restrict", name])
        assert failed.exit_code == 1
        assert message in failed.output


@pytest.mark.parametrize("name", ['a"; DROP TABLE audit_entry', "Portal", "", "1st", "a b", "ä"])
def test_names_that_would_need_quoting_are_refused(name: str) -> None:
    with pytest.raises(RightsError):
        statements(name)
