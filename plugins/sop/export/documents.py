"""Manuals and procedures as numbered documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.sop.export.manual import manual_book
from plugins.sop.manuals.models import Manual
from plugins.sop.permissions import EDIT, READ
from portal.core.permissions import can
from portal.documents.book import render_book
from portal.documents.kinds import DocumentKind, Making
from portal.documents.models import Document
from portal.documents.page import DocumentFacts
from portal.documents.render import Rendered
from portal.extensions import db
from portal.i18n import _l

MANUAL_KIND, PROCEDURE_KIND = "sop.manual", "sop.procedure"


def _may_read(actor: Any, document: Document) -> bool:
    """Whoever may read the manual today; what was printed of a draft, whoever writes it."""
    manual_id = document.parameters.get("manual_id")
    manual = db.session.get(Manual, manual_id) if isinstance(manual_id, int) else None
    if manual is None:
        return False
    if document.parameters.get("draft") and document.made_by_id != actor.user_id:
        return can(actor, EDIT, manual)
    return can(actor, READ, manual)


def _make(document: DocumentFacts, context: Mapping[str, Any], making: Making) -> Rendered:
    return render_book(
        manual_book(document, context),
        folder=making.folder,
        person=making.person,
        seconds=making.seconds,
        progress=making.progress,
    )


KINDS = (
    DocumentKind(
        key=MANUAL_KIND,
        title=_l("Manual"),
        number_prefix="SOPM",
        template="sop/pdf/parts.html",
        may_read=_may_read,
        seconds=600,
        make=_make,
    ),
    DocumentKind(
        key=PROCEDURE_KIND,
        title=_l("Procedure"),
        number_prefix="SOPP",
        template="sop/pdf/procedure.html",
        may_read=_may_read,
        classification=_l("Internal"),
    ),
)
