"""Turns pages of one file into pixels, in a process of its own that may touch nothing.

Run by path (``python -I raster_child.py SECONDS MEGABYTES``), never imported by the portal: it needs the standard
library, pypdfium2 and Pillow. Reads one line of JSON and the file from standard input; writes for each page one line of
JSON and its pixels (three bytes each, row by row) to standard output. What holds here, whatever the file says:

* memory, processor time and file size are limited; no file is written, no program started, no core dumped;
* no network: a name space of its own where the system allows it, and sockets are refused in any case;
* JavaScript and forms of a PDF are not even loaded: only the drawing of a page is.

Only pixels come out: whatever a file hides (text, links, scripts, attachments, metadata) stays here.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
#: No page becomes larger than this, whatever its size says (A3 at 200 dpi has 7.7 million pixels).
MOST_PIXELS = 16_000_000
#: Pictures larger than this were refused when they were uploaded.
MOST_SOURCE_PIXELS = 60_000_000
REFUSED_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.kill",
    "os.truncate",
    "shutil.",
    "tempfile.",
    "urllib.",
    "sqlite3.",
)


def limit(seconds: int, megabytes: int) -> None:
    """Set the limits of the system; this process cannot raise them again."""
    memory = megabytes * 1024 * 1024
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: what a renderer has no business doing is refused."""
    if event == "open":
        mode, flags = arguments[1], arguments[2] or 0
        writing = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        if writing or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError("open for writing")
    elif event.startswith(REFUSED_EVENTS):
        raise PermissionError(event)


def scale_of(width: float, height: float, order: dict[str, Any]) -> float:
    """How much larger the pixels are than the page's own units (points, or pixels of a picture).

    :param order: "box": [pixels wide, pixels high] that the page should fill without being cut; "turn": whether a wide
        page may use the box turned by a quarter.
    """
    wide, high = order["box"]
    if width > height and order.get("turn"):
        wide, high = high, wide
    scale = min(wide / width, high / height)
    return min(scale, (MOST_PIXELS / (width * height)) ** 0.5)


def pdf_pages(content: bytes, order: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """(page number, picture) of the pages of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    for number in order["pages"]:
        page = document[number - 1]
        width, height = page.get_size()
        bitmap = page.render(scale=scale_of(width, height, order), rev_byteorder=True, may_draw_forms=False)
        yield number, bitmap.to_pil().convert("RGB")
        bitmap.close()
        page.close()


def picture(content: bytes, order: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """(1, picture) of a JPEG or PNG: never larger than it is."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_SOURCE_PIXELS // 2  # an error is raised above twice this number
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as opened:
        target = max(order["box"])
        opened.draft("RGB", (target, target))  # a JPEG is decoded smaller at once
        upright = ImageOps.exif_transpose(opened)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            layer = upright.convert("RGBA")
            found = Image.new("RGB", layer.size, "white")
            found.paste(layer, mask=layer.getchannel("A"))
        else:
            found = upright.convert("RGB")
    scale = min(1.0, scale_of(found.width, found.height, order))
    if scale < 1:
        size = (max(1, round(found.width * scale)), max(1, round(found.height * scale)))
        found = found.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    yield 1, found


def main() -> None:
    """Answer one order and end."""
    seconds, megabytes = int(sys.argv[1]), int(sys.argv[2])
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not get into the answer
    import PIL.Image
    import PIL.ImageOps
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin  # noqa: F401
    import pypdfium2  # noqa: F401

    limit(seconds, megabytes)
    sys.addaudithook(guard)
    order = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    pages = pdf_pages(content, order) if order["media_type"] == "application/pdf" else picture(content, order)
    try:
        for number, image in pages:
            pixels = image.tobytes()
            head = {"page": number, "width": image.width, "height": image.height, "size": len(pixels)}
            answer.write(json.dumps(head).encode("ascii") + b"\n")
            answer.write(pixels)
            answer.flush()
    except BaseException as error:
        answer.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}).encode("utf-8") + b"\n")
        answer.flush()


if __name__ == "__main__":
    main()
