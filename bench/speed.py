"""docs/speed.md: what was measured, what was aimed at, and where the time goes; from the figures on record.

Written at the end of `make bench`, `make growth` and `make shares`, and by tools/docs.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "speed.md"
FOLDER = ROOT / "bench"
FILES = ("results.json", "growth_results.json", "shares_results.json")
DATABASES, LABELS = ("sqlite", "postgresql"), ("SQLite", "PostgreSQL")
OWNERS = ("SQLAlchemy", "database", "templates", "Flask and Werkzeug", "portal and plugins", "translation")

TEXT = """\
# Speed

<!-- Made by bench/speed.py from bench/results.json, growth_results.json and shares_results.json; do not edit. -->

`make bench` fills a database with {customers:,} customers, {lines:,} order lines, 50,000 interactions, 20,000
approvals, 100,000 audit entries and a manual of 300 procedures, serves it as in production and asks for pages as an
account manager, a head of department and an executive. Milliseconds differ from machine to machine, so each page is
measured as a multiple of a *floor* in the same run: a bare Flask page with one query for 50 rows under the same
server, asked in turns with it. Here the floor took {floor_sqlite:.1f} ms on SQLite and {floor_postgresql:.1f} ms on
PostgreSQL ({cores} shared cores, {measured_at}).

## Pages

Multiples of the floor with one client (with eight in brackets), statements of SQL, and how many times longer the
page took with 200,000 customers than with 20,000 (SQLite; the aim is at most {growth_goal}). Aims hold for one
client, half as much again for eight; **bold** is above its aim. {reached}

| page | role | aim | statements | SQLite | PostgreSQL | growth |
|---|---|---|---|---|---|---|
{pages}

Memory of the two web processes after all of these requests: {memory} (aim: 250 MiB).

## Where the time goes

Parts of the processor time of a page on SQLite (`make shares`, {shares_at}):

| page | role | {owners} |
|---|---|---|{owner_rule}
{shares}

What stands in the way of the rows above their aim: *home* asks {home} small statements, one for each module's part
of the day, and most of its time is SQLAlchemy's for building and fetching them. On PostgreSQL each is a way to
another process and back. Asking less would mean to show less, or to let modules know of each other's tables. The
*list filtered and sorted* is work on 50 rows of up to twelve cells each, in templates and in our own code, not a
matter of the database. What was done about all this, and what was tried and left: [decision
12](adr/0012-statements-built-once.md). How a start came down to the time it takes: [decision 13](adr/{adr_start}).
"""


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_bytes())
    return found


def current() -> str:
    """The page as the figures on record have it."""
    results, growth, shares = (_read(name) for name in FILES)
    databases = {name: results["databases"][name] for name in DATABASES}
    rows = {name: {(p["page"], p["role"]): p for p in found["pages"]} for name, found in databases.items()}
    grown = {(p["page"], p["role"]): p["times"] for p in growth["pages"]}
    goals = [p for found in rows.values() for p in found.values() if "goal" in p]
    reached = ", ".join(_reached(rows[name], label) for name, label in zip(DATABASES, LABELS, strict=True))
    home = sorted({p["statements"] for p in goals if p["page"] == "home"})
    return TEXT.format(
        customers=results["customers"],
        lines=results["order_lines"],
        cores=results["machine"]["cores"],
        measured_at=results["measured_at"][:10],
        floor_sqlite=databases["sqlite"]["floor_p50_one_client"],
        floor_postgresql=databases["postgresql"]["floor_p50_one_client"],
        growth_goal=growth["goal"],
        reached=f"Rows that reach it: {reached}.",
        pages="\n".join(_page_row(key, rows, grown) for key in rows["sqlite"]),
        memory=", ".join(
            f"{' and '.join(map(str, found['memory_mib']))} MiB on {label}"
            for found, label in zip(databases.values(), LABELS, strict=True)
        ),
        shares_at=shares["measured_at"][:10],
        owners=" | ".join(OWNERS),
        owner_rule="---|" * (len(OWNERS) - 1),
        shares="\n".join(_share_row(row) for row in shares["pages"]),
        home=f"{home[0]} to {home[-1]}",
        adr_start=next((ROOT / "docs" / "adr").glob("0013-*.md")).name,
    )


def _reached(rows: dict[Any, dict[str, Any]], label: str) -> str:
    aimed = [page["reached"] for page in rows.values() if "goal" in page]
    return f"{sum(aimed)} of {len(aimed)} on {label}"


def _page_row(key: tuple[str, str], rows: dict[str, dict[Any, Any]], grown: dict[Any, float]) -> str:
    both = [found.get(key) for found in rows.values()]
    first = both[0] or both[1]
    statements = "/".join(dict.fromkeys(str(p["statements"]) for p in both if p))
    times = f"{grown[key]:.2f}" if key in grown else "–"
    aim = f"{first['goal']:g}" if "goal" in first else "–"
    return f"| {key[0]} | {key[1]} | {aim} | {statements} | {' | '.join(map(_ratios, both))} | {times} |"


def _ratios(page: dict[str, Any] | None) -> str:
    if page is None:
        return "–"
    text = f"{page['ratio_one_client']:.1f} ({page['ratio_eight_clients']:.1f})"
    return f"**{text}**" if page.get("reached") is False else text


def _share_row(row: dict[str, Any]) -> str:
    parts = " | ".join(f"{row['shares'].get(name, 0):.0%}" for name in OWNERS)
    return f"| {row['page']} | {row['role']} | {parts} |"


def write() -> None:
    """Write the page anew, if there are figures of everything."""
    if all((FOLDER / name).is_file() for name in FILES) and set(_read(FILES[0])["databases"]) == set(DATABASES):
        PAGE.write_text(current(), encoding="utf-8")
