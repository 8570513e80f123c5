"""What keeps a draft from being submitted, each with the place where it is mended."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.sop.manuals import markdown
from plugins.sop.manuals.content import ManualContent, ProcedureContent
from plugins.sop.manuals.editing import find_loop
from plugins.sop.manuals.models import AFTER
from portal.i18n import _


@dataclass(frozen=True)
class Problem:
    """One thing to mend. `procedure_id` or `chapter_key` says where; `step` its number, 0 for none."""

    message: str
    chapter_key: str = ""
    procedure_id: int | None = None
    step: int = 0


def problems(content: ManualContent) -> list[Problem]:
    """Everything that is wrong with a draft, in the order of the manual; empty when it can be submitted."""
    found: list[Problem] = []
    if not content.chapters:
        found.append(Problem(_("The manual has no chapters.")))
    for chapter in content.chapters:
        for trouble in markdown.check(chapter.body):
            message = _("Line %(line)s: %(problem)s", line=trouble.line, problem=trouble.message)
            found.append(Problem(message, chapter_key=chapter.key))
        if not chapter.body.strip() and not chapter.procedures:
            found.append(Problem(_("Chapter “%(title)s” is empty.", title=chapter.title), chapter_key=chapter.key))
        for procedure in chapter.procedures:
            found.extend(_of_procedure(procedure))
    found.extend(_loops(content))
    return found


def _of_procedure(procedure: ProcedureContent) -> list[Problem]:
    found = []
    name = f"{procedure.code} {procedure.title}"
    if not procedure.steps:
        found.append(Problem(_("%(name)s has no steps.", name=name), procedure_id=procedure.procedure_id))
    if not procedure.departments:
        message = _("%(name)s names no department: nobody would sign for it.", name=name)
        found.append(Problem(message, procedure_id=procedure.procedure_id))
    for step in procedure.steps:
        if not step.what.strip():
            message = _("%(name)s, step %(number)s has no text.", name=name, number=step.number)
            found.append(Problem(message, procedure_id=procedure.procedure_id, step=step.number))
    found += [
        Problem(
            _("%(name)s is related to %(code)s, which this version does not have.", name=name, code=item.code),
            procedure_id=procedure.procedure_id,
        )
        for item in procedure.related
        if not item.in_version
    ]
    return found


def _loops(content: ManualContent) -> list[Problem]:
    follows = {
        procedure.procedure_id: {item.procedure_id for item in procedure.related if item.kind == AFTER}
        for procedure in content.procedures
    }
    codes = {procedure.procedure_id: procedure.code for procedure in content.procedures}
    told: set[int] = set()
    found = []
    for start in follows:
        loop = [] if start in told else find_loop(follows, start)
        if loop:
            told.update(loop)
            chain = " → ".join(codes.get(number, "?") for number in loop)
            message = _("These procedures would wait for one another: %(chain)s.", chain=chain)
            found.append(Problem(message, procedure_id=start))
    return found
