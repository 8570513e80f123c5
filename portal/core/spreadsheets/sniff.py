"""What a file is, by its first bytes, never by its name; and whether a ZIP container may be opened at all."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

from . import limits
from .errors import SpreadsheetError

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"\x7fELF",
    b"{\\rtf",
    b"\xfd7zXZ",
)
#: Beginnings that text can have too ("BMW,…"): only with a zero byte near.
_OTHER_WITH_ZERO = (b"MZ", b"RIFF", b"BM", b"II*", b"MM", b"SQLite format 3", b"BZh", b"\x00\x00\x01\x00")
_ALLOWED_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1a\x1b")


def kind_of(path: Path) -> str:
    """ "xlsx", "xls" or "csv". SpreadsheetError: "sheet.empty", "sheet.too_large", "sheet.not_a_spreadsheet",
    "sheet.html", "sheet.other_format", "sheet.encrypted", "sheet.macros", "sheet.unsafe_zip", "sheet.damaged"."""
    size = path.stat().st_size
    if size == 0:
        raise SpreadsheetError("sheet.empty")
    if size > limits.MAX_FILE_BYTES:
        raise SpreadsheetError("sheet.too_large", limit=limits.MAX_FILE_BYTES // 2**20)
    with path.open("rb") as file:
        head = file.read(65_536)
    if head.startswith(_ZIP):
        return _kind_of_zip(path)
    if head.startswith(_OLE):
        # Names of streams in an OLE file are UTF-16 (MS-CFB 2.6.1); the directory may lie anywhere in the file.
        content = path.read_bytes()
        if _utf16("EncryptedPackage") in content:
            raise SpreadsheetError("sheet.encrypted")
        if _utf16("Workbook") not in content and _utf16("Book") not in content:
            raise SpreadsheetError("sheet.not_a_spreadsheet")
        if _utf16("_VBA_PROJECT_CUR") in content:
            raise SpreadsheetError("sheet.macros")
        return "xls"
    if head[:4] in (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00"):
        raise SpreadsheetError("sheet.other_format")
    if head.startswith(_OTHER) or (head.startswith(_OTHER_WITH_ZERO) and b"\x00" in head[:1024]):
        raise SpreadsheetError("sheet.not_a_spreadsheet")
    start = head[:2048].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<style")) or b"<html" in start:
        raise SpreadsheetError("sheet.html")
    if start.startswith(b"<?xml"):
        raise SpreadsheetError("sheet.other_format")
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and not utf16_by_zeros(head):
        controls = sum(byte < 32 and byte not in _ALLOWED_CONTROLS for byte in head)
        # A stray control character is cleaned away later; a file full of them is no text.
        if b"\x00" in head[:4] or controls > max(len(head) // 200, 8):
            raise SpreadsheetError("sheet.not_a_spreadsheet")
    return "csv"


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\x00\x00"


def utf16_by_zeros(head: bytes) -> str:
    """UTF-16 without a mark: most line ends, digits and commas have a zero byte on the same side."""
    if len(head) < 4 or (len(head) % 2 and len(head) < 64):
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    share = len(head) // 2
    if odd > share * 0.1 and even < odd * 0.02:
        return "utf-16-le"
    if even > share * 0.1 and odd < even * 0.02:
        return "utf-16-be"
    return ""


def check_zip(path: Path) -> list[str]:
    """Refuse a ZIP container before anything is unpacked; gives back the names of its members.

    Entries ≤ 2,000; unpacked ≤ 100 MiB; ratio ≤ 100 (as a whole and of each member, above 1 MiB); no symbolic links,
    absolute names, "..", backslashes, doubled names, encrypted members; the sizes in the directory must agree with
    what is really there. SpreadsheetError "sheet.unsafe_zip", "sheet.encrypted", "sheet.damaged".
    """
    try:
        with path.open("rb") as file:
            _check_directory(file.read(), path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > limits.MAX_ZIP_ENTRIES:
                raise SpreadsheetError("sheet.unsafe_zip")
            total = packed = 0
            names: set[str] = set()
            for member in members:
                name = member.orig_filename
                parts = name.split("/")
                bad_name = name.startswith("/") or "\\" in name or ".." in parts or ":" in parts[0] or "\x00" in name
                link = stat.S_ISLNK(member.external_attr >> 16)
                if bad_name or link or name.lower() in names:
                    raise SpreadsheetError("sheet.unsafe_zip")
                if member.flag_bits & 0x1:
                    raise SpreadsheetError("sheet.encrypted")
                if member.file_size > max(member.compress_size * limits.MAX_ZIP_RATIO, limits.RATIO_FREE_BYTES):
                    raise SpreadsheetError("sheet.unsafe_zip")
                names.add(name.lower())
                total += member.file_size
                packed += member.compress_size
            if total > limits.MAX_ZIP_BYTES or total > max(packed * limits.MAX_ZIP_RATIO, limits.RATIO_FREE_BYTES):
                raise SpreadsheetError("sheet.unsafe_zip")
            # The directory may lie about sizes: unpack in small pieces and count. The reader believes the same
            # directory.
            for member in members:
                left = member.file_size
                with archive.open(member) as stream:
                    while block := stream.read(min(65_536, left + 1)):
                        left -= len(block)
                        if left < 0:
                            raise SpreadsheetError("sheet.unsafe_zip")
                if left:
                    raise SpreadsheetError("sheet.damaged")
            return [member.filename for member in members]
    except SpreadsheetError:
        raise
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        struct.error,
    ) as error:
        raise SpreadsheetError("sheet.damaged") from error
    except Exception as error:  # zlib.error, lzma errors: whatever a broken stream makes of itself
        raise SpreadsheetError("sheet.damaged") from error


def _check_directory(content: bytes, size: int) -> None:
    """The number of entries as the end record tells, before zipfile builds an object for each (APPNOTE.TXT 4.3.16)."""
    at = content.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > size:
        raise SpreadsheetError("sheet.damaged")
    entries = struct.unpack_from("<H", content, at + 10)[0]
    if entries > limits.MAX_ZIP_ENTRIES or content.count(b"PK\x01\x02") > limits.MAX_ZIP_ENTRIES * 2:
        raise SpreadsheetError("sheet.unsafe_zip")


def _kind_of_zip(path: Path) -> str:
    names = set(check_zip(path))
    if "[Content_Types].xml" not in names:
        if "mimetype" in names and "content.xml" in names:
            raise SpreadsheetError("sheet.other_format")
        raise SpreadsheetError("sheet.not_a_spreadsheet")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise SpreadsheetError("sheet.macros")
    if "xl/workbook.bin" in names:
        raise SpreadsheetError("sheet.other_format")
    if not any(name.startswith("xl/") and name.endswith(".xml") for name in names):
        raise SpreadsheetError("sheet.not_a_spreadsheet")
    return "xlsx"
