"""Makes PDFs: gives HTML, style and pictures to a child process and takes the PDF back.

The child (`render_child`) holds WeasyPrint; this process never imports it. At most `PARALLEL` documents are made at
once on a machine, and one for each person, whatever the number of web processes: file locks keep the places. One
child waits warm while documents are asked for, because loading the library takes longer than a page does.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.core.errors import PortalError
from portal.i18n import _

LOGGER = logging.getLogger(__name__)
CHILD = Path(__file__).with_name("render_child.py")
STYLE = Path(__file__).resolve().parent.parent.parent / "templates" / "pdf" / "portal.css"
#: Documents made at the same time on one machine.
PARALLEL = 2
#: Seconds to wait for a place.
PATIENCE = 20
MEGABYTES = 1024
SECONDS = 30


class CannotRender(PortalError):
    """The document could not be made; the message says what to do, `details["cause"]` is for the log and the audit."""

    status = 503


@dataclass(frozen=True)
class Rendered:
    """A finished PDF.

    :ivar addresses: addresses that the HTML or CSS asked for and did not get.
    :ivar refused: what the child's guard stopped; empty unless something is very wrong.
    :ivar opened: files opened while rendering, when traced.
    """

    content: bytes
    pages: int
    digest: str
    addresses: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asset:
    """A picture or style that the HTML names as ``asset:/<name>``."""

    media_type: str
    content: bytes


def render_pdf(
    html: str,
    *,
    folder: Path,
    identifier: str,
    assets: Mapping[str, Asset] | None = None,
    person: int | None = None,
    seconds: int = SECONDS,
    trace: bool = False,
) -> Rendered:
    """Turn HTML into a tagged PDF (PDF/UA-1).

    :param html: a whole document, made from our own templates.
    :param folder: where the places are kept (DATA_DIR).
    :param identifier: goes into the file as its identifier; ASCII.
    :param assets: name → content of ``asset:/<name>``.
    :param person: id of who asked; two documents of one person are made one after the other.
    :param seconds: longest time, wall clock.
    :param trace: note which files are opened (tests).
    :raises CannotRender: no place, too slow, too large, or broken.
    """
    request = {
        "html": html,
        "style": STYLE.read_text("utf-8"),
        "assets": {
            name: [asset.media_type, base64.b64encode(asset.content).decode("ascii")]
            for name, asset in (assets or {}).items()
        },
        "identifier": identifier,
        "trace": trace,
    }
    with places(folder, person):
        started = time.monotonic()
        answer = _ask_child(json.dumps(request).encode("utf-8"), seconds)
        LOGGER.info("document %s made in %.2f s", identifier, time.monotonic() - started)
    head, _separator, content = answer.partition(b"\n")
    try:
        facts = json.loads(head)
    except ValueError:
        raise CannotRender(too_much(), cause="the process ended without an answer (memory or time)") from None
    if facts["refused"]:
        LOGGER.error("document %s: the renderer tried %s", identifier, facts["refused"][:5])
    if "error" in facts:
        raise CannotRender(too_much() if "MemoryError" in facts["error"] else broken(), cause=facts["error"])
    return Rendered(
        content,
        facts["pages"],
        facts["digest"],
        tuple(facts["addresses"]),
        tuple(facts["refused"]),
        tuple(facts.get("opened", ())),
    )


def too_much() -> str:
    """For people: the document is too large."""
    return _("The document could not be made: it is too large or too complicated. Choose less, and try again.")


def broken() -> str:
    """For people: it failed, and not by their fault."""
    return _("The document could not be made. The cause has been recorded; please tell the administrator its number.")


def _busy() -> str:
    return _("Other documents are being made just now. Please try again in a minute.")


@contextmanager
def places(folder: Path, person: int | None) -> Iterator[None]:
    """Hold the place of a person (or of this process) and one of the machine's while a document is made.

    :raises CannotRender: none becomes free.
    """
    with ExitStack() as held:
        held.enter_context(_place(folder, [f"person-{person}"] if person else [f"process-{os.getpid()}"]))
        held.enter_context(_place(folder, [f"place-{number}" for number in range(PARALLEL)]))
        yield


@contextmanager
def _place(folder: Path, names: list[str]) -> Iterator[None]:
    """Hold one of several lock files; the system frees it when this process dies. :raises CannotRender: none free."""
    locks = folder / "locks"
    locks.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + PATIENCE
    handles = [os.open(locks / f"render-{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for name in names]
    try:
        while True:
            for handle in handles:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield
                return
            if time.monotonic() > deadline:
                raise CannotRender(_busy(), cause="no free place")
            time.sleep(0.05)
    finally:
        for handle in handles:
            os.close(handle)


# ---- the child -----------------------------------------------------------------------------------------------------

_spare: subprocess.Popen[bytes] | None = None
_spare_owner = 0
_spare_lock = threading.Lock()


def _start(seconds: int) -> subprocess.Popen[bytes]:
    """A new child in a session of its own, without our environment, our files or our folder."""
    return subprocess.Popen(
        [sys.executable, "-I", "-B", str(CHILD), str(seconds), str(MEGABYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
        close_fds=True,
    )


def _take(seconds: int) -> subprocess.Popen[bytes]:
    """The waiting child when there is one with the usual limits, else a new one."""
    global _spare
    if seconds != SECONDS:
        return _start(seconds)
    with _spare_lock:
        child, _spare = _spare, None
    # A child that an earlier process started belongs to that process (web servers fork).
    if child is not None and _spare_owner == os.getpid() and child.poll() is None:
        return child
    return _start(seconds)


def keep_warm() -> None:
    """Start a child that waits for the next document; it goes home by itself after some idle minutes."""
    global _spare, _spare_owner
    with _spare_lock:
        if _spare is None or _spare_owner != os.getpid() or _spare.poll() is not None:
            _spare, _spare_owner = _start(SECONDS), os.getpid()


def stop_spare() -> None:
    """End the waiting child, if there is one (tests, shut-down)."""
    global _spare
    with _spare_lock:
        child, _spare = _spare, None
    if child is not None and _spare_owner == os.getpid():
        end_child(child)


def _ask_child(request: bytes, seconds: int) -> bytes:
    """Send a request to a child and take its answer. :raises CannotRender: when it takes too long."""
    child = _take(seconds)
    try:
        answer, complaints = child.communicate(request, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise CannotRender(too_much(), cause=f"more than {seconds} s") from None
    except BrokenPipeError:
        raise CannotRender(broken(), cause="the process ended before it was asked") from None
    finally:
        end_child(child)
        if seconds == SECONDS:
            keep_warm()
    if complaints and not answer:
        LOGGER.error("renderer: %s", complaints.decode("utf-8", "replace")[-2000:])
    return answer


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and whatever it started, and collect it."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None and not stream.closed:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
