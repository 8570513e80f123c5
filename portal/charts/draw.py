"""From a Vega-Lite specification to an SVG that our pages and PDFs accept.

The library runs in one child per web process, started by the first chart that is not in the cache and gone after two
idle minutes. What comes back is made fit for a strict content security policy (no style attributes, no script), for
light and dark (ink becomes `currentColor`) and for several pictures on one page (ids get a prefix).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

LOGGER = logging.getLogger(__name__)
CHILD = Path(__file__).with_name("render_child.py")
#: Longest time for one request, first start included.
SECONDS = 20
#: Pictures kept in memory (about 20 KB each) and as files.
MEMORY_ENTRIES = 256
FILE_ENTRIES = 4000
#: Part of every cache key: raise it when the clean-up or the theme changes.
VERSION = 4
#: Stands for the ink of the page in the theme; becomes `currentColor`.
INK = "#010203"

_SVG = "http://www.w3.org/2000/svg"
_DROPPED = frozenset(
    {
        "aria-hidden",
        "aria-label",
        "aria-roledescription",
        "role",
        "class",
        "style",
        "font-family",
        "pointer-events",
        "version",
        "cursor",
    }
)
_ALLOWED_TAGS = frozenset(
    {
        "svg",
        "g",
        "path",
        "rect",
        "line",
        "text",
        "tspan",
        "circle",
        "ellipse",
        "polygon",
        "polyline",
        "defs",
        "clipPath",
        "linearGradient",
        "radialGradient",
        "stop",
        "title",
    }
)
_GEOMETRY = frozenset(
    {"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "points", "cx", "cy", "r"}
)
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


class CannotDraw(Exception):
    """The picture could not be drawn; the page shows the table alone."""


# ---- cache ---------------------------------------------------------------------------------------------------------

_memory: OrderedDict[str, str] = OrderedDict()
_memory_lock = threading.Lock()


def digest_of(spec: dict[str, Any]) -> str:
    """Key of a picture: everything that decides how it looks."""
    text = json.dumps([VERSION, spec], ensure_ascii=False, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def draw(specs: list[dict[str, Any]], folder: Path | None) -> list[str]:
    """The SVG of each specification, out of the cache or newly drawn (all missing ones in one request).

    :param folder: where pictures are kept as files, or None. :raises CannotDraw: the library failed or took too long.
    """
    keys = [digest_of(spec) for spec in specs]
    found = {key: svg for key in keys if (svg := _recall(key, folder)) is not None}
    missing = {key: spec for key, spec in zip(keys, specs, strict=True) if key not in found}
    if missing:
        for key, raw in zip(missing, _drawer().draw(list(missing.values())), strict=True):
            found[key] = clean(raw, key[:8])
            _keep(key, found[key], folder)
    return [found[key] for key in keys]


def _recall(key: str, folder: Path | None) -> str | None:
    with _memory_lock:
        if key in _memory:
            _memory.move_to_end(key)
            return _memory[key]
    if folder is None:
        return None
    try:
        svg = (folder / key[:2] / f"{key}.svg").read_text("utf-8")
    except OSError:
        return None
    if not svg.endswith("</svg>"):  # cut off by a crash
        return None
    _remember(key, svg)
    return svg


def _remember(key: str, svg: str) -> None:
    with _memory_lock:
        _memory[key] = svg
        while len(_memory) > MEMORY_ENTRIES:
            _memory.popitem(last=False)


def _keep(key: str, svg: str, folder: Path | None) -> None:
    _remember(key, svg)
    if folder is None:
        return
    target = folder / key[:2] / f"{key}.svg"
    temporary = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.write_text(svg, encoding="utf-8")
        os.replace(temporary, target)
        if key[0] == "0" and key[1] in "01234":  # now and then
            prune(folder)
    except OSError as error:  # a full disk must not take the page away
        LOGGER.warning("chart cache: %s", error)


def prune(folder: Path, keep: int = FILE_ENTRIES) -> int:
    """Remove the oldest files above a number; how many."""
    files = sorted(folder.glob("*/*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[keep:]:
        path.unlink(missing_ok=True)
    return max(0, len(files) - keep)


def forget() -> None:
    """Empty the cache in memory (tests)."""
    with _memory_lock:
        _memory.clear()


# ---- the child -----------------------------------------------------------------------------------------------------


class Drawer:
    """The child of this process; one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.owner = os.getpid()

    def draw(self, specs: list[dict[str, Any]]) -> list[str]:
        """Draw. :raises CannotDraw:"""
        body = json.dumps(specs, allow_nan=False).encode("utf-8")
        request = struct.pack(">Q", len(body)) + body
        with self._lock:
            try:
                answer = self._ask(request)
            except (BrokenPipeError, EOFError):
                # It went home between two questions; ask a new one, once.
                self.stop()
                try:
                    answer = self._ask(request)
                except (BrokenPipeError, EOFError) as error:
                    self.stop()
                    raise CannotDraw("the drawing process ended") from error
        if isinstance(answer, dict):
            raise CannotDraw(answer["error"])
        return [str(svg) for svg in answer]

    def _ask(self, request: bytes) -> Any:
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(request)
        child.stdin.flush()
        deadline = time.monotonic() + SECONDS
        head = self._read(child.stdout.fileno(), 8, deadline)
        return json.loads(self._read(child.stdout.fileno(), struct.unpack(">Q", head)[0], deadline))

    def _read(self, descriptor: int, size: int, deadline: float) -> bytes:
        parts = []
        while size:
            if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self.stop()
                raise CannotDraw(f"more than {SECONDS} s")
            part = os.read(descriptor, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.stop()
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-B", str(CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "TZ": "UTC"},
                cwd="/",
                start_new_session=True,
            )
        return self._child

    def stop(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


_the_drawer: Drawer | None = None
_drawer_lock = threading.Lock()


def _drawer() -> Drawer:
    global _the_drawer
    with _drawer_lock:
        # After a fork the child still belongs to the parent process.
        if _the_drawer is None or _the_drawer.owner != os.getpid():
            _the_drawer = Drawer()
        return _the_drawer


def stop_drawer() -> None:
    """End the child of this process (tests, shut-down)."""
    if _the_drawer is not None and _the_drawer.owner == os.getpid():
        _the_drawer.stop()


# ---- cleaning ------------------------------------------------------------------------------------------------------


def clean(raw: str, prefix: str) -> str:
    """Make an SVG fit for our pages. :param prefix: goes before every id.

    :raises CannotDraw: for elements or addresses that a chart has no use for.
    """
    ElementTree.register_namespace("", _SVG)
    root = fromstring(raw)
    for element in root.iter():
        _clean_element(element, prefix)
    _drop_empty(root)
    root.set("aria-hidden", "true")  # the figure around it carries the alternative text
    root.set("focusable", "false")
    root.set("class", "img-fluid")
    return ElementTree.tostring(root, encoding="unicode")


def _clean_element(element: ElementTree.Element, prefix: str) -> None:
    name = element.tag.removeprefix(f"{{{_SVG}}}")
    if name not in _ALLOWED_TAGS:
        raise CannotDraw(f"a chart does not need <{name}>")
    style = element.get("style", "")
    for attribute in [*element.attrib]:
        if attribute in _DROPPED:
            del element.attrib[attribute]
        elif attribute.startswith("on") or attribute.endswith("href"):
            raise CannotDraw(f"a chart does not need {attribute}")
    for part in style.split(";"):
        key, _colon, value = part.partition(":")
        if key.strip() not in _DROPPED and value.strip() and "url(" not in value:
            element.set(key.strip(), value.strip())
    if "id" in element.attrib:
        element.set("id", f"{prefix}-{element.get('id')}")
    for attribute, value in element.attrib.items():
        if attribute in _GEOMETRY:
            # A hundredth of a pixel is enough, and makes the file smaller by half.
            element.set(attribute, _LONG_NUMBER.sub(lambda match: f"{float(match.group()):.2f}", value))
        elif value == INK:
            element.set(attribute, "currentColor")
        elif value.startswith("url(#"):
            element.set(attribute, value.replace("url(#", f"url(#{prefix}-", 1))


def _drop_empty(element: ElementTree.Element) -> None:
    """Remove groups and paths that draw nothing: they are half of what the library writes."""
    for child in list(element):
        _drop_empty(child)
        name = child.tag.removeprefix(f"{{{_SVG}}}")
        tail = (child.tail or "").strip()
        nothing = name == "path" and child.get("d", "") in ("", "M0,0h0v0h0Z")
        unpainted = name == "path" and not ({"fill", "stroke"} & child.attrib.keys()) and child.get("display") == "none"
        if not tail and (nothing or unpainted or (name == "g" and not len(child) and not (child.text or "").strip())):
            element.remove(child)
