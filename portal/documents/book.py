"""Long documents: laid out in pieces side by side, kept by digest, bound to one PDF.

A manual of 200 pages takes one renderer most of a minute. Here its pieces (chapters, groups of procedures) are laid out
by two children at once; a piece whose text, style and fonts have not changed is taken from the cache. The table of
contents is made last, when page numbers are known: no piece depends on where it stands, heads and feet are stamped when
the book is bound (`binding`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf

from portal.documents import render
from portal.documents.binding import Furniture, Leaves, Mark, PieceFacts, bind, page_numbers, read_piece
from portal.documents.render import Asset, CannotRender, Rendered

LOGGER = logging.getLogger(__name__)
#: Children at work on one book.
HANDS = 2
#: Longest time for one piece, in seconds. A piece that takes longer is a bomb, not a chapter.
PIECE_SECONDS = 60
#: Memory of each child's address space, in megabytes.
MEGABYTES = 1024
#: The cache is swept down to this many bytes, oldest use first.
CACHE_BYTES = 256 * 1024 * 1024

#: Called with pages laid out so far and pages expected; may raise to stop.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Piece:
    """A part of a book that begins on a page of its own.

    :ivar body: HTML between <body> and </body>; everything in it that was typed by people is escaped or sanitised.
    :ivar running: words at the head of its pages.
    :ivar right_hand: begins on a right-hand page.
    :ivar weight: rough number of pages, for sharing out the work and for the progress before the truth is known.
    """

    body: str
    running: str
    right_hand: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class Numbers:
    """Page numbers of the book, as far as they are known."""

    anchors: Mapping[str, int]
    pages: int

    def of(self, anchor: str) -> str:
        """The page of an anchor in digits; "" when the book does not have it."""
        return str(self.anchors.get(anchor, ""))


@dataclass(frozen=True)
class Book:
    """What a book is made from.

    :ivar head: HTML for <head>: title and metadata.
    :ivar cover: the first page, without running head and foot.
    :ivar front: what stands before the body; gets the page numbers. Its lists are tables of contents.
    :ivar back: what stands behind it (indexes); None or "" for none.
    :ivar outline: bookmarks. :ivar places: anchor → its words, for the descriptions of links.
    :ivar regular, bold: names of the fonts for heads and feet, as in PDF files ("Noto-Sans-CJK-SC").
    """

    language: str
    title: str
    head: str
    style: str
    cover: str
    front: Callable[[Numbers], str]
    pieces: Sequence[Piece]
    back: Callable[[Numbers], str] | None
    furniture: Furniture
    outline: Sequence[Mark]
    places: Mapping[str, str]
    front_running: str
    back_running: str
    regular: str
    bold: str
    assets: Mapping[str, Asset] = field(default_factory=dict)


@dataclass
class BookFigures:
    """What making a book took, for the log and the benchmark."""

    seconds: float = 0.0
    binding_seconds: float = 0.0
    laid_out: int = 0
    from_cache: int = 0
    #: largest memory of one child, in megabytes
    peak_megabytes: float = 0.0


def render_book(
    book: Book,
    *,
    folder: Path,
    person: int | None = None,
    seconds: int = 300,
    progress: Progress | None = None,
    figures: BookFigures | None = None,
) -> Rendered:
    """Make the PDF of a book.

    :param folder: DATA_DIR, for the places of the renderer and the cache.
    :param seconds: longest time in all.
    :param progress: told after each piece; what it raises stops the work.
    :raises CannotRender: no place, too slow, too large, or broken.
    """
    figures = figures if figures is not None else BookFigures()
    started = time.monotonic()
    kept = PieceCache(folder / "cache" / "pieces")
    with render.places(folder, person), Workshop(book, started + seconds, figures) as workshop:
        workshop.start(HANDS)
        bodies = workshop.make_all(book.pieces, kept, progress)
        content = _compose(book, bodies, workshop, kept, figures)
    kept.sweep()
    figures.seconds = time.monotonic() - started
    with_pages = read_piece_count(content)
    LOGGER.info("book %s: %d pages in %.2f s", book.title[:80], with_pages, figures.seconds)
    return Rendered(content, with_pages, hashlib.sha256(content).hexdigest(), tuple(workshop.addresses))


def read_piece_count(content: bytes) -> int:
    """Pages of a PDF."""
    with pikepdf.open(BytesIO(content)) as pdf:
        return len(pdf.pages)


def _compose(
    book: Book,
    bodies: list[tuple[bytes, PieceFacts]],
    workshop: Workshop,
    kept: PieceCache,
    figures: BookFigures,
) -> bytes:
    """Front and back with the right page numbers, the type case, and the binding."""
    middle = [
        (Leaves(content, piece.running, piece.right_hand), facts)
        for piece, (content, facts) in zip(book.pieces, bodies, strict=True)
    ]
    cover: tuple[bytes, PieceFacts] | None = None
    guess = kept.recall_length(book) or 2
    for _attempt in range(4):
        # The contents name pages of the back too, so the back goes first, beside the cover.
        before = [(Leaves(b""), PieceFacts(1)), (Leaves(b"", "", True), PieceFacts(guess)), *middle]
        back_body = book.back(_numbers(before)) if book.back is not None else ""
        tasks = [partial(workshop.make, back_body, kept=kept)] if back_body else []
        if cover is None:
            tasks.append(partial(workshop.make, book.cover, with_head=True))
        made = workshop.side_by_side(tasks)
        cover = cover or made[-1]
        behind = [(Leaves(made[0][0], book.back_running, True), made[0][1])] if back_body else []
        front = workshop.make(book.front(_numbers([*before, *behind])), contents=True, kept=kept)
        if front[1].pages == guess and cover[1].pages == 1:
            break
        guess = front[1].pages
    else:
        raise CannotRender(render.broken(), cause="the length of the contents does not settle")
    kept.note_length(book, guess)
    pieces = [(Leaves(cover[0]), cover[1]), (Leaves(front[0], book.front_running, True), front[1]), *middle, *behind]
    letters: dict[str, set[str]] = {}
    for _leaves, facts in pieces:
        for font, characters in facts.fonts.items():
            letters.setdefault(font, set()).update(characters)
    furniture_letters = book.furniture.characters(leaves for leaves, _facts in pieces)
    case = workshop.make(_type_case(letters, furniture_letters, book), kept=kept)[0]
    began = time.monotonic()
    content = bind(
        [leaves for leaves, _facts in pieces],
        case=case,
        furniture=book.furniture,
        outline=book.outline,
        regular=book.regular,
        bold=book.bold,
    )
    figures.binding_seconds = time.monotonic() - began
    return content


_PLACE = re.compile(r'href="(?:place:|#)([A-Za-z0-9_.-]+)"')


def _places(book: Book, body: str) -> dict[str, str]:
    """The words of the places that a piece leads to, and of no others: a new title elsewhere must not touch it."""
    return {name: book.places[name] for name in sorted(set(_PLACE.findall(body))) if name in book.places}


def _numbers(pieces: Sequence[tuple[Leaves, PieceFacts]]) -> Numbers:
    _firsts, anchors, total = page_numbers(pieces)
    return Numbers(anchors, total)


#: Words at the end of a font's name in a PDF → weight and style in CSS.
_STYLES = {"": (400, "normal"), "Bold": (700, "normal"), "Medium": (500, "normal"), "Light": (300, "normal")}


def _type_case(letters: Mapping[str, Iterable[str]], furniture: str, book: Book) -> str:
    """A page that shows every character of every font, so that one set of subsets serves the whole book."""
    wanted = {name.partition("+")[2]: set(texts) for name, texts in letters.items()}
    for name in (book.regular, book.bold):
        wanted.setdefault(name, set()).update(furniture)
    lines = []
    for name, texts in sorted(wanted.items()):
        family, weight = name.replace("-", " "), ""
        for word in _STYLES:
            if word and family.endswith(f" {word}"):
                family, weight = family[: -len(word) - 1], word
        number, slant = _STYLES[weight]
        single = sorted(text for text in texts if len(text) == 1 and text != " ")
        signs = "".join(text for text in single if not text.isalnum())
        # Signs alone, among Latin and among Chinese letters: fonts have a glyph for each.
        letters_alone = escape(f"a b{signs} \u4e2d{signs}" + "".join(single))
        joined = escape(" ".join(sorted(text for text in texts if len(text) > 1)))
        look = (
            f"font-family:'{escape(family)}';font-weight:{number};font-style:{slant};word-break:break-all;font-size:4pt"
        )
        lines.append(f'<p style="{look}">{escape(signs)}</p>')
        # Twice: as running text is set, and every character by itself.
        lines.append(f'<p style="{look};white-space:pre-wrap">{letters_alone} {joined}</p>')
        lines.append(f"<p style=\"{look};font-feature-settings:'liga' 0,'kern' 0,'calt' 0\">{letters_alone}</p>")
    return "".join(lines)


# ---- the children --------------------------------------------------------------------------------------------------


class Workshop:
    """Up to `HANDS` children, started when there is work for them, that lay out pieces one after the other."""

    def __init__(self, book: Book, deadline: float, figures: BookFigures) -> None:
        self.book = book
        self.deadline = deadline
        self.figures = figures
        self.addresses: list[str] = []
        self._free: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
        self._hands: list[_Hand] = []
        self._lock = threading.Lock()
        self._request = {
            "style": book.style,
            "assets": {
                name: [asset.media_type, base64.b64encode(asset.content).decode("ascii")]
                for name, asset in book.assets.items()
            },
            "identifier": "piece",
        }

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_error: object) -> None:
        for hand in self._hands:
            hand.end()

    def start(self, count: int) -> None:
        """Have so many children at work; they warm up while we do other things."""
        while len(self._hands) < min(count, HANDS):
            hand = _Hand(max(int(self.deadline - time.monotonic()), 1))
            self._hands.append(hand)
            self._free.put(hand)

    def html(self, body: str, with_head: bool = False) -> str:
        """A whole page of HTML. Only the first piece says who made the book and when: the others must not change."""
        head = self.book.head if with_head else "<title>·</title>"
        head = f'<meta charset="utf-8">{head}'
        return f'<!doctype html><html lang="{self.book.language}"><head>{head}</head><body>{body}</body></html>'

    def make(
        self, body: str, *, with_head: bool = False, contents: bool = False, kept: PieceCache | None = None
    ) -> tuple[bytes, PieceFacts]:
        """Lay out one piece, or take it from the cache where one is given."""
        key = kept.key(self.book, body, contents) if kept else ""
        if kept and (found := kept.get(key)) is not None:
            return found
        self.start(1)
        hand = self._free.get()
        try:
            limit = min(self.deadline, time.monotonic() + PIECE_SECONDS)
            request = {
                **self._request,
                "html": self.html(body, with_head),
                "contents": contents,
                "places": _places(self.book, body),
            }
            facts, content = hand.ask(request, limit)
        finally:
            self._free.put(hand)
        with self._lock:
            self.addresses += facts["addresses"]
            self.figures.laid_out += 1
            self.figures.peak_megabytes = max(self.figures.peak_megabytes, facts["peak_kb"] / 1024)
        if kept:
            kept.put(key, content)
        return content, read_piece(content)

    def make_all(
        self, pieces: Sequence[Piece], kept: PieceCache, progress: Progress | None
    ) -> list[tuple[bytes, PieceFacts]]:
        """The pieces of the body, from the cache where they are there."""
        keys = [kept.key(self.book, piece.body) for piece in pieces]
        found: list[tuple[bytes, PieceFacts] | None] = [kept.get(key) for key in keys]
        self.figures.from_cache = sum(item is not None for item in found)
        missing = [index for index, item in enumerate(found) if item is None]
        # The heaviest first: the last ones are then small, and both children end together.
        missing.sort(key=lambda index: -pieces[index].weight)
        expected = sum(item[1].pages if item else piece.weight for item, piece in zip(found, pieces, strict=True))
        done = float(sum(item[1].pages for item in found if item))

        def work(index: int) -> tuple[bytes, PieceFacts]:
            nonlocal expected, done
            made = self.make(pieces[index].body)
            kept.put(keys[index], made[0])
            with self._lock:
                expected += made[1].pages - pieces[index].weight
                done += made[1].pages
                shown = (round(done), max(round(expected), round(done)))
            if progress is not None:
                reports.put(shown)
            return made

        reports: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        results = self.side_by_side([partial(work, index) for index in missing], reports, progress)
        for index, result in zip(missing, results, strict=True):
            found[index] = result
        return [item for item in found if item is not None]

    def side_by_side(
        self,
        tasks: Sequence[Callable[[], tuple[bytes, PieceFacts]]],
        reports: queue.SimpleQueue[tuple[int, int]] | None = None,
        progress: Progress | None = None,
    ) -> list[tuple[bytes, PieceFacts]]:
        """Do tasks with as many threads as there are children; progress is told from the caller's own thread."""
        if not tasks:
            return []
        self.start(len(tasks))
        results: list[tuple[bytes, PieceFacts] | None] = [None] * len(tasks)
        waiting = iter(enumerate(tasks))
        failures: list[BaseException] = []

        def run() -> None:
            while not failures:
                with self._lock:
                    item = next(waiting, None)
                if item is None:
                    return
                try:
                    results[item[0]] = item[1]()
                except BaseException as error:
                    failures.append(error)

        threads = [threading.Thread(target=run, daemon=True) for _n in range(min(len(tasks), len(self._hands)))]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(0.05)
                while reports is not None and progress is not None and not reports.empty():
                    progress(*reports.get())
        except BaseException as error:
            failures.append(error)
            for hand in self._hands:
                hand.end()
            for thread in threads:
                thread.join()
            raise
        if failures:
            raise failures[0]
        return [item for item in results if item is not None]


