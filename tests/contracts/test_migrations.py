"""Migrations on both databases: up, down, up; what they make is what the models say, triggers and indexes included."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from portal import migrating
from portal.cli import cli
from portal.extensions import Base, db
from tests.conftest import SERVER_URL, _database_url, _server_command, make_app

pytestmark = pytest.mark.db


class Databases:
    """Empty databases, thrown away afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []

    def make(self) -> str:
        name = f"migrations_{uuid.uuid4().hex}"
        if not SERVER_URL:
            return f"sqlite:///{self.folder / name}.sqlite3"
        self.names.append(name)
        _server_command(f'CREATE DATABASE "{name}"')
        return _database_url(name)

    def drop(self) -> None:
        for name in self.names:
            _server_command(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    made = Databases(tmp_path)
    yield made
    made.drop()


def _app(folder: Path, url: str, **more: Any) -> Flask:
    return make_app(folder, url, **more)


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


def _normal(statement: str | None) -> str:
    """SQL without what does not matter: quotes, blanks, lines, case of words."""
    plain = re.sub(r"\s+", " ", (statement or "").replace('"', "").replace("IF NOT EXISTS ", ""))
    return re.sub(r"\s*([(),;])\s*", r"\1", plain).strip().lower()


def _checks() -> dict[str, str]:
    found = {}
    reader = inspect(db.engine)
    for table in reader.get_table_names():
        for check in reader.get_check_constraints(table):
            found[f"{table}.{check['name']}"] = _normal(check["sqltext"])
    return found


def _shape() -> dict[str, Any]:
    """Tables with columns and keys, indexes, triggers, functions and checks of the present database."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
            master = [row for row in rows if row.tbl_name != "alembic_version"]
            parts = {f"{row.type} {row.name}": _normal(row.sql) for row in master if row.type in ("index", "trigger")}
            virtual = {row.name: _normal(row.sql) for row in master if "virtual" in (row.sql or "").lower()[:20]}
            columns = {
                row.name: sorted(
                    (c.name, c.type.lower(), c.notnull, c.pk)
                    for c in connection.execute(text(f'PRAGMA table_info("{row.name}")'))
                )
                for row in master
                if row.type == "table"
            }
        else:
            parts = {
                f"index {row.indexname}": _normal(row.indexdef)
                for row in connection.execute(text("SELECT * FROM pg_indexes WHERE schemaname = 'public'"))
                if row.tablename != "alembic_version"
            }
            parts |= {
                f"trigger {row[0]}": _normal(row[1])
                for row in connection.execute(
                    text(
                        "SELECT tgname || ' ' || tgrelid::regclass, pg_get_triggerdef(oid) FROM pg_trigger"
                        " WHERE NOT tgisinternal"
                    )
                )
            }
            virtual = {
                f"function {row[0]}": _normal(row[1])
                for row in connection.execute(
                    text("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
                )
            }
            columns = {}
            for row in connection.execute(
                text(
                    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, collation_name"
                    " FROM information_schema.columns WHERE table_schema = 'public'"
                )
            ):
                if row[0] != "alembic_version":
                    columns.setdefault(row[0], []).append(tuple(row[1:]))
            columns = {name: sorted(found, key=str) for name, found in columns.items()}
        keys = {}
        reader = inspect(connection)
        for table in reader.get_table_names():
            if table != "alembic_version":
                keys[table] = sorted(
                    (tuple(k["constrained_columns"]), k["referred_table"], str(k.get("options") or {}))
                    for k in reader.get_foreign_keys(table)
                )
    return {"columns": columns, "parts": parts, "virtual": virtual, "keys": keys, "checks": _checks()}


def _unlike(migrated: dict[str, Any], made: dict[str, Any]) -> list[str]:
    found = []
    for what in made:
        for name in sorted(set(migrated[what]) | set(made[what])):
            one, other = migrated[what].get(name), made[what].get(name)
            if one != other:
                found.append(f"{what} {name}: migrated {one}; models {other}")
    return found


def test_what_migrations_make_is_what_the_models_say(databases: Databases, tmp_path: Path) -> None:
    app = _app(tmp_path, databases.make())
    with app.app_context():
        assert migrating.missing_heads(app) == set(_heads(app))
        migrating.upgrade(app)
        assert migrating.missing_heads(app) == set()
        assert migrating.differences(app) == []
        migrated = _shape()
        _close()
    other = _app(tmp_path, databases.make())
    with other.app_context():
        Base.metadata.create_all(db.engine)
        made = _shape()
        _close()
    assert _unlike(migrated, made) == []


def test_up_down_up(databases: Databases, tmp_path: Path) -> None:
    app = _app(tmp_path, databases.make())
    with app.app_context():
        migrating.upgrade(app)
        before = _shape()
        branches = [plugin.info.name for plugin in app.extensions["portal_plugins"].plugins if plugin.migrations]
        assert "vip" in branches
        gone = {"portal"}
        for branch in branches:
            migrating.downgrade(app, f"{branch}@base")
            gone.add(branch)
            assert [name for name in inspect(db.engine).get_table_names() if name.startswith(f"{branch}_")] == []
            assert "customer" in inspect(db.engine).get_table_names()
            assert {revision.rpartition("_")[0] for revision in migrating.missing_heads(app)} <= gone
        migrating.downgrade(app, "portal@base")
        left = _shape()
        assert left == {"columns": {}, "parts": {}, "virtual": {}, "keys": {}, "checks": {}}
        migrating.upgrade(app)
        assert _unlike(_shape(), before) == []
        _close()


def test_one_branch_goes_and_comes_back_while_the_rest_stays(databases: Databases, tmp_path: Path) -> None:
    app = _app(tmp_path, databases.make())
    with app.app_context():
        migrating.upgrade(app)
        with db.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO setting (key, value, updated_at) VALUES ('a.b', '1', '2026-01-01 00:00:00')")
            )
        migrating.downgrade(app, "vip@base")
        migrating.upgrade(app)
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT value FROM setting")).scalar_one() == "1"
        assert migrating.missing_heads(app) == set()
        _close()


def test_plugins_that_are_off_are_migrated_too(databases: Databases, tmp_path: Path) -> None:
    app = _app(tmp_path, databases.make(), DISABLED_PLUGINS="vip")
    with app.app_context():
        migrating.upgrade(app)
        assert "vip_membership" in inspect(db.engine).get_table_names()
        assert migrating.differences(app) == []
        _close()


def test_branches_are_labelled_and_depend_on_the_core(app: Flask) -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migrating.alembic_config(app))
    names = {plugin.info.name for plugin in app.extensions["portal_plugins"].plugins if plugin.migrations}
    for revision in script.walk_revisions():
        branch = revision.revision.rpartition("_")[0]
        assert branch in names | {"portal"}, revision.revision
        assert branch in revision.branch_labels, revision.revision
        if revision.down_revision is None and branch != "portal":
            assert revision._resolved_dependencies, f"{revision.revision} does not depend on the core"
        folder = Path(revision.path).parent
        assert folder.name == ("versions" if branch == "portal" else "migrations")
        source = Path(revision.path).read_text(encoding="utf-8")
        assert not re.search(r"^(from|import) (portal|plugins)\.\S*models", source, re.MULTILINE), (
            f"{revision.revision} imports models: it would change when they do"
        )


def _heads(app: Flask) -> tuple[str, ...]:
    from alembic.script import ScriptDirectory

    return tuple(ScriptDirectory.from_config(migrating.alembic_config(app)).get_heads())


def test_a_database_that_knows_more_than_the_portal_is_refused(databases: Databases, tmp_path: Path) -> None:
    app = _app(tmp_path, databases.make())
    with app.app_context():
        migrating.upgrade(app)
        with db.engine.begin() as connection:
            connection.execute(text("INSERT INTO alembic_version (version_num) VALUES ('portal_9999')"))
        _close()
    said = app.test_cli_runner().invoke(cli, ["prepare"])
    assert said.exit_code == 1
    assert "portal_9999" in said.output
    assert "newer version" in said.output
