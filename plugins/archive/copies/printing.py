"""Making the pages of a copy: pictures with the marks burnt in, put together as a PDF that holds nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject, StreamObject

from plugins.archive import vault
from plugins.archive.copies import sealing, services, states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.dossiers.models import ArchiveFile
from plugins.archive.lookups import marks, raster
from plugins.archive.lookups.listings import last_day
from portal.core import clock, settings
from portal.core.errors import NotFound, PortalError
from portal.core.jobs import JobContext
from portal.core.paths import path_for
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _, speaking
from portal.org.actor import SYSTEM

QUALITY = 82
#: Longest time for the pages of one file.
SECONDS = 300


def marks_of(copy: ArchiveCopy) -> marks.PaperMarks:
    """What stands on each page of a copy, in the organisation's language."""
    day = clock.local(clock.now()).strftime("%Y-%m-%d")
    request = copy.grant.lookup.number
    base = str(settings.option("BASE_URL") or "").rstrip("/")
    return marks.PaperMarks(
        number=_("Copy %(number)s", number=copy.number),
        lines=(
            _(
                "%(name)s, %(department)s · printed %(day)s · request %(request)s",
                name=copy.holder_name,
                department=copy.holder_department,
                day=day,
                request=request,
            ),
            _("For the purpose asked for alone. Not to be copied, photographed or passed on."),
            _(
                "%(organisation)s · back at the archive by %(due)s",
                organisation=settings.option("ORGANISATION"),
                due=last_day(copy.due_at),
            ),
        ),
        tiles=(f"{copy.holder_name} · {copy.holder_department}", f"{copy.number} · {day}", request),
        address=base + path_for("archive_copies.by_token", token=copy.token),
    )


def make_pdf(copy: ArchiveCopy, progress: Callable[[int, int], None]) -> tuple[bytes, int]:
    """All pages of a copy. :returns: the PDF and how many pages it has. Memory: one page at a time, beside the PDF."""
    paper = marks_of(copy)
    total = sum(file.pages for file in copy.files)
    stamps = {row.id: row.is_copy for row in (db.session.get(ArchiveFile, f.file_id) for f in copy.files) if row}
    orders = [(f.digest, f.media_type, f.pages, bool(stamps.get(f.file_id))) for f in copy.files]
    db.session.rollback()  # no transaction stays open while pages are drawn
    writer = PdfWriter()
    done = 0
    for digest, media_type, pages, is_copy in orders:
        # The file itself is kept by nobody here: it goes to the child that draws, and is forgotten.
        drawn = raster.pictures(
            vault.read(digest), media_type, range(1, pages + 1), marks.PAPER_BOX, turn=True, seconds=SECONDS
        )
        for _page, picture in drawn:
            done += 1
            words = _("Page %(page)s of %(pages)s", page=done, pages=total)
            sheet = marks.paper_page(picture, paper, words, _("Copy of an original") if is_copy else "")
            _add_page(writer, marks.as_jpeg(sheet, QUALITY, marks.DPI), sheet.size)
            progress(done, total)
    writer.metadata = None
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue(), done


def _add_page(writer: PdfWriter, jpeg: bytes, size: tuple[int, int]) -> None:
    """Add a page that is one picture and nothing else."""
    width, height = (round(pixels * 72 / marks.DPI, 2) for pixels in size)
    page = writer.add_blank_page(width, height)
    image = StreamObject()
    image.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(size[0]),
            NameObject("/Height"): NumberObject(size[1]),
            NameObject("/ColorSpace"): NameObject("/DeviceRGB"),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/Filter"): NameObject("/DCTDecode"),
        }
    )
    image._data = jpeg
    drawing = DecodedStreamObject()
    drawing.set_data(f"q {width} 0 0 {height} 0 0 cm /P Do Q".encode("ascii"))
    resources = DictionaryObject(
        {
            NameObject("/XObject"): DictionaryObject({NameObject("/P"): writer._add_object(image)}),
            NameObject("/ProcSet"): ArrayObject([NameObject("/PDF"), NameObject("/ImageC")]),
        }
    )
    page[NameObject("/Resources")] = resources
    page[NameObject("/Contents")] = writer._add_object(drawing)


def run(context: JobContext, copy_id: int) -> dict[str, Any]:
    """The job: make the pages of a reserved copy and keep them sealed. Run again after a crash it makes them anew."""
    copy = db.session.get(ArchiveCopy, copy_id)
    if copy is None:
        raise NotFound()
    number, page = copy.number, path_for("archive_copies.show", copy_id=copy_id)
    if copy.state != states.RESERVED:
        return {"url": page}
    total = sum(file.pages for file in copy.files)
    context.progress(0, total, _("Drawing the pages"))

    def progress(done: int, of: int) -> None:
        context.progress(done, of, _("Drawing the pages"))
        context.check_cancelled()

    try:
        with speaking(settings.option("DEFAULT_LANGUAGE")):
            content, pages = make_pdf(copy, progress)
        key = sealing.seal(copy_id, content)
    except (PortalError, OSError) as error:
        _failed(copy_id, error)
        raise
    with transaction():
        copy = db.session.get_one(ArchiveCopy, copy_id)
        if copy.state == states.RESERVED:
            services.move(copy, states.MAKE, SYSTEM, pages=pages, seal=key, problem="")
        else:
            sealing.forget_after_commit(copy_id)  # cancelled meanwhile
    return {"url": page, "message": _("%(number)s: %(pages)s pages are ready to print.", number=number, pages=pages)}


def _failed(copy_id: int, error: Exception) -> None:
    db.session.rollback()
    problem = (
        str(error.message)
        if isinstance(error, PortalError)
        else _("The pages cannot be kept: the disk is full or does not answer.")
    )
    cause = str(error.details.get("cause", "")) if isinstance(error, PortalError) else type(error).__name__
    with transaction():
        services.note_problem(db.session.get_one(ArchiveCopy, copy_id), problem, cause, SYSTEM)
