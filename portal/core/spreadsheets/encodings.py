"""Which encoding and which delimiter a text file has; what the other choices would show.

Order of belief: byte order mark, zero bytes of UTF-16, strict UTF-8, then GB18030 (it contains GBK and GB2312) or
Big5, whichever gives more of the everyday characters (level 1 of GB 2312 and of Big5).
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from .errors import SpreadsheetError
from .sniff import utf16_by_zeros

#: What a user may choose, in this order.
ENCODINGS = ("utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "big5")
DELIMITERS = (",", "\t", ";", "|")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class EncodingGuess:
    """`encoding` is the best guess; `certain` when a mark or strict UTF-8 with non-ASCII text proves it; `candidates`
    all encodings that decode the file without an error, the best first."""

    encoding: str
    certain: bool
    candidates: tuple[str, ...]


def _codec(encoding: str) -> str:
    """utf-8 also takes a mark at the start."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(_codec(encoding))
    except UnicodeDecodeError:
        return False
    return True


def _everyday(content: bytes, encoding: str) -> float:
    """Share of everyday characters among the non-ASCII characters."""
    text = [c for c in content[:200_000].decode(_codec(encoding), "ignore") if ord(c) > 127]
    codec, first, last = ("big5", 0xA1, 0xC6) if encoding == "big5" else ("gb2312", 0xA1, 0xD7)
    good = 0
    for character in text:
        raw = character.encode(codec, "ignore")
        good += len(raw) == 2 and first <= raw[0] <= last
    return good / len(text) if text else 0.0


def detect_encoding(path: Path) -> EncodingGuess:
    """Guess the encoding of a text file (read as a whole: at most 50 MB). SpreadsheetError "sheet.encoding" when
    nothing fits."""
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark) and _decodes(content, encoding):
            return EncodingGuess(encoding, True, (encoding,))
    zeros = utf16_by_zeros(content[:65_536])
    if zeros and _decodes(content, zeros):
        return EncodingGuess(zeros, True, (zeros,))
    fits = [encoding for encoding in ("utf-8", "gb18030", "big5") if _decodes(content, encoding)]
    if not fits:
        raise SpreadsheetError("sheet.encoding", encoding="utf-8")
    if fits[0] == "utf-8":
        return EncodingGuess("utf-8", not content.isascii(), tuple(fits))
    if fits[:2] == ["gb18030", "big5"] and _everyday(content, "big5") > _everyday(content, "gb18030"):
        fits[:2] = ["big5", "gb18030"]
    return EncodingGuess(fits[0], False, tuple(fits))


def decode(content: bytes, encoding: str) -> str:
    """Bytes → text without the mark; SpreadsheetError "sheet.encoding" when they do not fit or the encoding is not
    offered."""
    if encoding not in ENCODINGS:
        raise SpreadsheetError("sheet.encoding", encoding=encoding)
    try:
        text = content.decode(_codec(encoding))
    except UnicodeDecodeError:
        raise SpreadsheetError("sheet.encoding", encoding=encoding) from None
    return text.removeprefix("\ufeff")


def preview_text(path: Path, encoding: str, lines: int = 10) -> list[str]:
    """The first lines as this encoding shows them (wrong bytes as �), each cut at 200 characters."""
    with path.open("rb") as file:
        text = file.read(65_536).decode(_codec(encoding), "replace").removeprefix("\ufeff")
    return [line[:200] for line in text.splitlines()[:lines]]


def sniff_delimiter(text: str) -> str:
    """Comma, tab, semicolon or bar: the one that cuts the first 50 records into the same number of fields most often;
    a comma when none cuts anything."""
    sample = text[:65_536]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths: list[int] = []
        try:
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
                if any(row):
                    widths.append(len(row))
                if len(widths) == 50:
                    break
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        usual = max(set(widths), key=widths.count)
        # Steadiness first; the number of columns only decides between equals.
        score = widths.count(usual) / len(widths) + min(usual, 50) / 1000
        if usual > 1 and score > best_score:
            best, best_score = delimiter, score
    return best
