"""A published manual with a procedure, for tests of checklist runs and their figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import update

from plugins.sop.manuals.models import (
    IN_REVIEW,
    PUBLISHED,
    Manual,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionRole,
    Step,
    VersionProcedure,
)
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.world import World


@dataclass(frozen=True)
class StepText:
    """A step of the procedure to publish."""

    what: str
    limit_amount: int | None = None
    limit_unit: str = ""
    is_stop: bool = False
    is_check: bool = True


STEPS = (
    StepText("核对证照", 1, "working_days"),
    StepText("信用审查", 2, "working_days", is_stop=True),
    StepText("建立档案", 1, "weeks"),
)


def publish(
    world: World,
    steps: Sequence[StepText] = STEPS,
    *,
    code: str = "XS-001",
    title: str = "新客户建档",
    effective_from: date = date(2020, 1, 1),
    classification: str = "internal",
) -> int:
    """A manual of its own with one procedure, effective from a day; the procedure's id."""
    with transaction():
        manual = Manual(
            code=f"M-{code}",
            title="客户关系管理标准作业程序手册",
            language="zh_Hans_CN",
            classification=classification,
            department_id=world.department("office").id,
            created_at=clock.now(),
        )
        db.session.add(manual)
        db.session.flush()
        version = ManualVersion(manual_id=manual.id, title=manual.title, major=1, minor=0, created_at=clock.now())
        db.session.add(version)
        db.session.flush()
        procedure = Procedure(manual_id=manual.id, code=code)
        db.session.add(procedure)
        db.session.flush()
        revision = ProcedureRevision(
            procedure_id=procedure.id, origin_version_id=version.id, title=title, search_text=f"{code} {title}".lower()
        )
        db.session.add(revision)
        db.session.flush()
        db.session.add(RevisionRole(revision_id=revision.id, role="account_manager"))
        for position, step in enumerate(steps, start=1):
            db.session.add(
                Step(
                    revision_id=revision.id,
                    key=f"{position:012x}",
                    position=position,
                    who="客户经理",
                    what=step.what,
                    limit_amount=step.limit_amount,
                    limit_unit=step.limit_unit,
                    is_check=step.is_check,
                    is_stop=step.is_stop,
                )
            )
        db.session.add(
            VersionProcedure(
                version_id=version.id,
                procedure_id=procedure.id,
                revision_id=revision.id,
                chapter_key="procedures",
                position=1,
            )
        )
        db.session.flush()
        procedure_id, version_id = procedure.id, version.id
        at = ManualVersion.__table__.update().where(ManualVersion.id == version_id)
        db.session.execute(at.values(state=IN_REVIEW))
        db.session.execute(at.values(state=PUBLISHED, effective_from=effective_from, published_at=clock.now()))
    db.session.expire_all()
    return procedure_id


def publish_next(procedure_id: int, what: str) -> None:
    """Version 2.0 of the same manual with another text of the procedure, effective today."""
    with transaction():
        procedure = db.session.get_one(Procedure, procedure_id)
        old = db.session.query(ManualVersion).filter_by(manual_id=procedure.manual_id, state=PUBLISHED).one()
        version = ManualVersion(
            manual_id=procedure.manual_id, title=old.title, major=2, minor=0, created_at=clock.now()
        )
        db.session.add(version)
        db.session.flush()
        revision = ProcedureRevision(procedure_id=procedure_id, origin_version_id=version.id, title="新版")
        db.session.add(revision)
        db.session.flush()
        db.session.add(Step(revision_id=revision.id, key="0" * 12, position=1, what=what))
        db.session.add(
            VersionProcedure(
                version_id=version.id,
                procedure_id=procedure_id,
                revision_id=revision.id,
                chapter_key="procedures",
                position=1,
            )
        )
        db.session.flush()
        new_id, old_id, today = version.id, old.id, clock.today()
        db.session.execute(update(ManualVersion).where(ManualVersion.id == old_id).values(effective_until=today))
        db.session.execute(update(ManualVersion).where(ManualVersion.id == new_id).values(state=IN_REVIEW))
        db.session.execute(
            update(ManualVersion).where(ManualVersion.id == new_id).values(state=PUBLISHED, effective_from=today)
        )
    db.session.expire_all()
