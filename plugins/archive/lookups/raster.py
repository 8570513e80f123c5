"""Pages of stored files as pictures: the order to the child process and what comes back, one page at a time."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from portal.core.errors import PortalError
from portal.i18n import _

LOGGER = logging.getLogger(__name__)
CHILD = Path(__file__).with_name("raster_child.py")
#: Address space of the child: the interpreter and the libraries take a third of it.
MEGABYTES = 700
#: Longest time for one order.
SECONDS = 60
#: No page of the child's is larger (checked before it is read).
MOST_BYTES = 3 * 16_100_000
#: Children at the same time in one process.
_places = threading.BoundedSemaphore(2)


class CannotShow(PortalError):
    """A page could not be turned into a picture; `details["cause"]` is for the log and the audit trail."""

    status = 503


def pictures(
    content: bytes,
    media_type: str,
    pages: Sequence[int],
    box: tuple[int, int],
    *,
    turn: bool = False,
    seconds: int = SECONDS,
) -> Iterator[tuple[int, Image.Image]]:
    """(page, picture in RGB) of some pages of a file, in the order asked for; only one is in memory at a time.

    :param media_type: application/pdf, image/jpeg or image/png. :param pages: from 1.
    :param box: pixels (wide, high) that a page fills without being cut.
    :param turn: a wide page may use the box turned by a quarter.
    :param seconds: longest time for all of them together.
    :raises CannotShow: the file cannot be drawn, or it takes too much time or memory.
    """
    order = {"media_type": media_type, "pages": list(pages), "box": list(box), "turn": turn}
    with _places, _child(seconds) as child:
        feeding = threading.Thread(target=_feed, args=(child, json.dumps(order).encode("ascii") + b"\n", content))
        feeding.start()
        del content  # with the thread's end it is gone: only pages are in memory then
        try:
            for _wanted in pages:
                yield _next_page(child)
        finally:
            _end(child)
            feeding.join()


@contextlib.contextmanager
def _child(seconds: int) -> Iterator[subprocess.Popen[bytes]]:
    """A child without our environment, files and folder; it is ended after `seconds`, whatever it does."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-B", str(CHILD), str(seconds), str(MEGABYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
        close_fds=True,
    )
    alarm = threading.Timer(seconds, _end, (child,))
    alarm.daemon = True
    alarm.start()
    try:
        yield child
    finally:
        alarm.cancel()
        _end(child)
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(OSError):
                    stream.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def _feed(child: subprocess.Popen[bytes], head: bytes, content: bytes) -> None:
    """Write the order; beside reading, or both would wait for each other."""
    assert child.stdin is not None
    with contextlib.suppress(OSError):  # the child ended early: the reader says why
        child.stdin.write(head)
        child.stdin.write(content)
        child.stdin.close()


def _next_page(child: subprocess.Popen[bytes]) -> tuple[int, Image.Image]:
    assert child.stdout is not None
    line = child.stdout.readline(2000)
    try:
        facts = json.loads(line)
    except ValueError:
        raise trouble("the process ended without an answer (memory or time)") from None
    if "error" in facts:
        raise trouble(str(facts["error"]))
    if not 0 < facts["size"] == facts["width"] * facts["height"] * 3 <= MOST_BYTES:
        raise trouble("the answer is not of the size it says")
    pixels = child.stdout.read(facts["size"])
    if len(pixels) != facts["size"]:
        raise trouble("the process ended in the middle of a page")
    return facts["page"], Image.frombytes("RGB", (facts["width"], facts["height"]), pixels)


def trouble(cause: str) -> CannotShow:
    """The error for a page that cannot be shown; the cause goes to the log."""
    LOGGER.error("page of the archive: %s", cause)
    return CannotShow(_("This page cannot be shown. Please tell the archive its name."), cause=cause)
