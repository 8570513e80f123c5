"""The register and the list for signatures, as numbered PDFs."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from plugins.archive.copies import states
from plugins.archive.copies.listings import REGISTER_LIST
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.lookups.listings import last_day
from plugins.archive.permissions import PRINT, REGISTER
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.documents.kinds import DocumentKind
from portal.documents.models import Document
from portal.documents.services import produce
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import User

#: The most rows of one printed register.
MOST_ROWS = 1000


def _reads_the_register(actor: Any, _document: Document) -> bool:
    """Who made it and has another office now reads it no more."""
    return can(actor, REGISTER)


def _reads_lists(actor: Any, document: Document) -> bool:
    return can(actor, REGISTER) or (can(actor, PRINT) and document.made_by_id == actor.user_id)


REGISTER_PDF = DocumentKind(
    key="archive.register",
    title=_l("Register of copies"),
    number_prefix="FBDJ",
    template="archive/copies/register_pdf.html",
    may_read=_reads_the_register,
    classification=_l("Internal"),
)
HANDOVER_PDF = DocumentKind(
    key="archive.handover",
    title=_l("Hand-over list of copies"),
    number_prefix="FBLY",
    template="archive/copies/handover_pdf.html",
    may_read=_reads_lists,
    classification=_l("Internal"),
)


def make_register(actor: Actor, query: str) -> Document:
    """The present list of the register as a PDF, at most `MOST_ROWS` rows. Call outside a transaction."""
    args = MultiDict(parse_qsl(query, keep_blank_values=True))
    headers, rows = REGISTER_LIST.export_rows(actor, args)
    found = []
    for row in rows:
        found.append([str(value) if value is not None else "" for value in row])
        if len(found) >= MOST_ROWS:
            break
    return produce(
        REGISTER_PDF,
        actor,
        title=_("Register of copies"),
        context={"headers": [str(header) for header in headers], "rows": found, "most": MOST_ROWS},
    )


def make_handover(user_id: int, actor: Actor) -> Document | None:
    """The list that a collector signs for his copies at the station; None when there are none."""
    person = db.session.get(User, user_id)
    if person is None:
        raise NotFound()
    copies = db.session.scalars(
        select(ArchiveCopy)
        .where(
            ArchiveCopy.holder_id == user_id,
            ArchiveCopy.state.in_((states.PRINTED, states.OFFERED)),
            ArchiveCopy.recalled_at.is_(None),
        )
        .order_by(ArchiveCopy.id)
    ).all()
    if not copies:
        return None
    rows = [
        {
            "number": copy.number,
            "customer": copy.customer.name,
            "pages": copy.pages,
            "request": copy.grant.lookup.number,
            "due": last_day(copy.due_at),
        }
        for copy in copies
    ]
    return produce(
        HANDOVER_PDF,
        actor,
        title=_("Hand-over list: %(name)s", name=person.name),
        subject=f"user:{user_id}",
        context={
            "name": person.name,
            "department": copies[0].holder_department,
            "day": clock.today().isoformat(),
            "rows": rows,
        },
    )


KINDS = (REGISTER_PDF, HANDOVER_PDF)
