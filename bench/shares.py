"""`make shares`: where the processor time of the pages with a goal goes; writes bench/shares_results.json.

python -m bench.shares [--pages N] [--keep FOLDER]

A timer that runs with the processor time of this process interrupts it (every four milliseconds on most systems) and
notes whose code was at work: the innermost frame that belongs to somebody (C code counts for whoever called it).
Shares, not milliseconds: they hardly depend on how busy the machine is.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from bench import data, speed
from bench.__main__ import GOALS, pages_of, prepare
from portal.config import PROJECT_ROOT
from portal.extensions import db

RESULTS = Path(__file__).with_name("shares_results.json")
#: Part of a file's path → whose code it is, the first that fits.
OWNERS = (
    ("/sqlalchemy/", "SQLAlchemy"),
    ("/jinja2/", "templates"),
    ("/markupsafe/", "templates"),
    ("/templates/", "templates"),
    ("<template>", "templates"),
    ("/babel/", "translation"),
    ("/flask_babel/", "translation"),
    ("gettext", "translation"),
    ("/flask", "Flask and Werkzeug"),
    ("/werkzeug/", "Flask and Werkzeug"),
    ("/wtforms/", "Flask and Werkzeug"),
    (f"{PROJECT_ROOT}/portal/", "portal and plugins"),
    (f"{PROJECT_ROOT}/plugins/", "portal and plugins"),
)
#: Functions of SQLAlchemy that call the driver and wait for it.
DATABASE = frozenset({"do_execute", "do_executemany", "fetchall", "fetchmany", "fetchone", "_raw_all_rows"})


def owner(code: Any) -> str | None:
    """Whose code an interrupted function is; None for the language's own library, which works for its caller."""
    file = code.co_filename
    if not file.startswith(("/", "<")):
        file = f"/{file}"
    found = next((name for part, name in OWNERS if part in file), None)
    return "database" if found == "SQLAlchemy" and code.co_name in DATABASE else found


def shares_of(work: Any, times: int) -> tuple[dict[str, float], int]:
    """Call something many times; the part of the time each owner had (0 to 1), and how often the timer rang."""
    seen: Counter[str] = Counter()

    def note(_signal: int, frame: FrameType | None) -> None:
        while frame is not None:
            found = owner(frame.f_code)
            if found:
                seen[found] += 1
                return
            frame = frame.f_back

    before = signal.signal(signal.SIGPROF, note)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    try:
        for _ in range(times):
            work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    total = sum(seen.values())
    return {name: round(count / total, 3) for name, count in seen.most_common()}, total


def main() -> int:
    """Measure each page with a goal on the embedded database."""
    parser = argparse.ArgumentParser(prog="bench.shares")
    parser.add_argument("--pages", type=int, default=250, help="how often each page is asked for")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--keep", default="", help="folder to keep the data in (that of `python -m bench`)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-shares-") as temporary:
        folder = Path(options.keep or temporary) / "sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'portal.sqlite3'}"
        app, _settings, cookies = prepare(url, folder, options.customers, options.lines)
        with app.app_context():
            pages = [(page, role, path) for page, role, path in pages_of(data.company()) if page in GOALS]
            db.session.remove()
        rows = []
        for page, role, path in pages:
            client = app.test_client()
            client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookies[role])
            for _ in range(6):
                assert client.get(path).status_code == 200, path
            found, rung = shares_of(lambda client=client, path=path: client.get(path), options.pages)
            rows.append({"page": page, "role": role, "shares": found, "samples": rung})
            print(f"{page:28} {role:10} {rung:5d}  {'  '.join(f'{n} {p:.0%}' for n, p in found.items())}", flush=True)
    report = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "pages": rows}
    RESULTS.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    speed.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
