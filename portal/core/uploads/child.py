"""Runs as a process of its own, as a script: looks at one uploaded file.

The argument is JSON: path, kind ("pdf", "jpeg", "png" or "photo"), out (where a re-encoded picture goes) and limits (by
`limits.as_mapping`). The answer is one line of JSON: {"pages": n} or {"error": code, "params": {…}}. The limits of
memory, time and output are set by itself before it looks at the file. PDFs are looked at and left as they are; pictures
are decoded and encoded anew, so that nothing but pixels is kept (no EXIF, no place of the photograph, no data behind).

It imports nothing of the portal: it starts quickly, and there is nothing in its memory that a parser could give away.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from pathlib import Path
from typing import Any


class UploadProblem(Exception):
    """What is wrong: a code of `problems.MESSAGES` and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class Limits:
    """The bounds, as they came with the job."""

    MAX_PAGES = MAX_PAGE_SIDE = MAX_PIXELS = MIN_SIDE = PHOTO_SIDE = MAX_TRAILER = MAX_OBJECTS = 0
    CHILD_MEMORY_BYTES = CHILD_CPU_SECONDS = CHILD_OUTPUT_BYTES = 0


#: Names of dictionary entries in a PDF → what is wrong with a file that has them.
FORBIDDEN_KEYS = {
    "/JavaScript": "upload.script",
    "/JS": "upload.script",
    "/XFA": "upload.xfa",
    "/EmbeddedFiles": "upload.embedded",
    "/EmbeddedFile": "upload.embedded",
    "/EF": "upload.embedded",
    "/RichMediaContent": "upload.embedded",
}
#: Values of /S, /Type and /Subtype → what is wrong.
FORBIDDEN_VALUES = {
    "/JavaScript": "upload.script",
    "/Rendition": "upload.embedded",
    "/Launch": "upload.launch",
    "/SubmitForm": "upload.launch",
    "/ImportData": "upload.launch",
    "/GoToR": "upload.launch",
    "/GoToE": "upload.launch",
    "/EmbeddedFile": "upload.embedded",
    "/FileAttachment": "upload.embedded",
    "/RichMedia": "upload.embedded",
    "/Screen": "upload.embedded",
    "/Movie": "upload.embedded",
    "/Sound": "upload.embedded",
    "/3D": "upload.embedded",
}


