"""Fixtures of all tests: an application on a fresh copy of a migrated database, and a small organisation in it.

The database is SQLite unless TEST_DATABASE_URL names a PostgreSQL server; there every test gets a database of its own
made from a template. `make test` runs the tests both ways.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Engine, create_engine, text

from portal.app import create_app
from portal.core import clock
from portal.core.registry import Registry
from portal.extensions import db
from portal.startup import without_collector
from tests.world import World, build_world

pytest_plugins = ("tests.conftest_servers",)

SERVER_URL = os.environ.get("TEST_DATABASE_URL", "")
#: Files that take longest start first, so that at the end no process waits for one of them (a file is never divided).
LONGEST_FIRST = (
    "contracts/test_sample_plugin.py",
    "functional/test_demo.py",
    "access/test_crawl.py",
    "access/test_matrix.py",
    "access/test_fuzz.py",
    "functional/test_jobs_running.py",
    "contracts/test_migrations.py",
    "unit/test_pdf_render.py",
    "property/",
    "functional/test_sop_export_pdf.py",
    "functional/test_plugin_switch.py",
    "access/",
    "races/",
    "functional/test_import_purchases.py",
    "functional/test_audit_chain.py",
    "functional/test_archive_",
    "functional/test_notifications_outbox.py",
    "functional/test_auth_sharing.py",
)
SECRET = "tests-only-" + "0" * 32
#: Names the folder of compiled templates.
COMPILED = "TEST_COMPILED_TEMPLATES"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first (needs xdist's `--no-loadscope-reorder`); the order within a file stays."""

    def place(item: pytest.Item) -> int:
        name = item.nodeid
        return next((rank for rank, part in enumerate(LONGEST_FIRST) if part in name), len(LONGEST_FIRST))

    items.sort(key=place)


def settings_for(folder: Path, url: str, **more: Any) -> dict[str, Any]:
    """Settings of an application under test."""
    return {
        "TESTING": True,
        "DATA_DIR": str(folder),
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "ORGANISATION": "测试公司",
        "JOBS_IMMEDIATE": True,
        "WTF_CSRF_ENABLED": False,
        "ARGON2_FAST": True,
        "DEFAULT_LANGUAGE": "en",
        **more,
    }


def make_app(folder: Path, url: str, **settings: Any) -> Flask:
    """An application under test; templates that any process of this run compiled are not compiled again."""
    with without_collector():
        app = create_app(**settings_for(folder, url, **settings))
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(_compiled_templates())
    return app


def _compiled_templates() -> str:
    """A folder for all processes of a run: the first one makes it, its children inherit its name."""
    if COMPILED not in os.environ:
        os.environ[COMPILED] = tempfile.mkdtemp(prefix="portal-templates-")
        atexit.register(shutil.rmtree, os.environ[COMPILED], ignore_errors=True)
    return os.environ[COMPILED]


def pytest_configure() -> None:
    """Before the processes that share the work are started; what is loaded until the first test stays for good."""
    _compiled_templates()
    gc.disable()


def pytest_collection_finish() -> None:
    """Garbage is looked for again, but not among the tests."""
    gc.freeze()
    gc.enable()


@cache
def _server() -> Engine:
    """The maintenance database; one connection for all tests of a process."""
    return create_engine(_psycopg(SERVER_URL), isolation_level="AUTOCOMMIT")


def _server_command(statement: str) -> None:
    with _server().connect() as connection:
        connection.execute(text(statement))


def _psycopg(url: str) -> str:
    return "postgresql+psycopg://" + url.split("://", 1)[1]


def _database_url(name: str) -> str:
    return SERVER_URL.rsplit("/", 1)[0] + "/" + name


class Template:
    """A migrated database with the small organisation, copied for each test."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder = folder
        self.name = f"template_{worker}_{uuid.uuid4().hex[:8]}"
        self.file = folder / "template.sqlite3"
        if SERVER_URL:
            _server_command(f'CREATE DATABASE "{self.name}"')
        app = make_app(folder, self.url)
        with app.app_context(), without_collector():
            from portal import migrating

            migrating.upgrade(app)
            build_world()
            db.session.remove()
            if not SERVER_URL:
                with db.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            db.engine.dispose()
        # What is loaded by now stays until the end: nobody looks for garbage in it.
        gc.freeze()

    @property
    def url(self) -> str:
        return _database_url(self.name) if SERVER_URL else f"sqlite:///{self.file}"

    def copy(self) -> str:
        """A fresh copy at the same address as the one before; returns its URL."""
        if SERVER_URL:
            name = f"{self.name}_copy"
            _server_command(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            # The files are in memory: copying them is half the work of writing each page to the log.
            _server_command(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}" STRATEGY FILE_COPY')
            return _database_url(name)
        target = self.folder / "portal.sqlite3"
        for ending in ("", "-wal", "-shm"):
            Path(f"{target}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self.file, target)
        return f"sqlite:///{target}"

    def drop(self, url: str) -> None:
        """Throw a copy away."""
        if SERVER_URL:
            name = url.rsplit("/", 1)[1]
            _server_command(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class Applications:
    """Applications that are made once a process and lent to one test after the other, since making one is slow.

    What a test changes in the settings or registers in addition is gone for the next one.
    """

    #: applications kept at once; tests with the same settings stand in one file
    KEPT = 3

    def __init__(self) -> None:
        self._made: dict[str, Flask] = {}

    @contextmanager
    def lend(self, folder: Path, url: str, settings: dict[str, Any]) -> Iterator[Flask]:
        """An application of these settings on the database `url` with its files in `folder`."""
        key = repr((url, sorted(settings.items())))
        app = self._made.pop(key, None)
        if app is None:
            app = make_app(folder, url, **settings)
            while len(self._made) >= self.KEPT:
                del self._made[next(iter(self._made))]
        self._made[key] = app
        app.config["DATA_DIR"] = folder
        clock.set_zone(app.config["TIMEZONE"])
        config, extensions = dict(app.config), dict(app.extensions)
        registries = {name: dict(item._items) for name, item in extensions.items() if isinstance(item, Registry)}
        definitions = dict(extensions["portal_settings"].definitions)
        hooks = extensions["portal_plugins"].pluggy
        plugins = set(hooks.get_plugins())
        try:
            yield app
        finally:
            for plugin in set(hooks.get_plugins()) - plugins:
                hooks.unregister(plugin)
            for name, items in registries.items():
                _put_back(extensions[name]._items, items)
            _put_back(extensions["portal_settings"].definitions, definitions)
            _put_back(app.extensions, extensions)
            _put_back(app.config, config)


def _put_back(changed: dict[str, Any], kept: dict[str, Any]) -> None:
    changed.clear()
    changed.update(kept)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Template]:
    made = Template(tmp_path_factory.mktemp("template"), worker_id)
    yield made
    if SERVER_URL:
        _server_command(f'DROP DATABASE "{made.name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture
def app_settings() -> dict[str, Any]:
    """Settings that a test module wants to differ; override this fixture there."""
    return {}


@pytest.fixture
def database_url(template: Template) -> Iterator[str]:
    url = template.copy()
    yield url
    template.drop(url)


@pytest.fixture(scope="session")
def applications() -> Applications:
    return Applications()


@pytest.fixture
def app(applications: Applications, database_url: str, tmp_path: Path, app_settings: dict[str, Any]) -> Iterator[Flask]:
    """An application with the small organisation; its context is pushed."""
    with applications.lend(tmp_path, database_url, app_settings) as app, app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def world(app: Flask) -> World:
    """The small organisation: `world.user("anna")`, `world.actor("anna")`, `world.login(client, "anna")`."""
    return World(app)
