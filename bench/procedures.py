"""A manual of three hundred procedures, as readers find it: in its second version, a fifth of them changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from plugins.sop.library import DEPARTMENT_KINDS, starters
from plugins.sop.manuals import arranging, drafting, editing, queries
from plugins.sop.manuals.models import IN_REVIEW, PUBLISHED, ManualVersion, VersionProcedure
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import load_actor
from portal.org.models import SOP_EDITOR, Department, UserRole
from tests.sop_story import typed

PROCEDURES = 300
LANGUAGE = "zh_Hans_CN"
CHAPTER = "procedures"


@dataclass(frozen=True)
class Book:
    """Ids of the manual."""

    manual: int
    procedure: int
    chapters: int


def make_manual(editor: int) -> Book:
    """The template's chapters and 300 procedures out of the library, in their second version."""
    departments = list(db.session.scalars(select(Department.id).order_by(Department.id)))
    kinds = {kind: departments[number % len(departments)] for number, kind in enumerate(DEPARTMENT_KINDS)}
    with transaction():
        db.session.add(UserRole(user_id=editor, role=SOP_EDITOR))
    writer = load_actor(editor)
    with transaction():
        version = drafting.create_manual(
            drafting.ManualInput(
                code="SOP-CRM", title="客户关系管理标准作业程序手册", language=LANGUAGE, department_id=departments[0]
            ),
            writer,
        )
        keys = [item.key for item in starters(LANGUAGE)]
        made = arranging.take_starters(version.id, keys, kinds, CHAPTER, writer)
        for number in range(PROCEDURES - len(made)):
            arranging.duplicate_procedure(version.id, made[number % len(made)], writer)
        count = len(db.session.scalars(select(VersionProcedure).where(VersionProcedure.version_id == version.id)).all())
        assert count == PROCEDURES
        first_day = clock.today() - timedelta(days=200)
        _publish(version.id, first_day)
    with transaction():
        # What changed is shown on the cover: a second version, with a fifth of the procedures changed.
        second = drafting.start_draft(version.manual_id, writer)
        for row in queries.procedures_of(second.id)[::5]:
            data = typed(second.id, row.procedure_id)
            editing.save_procedure(second.id, row.procedure_id, replace(data, measures="每季度复核一次。"), writer)
        today = clock.today()
        ending = ManualVersion.__table__.update().where(ManualVersion.id == version.id)
        db.session.execute(ending.values(effective_until=today))
        _publish(second.id, today)
    return Book(version.manual_id, made[len(made) // 2], 7)


def _publish(version_id: int, day: date) -> None:
    """Without the signatures, which are not measured here."""
    row = ManualVersion.__table__.update().where(ManualVersion.id == version_id)
    db.session.execute(row.values(state=IN_REVIEW))
    db.session.execute(row.values(state=PUBLISHED, effective_from=day, published_at=clock.now()))
