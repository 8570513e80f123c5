"""What reading and manuals show on pages of the core: the home page, the palette, words for the audit trail."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Select, select

from plugins.sop.manuals.attaching import AREA
from plugins.sop.manuals.models import Attachment
from plugins.sop.permissions import USE
from plugins.sop.reading.audience import due_day, to_be_read
from plugins.sop.reading.queries import LibraryFilter, find_procedures
from portal.audit.labels import AuditWord
from portal.core import clock
from portal.core.navigation import NavItem
from portal.core.panels import PaletteItem, Panel
from portal.core.storage import FileStore
from portal.i18n import _, _l
from portal.org.actor import Actor

NAVIGATION = (
    NavItem("knowledge", "sop_library", _l("Procedure library"), "sop.library", "book", 20, USE),
    NavItem("knowledge", "sop_reading", _l("My reading"), "sop.my_reading", "bookmark-check", 21, USE),
    NavItem("knowledge", "sop_manuals", _l("SOP manuals"), "sop.manuals", "journals", 25, USE),
)


def _form_keys() -> Select[Any]:
    return select(Attachment.storage_key)


FILE_STORES = (FileStore("sop.forms", _l("Forms of procedures"), _form_keys, AREA),)
AUDIT_WORDS = (
    AuditWord("object", "sop_manual", _l("SOP manual")),
    AuditWord("object", "sop_manual_version", _l("Version of an SOP manual")),
    AuditWord("subject", "manual", _l("SOP manual")),
    AuditWord("subject", "manual_version", _l("Version of an SOP manual")),
    AuditWord("subject", "chapter", _l("Chapter")),
    AuditWord("subject", "procedure", _l("Procedure")),
    AuditWord("subject", "draft", _l("Draft")),
    AuditWord("subject", "form", _l("Form of a procedure")),
    AuditWord("subject", "comment", _l("Remark")),
    AuditWord("subject", "question", _l("Questions for readers")),
    AuditWord("subject", "reading_rule", _l("Reading rule")),
    AuditWord("subject", "reading", _l("Reading")),
)

#: Rows of the panel on the home page.
ROWS = 5


def home_panels(actor: Actor) -> list[Panel]:
    """What is waiting to be read; one statement."""
    today = clock.today()
    waiting = [row for row in to_be_read(actor, today) if not row.done]
    if not waiting:
        return []
    rows = [
        {
            "manual_id": row.manual_id,
            "title": row.title,
            "number": f"{row.major}.{row.minor}",
            "due": due_day(row.since, row.due_days),
        }
        for row in waiting[:ROWS]
    ]
    context = {"rows": rows, "today": today}
    return [Panel("sop_reading", _("To read"), "sop/reading/home_panel.html", context, order=45, icon="bookmark-check")]


def palette_items(actor: Actor, query: str) -> list[PaletteItem]:
    """Procedures that fit what was typed."""
    found = find_procedures(actor, LibraryFilter(query=query[:100]), 6)
    group = _("Procedures")
    return [
        PaletteItem(
            f"{item.code} {item.title}",
            url_for("sop.procedure", procedure_id=item.procedure_id),
            group,
            hint=item.manual,
            icon="list-ol",
        )
        for item in found
    ]
