"""Processes are killed while people work: web processes in the middle of a form, and the database server.

`make faults` kills 40 web processes and the database server 12 times and prints the figures; a run by hand without
PORTAL_FAULTS=full is short.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal.app import create_app
from portal.audit.models import AuditEntry
from portal.audit.verify import verify_chain
from portal.auth.sessions import cookie_for
from portal.config import PROJECT_ROOT
from portal.core.transaction import transaction
from portal.customers.inputs import CustomerInput
from portal.customers.models import Customer
from portal.customers.services import create_customer
from portal.extensions import db
from tests.conftest import SECRET, SERVER_URL, settings_for
from tests.conftest_servers import Postgres, ServerMissing, free_port, unavailable, wait_for_port
from tests.world import World, build_world

FULL = os.environ.get("PORTAL_FAULTS") == "full"
WEB_KILLS, DATABASE_KILLS = (40, 12) if FULL else (4, 2)
CLIENTS = 3
#: Forms that are acknowledged between two kills, at least.
BETWEEN = 5

pytestmark = pytest.mark.db


def whole(names: set[str]) -> None:
    """Every named customer is there, each with one entry in the trail and found by searching; the chain is unbroken."""
    db.session.rollback()
    kept = set(db.session.scalars(select(Customer.name).where(Customer.name.startswith("电厂"))))
    assert names <= kept, f"acknowledged and lost: {sorted(names - kept)[:5]}"
    entries = db.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "customers:customer:create")
    )
    assert entries == len(kept), "a row without its entry, or an entry without its row"
    from portal.customers.search import matching_ids

    for name in random.Random(1).sample(sorted(kept), k=min(5, len(kept))):
        assert db.session.scalars(matching_ids(name)).all(), f"{name} is not found by searching"
    assert verify_chain(None).is_whole


# ---- web processes -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def web_server(folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The portal's own web server with two processes."""
    port = free_port()
    environ = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": url, "SECRET_KEY": SECRET, "PORT": str(port)}
    environ |= {"DEFAULT_LANGUAGE": "en", "WEB_WORKERS": "2"}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:portal.gunicorn_conf", "wsgi:app"]
    log = (folder / "web.log").open("wb")
    with log:
        server = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_for_port(port, server, 60)
        yield server, port
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def children_of(server: subprocess.Popen[bytes]) -> list[int]:
    found = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [int(number) for number in found]


class Filing(threading.Thread):
    """Somebody who files one customer after the other; whatever was answered is noted."""

    def __init__(self, port: int, cookie: str, token: str, number: int) -> None:
        super().__init__()
        self.port, self.cookie, self.token, self.number = port, cookie, token, number
        self.acknowledged: set[str] = set()
        self.cut_off = 0
        self.unexpected: list[int] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        # Names of chance: numbered ones are alike, and sooner or later the portal asks whether it is the same customer.
        chance = random.Random(self.number)
        while not self.stopped.is_set():
            name = "电厂" + "".join(chr(chance.randrange(0x4E00, 0x9000)) for _ in range(6))
            form = {"csrf_token": self.token, "party": "organisation", "kind": "end_user", "name": name}
            headers = {"Cookie": f"portal={self.cookie}", "Content-Type": "application/x-www-form-urlencoded"}
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("POST", "/customers/new?party=organisation", urlencode(form), headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                self.cut_off += 1
                continue
            finally:
                connection.close()
            if status == 302:
                self.acknowledged.add(name)
            else:
                self.unexpected.append(status)


def done(people: list[Filing]) -> int:
    return sum(len(person.acknowledged) for person in people)


def test_killed_web_processes_lose_nothing(app: Flask, world: World, database_url: str, tmp_path: Path) -> None:
    with transaction():
        cookie = cookie_for(world.user("anna").id, ip="127.0.0.1", user_agent="test")
    db.session.remove()
    with web_server(tmp_path, database_url) as (server, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/customers/new", headers={"Cookie": f"portal={cookie}"})
        page = connection.getresponse().read().decode()
        connection.close()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None
        people = [Filing(port, cookie, token[1], number) for number in range(CLIENTS)]
        for person in people:
            person.start()
        chance = random.Random(20261122)
        killed = 0
        while killed < WEB_KILLS:
            # A new process draws its first pages slowly: some work between two kills, however slow the machine.
            before, deadline = done(people), time.monotonic() + 30
            while done(people) < before + BETWEEN:
                assert time.monotonic() < deadline, (tmp_path / "web.log").read_text()[-2000:]
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.1))
            alive = children_of(server)
            if alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(alive), signal.SIGKILL)
                    killed += 1
        time.sleep(0.5)
        for person in people:
            person.stopped.set()
        for person in people:
            person.join(30)
    acknowledged = set().union(*(person.acknowledged for person in people))
    cut_off = sum(person.cut_off for person in people)
    print(f"\n  {killed} web processes killed: {len(acknowledged)} forms acknowledged, {cut_off} cut off, none lost")
    assert [status for person in people for status in person.unexpected] == []
    assert len(acknowledged) > WEB_KILLS
    assert cut_off > 0, "no kill met anybody: the experiment proves nothing"
    whole(acknowledged)


# ---- the database server -------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(SERVER_URL) and not FULL, reason="has a server of its own; once is enough")
def test_a_killed_database_server_loses_nothing(tmp_path: Path) -> None:
    try:
        server = Postgres(durable=True)
    except ServerMissing as error:
        unavailable(str(error))
        return
    with server:
        app = create_app(**settings_for(tmp_path, server.url))
        with app.app_context():
            from portal import migrating

            migrating.upgrade(app)
            build_world()
            actor = World(app).actor("anna")
            acknowledged: set[str] = set()
            waits = []
            chance = random.Random(20261122)
            for kill in range(DATABASE_KILLS):
                killer = threading.Timer(chance.uniform(0.1, 0.5), server.kill)
                killer.start()
                count = 0
                with contextlib.suppress(DBAPIError):
                    while True:
                        count += 1
                        name = f"电厂{kill}之{count}"
                        with transaction():
                            create_customer(CustomerInput(name=name, kind="end_user"), actor)
                        acknowledged.add(name)
                killer.join()
                server.start()
                began = time.monotonic()
                # The very same process goes on, without a restart.
                while True:
                    try:
                        with transaction():
                            create_customer(CustomerInput(name=f"电厂{kill}之后", kind="end_user"), actor)
                        break
                    except DBAPIError:
                        assert time.monotonic() - began < 10
                acknowledged.add(f"电厂{kill}之后")
                waits.append(time.monotonic() - began)
            print(
                f"\n  database server killed {DATABASE_KILLS} times: {len(acknowledged)} commits acknowledged, none "
                f"lost; the portal went on after {max(waits):.2f} s at most"
            )
            assert len(acknowledged) > DATABASE_KILLS * 3
            whole(acknowledged)
            db.session.remove()
            db.engine.dispose()
