"""A run, or a blank checklist, as a numbered PDF."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import or_, select

from plugins.sop.manuals.queries import procedure_for_run
from plugins.sop.permissions import READ
from plugins.sop.runs import vocabulary as words
from plugins.sop.runs.models import STEP_DONE, STEP_SKIPPED, SopRun, SopRunEvent
from plugins.sop.runs.permissions import RUN_VIEW
from plugins.sop.runs.queries import StepLine
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.numbers import id_from
from portal.core.permissions import Condition, can, require, visible
from portal.documents.kinds import DocumentKind, anyone_listed
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _, _l
from portal.org.actor import Actor

RUN_KIND, BLANK_KIND = "sop.run", "sop.checklist"


def _may_read(actor: Any, document: Document) -> bool:
    """Whoever may see the run now."""
    run_id = id_from(document.subject.removeprefix("sop_run:"))
    if run_id is None:
        return False
    try:
        return can(actor, RUN_VIEW, run_id)
    except NotFound:
        return False


def _rows(actor: Any) -> Condition:
    """Documents that the actor made, or of runs of his own: lists need no more."""
    return _made_or_own(actor.user_id, visible(actor, RUN_VIEW))


@lru_cache(maxsize=512)
def _made_or_own(user_id: int | None, seen: Condition) -> Condition:
    own = select(("sop_run:" + SopRun.id.cast(Document.subject.type)).label("subject")).where(
        or_(SopRun.owner_id == user_id, SopRun.started_by_id == user_id), seen
    )
    return or_(Document.made_by_id == user_id, Document.subject.in_(own))


KINDS = (
    DocumentKind(
        key=RUN_KIND,
        title=_l("Checklist"),
        number_prefix="RUNP",
        template="sop/runs/run_pdf.html",
        may_read=_may_read,
        rows=_rows,
        classification=_l("Internal"),
    ),
    DocumentKind(
        key=BLANK_KIND,
        title=_l("Blank checklist"),
        number_prefix="CHKL",
        template="sop/runs/blank_pdf.html",
        may_read=anyone_listed,
        classification=_l("Internal"),
    ),
)


def run_document(run: SopRun, lines: Sequence[StepLine], events: Sequence[SopRunEvent], actor: Actor) -> Document:
    """Make the PDF of a run as it is now. Call outside a transaction."""
    facts = [
        (_("Number"), run.number),
        (_("State"), words.word(words.STATES, run.state)),
        (_("Manual"), f"{run.version.manual.title} {run.version.number}"),
        (_("Procedure"), f"{run.procedure.code} {run.revision.title}"),
        (_("Customer"), run.customer.name if run.customer else "—"),
        (_("Responsible"), run.owner.name),
        (_("Started on"), run.starts_on.isoformat()),
        (_("Due on"), _day(run.due_on)),
        (_("Closed on"), _day(run.closed_on)),
        (_("Steps closed"), f"{run.steps_closed} / {run.steps_total}"),
    ]
    return produce(
        RUN_KIND,
        actor,
        title=_("Checklist %(number)s: %(title)s", number=run.number, title=run.revision.title),
        context={
            "facts": facts,
            "reason": run.reason,
            "steps": [_step(line) for line in lines],
            "events": [
                [
                    clock.local(event.at).strftime("%Y-%m-%d %H:%M"),
                    words.word(words.EVENTS, event.kind) + (f" {event.position}" if event.position else ""),
                    event.by.name if event.by else _("The portal"),
                    event.text,
                ]
                for event in reversed(events)
            ],
        },
        customer_id=run.customer_id,
        subject=f"sop_run:{run.id}",
        reuse=True,
    )


def _step(line: StepLine) -> dict[str, Any]:
    return {
        "number": line.position,
        "what": line.what,
        "who": line.assignee or line.who,
        "record": line.record,
        "standard": line.standard,
        "due": _day(line.due_on) if line.due_on else words.limit(line),
        "tick": line.run_step_id is not None,
        "stop": line.is_stop,
        "state": line.state or "",
        "done": line.state == STEP_DONE,
        "skipped": line.state == STEP_SKIPPED,
        "closed": clock.local(line.closed_at).strftime("%Y-%m-%d %H:%M") if line.closed_at else "",
        "by": line.closed_by,
        "note": line.note,
        "files": [found.file_name for found in line.files],
    }


def blank_document(procedure_id: int, actor: Actor) -> Document:
    """Make an empty checklist of the text that holds today. Call outside a transaction.

    :raises NotFound: no effective version has the procedure, or the actor may not read it.
    """
    template = procedure_for_run(procedure_id, clock.today())
    require(actor, READ, template.manual_id)
    ticked = any(step.is_check for step in template.steps)
    return produce(
        BLANK_KIND,
        actor,
        title=f"{template.code} {template.title}",
        context={
            "facts": [
                (_("Manual"), f"{template.manual_title} {template.version_number}"),
                (_("Procedure"), f"{template.code} {template.title}"),
            ],
            "steps": [
                {
                    "number": step.number,
                    "what": step.what,
                    "who": step.who,
                    "record": step.record,
                    "standard": step.standard,
                    "due": words.limit(step),
                    "tick": step.is_check or not ticked,
                    "stop": step.is_stop,
                }
                for step in template.steps
            ],
        },
        subject=f"sop_procedure:{procedure_id}",
        reuse=True,
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else "—"
