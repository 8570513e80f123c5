"""Marks that are burnt into pages: tiled watermarks for the screen, the strip and the code of paper copies.

Only drawing. What the words are comes from the caller, already in the language of the mark.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import segno
from PIL import Image, ImageDraw, ImageFont

#: A4 upright at 200 dpi.
DPI = 200
PAGE = (1654, 2339)
#: Height of the strip at the foot of a paper copy, and the margin around the content, in pixels at 200 dpi.
STRIP, MARGIN = 236, 40
#: Pixels that the content of a paper page may fill.
PAPER_BOX = (PAGE[0] - 2 * MARGIN, PAGE[1] - STRIP - 2 * MARGIN)
#: Pixels that a page on screen fills: A4 at 150 dpi.
SCREEN_BOX = (1240, 1754)
INK, HALO = (30, 34, 52), (255, 255, 255)
#: How strongly the watermark covers what is below it, of 255.
SCREEN_STRENGTH, PAPER_STRENGTH = 68, 58
#: Pixels between the dark and the light print of a watermark: one of them shows on any ground.
SHIFT = 3
ANGLE = 24
_FONTS = ("Noto Sans CJK SC", "WenQuanYi Micro Hei", "sans")


class NoFont(RuntimeError):
    """No font with Chinese characters is installed."""


@lru_cache(maxsize=1)
def _font_file() -> tuple[str, int]:
    """Path and index of a Chinese font. :raises NoFont: none is installed."""
    for name in _FONTS:
        answer = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}\n%{lang}", f"{name}:lang=zh-cn"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        path, index, languages = (answer.stdout + "\n\n\n").split("\n")[:3]
        if path and "zh" in languages:
            return path, int(index or 0)
    raise NoFont("install a Chinese font, for instance fonts-noto-cjk")


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font of all marks. :param size: pixels."""
    path, index = _font_file()
    return ImageFont.truetype(path, size, index=index)


@lru_cache(maxsize=6)
def watermark(size: tuple[int, int], lines: tuple[str, ...], strength: int) -> Image.Image:
    """A mask with the lines tiled all over a page, turned, so that no part of the page is without them.

    :param size: pixels of the page. :param strength: 0 … 255.
    """
    text_size = max(18, size[0] // 46)
    face = font(text_size)
    gap = text_size * 4
    widths = [face.getlength(line) for line in lines]
    tile = Image.new("L", (int(max(widths)) + gap, int(text_size * 1.35 * len(lines)) + gap), 0)
    pen = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        pen.text((gap // 2, gap // 2 + number * text_size * 1.35), line, font=face, fill=strength)
    # A square large enough that its turned middle covers the page.
    side = int((size[0] ** 2 + size[1] ** 2) ** 0.5) + 2
    field = Image.new("L", (side, side), 0)
    for row, top in enumerate(range(0, side, tile.height)):
        # Each row is shifted, so that no straight cut falls between the marks.
        for left in range(-(row % 2) * tile.width // 2, side, tile.width):
            field.paste(tile, (left, top))
    turned = field.rotate(ANGLE, resample=Image.Resampling.BILINEAR)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


def burn(page: Image.Image, lines: Sequence[str], strength: int = SCREEN_STRENGTH) -> Image.Image:
    """Burn a tiled watermark into a picture; the picture itself is changed and given back."""
    mask = watermark(page.size, tuple(lines), strength)
    page.paste(HALO, (SHIFT, SHIFT), mask)
    page.paste(INK, (0, 0), mask)
    return page


def as_jpeg(page: Image.Image, quality: int = 80, dpi: int | None = None) -> bytes:
    """A picture as JPEG, without any metadata."""
    out = io.BytesIO()
    extra = {"dpi": (dpi, dpi)} if dpi else {}
    page.save(out, "JPEG", quality=quality, **extra)
    return out.getvalue()


@dataclass(frozen=True)
class PaperMarks:
    """What stands on each page of a paper copy.

    :ivar number: number of the copy, the largest word. :ivar lines: further lines, the page's own number is put into
        "{page}". :ivar tiles: lines of the tiled watermark. :ivar address: what the code leads to.
    """

    number: str
    lines: tuple[str, ...]
    tiles: tuple[str, ...]
    address: str


@lru_cache(maxsize=4)
def code(address: str, pixels: int) -> Image.Image:
    """A QR code with its quiet zone. :param pixels: at most so wide and high."""
    made = segno.make(address, error="m", micro=False, boost_error=False)
    rows = list(made.matrix)
    side = len(rows) + 8
    scale = max(1, pixels // side)
    small = Image.new("L", (side, side), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                small.putpixel((x + 4, y + 4), 0)
    return small.resize((side * scale, side * scale), Image.Resampling.NEAREST)


def paper_page(content: Image.Image, marks: PaperMarks, page: str, stamp: str = "") -> Image.Image:
    """A page of a paper copy at 200 dpi: the content, the marks over it, the strip with the code below.

    :param content: at most `PAPER_BOX`, or that turned. :param page: "Page 3 of 12", in words.
    :param stamp: a word for the upper corner, for copies of originals; "" for none.
    """
    wide = content.width > content.height
    size = (PAGE[1], PAGE[0]) if wide else PAGE
    sheet = Image.new("RGB", size, "white")
    box = (size[0] - 2 * MARGIN, size[1] - STRIP - 2 * MARGIN)
    if content.width > box[0] or content.height > box[1]:
        content.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=3)
    sheet.paste(content, ((size[0] - content.width) // 2, MARGIN + (box[1] - content.height) // 2))
    burn(sheet, marks.tiles, PAPER_STRENGTH)
    pen = ImageDraw.Draw(sheet)
    top = size[1] - STRIP
    pen.rectangle((0, top, size[0], size[1]), fill="white")
    pen.line((MARGIN, top, size[0] - MARGIN, top), fill=INK, width=3)
    square = code(marks.address, STRIP - 20)
    sheet.paste(square, (size[0] - MARGIN - square.width, top + 8))
    pen.text((MARGIN, top + 14), marks.number, font=font(50), fill="black")
    right = size[0] - MARGIN - square.width - 24
    pen.text((right, top + 24), page, font=font(34), fill="black", anchor="ra")
    for number, line in enumerate(marks.lines):
        pen.text((MARGIN, top + 88 + number * 42), _fit(line, font(28), right - MARGIN), font=font(28), fill="black")
    if stamp:
        face = font(38)
        width = face.getlength(stamp)
        left = size[0] - MARGIN - width - 28
        pen.rectangle((left, MARGIN, size[0] - MARGIN, MARGIN + 58), outline=(150, 30, 30), width=4)
        pen.text((left + 14, MARGIN + 5), stamp, font=face, fill=(150, 30, 30))
    return sheet


def _fit(text: str, face: ImageFont.FreeTypeFont, width: float) -> str:
    """A line that is not wider than its place."""
    if face.getlength(text) <= width:
        return text
    while text and face.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
