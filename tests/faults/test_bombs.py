"""Files that are small to send and large to look at: each is refused within seconds and a bounded memory."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pikepdf
import pytest
from PIL import Image

from portal.config import PROJECT_ROOT

MIB = 2**20
SECONDS, MEMORY = 5.0, 300 * MIB


def _book() -> bytes:
    out = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(out)
    return out.getvalue()


def _zip(**more: bytes) -> bytes:
    """A small workbook with further entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_book())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in more:
                new.writestr(name, old.read(name))
        for name, content in more.items():
            new.writestr(name, content)
    return out.getvalue()


def _sheet(rows: str) -> bytes:
    head = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    )
    return (head + rows + "</sheetData></worksheet>").encode()


def _entities() -> bytes:
    text = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return f"<?xml version='1.0'?><!DOCTYPE x [{text}]><worksheet>&a11;</worksheet>".encode()


def _nested() -> bytes:
    inner = _zip(**{"xl/bomb": b"0" * 90 * MIB})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for number in range(20):
            zipped.writestr(f"{number}.zip", inner)
    return out.getvalue()


def _pdf(change: Callable[[pikepdf.Pdf], object]) -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    change(pdf)
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def _deep(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Deep = pikepdf.Object.parse(b"[" * 400 + b"]" * 400)


def _many(pdf: pikepdf.Pdf) -> None:
    for number in range(1000):
        pdf.make_indirect(pikepdf.Dictionary(N=number))
    pdf.Root.Many = pikepdf.Array([pdf.make_indirect(pikepdf.Dictionary(N=n)) for n in range(250_000)])


def _flood(pdf: pikepdf.Pdf) -> None:
    content = zlib.compress(zlib.compress(b"0" * 200 * MIB))
    stream = pdf.make_stream(b"")
    stream.write(content, filter=pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode]))
    pdf.Root.Names = pikepdf.Dictionary(EmbeddedFiles=stream)


def _png(width: int, height: int) -> bytes:
    """The head of a picture of any size, with almost nothing behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * min(width * height, 20 * MIB))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _pages() -> bytes:
    pdf = pikepdf.new()
    for _number in range(3000):
        pdf.add_blank_page(page_size=(60, 60))
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def _large_png() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zip of zeros": ("x.xlsx", lambda: _zip(**{"xl/worksheets/sheet1.xml": b"0" * 90 * MIB})),
    "sheet beyond all sizes": ("x.xlsx", lambda: _zip(**{"xl/worksheets/sheet1.xml": b" " * 150 * MIB})),
    "three thousand entries": ("x.xlsx", lambda: _zip(**{f"xl/{n}": b"" for n in range(3000)})),
    "zips in a zip": ("x.xlsx", _nested),
    "entities in entities": ("x.xlsx", lambda: _zip(**{"xl/worksheets/sheet1.xml": _entities()})),
    "a row far away": (
        "x.xlsx",
        lambda: _zip(**{"xl/worksheets/sheet1.xml": _sheet('<row r="99999999"><c r="A99999999"><v>1</v></c></row>')}),
    ),
    "objects without end": ("x.pdf", lambda: _pdf(_many)),
    "a stream in a stream": ("x.pdf", lambda: _pdf(_flood)),
    "nested lists": ("x.pdf", lambda: _pdf(_deep)),
    "three thousand pages": ("x.pdf", _pages),
    "a picture of the size of a city": ("x.png", lambda: _png(60_000, 60_000)),
    "a picture of one colour": ("x.png", _large_png),
}
#: Harmless after all: nothing is expanded or loaded, so it may be taken.
MAY_PASS = {"nested lists", "a row far away"}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_in_time(bomb: str, tmp_path: Path) -> None:
    name, build = BOMBS[bomb]
    path = tmp_path / name
    path.write_bytes(build())
    assert path.stat().st_size < 50 * MIB
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.look_at_upload", str(path)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    code, peak, worked, seconds = done.stdout.split()
    code = code.strip("-")
    size, result = path.stat().st_size / MIB, code or "taken"
    print(f"\n  {bomb}: {size:.1f} MiB → {result} in {seconds} s ({worked} s of a processor), {int(peak) // MIB} MiB")
    assert code or bomb in MAY_PASS
    assert int(peak) < MEMORY
    # Of a processor: how long that takes beside other work is no matter of the file.
    assert float(worked) < SECONDS