class _Hand:
    """One child and the conversation with it."""

    def __init__(self, seconds: int) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-I", "-B", str(render.CHILD), str(seconds), str(MEGABYTES), "book"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            cwd="/",
            start_new_session=True,
            close_fds=True,
        )

    def ask(self, request: Mapping[str, Any], limit: float) -> tuple[dict[str, Any], bytes]:
        """Have a piece made before the moment `limit` of the monotonic clock. :raises CannotRender: otherwise."""
        data = json.dumps(request).encode("utf-8")
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.end()

        watch = threading.Timer(max(limit - time.monotonic(), 0.05), stop)
        watch.start()
        try:
            assert self.child.stdin is not None
            assert self.child.stdout is not None
            self.child.stdin.write(len(data).to_bytes(8, "big") + data)
            self.child.stdin.flush()
            facts = json.loads(self.child.stdout.readline())
            content = self.child.stdout.read(facts["size"])
        except (OSError, ValueError):
            cause = "too long for one piece" if late.is_set() else "the process ended (memory or time)"
            raise CannotRender(render.too_much(), cause=cause) from None
        finally:
            watch.cancel()
        if facts["refused"]:
            LOGGER.error("a piece of a book: the renderer tried %s", facts["refused"][:5])
        if "error" in facts:
            too_much = "MemoryError" in facts["error"]
            raise CannotRender(render.too_much() if too_much else render.broken(), cause=facts["error"])
        return facts, content

    def end(self) -> None:
        """Kill the child."""
        render.end_child(self.child)


