"""Draws charts in a process of its own, because the drawing library holds a JavaScript engine (80 MB, five threads).

Run by path (``python -I render_child.py``), never imported by the portal. Reads requests from standard input and
answers on standard output, each as eight bytes of length and JSON: a list of Vega-Lite specifications in, a list of
SVG texts (or {"error": …}) out. Ends when its input ends or after idle seconds.
"""

from __future__ import annotations

import io
import json
import os
import resource
import select
import struct
from typing import Any

import vl_convert

IDLE_SECONDS = 120
#: Data (not address space, of which the engine reserves terabytes) that this process may hold.
MEMORY = 768 * 1024 * 1024


def draw(spec: dict[str, Any]) -> str:
    """The SVG of one specification; data from elsewhere are refused by the library too."""
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def answer(request: list[dict[str, Any]]) -> Any:
    """All pictures of a request, or what went wrong."""
    try:
        return [draw(spec) for spec in request]
    except Exception as error:  # the parent decides what to tell
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def main() -> None:
    """Serve requests until there are none."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source: Any = io.FileIO(0, closefd=False)
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        head = _read(source, 8)
        if head is None:
            return
        body = _read(source, struct.unpack(">Q", head)[0])
        if body is None:
            return
        data = json.dumps(answer(json.loads(body))).encode("utf-8")
        output.write(struct.pack(">Q", len(data)) + data)
        output.flush()


def _read(source: Any, size: int) -> bytes | None:
    parts = []
    while size:
        part = source.read(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
