"""Migrations that are killed at a random moment: the next start carries them through, and nothing is half.

`make faults` kills 20 times; the figures are printed with -s.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from portal import migrating
from portal.app import create_app
from portal.extensions import db
from tests.conftest import SERVER_URL, settings_for

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(SERVER_URL), reason="kills processes of SQLite")]
KILLS = 20


def upgraded(app: Flask, revision: str = "heads") -> int:
    """Start an upgrade in a process of its own; its number."""
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            migrating.upgrade(app, revision)
        os._exit(0)
    finally:
        os._exit(1)


def shape(app: Flask) -> dict[str, Any]:
    """Tables and columns, and the rows that were there before."""
    with app.app_context():
        found: dict[str, Any] = {
            name: sorted(column["name"] for column in inspect(db.engine).get_columns(name))
            for name in inspect(db.engine).get_table_names()
        }
        with db.engine.connect() as connection:
            found["integrity"] = connection.execute(text("PRAGMA integrity_check")).scalar_one()
            found["versions"] = sorted(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
        db.engine.dispose()
        return found


def test_a_killed_migration_is_carried_through(tmp_path: Path) -> None:
    def fresh(number: int) -> Flask:
        folder = tmp_path / str(number)
        folder.mkdir()
        return create_app(**settings_for(folder, f"sqlite:///{folder}/portal.sqlite3"))

    whole = fresh(0)
    began = time.monotonic()
    assert os.waitpid(upgraded(whole), 0)[1] == 0
    seconds = time.monotonic() - began
    wanted = shape(whole)
    assert wanted["integrity"] == "ok"
    chance = random.Random(20261122)
    met = 0
    for number in range(1, KILLS + 1):
        app = fresh(number)
        child = upgraded(app)
        time.sleep(chance.uniform(0.05, seconds))
        os.kill(child, signal.SIGKILL)
        met += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert os.waitpid(upgraded(app), 0)[1] == 0, f"round {number} could not be carried through"
        assert shape(app) == wanted, f"round {number}"
    print(f"\n  {met} of {KILLS} migrations killed at work (a whole one takes {seconds:.1f} s), all carried through")
    assert met > KILLS // 2