# ---- the cache -----------------------------------------------------------------------------------------------------


@cache
def _machine() -> str:
    """What decides how a text is laid out besides itself: the renderer, its guard, and the fonts installed."""
    parts = [importlib.metadata.version("weasyprint"), render.CHILD.read_text("utf-8")]
    for folder in ("/usr/share/fonts", "/usr/local/share/fonts"):
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() in (".ttf", ".ttc", ".otf", ".otc"):
                parts.append(f"{path.name} {path.stat().st_size}")
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


class PieceCache:
    """Pieces by the digest of what they were made from: files that only the portal's user may read.

    Losing it costs time and nothing else; a file that is damaged is made again. It holds what manuals say, so it lies
    in DATA_DIR beside them, not in a folder for everybody.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, book: Book, body: str, contents: bool = False) -> str:
        """Digest of everything that the look and the tags of a piece depend on."""
        places = json.dumps(_places(book, body), sort_keys=True)
        parts = [_machine(), book.language, book.style, body, places, str(contents)]
        for name in sorted(book.assets):
            parts.append(hashlib.sha256(book.assets[name].content).hexdigest())
        return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()

    def get(self, key: str) -> tuple[bytes, PieceFacts] | None:
        """A piece that was kept, and what is in it."""
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        digest, content = stored[:64], stored[64:]
        if hashlib.sha256(content).hexdigest().encode("ascii") != digest:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content, read_piece(content)

    def put(self, key: str, content: bytes) -> None:
        """Keep a piece; a full disk is no reason to fail."""
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
                handle.write(hashlib.sha256(content).hexdigest().encode("ascii") + content)
            os.replace(temporary, path)
        except OSError as error:
            LOGGER.warning("a piece could not be kept: %s", error)
            temporary.unlink(missing_ok=True)

    def recall_length(self, book: Book) -> int | None:
        """Pages of the contents when the book was made last, so that they need not be guessed."""
        try:
            return int(self._length_path(book).read_text("ascii"))
        except (OSError, ValueError):
            return None

    def note_length(self, book: Book, pages: int) -> None:
        """Remember it."""
        path = self._length_path(book)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(str(pages), "ascii")

    def sweep(self, most: int = CACHE_BYTES) -> None:
        """Delete what was not used for longest until the rest fits."""
        files = [(entry.stat(), entry) for entry in self._files()]
        total = sum(stat.st_size for stat, _path in files)
        for stat, path in sorted(files, key=lambda item: item[0].st_mtime):
            if total <= most:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.glob("*/*") if path.is_file())

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _length_path(self, book: Book) -> Path:
        name = hashlib.sha256(f"{book.title}\0{book.language}\0{len(book.pieces)}".encode()).hexdigest()[:24]
        return self.folder / "lengths" / name
