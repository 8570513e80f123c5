"""Servers that tests need: PostgreSQL, Redis, a browser. Each is started on demand and stopped afterwards.

`Postgres` is a throw-away cluster for TEST_DATABASE_URL; tools/run_tests.py starts one for the second round of tests.
By hand: ``python -m tests.conftest_servers pytest -m db`` runs a command with a cluster of its own.

Fixtures: ``redis_url``, ``s3_endpoint``, ``chromium`` (path of the program), ``browser``, ``clamd``.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

IN_CI = os.environ.get("CI") == "true"
OLDEST_POSTGRESQL = 15


class ServerMissing(Exception):
    """A server program is not installed."""


class Postgres:
    """A throw-away PostgreSQL cluster, or one that is kept in a folder and used again.

    Durability is off, since the data dies with the test run, unless it is asked for.
    """

    def __init__(self, keep: Path | None = None, durable: bool = False) -> None:
        self.durable = durable
        self.programs = _postgresql_programs()
        self.kept = keep is not None
        self.folder = keep or Path(tempfile.mkdtemp(prefix="portal-pg-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.user = _unprivileged_user()
        # Whoever may connect as this account may run programs as the server's user: not every user of the machine.
        self.password = self._password_file.read_text() if self.data.exists() else secrets.token_hex(16)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the maintenance database; the account may create further ones."""
        return f"postgresql://portal:{self.password}@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def start(self) -> None:
        """Create the cluster unless it is there, and wait until it answers."""
        if not self.data.exists():
            self._create()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "max_connections": "60",
            "autovacuum": "off",
            "log_min_messages": "fatal",
        }
        if self.durable:
            options |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = (self.folder / "log").open("wb")
        with log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self._as_user()
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.1)
        said = (self.folder / "log").read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start: {said}")

    def _create(self) -> None:
        password_file = self._password_file
        password_file.write_text(self.password)
        if self.user:
            shutil.chown(self.folder, self.user)
            shutil.chown(password_file, self.user)
        initdb = [self.programs / "initdb", "-D", self.data, "-U", "portal", "-A", "scram-sha-256", "-E", "UTF8"]
        initdb += [f"--pwfile={password_file}", "--locale=C", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, **self._as_user())
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def kill(self) -> None:
        """End all processes of the server at once, as a fault of the machine does; the cluster stays."""
        assert self.process is not None
        number = self.process.pid
        # Its processes lead sessions of their own.
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        for each in (number, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop; a cluster that is not kept stops at once and leaves nothing behind."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if self.kept else signal.SIGQUIT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _as_user(self) -> dict[str, Any]:
        where: dict[str, Any] = {"cwd": "/"}
        if self.user:
            entry = pwd.getpwnam(self.user)
            where |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        return where

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: the account that takes its place, None when this is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ServerMissing("PostgreSQL cannot run as root and there is no account postgres.")


def _postgresql_programs() -> Path:
    """Folder of the newest installed PostgreSQL server programs."""
    folders = [Path(found).parent for found in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    folders += [Path(found).parent for found in glob.glob("/usr/pgsql-*/bin/initdb")]
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    versions = []
    for folder in folders:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
        found = re.search(r"(\d+)", said)
        if found and int(found[1]) >= OLDEST_POSTGRESQL:
            versions.append((int(found[1]), folder))
    if not versions:
        raise ServerMissing(f"PostgreSQL {OLDEST_POSTGRESQL} or later is not installed.")
    return max(versions)[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database (``db``) and what lies in tests/browser (``browser``), before ``-m`` selects."""
    for item in items:
        if {"template", "database_url"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("db")
        if "browser" in item.path.parts:
            item.add_marker("browser")


def unavailable(reason: str) -> None:
    """A server is missing: in CI an error, elsewhere the test is skipped with the reason."""
    if IN_CI:
        pytest.fail(f"{reason} CI needs it.", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of its own on a free port; nothing is kept."""
    program = shutil.which("redis-server")
    if not program:
        unavailable("redis-server is not installed.")
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--dir", str(tmp_path_factory.mktemp("redis")), "--loglevel", "warning"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[Any], seconds: float = 20) -> None:
    """Wait until somebody listens on the port.

    :raises RuntimeError: when the process ends first or the time is over.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it listened")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port} after {seconds} s")


def chromium_program() -> str | None:
    """Path of a Chromium: PORTAL_CHROMIUM, the system's, or the one Playwright fetched."""
    named = os.environ.get("PORTAL_CHROMIUM")
    if named:
        return named
    for name in ("chromium", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    cache = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(Path.home() / ".cache" / "ms-playwright")
    fetched = sorted(glob.glob(f"{cache}/chromium-*/chrome-linux*/chrome"))
    return fetched[-1] if fetched else None


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    program = chromium_program()
    if program is None:
        unavailable("Chromium is not installed.")
    assert program is not None
    return program


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A headless Chromium, driven by Playwright (a `playwright.sync_api.Browser`)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, and containers often lack a large /dev/shm.
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


def run_with_postgresql(command: list[str]) -> int:
    """Run a command with TEST_DATABASE_URL naming a new cluster, which is always removed; returns the exit code."""
    with Postgres() as server:
        return subprocess.run(command, env={**os.environ, "TEST_DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    sys.exit(run_with_postgresql(sys.argv[1:]))


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the bucket "portal"."""
    port = free_port()
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for_port(port, process)
        import boto3

        address = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        client.create_bucket(Bucket="portal")
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def clamd() -> Iterator[tuple[str, list[bytes]]]:
    """A scanner that says what stands in the list, and its address."""
    answers: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _peer = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                while size := struct.unpack("!L", stream.read(4))[0]:
                    stream.read(size)
                connection.sendall(answers[0])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}", answers
    server.close()
