"""`make bench`: builds the data, starts the real server and the floor, measures, writes bench/results.json
docs/sizing.md and docs/speed.md.

python -m bench [--customers N] [--lines N] [--databases sqlite,postgresql] [--requests N] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from bench import data, history, measure, sizing, speed
from portal.app import create_app
from portal.core.listing import keyset
from portal.extensions import db

RESULTS = Path(__file__).with_name("results.json")
SECRET = "bench-only-" + "0" * 32
WORKERS = 2
#: The floor runs under the same server with the same kind and number of workers.
FLOOR_SERVER = (
    "--workers",
    str(WORKERS),
    "--worker-class",
    "gthread",
    "--threads",
    "4",
    "--keep-alive",
    "0",
    "--worker-tmp-dir",
    "/dev/shm",
    "--log-level",
    "warning",
)
#: The goal for each page: ratio of its p50 to the floor's, with one client.
GOALS = {
    "list": 5.0,
    "list filtered and sorted": 5.0,
    "inbox": 5.0,
    "VIP list": 5.0,
    "customer": 8.0,
    "home": 8.0,
    "search two characters": 6.0,
    "search initials": 6.0,
    "search pinyin with a slip": 12.0,
    "portfolio": 3.0,
}
#: The list a thousand pages in, as a multiple of the first page.
DEEP_GOAL = 1.2
#: With eight clients the same ratios within half as much again.
CROWD = 1.5


def main() -> int:
    """Run the benchmark on each database."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--keep", default="", help="folder to keep the data in, and to use again")
    parser.add_argument("--output", default=str(RESULTS))
    options = parser.parse_args()
    # Ended from outside, the servers that were started must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.machine()},
        "customers": options.customers,
        "order_lines": options.lines,
        "workers": WORKERS,
        "databases": _before(Path(options.output)),
    }
    for name in options.databases.split(","):
        with _database(name, options.keep) as (url, folder):
            report["databases"][name] = _run(url, folder, options)
        Path(options.output).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sizing.write()
    speed.write()
    return 0


def _before(results: Path) -> dict[str, Any]:
    """What was measured of other databases before: it stays until it is measured anew."""
    if not results.is_file():
        return {}
    found: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))["databases"]
    return found


@contextmanager
def _database(name: str, keep: str) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as temporary:
        folder = Path(keep or temporary) / name
        folder.mkdir(parents=True, exist_ok=True)
        if name == "sqlite":
            yield f"sqlite:///{folder / 'portal.sqlite3'}", folder
        else:
            from tests.conftest_servers import Postgres

            with Postgres(folder / "cluster" if keep else None) as server:
                yield server.url, folder


def prepare(url: str, folder: Path, customers: int, lines: int) -> tuple[Any, dict[str, str], dict[str, str]]:
    """Bring a database up to date and fill it where it is empty. Returns application, settings, cookies by role."""
    settings = {"DATA_DIR": str(folder), "DATABASE_URL": url, "SECRET_KEY": SECRET}
    app = create_app(**settings)
    with app.app_context():
        from portal import migrating

        begin = time.perf_counter()
        migrating.upgrade(app)
        if db.session.scalar(select(db.metadata.tables["org_user"].c.id).limit(1)) is None:
            db.session.remove()
            data.fill(customers, lines)
        company = data.company()
        history.fill(company, customers)
        data.analyse()
        print(f"{url.split(':')[0]}, {customers} customers: data ready in {time.perf_counter() - begin:.0f} s")
        cookies = _cookies(company)
        db.session.remove()
    return app, settings, cookies


