"""Two web machines behind nginx on one PostgreSQL, one Redis and one S3-compatible storage.

Whoever logs in on one goes on on the other; one is killed while people work, and nobody sees an error. Needs nginx,
which the set-up does not install (it would start a web server on a person's machine): `apt-get install nginx-light`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from portal import migrating
from portal.app import create_app
from portal.auth.services import give_password
from portal.config import PROJECT_ROOT
from portal.core.transaction import transaction
from portal.extensions import db
from tests.conftest import SECRET, settings_for
from tests.conftest_servers import Postgres, free_port, wait_for_port
from tests.world import World, build_world

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SERVED_BY = "X-Served-By"
READERS, SECONDS = 4, 6
WORDS = "eleven quiet herons 27"

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream portal {{
    server 127.0.0.1:{one} max_fails=1 fail_timeout=3s;
    server 127.0.0.1:{two} max_fails=1 fail_timeout=3s;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://portal;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_next_upstream error timeout;
      add_header {header} $upstream_addr always;
    }}
  }}
}}
"""


class Machine:
    """A web machine: a folder and a port of its own, everything else shared."""

    def __init__(self, folder: Path, shared: dict[str, str]) -> None:
        folder.mkdir()
        self.port = free_port()
        self.log = folder / "log"
        self.environment = {**os.environ, **shared, "DATA_DIR": str(folder), "PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "portal.cli", "run", "--only", "web"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=PROJECT_ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for_port(self.port, self.process, 120)

    def everything(self) -> list[int]:
        """The supervisor and all processes below it."""
        assert self.process is not None
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            children = Path(f"/proc/{pid}/task/{pid}/children")
            waiting += [int(number) for number in children.read_text().split()] if children.exists() else []
        return found

    def kill(self) -> None:
        """As when the power goes."""
        for pid in self.everything():
            os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40)


@pytest.fixture
def machines(redis_url: str, s3_endpoint: str, tmp_path: Path) -> Iterator[tuple[str, list[Machine], str]]:
    """The address of nginx, the two machines behind it, and that of their database."""
    # Run on request alone (`make faults`): who asks for the experiment learns that it could not be made.
    if NGINX is None:
        pytest.fail("nginx is not installed (apt-get install nginx-light)", pytrace=False)
    with Postgres() as server:
        keys = tmp_path / "storage.keys"
        shared = {
            "DATABASE_URL": server.url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET,
            "FILES_URL": "s3://portal/files",
            "ARCHIVE_URL": "s3://portal/archive",
            "ARCHIVE_KEY_FILE": str(keys),
            "S3_ENDPOINT": s3_endpoint,
            "S3_ACCESS_KEY_ID": "test",
            "S3_SECRET_ACCESS_KEY": "test",
            "PROXY_HOPS": "1",
            "WEB_WORKERS": "1",
            "DEFAULT_LANGUAGE": "en",
        }
        app = create_app(**settings_for(tmp_path / "first", server.url, ARCHIVE_KEY_FILE=str(keys)))
        with app.app_context():
            migrating.upgrade(app)
            build_world()
            with transaction():
                give_password(World(app).user("anna").id, WORDS)
            db.session.remove()
            db.engine.dispose()
        pair = [Machine(tmp_path / name, shared) for name in ("one", "two")]
        port = free_port()
        text = CONFIGURATION.format(folder=tmp_path, one=pair[0].port, two=pair[1].port, port=port, header=SERVED_BY)
        (tmp_path / "nginx.conf").write_text(text)
        nginx = None
        try:
            for machine in pair:
                machine.start()
            nginx = subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)])
            wait_for_port(port, nginx)
            yield f"http://127.0.0.1:{port}", pair, server.url
        finally:
            if nginx is not None:
                nginx.terminate()
                nginx.wait(10)
            for machine in pair:
                machine.stop()


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


class Person(requests.Session):
    """Somebody at the portal's address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> requests.Response:
        """One request; what it leads to is not followed."""
        return self.request(method, self.address + path, data=form, timeout=30, allow_redirects=False)


class Reader(threading.Thread):
    """Somebody who opens one page after the other, and files a customer now and then."""

    def __init__(self, client: Person, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.client, self.number, self.stop = client, number, stop
        self.seen: Counter[tuple[int, str]] = Counter()
        self.filed: list[str] = []
        self.broken: list[str] = []

    def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            count += 1
            try:
                answer = self.client.ask(
                    "GET", "/customers/new?party=organisation" if count % 4 == 0 else "/customers/"
                )
                self.seen[answer.status_code, answer.headers.get(SERVED_BY, "")] += 1
                if count % 4 == 0:
                    name = f"双机{self.number}之{count}"
                    form = {
                        "csrf_token": token_of(answer.text),
                        "party": "organisation",
                        "kind": "end_user",
                        "name": name,
                    }
                    filed = self.client.ask("POST", "/customers/new?party=organisation", form)
                    if filed.status_code == 302:
                        self.filed.append(name)
                    else:
                        self.broken.append(f"{name}: {filed.status_code}")
            except requests.RequestException as error:
                self.broken.append(repr(error))


def test_one_of_two_is_killed(machines: tuple[str, list[Machine], str], capsys: Any) -> None:
    address, (one, two), database = machines
    clients = []
    for _person in range(READERS):
        client = Person(address)
        form = {"csrf_token": token_of(client.ask("GET", "/login").text), "login": "anna", "password": WORDS}
        assert client.ask("POST", "/login", form).status_code == 302
        clients.append(client)
    # Logged in on one, going on on the other.
    served = {clients[0].ask("GET", "/customers/").headers[SERVED_BY] for _time in range(6)}
    assert served == {f"127.0.0.1:{one.port}", f"127.0.0.1:{two.port}"}

    stop = threading.Event()
    readers = [Reader(client, number, stop) for number, client in enumerate(clients)]
    for reader in readers:
        reader.start()
    time.sleep(SECONDS)
    one.kill()
    time.sleep(SECONDS)
    two_alone = sum((reader.seen for reader in readers), Counter())
    one.start()
    time.sleep(SECONDS)
    stop.set()
    for reader in readers:
        reader.join(60)
    seen: Counter[tuple[int, str]] = sum((reader.seen for reader in readers), Counter())
    broken = [line for reader in readers for line in reader.broken]
    filed = [name for reader in readers for name in reader.filed]
    with capsys.disabled():
        print(f"\ntwo machines: {sum(seen.values())} pages, {len(filed)} customers filed, {len(broken)} cut off")
    # A form that was half way at the moment of the kill may be cut off, once for each person; a page never fails.
    assert {status for status, _by in seen} == {200}
    assert len(broken) <= READERS, broken
    assert seen[200, f"127.0.0.1:{one.port}"] > two_alone[200, f"127.0.0.1:{one.port}"], "it serves again"
    with psycopg.connect(database) as connection:
        kept = {row[0] for row in connection.execute("SELECT name FROM customer WHERE name LIKE '双机%'")}
    assert set(filed) <= kept