def _limit_resources() -> None:
    memory, cpu = Limits.CHILD_MEMORY_BYTES, Limits.CHILD_CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (Limits.CHILD_OUTPUT_BYTES, Limits.CHILD_OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


# ---- PDF -----------------------------------------------------------------------------------------------------------


def look_at_pdf(path: Path) -> int:
    """The number of pages of a harmless PDF. :raises UploadProblem: with the first thing that is wrong."""
    import pypdf

    content = path.read_bytes()
    if not content.startswith(b"%PDF-"):
        raise UploadProblem("upload.mismatch", kind="PDF")
    end = content.rfind(b"%%EOF")
    if end < 0:
        raise UploadProblem("upload.damaged")
    rest = content[end + len(b"%%EOF") :]
    if len(rest) > Limits.MAX_TRAILER or rest.strip(b"\r\n\t \0"):
        raise UploadProblem("upload.polyglot")
    reader = pypdf.PdfReader(path, strict=False)
    if reader.is_encrypted or "/Encrypt" in reader.trailer:
        raise UploadProblem("upload.encrypted")
    _look_at_objects(reader)
    count = len(reader.pages)
    if not count:
        raise UploadProblem("upload.no_pages")
    if count > Limits.MAX_PAGES:
        raise UploadProblem("upload.pages", limit=Limits.MAX_PAGES)
    for number, page in enumerate(reader.pages, 1):
        sides = (abs(float(page.mediabox.width)), abs(float(page.mediabox.height)))
        if not all(0 < side <= Limits.MAX_PAGE_SIDE for side in sides):
            raise UploadProblem("upload.page_size", page=number)
    return count


def _look_at_objects(reader: Any) -> None:
    """Every object of the file, those that no page refers to included: hidden ones are found by other readers."""
    from pypdf.generic import IndirectObject

    seen: set[tuple[int, int]] = set()
    numbers = [(number, generation) for generation, table in reader.xref.items() for number in table]
    numbers += [(number, 0) for number in reader.xref_objStm]
    if len(numbers) > Limits.MAX_OBJECTS:
        raise UploadProblem("upload.too_complex")
    _look_at(reader.trailer)
    for number, generation in numbers:
        if number == 0 or (number, generation) in seen:
            continue
        seen.add((number, generation))
        found = reader.get_object(IndirectObject(number, generation, reader))
        if found is not None:
            _look_at(found)


def _look_at(start: Any) -> None:
    """One object and what lies directly in it (references are objects of their own); a loop, so depth costs nothing."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    waiting = [start]
    visited = 0
    while waiting:
        item = waiting.pop()
        visited += 1
        if visited > Limits.MAX_OBJECTS:
            raise UploadProblem("upload.too_complex")
        if isinstance(item, IndirectObject):
            continue
        if isinstance(item, DictionaryObject):
            for key in item:
                if str(key) in FORBIDDEN_KEYS:
                    raise UploadProblem(FORBIDDEN_KEYS[str(key)])
                value = item.raw_get(key)
                if str(key) in ("/S", "/Type", "/Subtype"):
                    word = str(value.get_object() if isinstance(value, IndirectObject) else value)
                    if word in FORBIDDEN_VALUES:
                        raise UploadProblem(FORBIDDEN_VALUES[word])
                if isinstance(value, DictionaryObject | ArrayObject):
                    waiting.append(value)
        elif isinstance(item, ArrayObject):
            waiting.extend(value for value in list.__iter__(item) if isinstance(value, DictionaryObject | ArrayObject))


# ---- pictures ------------------------------------------------------------------------------------------------------


#: Kind → formats that the decoder may take it for.
FORMATS = {"jpeg": ("JPEG",), "png": ("PNG",), "photo": ("JPEG", "PNG", "WEBP")}


def reencode_picture(path: Path, kind: str, out: Path) -> int:
    """Decode a picture and write it anew; always 1. :raises UploadProblem: with the first thing that is wrong."""
    from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Ours is asked first and says it in words; Pillow's own stays as the second line.
    Image.MAX_IMAGE_PIXELS = Limits.MAX_PIXELS
    try:
        picture: Any = Image.open(path, formats=FORMATS[kind])
    except Image.DecompressionBombError:
        raise UploadProblem("upload.pixels", limit=Limits.MAX_PIXELS // 1_000_000) from None
    except UnidentifiedImageError:
        if kind == "photo":
            raise UploadProblem("upload.damaged") from None
        raise UploadProblem("upload.mismatch", kind=FORMATS[kind][0]) from None
    with picture:
        width, height = picture.size
        if width * height > Limits.MAX_PIXELS:
            raise UploadProblem("upload.pixels", limit=Limits.MAX_PIXELS // 1_000_000)
        if min(width, height) < Limits.MIN_SIDE:
            raise UploadProblem("upload.tiny")
        if getattr(picture, "n_frames", 1) > 1:
            raise UploadProblem("upload.frames")
        if kind == "photo":
            # A JPEG is decoded smaller at once.
            picture.draft("RGB", (2 * Limits.PHOTO_SIDE, 2 * Limits.PHOTO_SIDE))
        picture.load()
        upright = ImageOps.exif_transpose(picture)
        plain = _on_white(upright)
        resolution = picture.info.get("dpi")
        save: dict[str, Any] = {"dpi": (resolution[0], resolution[1])} if _is_sane(resolution) else {}
        if kind == "photo":
            plain.thumbnail((Limits.PHOTO_SIDE, Limits.PHOTO_SIDE))
            plain.save(out, "JPEG", quality=82, optimize=True)
        elif kind == "jpeg":
            plain.save(out, "JPEG", quality=90, optimize=False, progressive=False, **save)
        else:
            plain.save(out, "PNG", **save)
    return 1


def _on_white(picture: Any) -> Any:
    """Pixels alone: grey stays grey, transparency lies on white paper, everything else becomes RGB."""
    from PIL import Image

    if picture.mode in ("1", "L", "RGB"):
        clean = Image.new(picture.mode, picture.size)
        clean.paste(picture)
        return clean
    if picture.mode in ("LA", "PA", "RGBA", "P") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return paper
    if picture.mode.startswith("I"):
        # Sixteen bits of grey: the upper eight.
        return picture.point(lambda value: value / 256).convert("L")
    return picture.convert("RGB")


def _is_sane(resolution: Any) -> bool:
    return (
        isinstance(resolution, tuple)
        and len(resolution) == 2
        and all(36 <= float(value) <= 2400 for value in resolution)
    )


def main(argument: str) -> int:
    """Do the one job described by the JSON argument."""
    job = json.loads(argument)
    logging.disable(logging.CRITICAL)
    for name, value in job["limits"].items():
        setattr(Limits, name, int(value))
    _limit_resources()
    answer: dict[str, Any]
    try:
        path = Path(job["path"])
        pages = look_at_pdf(path) if job["kind"] == "pdf" else reencode_picture(path, job["kind"], Path(job["out"]))
        answer = {"pages": pages}
    except UploadProblem as problem:
        answer = {"error": problem.code, "params": problem.params}
    except (MemoryError, RecursionError):
        answer = {"error": "upload.too_complex", "params": {}}
    except Exception as error:  # the parsers' many ways to say that a file is broken
        sys.stderr.write(f"{error!r}\n")
        answer = {"error": "upload.damaged", "params": {}}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
