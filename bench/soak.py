"""`make soak`: people at work on the benchmark's data for a while; errors, percentiles, memory of the web processes.

python -m bench.soak [--minutes 30] [--people 30] [--customers N] [--lines N] [--keep FOLDER]

Each person logs in, opens lists, records, searches, the inbox and the home page at random, records an interaction now
and then, and thinks for a second or three in between, as people do.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import select

from bench import data, history, sizing
from bench.__main__ import SECRET, serving
from bench.measure import memory_of
from portal.app import create_app
from portal.auth.sessions import cookie_for
from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.models import User

RESULTS = Path(__file__).with_name("soak_results.json")
#: What must hold: milliseconds of 95 % of the pages and of the searches, growth of a web process after the first tenth.
PAGE_MS, SEARCH_MS, GROWTH = 300.0, 1000.0, 1.1
THINKING = (1.0, 3.0)
#: page → how often it is chosen
MIX = {"home": 3, "list": 3, "record": 5, "search": 3, "inbox": 1, "VIP list": 1, "key accounts": 1, "write": 1}
QUERIES = ("宝贝", "abbd", "abadilvyou", "重庆", "hn", "shanghai")


@dataclass
class Person(threading.Thread):
    """Somebody at work.

    :ivar customers: ids of customers he may see. :ivar times: page → milliseconds of each answer.
    """

    number: int
    port: int
    cookie: str
    customers: list[int]
    stopped: threading.Event
    times: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(self.number)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Until stopped: choose, ask, think."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.stopped.is_set():
            page = self.chance.choices(list(MIX), list(MIX.values()))[0]
            try:
                self._ask(connection, page)
            except (OSError, http.client.HTTPException) as error:
                self.problems.append(f"{page}: {error!r}")
                connection.close()
            self.stopped.wait(self.chance.uniform(*THINKING))

    def _ask(self, connection: http.client.HTTPConnection, page: str) -> None:
        customer = self.chance.choice(self.customers)
        paths = {
            "home": "/",
            "list": f"/customers/?sort={self.chance.choice(('name', '-total_12m', 'next_contact'))}",
            "record": f"/customers/{customer}",
            "search": f"/search?q={quote(self.chance.choice(QUERIES))}",
            "inbox": "/approvals",
            "VIP list": "/vip/",
            "key accounts": "/key-accounts/accounts",
        }
        if page != "write":
            self._timed(connection, page, "GET", paths[page])
            return
        form = self._timed(connection, "record", "GET", paths["record"])
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        fields = {
            "csrf_token": token[1] if token else "",
            "quick": "1",
            "kind": "phone",
            "at": clock.local(clock.now()).strftime("%Y-%m-%dT%H:%M"),
            "result": f"长时间运行 {self.number}",
        }
        self._timed(connection, "write", "POST", f"{paths['record']}/interactions/new", urlencode(fields))

    def _timed(
        self, connection: http.client.HTTPConnection, page: str, method: str, path: str, body: str | None = None
    ) -> str:
        headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        begin = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        self.times.setdefault(page, []).append((time.perf_counter() - begin) * 1000)
        if answer.status not in (200, 302) or (method == "POST" and answer.status != 302):
            self.problems.append(f"{method} {path}: {answer.status}")
        return text


def main() -> int:
    """Run the soak; exit code 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="bench.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--keep", default="", help="folder with the benchmark's data (as for `python -m bench`)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="portal-soak-") as temporary:
        folder = Path(options.keep or temporary) / "sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        report = _soak(folder, options)
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sizing.write()
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 0 if all(report["reached"].values()) else 1


def _soak(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    settings = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}", "SECRET_KEY": SECRET}
    app = create_app(**settings)
    with app.app_context():
        from portal import migrating

        migrating.upgrade(app)
        if db.session.scalar(select(User.id).limit(1)) is None:
            db.session.remove()
            data.fill(options.customers, options.lines)
        history.fill(data.company(), options.customers)
        people = _people(options.people)
        db.session.remove()
    name = app.config["SESSION_COOKIE_NAME"]
    environment = os.environ | settings | {"HOST": "127.0.0.1", "WEB_WORKERS": "2"}
    with serving("portal.app:create_app()", environment, "-c", "python:portal.gunicorn_conf") as (port, process):
        stopped = threading.Event()
        crowd = [Person(number, port, f"{name}={cookie}", own, stopped) for number, (cookie, own) in enumerate(people)]
        for person in crowd:
            person.start()
        seconds = options.minutes * 60
        memory: list[tuple[float, list[int]]] = []
        begun = time.monotonic()
        for share in (0.1, 0.5, 1.0):
            time.sleep(max(begun + seconds * share - time.monotonic(), 0))
            memory.append((seconds * share, memory_of(process.pid)))
        stopped.set()
        for person in crowd:
            person.join(70)
    return _report(options, crowd, memory)


def _people(count: int) -> list[tuple[str, list[int]]]:
    """(session, customers) of so many account managers."""
    ids = db.session.scalars(
        select(User.id).where(User.login.startswith("manager")).order_by(User.id).limit(count)
    ).all()
    found = []
    for user_id in ids:
        own = select(Customer.id).where(Customer.account_manager_id == user_id).order_by(Customer.id).limit(200)
        found.append((user_id, list(db.session.scalars(own))))
    db.session.remove()
    with transaction():
        return [(cookie_for(user_id, ip="127.0.0.1", user_agent="soak"), own) for user_id, own in found]


def _report(options: argparse.Namespace, crowd: list[Person], memory: list[tuple[float, list[int]]]) -> dict[str, Any]:
    times: dict[str, list[float]] = {}
    for person in crowd:
        for page, values in person.times.items():
            times.setdefault(page, []).extend(values)
    pages = {
        page: {
            "requests": len(values),
            "p50": round(statistics.median(values), 1),
            "p95": round(statistics.quantiles(values, n=20, method="inclusive")[18], 1),
        }
        for page, values in sorted(times.items())
        if len(values) > 1
    }
    problems = [line for person in crowd for line in person.problems]
    growth = max(last / first for first, last in zip(memory[0][1], memory[-1][1], strict=True))
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "people": len(crowd),
        "minutes": options.minutes,
        "pages": pages,
        "errors": len(problems),
        "first_errors": problems[:5],
        "memory_kib": {f"{seconds:.0f} s": sizes for seconds, sizes in memory},
        "reached": {
            "no error": not problems,
            f"95 % of the pages below {PAGE_MS:g} ms": all(
                row["p95"] < PAGE_MS for page, row in pages.items() if page != "search"
            ),
            f"95 % of the searches below {SEARCH_MS:g} ms": pages["search"]["p95"] < SEARCH_MS,
            f"memory grows by less than {GROWTH - 1:.0%} after the first tenth": growth < GROWTH,
        },
    }


if __name__ == "__main__":
    sys.exit(main())
