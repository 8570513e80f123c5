"""The supervisor of web server and worker: stops both, leaves nothing behind, says why."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest
from flask import Flask

from portal import server
from portal.extensions import db
from tests.conftest_servers import free_port
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]

#: A child that writes its process number, starts a grandchild, and answers signals as told.
CHILD = """
import os, signal, subprocess, sys, time
name, folder, manner = sys.argv[1:4]
if manner == "deaf":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
for who, pid in ((name, os.getpid()), (name + "-grandchild", grandchild.pid)):
    with open(f"{folder}/{who}.new", "w") as handle:
        handle.write(str(pid))
    os.rename(f"{folder}/{who}.new", f"{folder}/{who}")
if manner == "dies":
    time.sleep(0.3)
    sys.exit(7)
time.sleep(60)
"""

SUPERVISOR = """
import json, os, signal, sys
from functools import partial
from portal import server
folder, manners = sys.argv[1], json.loads(sys.argv[2])
server.GRACE_SECONDS = server.INTERRUPT_SECONDS = 1.0
children = [
    server.Child(name, partial(os.execv, sys.executable, program), signal.SIGTERM, signal.SIGQUIT)
    for name, manner in manners.items()
    for program in [[sys.executable, f"{folder}/child.py", name, folder, manner]]
]
sys.exit(server._supervise(children, {}, ""))
"""


class Supervised:
    """A supervisor with two children in a folder."""

    def __init__(self, folder: Path, **manners: str) -> None:
        self.folder = folder
        (folder / "child.py").write_text(CHILD)
        self.names = [*manners, *(f"{name}-grandchild" for name in manners)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(folder), json.dumps(manners)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_started(self) -> None:
        deadline = time.monotonic() + 15
        while not all((self.folder / name).exists() for name in self.names):
            assert time.monotonic() < deadline, "the children did not start"
            time.sleep(0.05)

    def ended(self) -> tuple[int, str]:
        said, _nothing = self.process.communicate(timeout=20)
        return self.process.returncode, said

    def alive(self) -> list[str]:
        """Names of children and grandchildren that still run."""
        found = []
        for name in self.names:
            status = Path(f"/proc/{(self.folder / name).read_text()}/stat")
            try:
                if status.read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(name)
            except FileNotFoundError:
                continue
        return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    supervised = Supervised(tmp_path, web="sleeps", worker="sleeps")
    supervised.wait_until_started()
    assert len(supervised.alive()) == 4
    supervised.process.send_signal(number)
    code, said = supervised.ended()
    assert code == 0
    assert "Stopping" in said
    assert supervised.alive() == []


def test_a_child_that_ends_takes_the_other_along(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, web="sleeps", worker="dies")
    supervised.wait_until_started()
    code, said = supervised.ended()
    assert code == 1
    assert "worker ended by itself (exit code 7)" in said
    assert supervised.alive() == []


def test_a_child_killed_is_named_with_the_signal(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, web="sleeps", worker="sleeps")
    supervised.wait_until_started()
    os.kill(int((tmp_path / "web").read_text()), signal.SIGKILL)
    code, said = supervised.ended()
    assert code == 1
    assert "web ended by itself (signal SIGKILL)" in said
    assert supervised.alive() == []


def test_a_deaf_child_is_killed_after_the_grace(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, web="deaf", worker="sleeps")
    supervised.wait_until_started()
    began = time.monotonic()
    supervised.process.send_signal(signal.SIGINT)
    code, _said = supervised.ended()
    assert code == 0
    assert 1.5 < time.monotonic() - began < 10
    assert supervised.alive() == []


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, web="sleeps", worker="sleeps")
    supervised.wait_until_started()
    supervised.process.kill()
    supervised.process.wait(10)
    assert supervised.process.stdout is not None
    supervised.process.stdout.close()
    deadline = time.monotonic() + 10
    while {"web", "worker"} & set(supervised.alive()):
        assert time.monotonic() < deadline, "a child outlived the supervisor"
        time.sleep(0.05)
    for name in supervised.alive():
        # The stand-in does not look after its own children, as gunicorn's and huey's processes do.
        os.kill(int((tmp_path / name).read_text()), signal.SIGKILL)


def _run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from portal.server import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_busy_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = _run(tmp_path, PORT=str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in done.stdout
    assert f"PORT={port + 1}" in done.stdout


def test_an_unknown_host_and_a_wrong_setting_are_named(tmp_path: Path) -> None:
    assert "HOST" in _run(tmp_path, HOST="no.such.host.invalid", PORT=str(free_port())).stdout
    done = _run(tmp_path, PORT="many")
    assert done.returncode == 1
    assert "PORT must be a whole number" in done.stdout


def _descendants(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(below for child in found for below in _descendants(child))]


def _still_there(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text()]


@pytest.mark.parametrize("manner", [signal.SIGTERM, signal.SIGKILL])
def test_the_portal_serves_works_and_ends_as_a_whole(database_url: str, tmp_path: Path, manner: signal.Signals) -> None:
    """`portal run` with real children: pages and jobs from one application, nothing left behind, nothing half done."""
    port = free_port()
    program = [sys.executable, "-c", "from portal.cli import main; main()", "run"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": database_url, "PORT": str(port)}
    with (tmp_path / "log").open("wb") as log:
        portal = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def said() -> str:
        return (tmp_path / "log").read_text("utf-8")

    try:
        deadline = time.monotonic() + 90
        # The supervisor says so when /healthz answers 200, for which the worker's pulse must have reached the database.
        while f"The portal runs at http://127.0.0.1:{port}" not in said():
            assert portal.poll() is None, said()
            assert time.monotonic() < deadline, said()
            time.sleep(0.1)
        assert "not well" not in said()
        below = _descendants(portal.pid)
        # The web server's master, its two processes, the worker.
        assert len(_still_there(below)) >= 4
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=10) as page:
            assert page.status == 200
    finally:
        portal.send_signal(manner)
        code = portal.wait(40)
    deadline = time.monotonic() + 20
    while _still_there(below) and time.monotonic() < deadline:
        time.sleep(0.1)
    outlived = _still_there(below)
    for pid in outlived:
        os.kill(pid, signal.SIGKILL)
    assert not outlived, "children outlived the supervisor"
    assert code == (0 if manner == signal.SIGTERM else -signal.SIGKILL), said()
    assert "Traceback" not in said(), said()


def test_one_portal_for_a_data_folder(tmp_path: Path) -> None:
    holder = textwrap.dedent("""
        import sys
        from pathlib import Path
        from portal import server
        with server._only_one(Path(sys.argv[1])):
            print("held", flush=True)
            sys.stdin.read()
    """)
    first = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    done = _run(tmp_path, PORT=str(free_port()))
    assert done.returncode == 1
    assert str(tmp_path) in done.stdout
    assert f"process {first.pid}" in done.stdout
    first.communicate(timeout=10)
    assert first.returncode == 0


def test_web_server_and_worker_are_two_services_of_one_data_folder(tmp_path: Path) -> None:
    with server._only_one(tmp_path, ["web"]), server._only_one(tmp_path, ["worker"]):
        for parts in (["web"], ["worker"], ["web", "worker"]):
            with pytest.raises(server.StartError, match=f"process {os.getpid()}"), server._only_one(tmp_path, parts):
                pass


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/nothing")):
        with (
            pytest.raises(server.StartError, match=f"the data folder {folder} cannot be written"),
            server._only_one(folder),
        ):
            pass


def test_nothing_is_held_while_the_database_is_made_ready(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`portal prepare` works for minutes; what the supervisor read before keeps no log of writes from ending."""
    monkeypatch.setattr(server.migrating, "missing_heads", lambda _app: set())
    assert server._is_ready(app, demo=True)
    assert not db.session().in_transaction()
