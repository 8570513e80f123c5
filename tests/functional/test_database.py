"""What every connection to the database is told before it is used."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.core.database import PREPARED_STATEMENTS
from portal.extensions import db

pytestmark = pytest.mark.db


def test_settings_of_a_connection_outlast_a_rollback(app: Flask) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        connection.rollback()
        raw = connection.connection.dbapi_connection

        def told(statement: str) -> str:
            return str(connection.exec_driver_sql(statement).scalar())

        if db.engine.dialect.name == "postgresql":
            assert told("SHOW max_parallel_workers_per_gather") == "0"
            assert raw is not None
            assert raw.prepared_max == PREPARED_STATEMENTS
        else:
            # FULL: an answer leaves when the disk has the change; references are checked.
            assert (told("PRAGMA journal_mode"), told("PRAGMA synchronous")) == ("wal", "2")
            assert told("PRAGMA foreign_keys") == "1"
