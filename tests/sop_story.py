"""Manuals for tests: from an empty draft to an effective version, signed by all heads concerned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from plugins.sop.files import CheckedFile
from plugins.sop.manuals import arranging, attaching, drafting, editing, queries, reviewing
from plugins.sop.manuals.inputs import ChapterInput, ProcedureInput, StepInput
from plugins.sop.manuals.models import ManualVersion, ProcedureRevision, VersionProcedure
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, OPEN, PENDING, ApprovalRequest, ApprovalSeat
from portal.approvals.queries import digest_of
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import Actor, load_actor
from portal.org.models import Department
from tests.world import World

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
#: A form as the check of uploads gives it, without the check.
FORM = CheckedFile("record.pdf", "application/pdf", PDF)


@dataclass(frozen=True)
class Made:
    """Ids of what `effective_manual` made."""

    manual_id: int
    version_id: int
    procedure_id: int


def department_id(code: str) -> int:
    """Id of a department of the small organisation."""
    return db.session.scalars(select(Department.id).where(Department.code == code)).one()


def begin_manual(world: World, department: str = "one", **more: Any) -> ManualVersion:
    """A manual with one chapter, in the caller's transaction."""
    values = {
        "code": f"M-{uuid4().hex[:8]}",
        "title": "客户拜访手册",
        "language": "zh_Hans_CN",
        "department_id": department_id(department),
        "with_template": False,
        **more,
    }
    return drafting.create_manual(drafting.ManualInput(**values), world.actor("edda"))


def typed(version_id: int, procedure_id: int) -> ProcedureInput:
    """A procedure as its form shows it now."""
    content = queries.procedure_content(version_id, procedure_id)
    revision = db.session.get_one(
        ProcedureRevision, db.session.get_one(VersionProcedure, (version_id, procedure_id)).revision_id
    )
    names = (
        "key",
        "who",
        "what",
        "record",
        "limit_amount",
        "limit_unit",
        "limit_text",
        "standard",
        "is_check",
        "is_stop",
    )
    return ProcedureInput(
        title=content.title,
        seen=editing.mark_of(revision),
        trigger=content.trigger,
        purpose=content.purpose,
        records=content.records,
        measures=content.measures,
        departments=tuple((part.department_id, part.raci) for part in content.departments),
        roles=content.roles,
        related=tuple((item.procedure_id, item.kind) for item in content.related),
        steps=tuple(StepInput(**{name: getattr(step, name) for name in names}) for step in content.steps),
    )


def add_procedure(version_id: int, code: str, title: str, actor: Actor, department: str = "one") -> int:
    """A procedure with two steps, in the caller's transaction."""
    procedure_id = arranging.add_procedure(version_id, "procedures", code, title, actor)
    data = replace(
        typed(version_id, procedure_id),
        departments=((department_id(department), "R"),),
        steps=(
            StepInput(who="客户经理", what="预约时间", record="预约记录", limit_amount=1, limit_unit="working_days"),
            StepInput(who="客户经理", what="填写拜访记录", record="拜访记录表", standard="当日完成", is_stop=True),
        ),
    )
    editing.save_procedure(version_id, procedure_id, data, actor)
    return procedure_id


def add_step(version_id: int, procedure_id: int, what: str, actor: Actor) -> None:
    """One more step at the end, in the caller's transaction."""
    data = typed(version_id, procedure_id)
    editing.save_procedure(version_id, procedure_id, replace(data, steps=(*data.steps, StepInput(what=what))), actor)


def fill_chapter(version_id: int, key: str, body: str, actor: Actor) -> None:
    """Write a chapter, in the caller's transaction."""
    chapter = editing.load_chapter(db.session.get_one(ManualVersion, version_id), key)
    editing.save_chapter(version_id, key, ChapterInput(chapter.title, body, chapter.edit_version), actor)


def submit(version_id: int, actor: Actor, *, major: bool = False, on: date | None = None) -> int:
    """Submit a draft, in the caller's transaction. Returns the request's id."""
    data = reviewing.SubmitInput("修改", major, uuid4().hex, on)
    return reviewing.submit(version_id, data, actor).id


def sign(request_id: int, vote: str = APPROVE, opinion: str = "", limit: int = 99) -> list[str]:
    """The people whose seats are open vote, each in the caller's transaction. Returns their names."""
    signed = []
    while len(signed) < limit:
        request = db.session.get_one(ApprovalRequest, request_id)
        seat = db.session.scalars(
            select(ApprovalSeat)
            .where(ApprovalSeat.request_id == request_id, ApprovalSeat.state == OPEN)
            .order_by(ApprovalSeat.id)
        ).first()
        if request.state != PENDING or seat is None:
            break
        actor = load_actor(seat.user_id)
        approvals.decide(request_id, actor, vote=vote, seen_digest=digest_of(request), opinion=opinion)
        signed.append(actor.login)
        db.session.expire_all()
    return signed


def effective_manual(world: World, department: str = "one", with_form: bool = False, **more: Any) -> Made:
    """A manual with one procedure whose version 1.0 is effective today."""
    edda = world.actor("edda")
    with transaction():
        version = begin_manual(world, department, **more)
        procedure_id = add_procedure(version.id, "BF-001", "首次拜访", edda, department)
        if with_form:
            attaching.attach_form(version.id, procedure_id, "F-1", "拜访记录表", FORM, edda)
        request_id = submit(version.id, edda, major=True)
        made = Made(version.manual_id, version.id, procedure_id)
    with transaction():
        sign(request_id)
    return made
