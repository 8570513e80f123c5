"""Documents that take for ever to lay out, while people open pages: both processors are busy, nobody waits long (F21).

`make faults` makes twenty of them with the portal's own limits of time, prints the figures and holds the pages to a
second. Without PORTAL_FAULTS=full four with a short limit are made beside whatever else the machine does: all of them
end, every page comes.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
import urllib.request
from itertools import cycle, islice
from pathlib import Path

from flask import Flask

from portal.auth.sessions import cookie_for
from portal.core.transaction import transaction
from portal.documents.render import CannotRender, render_pdf
from tests.faults.test_kills import web_server
from tests.unit.test_pdf_render import BOMBS
from tests.world import World

FULL = os.environ.get("PORTAL_FAULTS") == "full"
DOCUMENTS, SECONDS = (20, 30) if FULL else (4, 3)
#: Documents of different people at the same time: as many as the portal lets through.
AT_ONCE = 2
PEOPLE, PAUSE = 4, 0.2
#: Seconds within which 95 of 100 pages are there meanwhile; seconds for ending a child beyond its limit and starting
#: another.
PAGES_WITHIN, ENDING = (1.0, 10.0) if FULL else (30.0, 60.0)

PAGES = ("/", "/customers/", "/approvals", "/search?q=%E8%8C%85%E5%8F%B0")


class Reader(threading.Thread):
    """Somebody who opens one page after the other."""

    def __init__(self, port: int, cookie: str) -> None:
        super().__init__()
        self.port, self.cookie = port, cookie
        self.seconds: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        for path in cycle(PAGES):
            if self.stopped.is_set():
                return
            self.seconds.append(self.open(path))
            self.stopped.wait(PAUSE)

    def open(self, path: str) -> float:
        """Seconds until the page is there."""
        headers = {"Cookie": f"portal={self.cookie}"}
        began = time.monotonic()
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers), timeout=30
        ) as answer:
            assert answer.status == 200
            answer.read()
        return time.monotonic() - began


def test_documents_without_end_leave_the_pages_alone(
    app: Flask, world: World, database_url: str, tmp_path: Path
) -> None:
    with transaction():
        cookie = cookie_for(world.user("anna").id, ip="127.0.0.1", user_agent="test")
    bombs = iter(islice(cycle(BOMBS.items()), DOCUMENTS))
    taking = threading.Lock()
    took: list[float] = []

    def make(person: int) -> None:
        while True:
            with taking:
                bomb = next(bombs, None)
            if bomb is None:
                return
            began = time.monotonic()
            try:
                with app.app_context():
                    render_pdf(bomb[1], folder=tmp_path, identifier=bomb[0], person=person, seconds=SECONDS)
            except CannotRender:
                pass
            took.append(time.monotonic() - began)

    with web_server(tmp_path, database_url) as (_server, port):
        readers = [Reader(port, cookie) for _number in range(PEOPLE)]
        for path in PAGES * (8 if FULL else 0):
            # Both web processes have seen each page before anything is timed.
            readers[0].open(path)
        for reader in readers:
            reader.start()
        makers = [threading.Thread(target=make, args=(number,)) for number in range(1, AT_ONCE + 1)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        for reader in readers:
            reader.stopped.set()
            reader.join()
    pages = sorted(second for reader in readers for second in reader.seconds)
    p95 = statistics.quantiles(pages, n=100)[94]
    print(
        f"\n  {len(took)} documents, the longest ended after {max(took):.1f} s; {len(pages)} pages meanwhile, "
        f"p50 {statistics.median(pages) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, longest {pages[-1] * 1000:.0f} ms"
    )
    assert len(took) == DOCUMENTS
    assert max(took) < SECONDS + ENDING
    assert len(pages) >= PEOPLE
    assert p95 < PAGES_WITHIN
