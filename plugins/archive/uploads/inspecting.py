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

from plugins.archive.dossiers.models import JPEG, PDF, PNG
from plugins.archive.uploads import limits
from plugins.archive.uploads.problems import UploadProblem
from portal.core.text import clean_name

CHILD = Path(__file__).with_name("child.py")
#: Extension → kind.
KINDS = {"pdf": "pdf", "jpg": "jpeg", "jpeg": "jpeg", "png": "png"}
MEDIA = {"pdf": PDF, "jpeg": JPEG, "png": PNG}
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
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        source, out = Path(folder) / "upload", Path(folder) / "picture"
        source.write_bytes(content)
        pages = _ask_child(source, kind, out)
        kept = content if kind == "pdf" else out.read_bytes()
    return Inspected(kept, MEDIA[kind], pages, cleaned)


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
