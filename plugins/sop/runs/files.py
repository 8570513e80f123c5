"""Photos and files of steps: checked, pictures made anew without their metadata (place, camera, owner)."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from plugins.sop.files import CheckedFile
from plugins.sop.files import check_file as check_document
from portal.core.coded import N_, CodedError
from portal.core.text import clean_name

#: Bytes of one file, and pixels of one picture before it is decoded.
LARGEST_FILE = 10 * 1024 * 1024
LARGEST_PICTURE = 50_000_000
#: The longer side of a kept picture, in pixels: enough to read a label on a photo.
LONGEST_SIDE = 2400
QUALITY = 82
NAME_LENGTH = 120

MESSAGES = {
    "file.empty": N_("The file is empty."),
    "file.large": N_("The file is larger than 10 MB."),
    "file.picture": N_("The picture cannot be read."),
    "file.pixels": N_("The picture is too large."),
}

_PICTURES = ("JPEG", "PNG", "WEBP")


class FileError(CodedError):
    """A file that is not kept."""

    messages = MESSAGES


def check_file(name: str, content: bytes) -> CheckedFile:
    """Check an upload and make a picture anew.

    :raises FileError: "file.empty", "file.large", "file.picture", "file.pixels". :raises Invalid: for what is neither a
        picture nor a document that the plugin takes.
    """
    if not content:
        raise FileError("file.empty")
    if len(content) > LARGEST_FILE:
        raise FileError("file.large")
    if content[:3] == b"\xff\xd8\xff" or content[:8] == b"\x89PNG\r\n\x1a\n" or content[:4] == b"RIFF":
        return CheckedFile(f"{_stem(name)}.jpg", "image/jpeg", _picture(content))
    return check_document(name, content)


def _stem(name: str) -> str:
    """Name without folders, ending and signs that file systems or headers misread."""
    plain = clean_name(name.replace("\\", "/").rsplit("/", 1)[-1])
    stem, _dot, _ending = plain.rpartition(".")
    stem = "".join("_" if sign in '<>:"|?*' else sign for sign in (stem or plain)).strip(" .")
    return stem[:NAME_LENGTH] or "photo"


def _picture(content: bytes) -> bytes:
    """The picture upright, no larger than needed, as JPEG without any metadata."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_PICTURES) as opened:
                if opened.width * opened.height > LARGEST_PICTURE:
                    raise FileError("file.pixels")
                upright = ImageOps.exif_transpose(opened)
                flat = _on_white(upright)
    except FileError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileError("file.pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise FileError("file.picture") from error
    flat.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A fresh picture: nothing but pixels goes along.
    fresh = Image.new("RGB", flat.size)
    fresh.paste(flat)
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "P"):
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")
