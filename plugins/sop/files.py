"""Files that people attach: what is taken, and how it is checked. Files are only ever sent as downloads.

PDFs and pictures are looked at by a parser in a child process with limits; pictures are kept as pixels alone. Where a
virus scanner is set, it looks at every file; nothing is kept that it did not look at.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from portal.core import settings
from portal.core.errors import Invalid
from portal.core.text import clean_name
from portal.core.uploads import scanner
from portal.core.uploads.inspecting import inspect
from portal.core.uploads.problems import UploadProblem
from portal.extensions import db
from portal.i18n import _

LARGEST = 10 * 2**20
#: Unpacked size and number of parts of an office file.
UNPACKED = 200 * 2**20
PARTS = 2_000
NAME = 120

_OFFICE = {
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "word/document.xml"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xl/workbook.xml"),
}
#: Endings of what the child looks at.
_INSPECTED = ("pdf", "png", "jpg", "jpeg")
ACCEPT = ".docx,.xlsx,.pdf,.png,.jpg,.jpeg"


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be kept."""

    name: str
    media_type: str
    content: bytes


def check_file(name: str, content: bytes, field: str = "file") -> CheckedFile:
    """Look at an upload: name, size, and that the content is what the name says. Call it outside `transaction()`.

    :raises Invalid: with the reason.
    """
    cleaned = clean_name(PurePosixPath(name.replace("\\", "/")).name)
    stem, _dot, ending = cleaned.rpartition(".")
    ending = ending.lower()
    if not content or not stem.strip(". "):
        raise Invalid([(field, _("Choose a file."))])
    if len(content) > LARGEST:
        raise Invalid([(field, _("The file is larger than %(size)s MB.", size=LARGEST // 2**20))])
    if ending not in _INSPECTED and ending not in _OFFICE:
        raise Invalid([(field, _("Word, Excel, PDF, PNG and JPEG files can be attached."))])
    try:
        if ending in _INSPECTED:
            inspected = inspect(cleaned, content, LARGEST)
            media_type, kept = inspected.media_type, inspected.content
        else:
            media_type, part = _OFFICE[ending]
            kept = content
            _check_office(content, part, field)
        scan_for_viruses(content)
    except UploadProblem as problem:
        raise Invalid([(field, _(problem.message) % problem.params)]) from problem
    return CheckedFile(f"{stem[: NAME - len(ending) - 1]}.{ending}", media_type, kept)


def scan_for_viruses(content: bytes) -> None:
    """Ask the scanner, if one is set. :raises UploadProblem: it found something, or did not look at the whole file."""
    address = settings.get("sop.clamd")
    db.session.rollback()  # no transaction stays open while it looks
    verdict = scanner.scan(content, address)
    if verdict.state == scanner.INFECTED:
        raise UploadProblem("upload.virus", name=verdict.detail)
    if verdict.state == scanner.SILENT:
        raise UploadProblem("upload.unscanned")


def _check_office(content: bytes, part: str, field: str) -> None:
    """A real Word or Excel file without macros that does not swell when it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            infos = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        infos = []
    names = {info.filename for info in infos}
    if part not in names or "[Content_Types].xml" not in names:
        raise Invalid([(field, _("The content of the file is not what its name says."))])
    if len(infos) > PARTS or sum(info.file_size for info in infos) > UNPACKED:
        raise Invalid([(field, _("The file is too large when it is unpacked."))])
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".js")) or "/embeddings/" in name for name in names):
        raise Invalid([(field, _("Files with macros or embedded objects are not taken."))])
