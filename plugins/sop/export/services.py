"""Exports: who may have which version, what is asked for, and the ways to make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from plugins.sop.export.actions import ExportAction
from plugins.sop.export.documents import MANUAL_KIND, PROCEDURE_KIND
from plugins.sop.export.manual import STYLE
from plugins.sop.export.paper import Choice, manual_paper
from plugins.sop.manuals.content import Scope
from plugins.sop.manuals.models import PUBLISHED, ManualVersion, RevisionRole, VersionProcedure
from portal.audit.services import record
from portal.core.errors import Invalid
from portal.core.numbers import id_from
from portal.documents.models import Document
from portal.documents.services import find_same, produce
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

PDF, DOCX = "pdf", "docx"
FORMATS = (PDF, DOCX)


@dataclass(frozen=True)
class ExportInput:
    """What somebody asks for. `part`: "all", "chapter:<key>", "department:<id>", "role:<key>" or "procedure:<id>"."""

    part: str = "all"
    format: str = PDF
    checklists: bool = True
    indexes: bool = True

    @property
    def choice(self) -> Choice:
        """The same for the paper. :raises Invalid: no such part."""
        return Choice(scope_of(self.part), self.checklists, self.indexes)

    def parameters(self) -> dict[str, Any]:
        """As primitives, for jobs and the audit trail."""
        return {
            "part": self.part,
            "file_format": self.format,
            "checklists": self.checklists,
            "indexes": self.indexes,
        }


def scope_of(part: str) -> Scope:
    """The scope that a form's value means. :raises Invalid: none."""
    kind, _colon, value = part.partition(":")
    if part == "all":
        return Scope()
    if kind == "chapter" and value:
        return Scope(chapter_key=value)
    if kind == "role" and value:
        return Scope(role=value)
    number = id_from(value)
    if kind in ("department", "procedure") and number is not None:
        return Scope(department_id=number) if kind == "department" else Scope(procedure_id=number)
    raise Invalid([("part", _("Choose a part of the manual."))])


def note_export(version: ManualVersion, wanted: ExportInput, actor: Actor) -> None:
    """Write to the audit trail that somebody takes a version, or a part of it, with him."""
    record(
        actor,
        ExportAction.EXPORTED,
        object_type="sop_manual_version",
        object_id=version.id,
        object_label=f"{version.manual.code} {version.number}",
        new=wanted.parameters(),
    )


def paper_for(version: ManualVersion, wanted: ExportInput) -> dict[str, Any]:
    """The context of the document. :raises Invalid: the part is empty."""
    context = manual_paper(version.id, wanted.choice)
    if not context["chapters"]:
        raise Invalid([("part", _("This part of the manual is empty."))])
    return context


def earlier_export(version: ManualVersion, context: dict[str, Any]) -> Document | None:
    """The document that was made of exactly this before."""
    return find_same(
        MANUAL_KIND,
        title=_title(context),
        context=context,
        subject=_subject(version, context),
        language=context["facts"]["language"],
    )


def export_pdf(
    version: ManualVersion,
    context: dict[str, Any],
    actor: Actor,
    progress: Callable[[int, int], None] | None = None,
) -> Document:
    """The book of a version or a part of it. Call outside a transaction."""
    return produce(
        MANUAL_KIND,
        actor,
        title=_title(context),
        context=context,
        subject=_subject(version, context),
        language=context["facts"]["language"],
        parameters=_parameters(version),
        reuse=True,
        progress=progress,
    )


def export_procedure(version: ManualVersion, context: dict[str, Any], actor: Actor) -> Document:
    """One procedure as some sheets without cover and contents. Call outside a transaction."""
    return produce(
        PROCEDURE_KIND,
        actor,
        title=context["facts"]["what"],
        context={**context, "style": STYLE.read_text("utf-8")},
        subject=_subject(version, context),
        language=context["facts"]["language"],
        parameters=_parameters(version),
        reuse=True,
    )


def _parameters(version: ManualVersion) -> dict[str, Any]:
    return {
        "manual_id": version.manual_id,
        "version_id": version.id,
        "draft": version.state != PUBLISHED,
    }


def _title(context: dict[str, Any]) -> str:
    facts = context["facts"]
    words = f"{facts['title']} {facts['number']}"
    return words if context["whole"] else f"{words} · {facts['what']}"


def _subject(version: ManualVersion, context: dict[str, Any]) -> str:
    part = "" if context["whole"] else f" {context['facts']['what']}"
    return f"sop_manual:{version.manual_id}{part}"[:300]


def roles_of(version_id: int) -> list[str]:
    """Roles that procedures of a version are for."""
    statement = (
        select(RevisionRole.role)
        .join(VersionProcedure, VersionProcedure.revision_id == RevisionRole.revision_id)
        .where(VersionProcedure.version_id == version_id)
        .distinct()
        .order_by(RevisionRole.role)
    )
    return list(db.session.scalars(statement))