def _run(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    app, settings, cookies = prepare(url, folder, options.customers, options.lines)
    with app.app_context():
        pages = pages_of(data.company())
        db.session.remove()
    environment = os.environ | settings | {"HOST": "127.0.0.1", "WEB_WORKERS": str(WORKERS)}
    with (
        serving("portal.app:create_app()", environment, "-c", "python:portal.gunicorn_conf") as (port, process),
        _server("bench.floor:create_app()", environment, *FLOOR_SERVER) as floor_port,
    ):
        report = _measure(app, port, floor_port, pages, cookies, options.requests)
        report["memory_mib"] = [round(kib / 1024) for kib in measure.memory_of(process.pid)]
        print(f"memory of the web processes after all of it: {report['memory_mib']} MiB")
        return report


def _cookies(company: data.Company) -> dict[str, str]:
    from portal.auth.sessions import cookie_for
    from portal.core.transaction import transaction
    from portal.org.models import AUDITOR, User

    with transaction():
        auditor = int(db.session.scalar(select(User.id).where(User.login == AUDITOR)) or 0)
        people = {"manager": company.manager, "head": company.head, "executive": company.executive, AUDITOR: auditor}
        return {role: cookie_for(person, ip="127.0.0.1", user_agent="bench") for role, person in people.items()}


def pages_of(company: data.Company) -> list[tuple[str, str, str]]:
    """(page, role, path)."""
    from portal.customers.models import Customer

    own = db.session.scalar(
        select(Customer.id)
        .where(Customer.account_manager_id == company.manager)
        .order_by(Customer.id)
        .offset(50)
        .limit(1)
    )
    deep = db.session.execute(
        select(Customer.name_sort, Customer.id).order_by(Customer.name_sort, Customer.id).offset(50_000).limit(1)
    ).first()
    pages = []
    for role in ("manager", "head", "executive"):
        pages += [
            ("list", role, "/customers/?sort=name"),
            ("list filtered and sorted", role, "/customers/?stage=potential&stage=ordering&sort=-total_12m"),
            ("search two characters", role, f"/search?q={quote('宝贝')}"),
            ("search initials", role, "/search?q=abbd"),
            ("search pinyin with a slip", role, "/search?q=abadilvyou"),
            ("customer", role, f"/customers/{own}"),
            ("inbox", role, "/approvals"),
            ("VIP list", role, "/vip/"),
            ("home", role, "/"),
            ("portfolio", role, "/key-accounts/"),
        ]
    pages += _other_pages()
    if deep is not None:
        after = keyset.encode(deep.name_sort, deep.id)
        pages.insert(21, ("list 1,000 pages in", "executive", f"/customers/?sort=name&after={after}"))
    return pages


def _other_pages() -> list[tuple[str, str, str]]:
    """The main pages of all modules and plugins beside those that have a goal."""
    from plugins.sop.manuals.models import Manual

    manual = db.session.scalar(select(Manual.id).order_by(Manual.id).limit(1))
    return [
        ("contacts", "manager", "/customers/contacts"),
        ("interactions", "manager", "/customers/interactions"),
        ("purchases", "manager", "/purchases/"),
        ("sales", "executive", "/reports/sales"),
        ("decided approvals", "head", "/approvals?tab=done"),
        ("audit trail", "auditor", "/audit/"),
        ("directory", "manager", "/staff"),
        ("notices", "head", "/notices/"),
        ("VIP candidates", "executive", "/vip/candidates"),
        ("dossiers", "executive", "/archive/dossiers/"),
        ("look-up requests", "head", "/archive/lookups/"),
        ("weekly reports", "head", "/archive/reports/team"),
        ("library of procedures", "manager", "/sop/"),
        ("chapter of 300 procedures", "manager", f"/sop/manuals/{manual}/read?chapter=procedures"),
        ("checklists", "manager", "/sop/runs/"),
        ("key accounts", "head", "/key-accounts/accounts"),
        ("tiers", "head", "/key-accounts/tiers"),
        ("opportunities", "head", "/key-accounts/opportunities"),
        ("care", "head", "/key-accounts/care"),
    ]


@contextmanager
def _server(application: str, environment: dict[str, str], *options: str) -> Iterator[int]:
    with serving(application, environment, *options) as (port, _process):
        yield port


@contextmanager
def serving(
    application: str, environment: dict[str, str], *options: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """An application under gunicorn: its port and the process above the web processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", *options, application]
    command[3:3] = ["--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=environment | {"PORT": str(port)})
    try:
        for _attempt in range(900):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError(f"{application} did not answer")
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _measure(
    app: Any, port: int, floor_port: int, pages: list[tuple[str, str, str]], cookies: dict[str, str], requests: int
) -> dict[str, Any]:
    name = app.config["SESSION_COOKIE_NAME"]
    rows = []
    floors: dict[int, list[float]] = {1: [], 8: []}
    first_page: dict[str, float] = {}
    print(
        f"{'page':28} {'role':10} {'sql':>4} {'KB':>6} {'p50':>8} {'p95':>8} {'p99':>8} {'ratio':>6}"
        f" {'8: p50':>8} {'ratio':>6}"
    )
    for page, role, path in pages:
        floor = measure.Address(floor_port, "/?first=1000")
        address = measure.Address(port, path, f"{name}={cookies[role]}")
        measure.warm(address)
        floor_1, one, ratio_1 = measure.time_beside(floor, address, 1, requests)
        floor_8, eight, ratio_8 = measure.time_beside(floor, address, 8, requests)
        floors[1].append(floor_1.p50)
        floors[8].append(floor_8.p50)
        statements = measure.count_statements(app, path, name, cookies[role])
        row = {
            "page": page,
            "role": role,
            "path": path,
            "statements": statements,
            "one_client": one.as_dict(),
            "eight_clients": eight.as_dict(),
            "floor_one_client": floor_1.as_dict(),
            "floor_eight_clients": floor_8.as_dict(),
            "ratio_one_client": ratio_1,
            "ratio_eight_clients": ratio_8,
        }
        goal = GOALS.get(page)
        if page == "list":
            first_page[role] = ratio_1
        if page == "list 1,000 pages in":
            row["multiple_of_first_page"] = round(ratio_1 / first_page[role], 2)
            goal = first_page[role] * DEEP_GOAL
        if goal is not None:
            row["goal"] = round(goal, 2)
            row["reached"] = ratio_1 <= goal and ratio_8 <= goal * CROWD
        rows.append(row)
        mark = "" if goal is None else ("ok" if row["reached"] else f"above {goal:.1f}")
        print(
            f"{page:28} {role:10} {statements:4d} {one.size / 1024:6.1f} {one.p50:8.2f} {one.p95:8.2f} {one.p99:8.2f} "
            f"{ratio_1:6.2f} {eight.p50:8.2f} {ratio_8:6.2f} {mark}",
            flush=True,
        )
    return {"pages": rows, "floor_p50_one_client": min(floors[1]), "floor_p50_eight_clients": min(floors[8])}


if __name__ == "__main__":
    sys.exit(main())
