"""Binds the pieces of a long document into one PDF.

Pieces are PDFs of our own renderer (`render_child`), each laid out by itself, so that they can be made side by side
and kept. What makes a book of them happens here: pages in order, running heads and feet, one set of fonts, links and
bookmarks across pieces, and one tree of tags (PDF/UA-1). Reads and writes PDF with pikepdf; nothing is laid out here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

POINTS = 72 / 25.4
_BFCHAR = re.compile(rb"<([0-9a-fA-F]{4})>\s*<([0-9a-fA-F]{4,16})>")
#: Names of the two fonts of heads and feet in the pages' resources.
REGULAR, BOLD = Name("/PortalRegular"), Name("/PortalBold")


@dataclass(frozen=True)
class Mark:
    """A place of the outline: level from 1, words, and the anchor it leads to."""

    level: int
    title: str
    anchor: str


@dataclass(frozen=True)
class Leaves:
    """A piece of the book in its place.

    :ivar content: the PDF.
    :ivar running: words at the head of its pages; "" prints neither head nor foot (the cover).
    :ivar right_hand: begins on a right-hand (odd) page; an empty page goes before it where needed.
    """

    content: bytes
    running: str = ""
    right_hand: bool = False


@dataclass(frozen=True)
class Furniture:
    """Heads and feet. Lengths in millimetres from the edge of an A4 page, sizes in points, colours as RGB 0…1.

    :ivar title: at the inner side of the head; the running words stand at the outer side.
    :ivar foot: at the inner side of the foot.
    :ivar secret: classification, in red after `foot`; "" prints none.
    :ivar page_words: "Page {page} of {pages}" in the document's language, at the outer side.
    :ivar empty_words: on empty pages.
    """

    title: str
    foot: str
    secret: str
    page_words: str
    empty_words: str
    side: float = 20
    head: float = 17
    foot_line: float = 15.5
    size: float = 7.5
    ink: tuple[float, float, float] = (0.373, 0.412, 0.467)
    strong: tuple[float, float, float] = (0.106, 0.133, 0.173)
    brand: tuple[float, float, float] = (0.055, 0.42, 0.502)
    red: tuple[float, float, float] = (0.639, 0.137, 0.106)

    def characters(self, leaves: Iterable[Leaves]) -> str:
        """Every character that heads and feet need."""
        words = [self.title, self.foot, self.secret, self.page_words, self.empty_words, "0123456789…· "]
        return "".join(sorted(set("".join([*words, *(leaf.running for leaf in leaves)]))))


@dataclass
class PieceFacts:
    """What is known of a piece: pages, anchor → page within the piece (from 0), font → the texts of its glyphs
    (mostly single characters; ligatures are longer)."""

    pages: int
    anchors: dict[str, int] = field(default_factory=dict)
    fonts: dict[str, list[str]] = field(default_factory=dict)


def read_piece(content: bytes) -> PieceFacts:
    """Look into a piece."""
    with Pdf.open(BytesIO(content)) as pdf:
        facts = PieceFacts(len(pdf.pages))
        numbers = {page.objgen: index for index, page in enumerate(pdf.pages)}
        for name, target in _destinations(pdf):
            facts.anchors[name] = numbers[target[0].objgen]
        for font in _fonts(pdf):
            facts.fonts[str(font.BaseFont)] = sorted(set(_characters(font).values()))
    return facts


def page_numbers(pieces: Sequence[tuple[Leaves, PieceFacts]]) -> tuple[list[int], dict[str, int], int]:
    """First page of each piece, anchor → page number, and the number of pages, all counted from 1."""
    firsts, anchors, following = [], {}, 1
    for leaves, facts in pieces:
        if leaves.right_hand and following % 2 == 0:
            following += 1
        firsts.append(following)
        anchors.update({name: following + index for name, index in facts.anchors.items()})
        following += facts.pages
    return firsts, anchors, following - 1


def bind(
    pieces: Sequence[Leaves],
    *,
    case: bytes,
    furniture: Furniture,
    outline: Sequence[Mark],
    regular: str,
    bold: str,
) -> bytes:
    """Bind pieces to one PDF.

    :param case: a PDF whose fonts hold every character of all pieces and of the furniture ("type case").
    :param outline: bookmarks in order; a mark whose anchor no piece has is left out.
    :param regular, bold: base names (without the subset's prefix) of the fonts for heads and feet.
    :returns: the PDF; metadata are those of the first piece. The same input gives the same bytes.
    """
    with Pdf.new() as book, Pdf.open(BytesIO(case)) as letters:
        opened: list[Pdf] = []
        try:
            type_case = TypeCase(book, letters)
            binder = _Binder(book, type_case, furniture, type_case.named(regular), type_case.named(bold))
            for leaves in pieces:
                piece = Pdf.open(BytesIO(leaves.content))
                opened.append(piece)
                binder.add(leaves, piece)
            binder.finish(outline, opened[0])
            target = BytesIO()
            book.save(
                target,
                deterministic_id=True,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
                compress_streams=True,
                min_version="1.7",
            )
            return target.getvalue()
        finally:
            for piece in opened:
                piece.close()


# ---- fonts ---------------------------------------------------------------------------------------------------------


class TypeCase:
    """The fonts that all pieces share, and enough of their measures to set a line of plain text.

    :ivar fonts: base name → the font in the book.
    """

    def __init__(self, book: Pdf, letters: Pdf) -> None:
        self.fonts: dict[str, Any] = {}
        self.glyphs: dict[str, dict[bytes, str]] = {}
        for font in _fonts(letters):
            name = str(font.BaseFont)
            self.glyphs[name] = _characters(font)
            self.fonts[name] = book.copy_foreign(font)

    def covers(self, font: Any) -> bool:
        """Whether this case has each glyph of a font of a piece under the same code, standing for the same letter.

        Signs that share a glyph (a bullet and a middle dot) may stand for each other, letters may not.
        """
        own = self.glyphs.get(str(font.BaseFont))
        if own is None:
            return False
        return all(
            code in own and (own[code] == text or not (text.isalnum() or own[code].isalnum()))
            for code, text in _characters(font).items()
        )

    def named(self, family: str) -> Letters | None:
        """The font with this base name, without the prefix of its subset."""
        for name, font in self.fonts.items():
            if name.partition("+")[2] == family:
                return Letters(font, self.glyphs[name])
        return None


class Letters:
    """One font of the type case, as something that can measure and write plain text."""

    def __init__(self, font: Any, glyphs: Mapping[bytes, str]) -> None:
        self.font = font
        self.codes = {text: code for code, text in sorted(glyphs.items(), reverse=True)}
        self.widths = _widths(font.DescendantFonts[0])

    def width(self, text: str, size: float) -> float:
        """Width in points; characters that the font lacks count nothing."""
        codes = (self.codes.get(letter) for letter in text)
        return sum(self.widths.get(int(code, 16), 1000.0) for code in codes if code) * size / 1000

    def fit(self, text: str, size: float, room: float) -> str:
        """The text, cut with an ellipsis when it is wider than the room."""
        if self.width(text, size) <= room:
            return text
        while text and self.width(text + "…", size) > room:
            text = text[:-1]
        return text + "…"

    def hexadecimal(self, text: str) -> bytes:
        """The text as a PDF string of glyph codes."""
        return b"<" + b"".join(self.codes[letter] for letter in text if letter in self.codes) + b">"


def _fonts(pdf: Pdf) -> list[Any]:
    """The composite fonts that the pages of one of our PDFs share."""
    found: dict[tuple[int, int], Any] = {}
    seen: set[tuple[int, int]] = set()
    for page in pdf.pages:
        fonts = page.Resources.get("/Font")
        if fonts is None or fonts.objgen in seen:
            continue
        seen.add(fonts.objgen)
        for font in fonts.values():
            if "/DescendantFonts" in font and "/ToUnicode" in font:
                found[font.objgen] = font
    return list(found.values())


def _characters(font: Any) -> dict[bytes, str]:
    """Glyph code (four hexadecimal digits) → text, from a font's ToUnicode table."""
    table = font.ToUnicode.read_bytes()
    _head, _word, rest = table.partition(b"endcodespacerange")
    return {
        code.lower(): bytes.fromhex(text.decode("ascii")).decode("utf-16-be", "replace")
        for code, text in _BFCHAR.findall(rest)
    }


def _widths(descendant: Any) -> dict[int, float]:
    """Glyph → width in thousandths, from a font's W array."""
    widths: dict[int, float] = {}
    items = list(descendant.get("/W", []))
    index = 0
    while index < len(items) - 1:
        first, second = int(items[index]), items[index + 1]
        if isinstance(second, Array):
            for offset, width in enumerate(second):
                widths[first + offset] = float(width)
            index += 2
        else:
            for glyph in range(first, int(second) + 1):
                widths[glyph] = float(items[index + 2])
            index += 3
    return widths


# ---- pages, links, tags --------------------------------------------------------------------------------------------


class _Binder:
    """Takes pieces one after the other; keeps what must be joined at the end."""

    def __init__(
        self, book: Pdf, case: TypeCase, furniture: Furniture, regular: Letters | None, bold: Letters | None
    ) -> None:
        self.book = book
        self.case = case
        self.furniture = furniture
        self.regular, self.bold = regular, bold or regular
        self.numbers = 0
        self.tree: list[Any] = []
        self.parts: list[Any] = []
        self.targets: dict[str, Any] = {}
        self.running: list[str] = []
        self.document = book.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, K=Array()))

    def add(self, leaves: Leaves, piece: Pdf) -> None:
        """Append the pages of a piece with its anchors and tags."""
        if leaves.right_hand and len(self.book.pages) % 2 == 1:
            self.book.add_blank_page(page_size=(595.28, 841.89))
            self.book.pages[-1].obj.Resources = Dictionary()
            self.running.append(leaves.running)
        first = len(self.book.pages)
        for font_dictionary in {page.Resources.Font.objgen: page.Resources.Font for page in piece.pages}.values():
            self._share_fonts(piece, font_dictionary)
        with warnings.catch_warnings():
            # Named destinations and links are carried over below.
            warnings.simplefilter("ignore", pikepdf.PageCopyWarning)
            self.book.pages.extend(piece.pages)
        pages = [self.book.pages[first + index] for index in range(len(piece.pages))]
        self.running += [leaves.running] * len(pages)
        self._share_letters(piece, pages)
        originals = {page.objgen: index for index, page in enumerate(piece.pages)}
        for name, target in _destinations(piece):
            place = Array([pages[originals[target[0].objgen]].obj, *list(target)[1:]])
            self.targets.setdefault(name, self.book.make_indirect(place))
        self._join_tags(piece, pages)

    def _share_fonts(self, piece: Pdf, fonts: Any) -> None:
        """Forget the piece's own subsets where the type case has all their glyphs: they are then not copied."""
        self._wanted = {}
        for key in list(fonts.keys()):
            font = fonts[key]
            if "/DescendantFonts" in font and self.case.covers(font):
                self._wanted[key] = str(font.BaseFont)
                fonts[key] = Dictionary()

    def _share_letters(self, piece: Pdf, pages: Sequence[pikepdf.Page]) -> None:
        """Put the shared fonts, and those of heads and feet, into the resources of a piece's pages."""
        done: set[tuple[int, int]] = set()
        for page in pages:
            fonts = page.Resources.Font
            if fonts.objgen in done:
                continue
            done.add(fonts.objgen)
            for key, name in self._wanted.items():
                fonts[key] = self.case.fonts[name]
            self._furnish(fonts)

    def _furnish(self, fonts: Any) -> None:
        if self.regular is not None and self.bold is not None:
            fonts[REGULAR] = self.regular.font
            fonts[BOLD] = self.bold.font

    def _join_tags(self, piece: Pdf, pages: Sequence[pikepdf.Page]) -> None:
        """Hang the piece's tree below the book's; numbers of its pages and links go on from those before."""
        root = self.book.copy_foreign(piece.Root.StructTreeRoot)
        part = root.K[0]
        part.S, part.P = Name.Part, self.document
        self.parts.append(part)
        entries = root.ParentTree.Nums
        start = self.numbers
        count = len(entries) // 2
        for index in range(count):
            entries[2 * index] = start + int(entries[2 * index])
        self.tree.append(self.book.make_indirect(Dictionary(Nums=entries, Limits=Array([start, start + count - 1]))))
        self.numbers += count
        for page in pages:
            page.obj.StructParents = start + int(page.obj.StructParents)
            for link in page.obj.get("/Annots", []):
                if "/StructParent" in link:
                    link.StructParent = start + int(link.StructParent)

    def finish(self, outline: Sequence[Mark], first: Pdf) -> None:
        """Heads and feet, names, bookmarks, the tree's root, metadata."""
        self._stamp()
        self._mend_links()
        self.document.K = Array(self.parts)
        tree = self.book.make_indirect(
            Dictionary(
                Type=Name.StructTreeRoot,
                K=Array([self.document]),
                ParentTree=self.book.make_indirect(Dictionary(Kids=Array(self.tree))),
                ParentTreeNextKey=self.numbers,
            )
        )
        self.document.P = tree
        root = self.book.Root
        root.StructTreeRoot = tree
        root.MarkInfo = Dictionary(Marked=True)
        root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
        root.Lang = String(str(first.Root.Lang))
        root.PageMode = Name.UseOutlines
        root.Metadata = self.book.copy_foreign(first.Root.Metadata)
        for key, value in first.docinfo.items():
            self.book.docinfo[key] = String(str(value))
        names = Array()
        for name in sorted(self.targets):
            names.append(String(name))
            names.append(self.targets[name])
        if self.targets:
            limits = Array([names[0], names[-2]])
            leaf = self.book.make_indirect(Dictionary(Names=names, Limits=limits))
            root.Names = Dictionary(Dests=self.book.make_indirect(Dictionary(Kids=Array([leaf]))))
        self._outline(outline)

    def _mend_links(self) -> None:
        """A link to a place that this book does not have (a chapter alone) stays a word and leads nowhere."""
        for page in self.book.pages:
            for link in page.obj.get("/Annots", []):
                target = link.get("/Dest")
                if target is not None and str(target) not in self.targets:
                    link.Dest = Array([page.obj, Name.Fit])

    def _outline(self, outline: Sequence[Mark]) -> None:
        root = self.book.make_indirect(Dictionary(Type=Name.Outlines))
        above: list[tuple[int, Any]] = [(0, root)]
        items: list[Any] = []
        for mark in outline:
            if mark.anchor not in self.targets:
                continue
            item = self.book.make_indirect(Dictionary(Title=String(mark.title), Dest=self.targets[mark.anchor]))
            while above[-1][0] >= mark.level:
                above.pop()
            parent = above[-1][1]
            item.Parent = parent
            if "/Last" in parent:
                item.Prev = parent.Last
                parent.Last.Next = item
            else:
                parent.First = item
            parent.Last = item
            # Closed below the first level: a manual's procedures would fill the reader's side bar.
            parent.Count = (abs(int(parent.get("/Count", 0))) + 1) * (1 if parent.objgen == root.objgen else -1)
            above.append((mark.level, item))
            items.append(item)
        if items:
            self.book.Root.Outlines = root

    # ---- heads and feet ------------------------------------------------------------------------------------------

    def _stamp(self) -> None:
        if self.regular is None or self.bold is None:
            return
        total = len(self.book.pages)
        for index, (page, running) in enumerate(zip(self.book.pages, self.running, strict=True)):
            if not running:
                continue
            empty = "/Contents" not in page.obj or "/StructParents" not in page.obj
            if empty:
                fonts = Dictionary()
                page.obj.Resources = Dictionary(Font=fonts)
                self._furnish(page.obj.Resources.Font)
            lines = self._furniture(index + 1, total, running, empty)
            page.contents_add(self.book.make_stream(lines), prepend=True)

    def _furniture(self, number: int, total: int, running: str, empty: bool) -> bytes:
        """Operators of one page's head and foot, marked as decoration so that they are not read aloud."""
        look = self.furniture
        assert self.regular is not None
        assert self.bold is not None
        left, right = look.side * POINTS, 595.28 - look.side * POINTS
        room = right - left
        top, bottom = 841.89 - look.head * POINTS, look.foot_line * POINTS
        outer_right = number % 2 == 1
        words = look.page_words.replace("{page}", str(number)).replace("{pages}", str(total))
        head = self.bold.fit(running, look.size, room * 0.6)
        title = self.regular.fit(look.title, look.size, room * 0.38)
        out = [b"/Artifact <</Type /Pagination /Subtype /Header>> BDC\nq\n"]
        out.append(self._text(BOLD, self.bold, head, look.size, look.strong, left, right, top, outer_right))
        out.append(self._text(REGULAR, self.regular, title, look.size, look.ink, left, right, top, not outer_right))
        out.append(_rule(look.brand, 0.6, left, right, top - 4.6))
        out.append(b"Q\nEMC\n/Artifact <</Type /Pagination /Subtype /Footer>> BDC\nq\n")
        out.append(_rule((0.827, 0.847, 0.875), 0.4, left, right, bottom + 10.4))
        out.append(self._text(BOLD, self.bold, words, look.size, look.strong, left, right, bottom, outer_right))
        secret_width = self.bold.width(look.secret, look.size) + (6 if look.secret else 0)
        foot = self.regular.fit(look.foot, look.size, room * 0.66 - secret_width)
        foot_width = self.regular.width(foot, look.size) + (6 if look.secret else 0)
        if outer_right:
            out.append(self._text(REGULAR, self.regular, foot, look.size, look.ink, left, right, bottom, False))
            out.append(
                self._text(BOLD, self.bold, look.secret, look.size, look.red, left + foot_width, right, bottom, False)
            )
        else:
            out.append(self._text(BOLD, self.bold, look.secret, look.size, look.red, left, right, bottom, True))
            out.append(
                self._text(REGULAR, self.regular, foot, look.size, look.ink, left, right - secret_width, bottom, True)
            )
        if empty:
            middle = 595.28 / 2 - self.regular.width(look.empty_words, 9) / 2
            out.append(
                self._text(REGULAR, self.regular, look.empty_words, 9, (0.6, 0.63, 0.67), middle, right, 430, False)
            )
        out.append(b"Q\nEMC\n")
        return b"".join(out)

    @staticmethod
    def _text(
        name: Name,
        letters: Letters,
        text: str,
        size: float,
        colour: tuple[float, float, float],
        left: float,
        right: float,
        y: float,
        at_right: bool,
    ) -> bytes:
        if not text:
            return b""
        x = right - letters.width(text, size) if at_right else left
        red, green, blue = colour
        head = f"BT {red} {green} {blue} rg {name} {size} Tf {x:.2f} {y:.2f} Td ".encode("ascii")
        return head + letters.hexadecimal(text) + b" Tj ET\n"


def _rule(colour: tuple[float, float, float], width: float, left: float, right: float, y: float) -> bytes:
    red, green, blue = colour
    return f"{red} {green} {blue} RG {width} w {left:.2f} {y:.2f} m {right:.2f} {y:.2f} l S\n".encode("ascii")


def _destinations(pdf: Pdf) -> list[tuple[str, Any]]:
    """Anchors of one of our PDFs and where they lead."""
    names = pdf.Root.get("/Names")
    if names is None or "/Dests" not in names:
        return []
    flat = names.Dests.Names
    return [(str(flat[index]), flat[index + 1]) for index in range(0, len(flat), 2)]
