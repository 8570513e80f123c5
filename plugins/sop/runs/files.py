"""Photos and files of steps: checked; photos made anew without their metadata (place, camera, owner)."""

from __future__ import annotations

from plugins.sop.files import CheckedFile, scan_for_viruses
from plugins.sop.files import check_file as check_document
from portal.core.errors import Invalid
from portal.core.uploads.inspecting import inspect_photo, is_photo
from portal.core.uploads.problems import UploadProblem
from portal.i18n import _

#: Bytes of one file.
LARGEST_FILE = 10 * 1024 * 1024


def check_file(name: str, content: bytes) -> CheckedFile:
    """Check an upload and make a photo anew, in a child process: call it outside `transaction()`.

    :raises Invalid: with what is wrong, beside the field "file".
    """
    if not is_photo(content):
        return check_document(name, content)
    try:
        photo = inspect_photo(name, content, LARGEST_FILE)
        scan_for_viruses(content)
    except UploadProblem as problem:
        raise Invalid([("file", _(problem.message) % problem.params)]) from problem
    stem, _dot, ending = photo.name.rpartition(".")
    # Signs that file systems or headers misread.
    stem = "".join("_" if sign in '<>:"|?*' else sign for sign in stem)
    return CheckedFile(f"{stem}.{ending}", photo.media_type, photo.content)
