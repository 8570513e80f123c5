"""From the bytes that somebody sent to a content that may be kept.

Name, magic and parser must agree; the parser runs in a child process with limits; pictures are encoded anew.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from portal.core.text import clean_name
from portal.core.uploads import limits
from portal.core.uploads.problems import UploadProblem

CHILD = Path(__file__).with_name("child.py")
#: Extension → kind.
KINDS = {"pdf": "pdf", "jpg": "jpeg", "jpeg": "jpeg", "png": "png"}
MEDIA = {"pdf": "application/pdf", "jpeg": "image/jpeg", "png": "image/png"}
LABELS = {"pdf": "PDF", "jpeg": "JPEG", "png": "PNG"}
_MAGIC = {"pdf": b"%PDF-", "jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}


@dataclass(frozen=True)
class Inspected:
    """A content that may be kept. `name` is the cleaned name of the upload."""

    content: bytes
    media_type: str
    pages: int
    name: str


def safe_name(name: str) -> str:
    """The last part of a file's name without control characters, cut so that its ending stays."""
    cleaned = clean_name(PurePosixPath(name.replace("\\", "/")).name)
    stem, dot, ending = cleaned.rpartition(".")
    if len(cleaned) > limits.NAME_LENGTH:
        stem, ending = stem if dot else cleaned, ending[:10] if dot else ""
        cleaned = f"{stem[: limits.NAME_LENGTH - len(ending) - 1]}{dot}{ending}"
    return cleaned


def inspect(name: str, content: bytes, max_bytes: int) -> Inspected:
    """Look at an upload. :param max_bytes: largest size. :raises UploadProblem: with the reason."""
    if not content:
        raise UploadProblem("upload.empty")
    if len(content) > max_bytes:
        raise UploadProblem("upload.too_large", limit=max_bytes // 2**20)
    cleaned = safe_name(name)
    if not cleaned.strip(". "):
        raise UploadProblem("upload.name")
    kind = KINDS.get(cleaned.rpartition(".")[2].lower())
    if kind is None:
        raise UploadProblem("upload.extension")
    if not content.startswith(_MAGIC[kind]):
        raise UploadProblem("upload.mismatch", kind=LABELS[kind])
    pages, picture = _look_at(content, kind)
    return Inspected(picture or content, MEDIA[kind], pages, cleaned)


def is_photo(content: bytes) -> bool:
    """Whether a content begins as a JPEG, PNG or WebP picture does."""
    return content.startswith((_MAGIC["jpeg"], _MAGIC["png"])) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def inspect_photo(name: str, content: bytes, max_bytes: int) -> Inspected:
    """Look at a photo: JPEG, PNG or WebP whatever its name says; kept is a JPEG of at most `limits.PHOTO_SIDE` pixels.

    :param max_bytes: largest size. :raises UploadProblem: with the reason.
    """
    if not content:
        raise UploadProblem("upload.empty")
    if len(content) > max_bytes:
        raise UploadProblem("upload.too_large", limit=max_bytes // 2**20)
    if not is_photo(content):
        raise UploadProblem("upload.damaged")
    stem = safe_name(name).rpartition(".")[0] or safe_name(name)
    _pages, picture = _look_at(content, "photo")
    return Inspected(picture, MEDIA["jpeg"], 1, f"{stem.strip(' .') or 'photo'}.jpg")


def _look_at(content: bytes, kind: str) -> tuple[int, bytes]:
    """Pages, and the picture made anew (nothing of a PDF)."""
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        source, out = Path(folder) / "upload", Path(folder) / "picture"
        source.write_bytes(content)
        pages = _ask_child(source, kind, out)
        return pages, b"" if kind == "pdf" else out.read_bytes()


def _ask_child(source: Path, kind: str, out: Path) -> int:
    job = {"path": str(source), "kind": kind, "out": str(out), "limits": limits.as_mapping()}
    # Nothing of our environment (passwords of databases, keys) is handed on.
    environment = {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "HOME": os.devnull}
    process = subprocess.Popen(
        [sys.executable, "-I", str(CHILD), json.dumps(job)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        close_fds=True,
    )
    try:
        answer, _nothing = process.communicate(timeout=limits.CHILD_WALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise UploadProblem("upload.too_complex") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGXFSZ):
        raise UploadProblem("upload.too_complex")
    report = _parsed(answer)
    if "error" in report:
        raise UploadProblem(report["error"], **report["params"])
    if process.returncode != 0 or "pages" not in report:
        # An allocation that fails inside a parser's native code aborts the process.
        raise UploadProblem("upload.too_complex" if process.returncode < 0 else "upload.damaged")
    return int(report["pages"])


def _parsed(answer: bytes) -> dict[str, Any]:
    try:
        report = json.loads(answer.splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}
