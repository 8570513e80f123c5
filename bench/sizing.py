"""docs/sizing.md: how many people a machine serves, worked out from the figures on record.

Written at the end of `make bench`, and by tools/docs.py. It says of each figure whether it was measured or estimated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "sizing.md"
PAGES_ON_RECORD = ROOT / "bench" / "results.json"
SOAK_ON_RECORD = ROOT / "bench" / "soak_results.json"

#: A day's work of an account manager, as parts of it: page of the benchmark → how often.
MIX = {
    "customer": 6,
    "home": 3,
    "list": 2,
    "list filtered and sorted": 2,
    "search initials": 2,
    "search two characters": 2,
    "inbox": 1,
    "VIP list": 1,
    "portfolio": 1,
}
ROLE = "manager"
#: Assumed: pages that somebody at work opens in a minute, and the part of a machine that may be busy then.
PAGES_A_MINUTE = 3
BUSY = 0.5
#: Assumed for machines that were not measured: what twice as many cores bring.
DOUBLED = 1.8
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL on the same machine"}


def pages_a_second(pages: list[dict[str, Any]]) -> float:
    """Pages a second of the MIX with eight clients at once: the whole mix over the time that each part of it takes.

    :raises StopIteration: when a page of the mix was not measured.
    """
    rates = {
        name: next(p["eight_clients"]["per_second"] for p in pages if (p["role"], p["page"]) == (ROLE, name))
        for name in MIX
    }
    return sum(MIX.values()) / sum(count / rates[name] for name, count in MIX.items())


def people(rate: float) -> int:
    """People at work at the same time whom a rate of pages a second serves with room to spare; rounded down to tens."""
    return int(rate * BUSY * 60 / PAGES_A_MINUTE // 10 * 10)


TEXT = """\
# Sizing

<!-- Made by bench/sizing.py from bench/results.json and bench/soak_results.json; do not edit. -->

## Measured

{measured_at}, {cores} cores, {workers} web processes, {customers:,} customers and {lines:,} order lines, eight
clients at once with no pause between their requests. Clients and database ran on the same cores, so a server of
its own does better. Pages in the proportions of an account manager's work ({mix} of {parts}).

| database | pages a second | a customer's record, p50 and p95 | home page, p50 and p95 |
|---|---|---|---|
{measured}

{people} people for {minutes:.0f} minutes ({soaked_at}, reading and writing): {errors} errors; a web process
grew to {worker:.0f} MiB at most. Paper copies, long manuals and uploads are worked on in child processes with
limits of their own, 400 MiB for the largest.

## Estimated from it

Assumed: somebody at work opens {pages_a_minute} pages a minute; a machine should be at most {busy:.0%} busy in
an ordinary hour; twice the cores bring {doubled} times the pages. The first two lines rest on a measured
machine, the others do not. Whoever needs to be certain runs `make bench` on his own.

| people at work at once | cores | `WEB_WORKERS` | memory | database |
|---|---|---|---|---|
{estimated}

Memory: {worker:.0f} MiB for each web process and for the worker, 400 MiB for one child process, 1 GiB for the
system and its file cache, rounded up to whole GiB; 2 GiB more for PostgreSQL.

Disk: scans and documents take what they weigh (they are sealed, not compressed); a backup adds the database for
each set that is kept, and each file once for all sets. Figures of backups:
[operations.md](operations.md#figures).

With one database file, everything that is written goes through one machine. Take PostgreSQL when the portal
must survive the loss of a machine, or when the database is looked after by people who know it.
"""


def page(results: dict[str, Any], soak: dict[str, Any]) -> str:
    """The page's text."""
    databases = results["databases"]
    rates = {name: pages_a_second(found["pages"]) for name, found in databases.items()}
    cores = results["machine"]["cores"]
    worker = max(max(sizes) for sizes in soak["memory_kib"].values()) / 1024
    machines = [("sqlite", 0), *(("postgresql", doublings) for doublings in (0, 1, 2))]
    return TEXT.format(
        measured_at=results["measured_at"][:10],
        cores=cores,
        workers=results["workers"],
        customers=results["customers"],
        lines=results["order_lines"],
        mix=", ".join(f"{name} {count}" for name, count in MIX.items()),
        parts=sum(MIX.values()),
        measured="\n".join(_measured(name, rates[name], found["pages"]) for name, found in databases.items()),
        people=soak["people"],
        minutes=soak["minutes"],
        soaked_at=soak["measured_at"][:10],
        errors=soak["errors"],
        worker=worker,
        pages_a_minute=PAGES_A_MINUTE,
        busy=BUSY,
        doubled=DOUBLED,
        estimated="\n".join(_estimated(name, rates[name], cores, worker, times) for name, times in machines),
    )


def _measured(name: str, rate: float, pages: list[dict[str, Any]]) -> str:
    cells = [NAMES[name], f"{rate:.0f}"]
    for wanted in ("customer", "home"):
        [one] = [p["eight_clients"] for p in pages if (p["role"], p["page"]) == (ROLE, wanted)]
        cells.append(f"{one['p50']:.0f} ms, {one['p95']:.0f} ms")
    return f"| {' | '.join(cells)} |"


def _estimated(name: str, rate: float, cores: int, worker: float, doublings: int) -> str:
    processes = cores * 2**doublings
    memory = _memory(worker, processes) + (2 if name == "postgresql" else 0)
    count = people(rate * DOUBLED**doublings)
    return f"| up to {count:,} | {processes} | {processes} | {memory} GiB | {NAMES[name]} |"


def _memory(worker_mib: float, processes: int) -> int:
    return int(-(-(worker_mib * (processes + 1) + 400 + 1024) // 1024))


def current() -> str:
    """The page as the figures on record have it."""
    return page(json.loads(PAGES_ON_RECORD.read_bytes()), json.loads(SOAK_ON_RECORD.read_bytes()))


def write() -> None:
    """Write the page anew, if there are figures of both databases."""
    if set(json.loads(PAGES_ON_RECORD.read_bytes())["databases"]) == set(NAMES):
        PAGE.write_text(current(), encoding="utf-8")
