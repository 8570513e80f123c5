"""Timing pages: keep-alive clients in threads, percentiles, and the SQL statements of one request."""

from __future__ import annotations

import http.client
import re
import statistics
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from portal.extensions import db

WARM_UP = 4
#: How often the floor and a page take turns.
TURNS = 7


@dataclass(frozen=True)
class Timing:
    """Figures of one page with so many clients; times in milliseconds."""

    clients: int
    requests: int
    p50: float
    p95: float
    p99: float
    per_second: float
    size: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def fetch(connection: http.client.HTTPConnection, path: str, cookie: str) -> int:
    """One request; returns the size. :raises RuntimeError: for anything but 200."""
    headers = {"Cookie": cookie} if cookie else {}
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {body[:200]!r}")
    return len(body)


@dataclass(frozen=True)
class Address:
    """A page of a server."""

    port: int
    path: str
    cookie: str = ""


def warm(address: Address) -> None:
    """Let all processes of a server see a page before anything is timed."""
    _lap(address, 4, 40)


def time_beside(floor: Address, page: Address, clients: int, requests: int) -> tuple[Timing, Timing, float]:
    """Figures of the floor and of a page with so many clients at once, fetched in turns, and their ratio.

    A machine that others use, too, is now faster, now slower: in turns both get the same share of either, and of the
    ratios of all turns the middle one counts.
    """
    results: tuple[list[_Lap], list[_Lap]] = ([], [])
    for _turn in range(TURNS):
        for address, laps in zip((floor, page), results, strict=True):
            laps.append(_lap(address, clients, max(requests // TURNS, clients)))
    ratios = [
        statistics.median(second.times) / statistics.median(first.times) for first, second in zip(*results, strict=True)
    ]
    first, second = (_timing(clients, laps) for laps in results)
    return first, second, round(statistics.median(ratios), 2)


@dataclass(frozen=True)
class _Lap:
    times: list[float]
    elapsed: float
    size: int


def _timing(clients: int, laps: list[_Lap]) -> Timing:
    times = [value for lap in laps for value in lap.times]
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return Timing(
        clients,
        len(times),
        round(cuts[49] * 1000, 3),
        round(cuts[94] * 1000, 3),
        round(cuts[98] * 1000, 3),
        round(len(times) / sum(lap.elapsed for lap in laps), 1),
        laps[0].size,
    )


def _lap(address: Address, clients: int, requests: int) -> _Lap:
    """Fetch a page so many times with so many clients at once."""
    times: list[float] = []
    sizes: list[int] = []
    failures: list[Exception] = []
    lock = threading.Lock()
    share = max(requests // clients, 1)

    def client() -> None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=60)
            own = []
            for _number in range(WARM_UP):
                fetch(connection, address.path, address.cookie)
            barrier.wait(timeout=120)
            for _number in range(share):
                begin = time.perf_counter()
                size = fetch(connection, address.path, address.cookie)
                own.append(time.perf_counter() - begin)
            with lock:
                times.extend(own)
                sizes.append(size)
        except Exception as error:  # handed to the caller below
            failures.append(error)
            barrier.abort()

    barrier = threading.Barrier(clients + 1)
    threads = [threading.Thread(target=client) for _number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        barrier.wait(timeout=120)
    except threading.BrokenBarrierError as error:
        raise failures[0] if failures else error from None
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begin
    if failures:
        raise failures[0]
    return _Lap(times, elapsed, sizes[0])


def count_statements(app: Flask, path: str, cookie_name: str, cookie: str) -> int:
    """SQL statements of the second request of a page (the first may fill caches)."""
    count = 0

    def counted(*_arguments: Any) -> None:
        nonlocal count
        count += 1

    client = app.test_client()
    client.set_cookie(cookie_name, cookie)
    client.get(path)
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", counted)
    try:
        response = client.get(path)
    finally:
        event.remove(engine, "before_cursor_execute", counted)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")
    return count


def memory_of(server: int) -> list[int]:
    """KiB that each web process below a server has for itself; the mapped database is shared with the disk cache."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    found = []
    for child in children:
        status = Path(f"/proc/{child}/status").read_text()
        found.append(int(re.search(r"RssAnon:\s+(\d+)", status)[1]))  # type: ignore[index]
    return sorted(found)
