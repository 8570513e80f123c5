"""`make growth`: the same pages with 20,000 and with 200,000 customers, in turns; writes bench/growth_results.json.

python -m bench.growth [--requests N] [--keep FOLDER]

Both databases are served at once by a server each, and every page is asked of both in turns: the ratio of the two does
not depend on how busy the machine is. The figures are those of the embedded database.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import data, measure, speed
from bench.__main__ import WORKERS, pages_of, prepare, serving
from portal.extensions import db

RESULTS = Path(__file__).with_name("growth_results.json")
SMALL, LARGE = 20_000, 200_000
LINES_EACH = 5
#: No page's p50 grows more than so many times.
GOAL = 1.5


def main() -> int:
    """Build both, measure, report; 1 when a page grows more than it may."""
    parser = argparse.ArgumentParser(prog="bench.growth")
    parser.add_argument("--requests", type=int, default=140)
    parser.add_argument(
        "--keep", default="", help="folder to keep the data in (that of `python -m bench` for the large)"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="portal-growth-") as temporary, ExitStack() as servers:
        keep = Path(options.keep or temporary)
        sides = []
        for customers, name in ((SMALL, "small"), (LARGE, "sqlite")):
            folder = keep / name
            folder.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{folder / 'portal.sqlite3'}"
            app, settings, cookies = prepare(url, folder, customers, customers * LINES_EACH)
            with app.app_context():
                pages = pages_of(data.company())
                db.session.remove()
            environment = os.environ | settings | {"HOST": "127.0.0.1", "WEB_WORKERS": str(WORKERS)}
            command = ("portal.app:create_app()", environment, "-c", "python:portal.gunicorn_conf")
            port, _process = servers.enter_context(serving(*command))
            sides.append((app.config["SESSION_COOKIE_NAME"], port, cookies, pages))
        report = _measure(sides, options.requests)
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    speed.write()
    return 0 if report["reached"] else 1


def _measure(sides: list[tuple[str, int, dict[str, str], Any]], requests: int) -> dict[str, Any]:
    (cookie, small_port, small_cookies, small_pages), (_same, port, cookies, pages) = sides
    rows = []
    of_small = {(page, role): path for page, role, path in small_pages}
    for page, role, path in pages:
        small_path = of_small.get((page, role))
        if small_path is None:
            continue  # a thousand pages in: there are not so many
        small = measure.Address(small_port, small_path, f"{cookie}={small_cookies[role]}")
        large = measure.Address(port, path, f"{cookie}={cookies[role]}")
        for address in (small, large):
            measure.warm(address)
        before, after, ratio = measure.time_beside(small, large, 1, requests)
        rows.append(
            {"page": page, "role": role, "small_p50": before.p50, "large_p50": after.p50, "times": ratio,
             "reached": ratio <= GOAL}
        )  # fmt: skip
        mark = "ok" if ratio <= GOAL else f"above {GOAL}"
        print(f"{page:28} {role:10} {before.p50:8.2f} {after.p50:8.2f} {ratio:6.2f} {mark}", flush=True)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "customers": [SMALL, LARGE],
        "goal": GOAL,
        "pages": rows,
        "reached": all(row["reached"] for row in rows),
    }


if __name__ == "__main__":
    sys.exit(main())
