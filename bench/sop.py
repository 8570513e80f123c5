"""`python -m bench.sop`: what readers and workers of a manual of 300 procedures wait for.

Pages of the manual beside the floor (as many rows by primary key as the page's tree has lines, under the same server),
their SQL statements, and the click that starts a checklist, over HTTP. Writes bench/sop_results.json.

python -m bench.sop [--requests N] [--output FILE]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lxml import html

from bench import data, measure
from bench.__main__ import FLOOR_SERVER, SECRET, WORKERS, _server
from bench.procedures import CHAPTER, PROCEDURES, Book, make_manual
from portal import migrating
from portal.app import create_app
from portal.auth.sessions import cookie_for
from portal.core.transaction import transaction
from portal.extensions import db

RESULTS = Path(__file__).with_name("sop_results.json")
#: Goals: SQL statements of a page, its p50 as a multiple of the floor's, milliseconds until a checklist is there.
STATEMENTS, RATIO, START = 12, 2.0, 200.0


def main() -> int:
    """Build, measure, report; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="bench.sop")
    parser.add_argument("--requests", type=int, default=350)
    parser.add_argument("--output", default=str(RESULTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        url = f"sqlite:///{folder}/portal.sqlite3"
        settings = {"DATA_DIR": folder, "DATABASE_URL": url, "SECRET_KEY": SECRET}
        app = create_app(**settings)
        with app.app_context():
            migrating.upgrade(app)
            company = data.fill(2_500, 2_500)
            book = make_manual(company.head)
            with transaction():
                cookie = cookie_for(company.manager, ip="127.0.0.1", user_agent="bench")
            db.session.remove()
        environment = os.environ | settings | {"HOST": "127.0.0.1", "WEB_WORKERS": str(WORKERS)}
        with (
            _server("portal.app:create_app()", environment, "-c", "python:portal.gunicorn_conf") as port,
            _server("bench.floor:create_app()", environment, *FLOOR_SERVER) as floor_port,
        ):
            report = _measure(app, book, (port, floor_port), cookie, options.requests)
    Path(options.output).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 0 if all(report["reached"].values()) else 1


def _measure(app: Any, book: Book, ports: tuple[int, int], cookie: str, requests: int) -> dict[str, Any]:
    name = app.config["SESSION_COOKIE_NAME"]
    port, floor_port = ports
    pages = {
        "cover": f"/sop/manuals/{book.manual}/read",
        "chapter with the procedures": f"/sop/manuals/{book.manual}/read?chapter={CHAPTER}",
        "procedure": f"/sop/procedures/{book.procedure}",
        "library": "/sop/",
    }
    rows = {}
    floor = measure.Address(floor_port, f"/?first=1&rows={PROCEDURES + book.chapters}")
    for page, path in pages.items():
        address = measure.Address(port, path, f"{name}={cookie}")
        measure.warm(address)
        bare, timed, ratio = measure.time_beside(floor, address, 1, requests)
        rows[page] = {
            "path": path,
            "statements": measure.count_statements(app, path, name, cookie),
            "one_client": timed.as_dict(),
            "floor": bare.as_dict(),
            "ratio": ratio,
        }
    started = _start(port, book, f"{name}={cookie}", max(requests // 7, 20))
    read = [row for page, row in rows.items() if page != "library"]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "procedures": PROCEDURES,
        "pages": rows,
        "start_a_checklist": started,
        "reached": {
            f"at most {STATEMENTS} statements": all(row["statements"] <= STATEMENTS for row in read),
            f"at most {RATIO:g} times the floor": all(row["ratio"] <= RATIO for row in read),
            f"a checklist in under {START:g} ms": started["p95"] < START,
        },
    }


def _start(port: int, book: Book, cookie: str, times: int) -> dict[str, Any]:
    """Press the button of the procedure's page so often; milliseconds of the POST alone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/sop/procedures/{book.procedure}", headers={"Cookie": cookie})
    page = html.document_fromstring(connection.getresponse().read().decode("utf-8"))
    form = next(form for form in page.forms if form.action == "/sop/runs/start")
    fields = dict(form.fields)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    spent = []
    seen = set()
    for number in range(times + measure.WARM_UP):
        body = urlencode({**fields, "token": f"bench-{number}"})
        begin = time.perf_counter()
        connection.request("POST", form.action, body, headers)
        answer = connection.getresponse()
        answer.read()
        elapsed = (time.perf_counter() - begin) * 1000
        place = answer.headers.get("Location", "")
        if answer.status != 302 or "/sop/runs/" not in place or place in seen:
            raise RuntimeError(f"no checklist was started: {answer.status} {place}")
        seen.add(place)
        if number >= measure.WARM_UP:
            spent.append(elapsed)
    cuts = statistics.quantiles(spent, n=100, method="inclusive")
    return {"times": times, "p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "most": round(max(spent), 1)}


if __name__ == "__main__":
    sys.exit(main())
