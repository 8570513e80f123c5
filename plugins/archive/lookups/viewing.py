"""Pages on screen: the pictures of a view, with the reader's name burnt in.

Pictures of pages without a watermark are kept in the memory of this process alone, for a few minutes and within a fixed
size: nothing readable is ever written to a disk, and nothing is left when the process ends. The watermark is burnt in
for each answer anew, because it carries the reader and the minute. What may be looked at is asked of the database
before every picture; the memory only spares the drawing (docs/adr/0010-page-pictures.md).
"""

from __future__ import annotations

import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from plugins.archive import vault
from plugins.archive.dossiers.models import ArchiveFile
from plugins.archive.dossiers.queries import files_of
from plugins.archive.lookups import marks, raster
from plugins.archive.lookups.models import ArchiveGrant
from portal.core import clock
from portal.core.errors import NotFound
from portal.org.actor import Actor

#: Bytes of pictures kept in one process, and for how long.
KEEP_BYTES = 48 * 1024 * 1024
KEEP_SECONDS = 600
#: Pages that are drawn ahead of the reader.
AHEAD = 3
#: How long a request waits for its page.
PATIENCE = 30


@dataclass(frozen=True)
class Sheet:
    """One page of a view: `number` counts through all files from 1, `page` within its file."""

    number: int
    file: ArchiveFile
    page: int


def sheets_of(grant: ArchiveGrant) -> list[Sheet]:
    """All pages that a grant shows, in the order of the dossier; files in force only."""
    found: list[Sheet] = []
    for file in files_of(grant.customer_id, grant.part_list):
        for page in range(1, file.pages + 1):
            found.append(Sheet(len(found) + 1, file, page))
    return found


def sheet_of(grant: ArchiveGrant, number: int) -> Sheet:
    """One page by its number. :raises NotFound: there is no such page."""
    sheets = sheets_of(grant)
    if not 1 <= number <= len(sheets):
        raise NotFound()
    return sheets[number - 1]


def page_picture(sheet: Sheet, grant: ArchiveGrant, actor: Actor, department: str) -> bytes:
    """The page as JPEG with the watermark of this reader and minute. Whoever calls has asked whether he may look.

    :raises CannotShow, VaultTrouble: the file cannot be drawn or read.
    """
    return marked_page(sheet.file, sheet.page, actor, department, grant.lookup.number)


def marked_page(file: ArchiveFile, number: int, actor: Actor, department: str, reference: str) -> bytes:
    """A page of a file as JPEG with name, department, minute and a reference burnt in. :raises: as `page_picture`."""
    ahead = [number + step for step in range(AHEAD + 1) if number + step <= file.pages]
    plain = _memory.get(file.digest, ahead, lambda: vault.read(file.digest), file.media_type)
    with Image.open(io.BytesIO(plain), formats=("JPEG",)) as opened:
        page = opened.convert("RGB")
    now = clock.local(clock.now()).strftime("%Y-%m-%d %H:%M")
    lines = (f"{actor.name} · {department}", f"{now} · {reference}")
    return marks.as_jpeg(marks.burn(page, lines))


@dataclass
class _Page:
    """A page that is kept or being drawn. `ready` is set when `content` or `error` is there."""

    ready: threading.Event = field(default_factory=threading.Event)
    content: bytes = b""
    error: Exception | None = None
    used_at: float = 0.0


class PageMemory:
    """Pictures of pages in memory, least recently used ones forgotten first; each page is drawn once at a time."""

    def __init__(self, most_bytes: int = KEEP_BYTES, seconds: float = KEEP_SECONDS) -> None:
        self.most_bytes, self.seconds = most_bytes, seconds
        self._pages: OrderedDict[tuple[str, int], _Page] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str, pages: Sequence[int], load: Callable[[], bytes], media_type: str) -> bytes:
        """The first of `pages`, drawn when it is not kept; the others are drawn after it for the next requests.

        :param load: reads the file; only called when something must be drawn.
        """
        with self._lock:
            self._forget()
            wanted = self._pages.get((digest, pages[0]))
            missing: list[int] = []
            if wanted is None:
                missing = [page for page in pages if (digest, page) not in self._pages]
                for page in missing:
                    self._pages[(digest, page)] = _Page(used_at=time.monotonic())
                wanted = self._pages[(digest, pages[0])]
            else:
                self._pages.move_to_end((digest, pages[0]))
                wanted.used_at = time.monotonic()
        if missing:
            try:
                content = load()
            except Exception:
                self._drop(digest, missing, None)
                raise
            thread = threading.Thread(target=self._draw, args=(digest, missing, content, media_type), daemon=True)
            thread.start()
        if not wanted.ready.wait(PATIENCE):
            raise raster.trouble("the page took too long")
        if wanted.error is not None:
            raise wanted.error
        return wanted.content

    def _draw(self, digest: str, pages: list[int], content: bytes, media_type: str) -> None:
        left = list(pages)
        try:
            for page, picture in raster.pictures(content, media_type, pages, marks.SCREEN_BOX):
                made = marks.as_jpeg(picture, quality=90)
                with self._lock:
                    kept = self._pages[(digest, page)]
                    kept.content = made
                kept.ready.set()
                left.remove(page)
        except Exception as error:
            self._drop(digest, left, error)

    def _drop(self, digest: str, pages: list[int], error: Exception | None) -> None:
        for page in pages:
            with self._lock:
                dropped = self._pages.pop((digest, page), None)
            if dropped is not None:
                dropped.error = error or raster.trouble("the file cannot be read")
                dropped.ready.set()

    def _forget(self) -> None:
        """Drop what is old or too much; pages being drawn stay."""
        limit = time.monotonic() - self.seconds
        total = sum(len(page.content) for page in self._pages.values())
        for key, page in list(self._pages.items()):
            if page.ready.is_set() and (page.used_at < limit or total > self.most_bytes):
                total -= len(page.content)
                del self._pages[key]

    def clear(self) -> None:
        """Forget everything (tests)."""
        with self._lock:
            self._pages = OrderedDict((key, page) for key, page in self._pages.items() if not page.ready.is_set())


_memory = PageMemory()
