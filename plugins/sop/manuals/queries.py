"""Reads of manuals: their whole content in a constant number of statements, versions, signatures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import aliased

from plugins.sop.manuals.content import (
    AttachedForm,
    ChapterContent,
    DepartmentPart,
    ManualContent,
    ProcedureContent,
    Related,
    RevisionRecord,
    RunTemplate,
    Scope,
    Signature,
    StepContent,
    VersionFacts,
)
from plugins.sop.manuals.models import (
    PUBLISHED,
    Attachment,
    Chapter,
    Manual,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionDepartment,
    RevisionRelation,
    RevisionRole,
    Step,
    VersionProcedure,
)
from portal.approvals.models import ApprovalDecision, ApprovalSeat
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.numbers import id_from
from portal.extensions import db
from portal.org.models import Department, User

WHOLE = Scope()


def effective_on(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    """SQL condition of the versions that hold on a day; at most one for each manual."""
    return (
        (ManualVersion.state == PUBLISHED)
        & (ManualVersion.effective_from <= day)
        & or_(ManualVersion.effective_until.is_(None), ManualVersion.effective_until > day)
    )


def effective_version(manual_id: int, day: date | None = None) -> ManualVersion | None:
    """The version of a manual that holds on a day (today)."""
    found = select(ManualVersion).where(ManualVersion.manual_id == manual_id, effective_on(day or clock.today()))
    return db.session.scalars(found).one_or_none()


def load_version(version_id: int) -> ManualVersion:
    """A version. Whoever calls checks who may see it. :raises NotFound: when there is none."""
    version = db.session.get(ManualVersion, version_id)
    if version is None:
        raise NotFound()
    return version


def manual_content(version_id: int, scope: Scope = WHOLE) -> ManualContent:
    """All that a version says, or a part, in nine statements whatever its size.

    Checks nobody's permission: callers do (`plugins.sop.permissions`). With a scope, only chapters that carry one of
    its procedures (or the chapter asked for) are there; numbers stay those of the whole manual for chapters.
    :raises NotFound: no such version.
    """
    facts = version_facts(version_id)
    rows = db.session.execute(_placed(version_id, scope)).all()
    revision_ids = _revision_ids(version_id, scope)
    parts = _Parts(version_id, revision_ids)
    by_chapter: dict[str, list[ProcedureContent]] = defaultdict(list)
    for number, row in enumerate(rows, start=1):
        by_chapter[row.chapter_key].append(parts.procedure(row, number))
    chapters = []
    for number, chapter in enumerate(chapters_of(version_id), start=1):
        if not scope.is_all and chapter.key not in by_chapter and chapter.key != scope.chapter_key:
            continue
        body = chapter.body if scope.is_all or chapter.key == scope.chapter_key else ""
        held = tuple(by_chapter.get(chapter.key, ()))
        chapters.append(ChapterContent(chapter.key, number, chapter.title, body, held))
    return ManualContent(facts, scope, tuple(chapters))


def version_facts(version_id: int) -> VersionFacts:
    """Cover and footer of a version. :raises NotFound: when there is none."""
    row = db.session.execute(
        select(ManualVersion, Manual, Department.name)
        .join(Manual, Manual.id == ManualVersion.manual_id)
        .join(Department, Department.id == Manual.department_id)
        .where(ManualVersion.id == version_id)
    ).first()
    if row is None:
        raise NotFound()
    version, manual, department = row
    return VersionFacts(
        version_id=version.id,
        manual_id=manual.id,
        code=manual.code,
        title=version.title,
        company=version.company,
        classification=manual.classification,
        language=manual.language,
        department=department,
        number=version.number,
        state=version.shown_state(clock.today()),
        summary=version.summary,
        effective_from=version.effective_from,
        effective_until=version.effective_until,
        review_due=version.review_due,
        content_digest=version.content_digest,
    )


def chapters_of(version_id: int) -> Sequence[Any]:
    """(key, title, body, position, edit_version) of the chapters in order."""
    return db.session.execute(
        select(Chapter.key, Chapter.title, Chapter.body, Chapter.position, Chapter.edit_version)
        .where(Chapter.version_id == version_id)
        .order_by(Chapter.position, Chapter.id)
    ).all()


def names_of_departments(ids: Sequence[int]) -> dict[int, str]:
    """Department → name; one statement, none for no departments."""
    if not ids:
        return {}
    return {
        row.id: row.name
        for row in db.session.execute(select(Department.id, Department.name).where(Department.id.in_(ids)))
    }


def chapter_body(version_id: int, key: str) -> str | None:
    """The Markdown of a chapter; None when the version does not have it."""
    return db.session.scalar(select(Chapter.body).where(Chapter.version_id == version_id, Chapter.key == key))


def _within(version_id: int, scope: Scope) -> list[ColumnElement[bool]]:
    """Conditions on VersionProcedure for a scope."""
    found: list[ColumnElement[bool]] = [VersionProcedure.version_id == version_id]
    if scope.chapter_key:
        found.append(VersionProcedure.chapter_key == scope.chapter_key)
    if scope.procedure_id is not None:
        found.append(VersionProcedure.procedure_id == scope.procedure_id)
    if scope.department_id is not None:
        concerned = select(RevisionDepartment.revision_id).where(
            RevisionDepartment.department_id == scope.department_id
        )
        found.append(VersionProcedure.revision_id.in_(concerned))
    if scope.role:
        meant = select(RevisionRole.revision_id).where(RevisionRole.role == scope.role)
        found.append(VersionProcedure.revision_id.in_(meant))
    return found


def _placed(version_id: int, scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            VersionProcedure.chapter_key,
            VersionProcedure.procedure_id,
            VersionProcedure.revision_id,
            Procedure.code,
            ProcedureRevision.title,
            ProcedureRevision.trigger,
            ProcedureRevision.purpose,
            ProcedureRevision.records,
            ProcedureRevision.measures,
        )
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
        .where(*_within(version_id, scope))
        .order_by(VersionProcedure.position, VersionProcedure.procedure_id)
    )


def _revision_ids(version_id: int, scope: Scope) -> Select[Any]:
    return select(VersionProcedure.revision_id).where(*_within(version_id, scope))


class _Parts:
    """Steps, departments, roles, relations and forms of many revisions: one statement each."""

    def __init__(self, version_id: int | None, revisions: Any) -> None:
        self.steps = _grouped(
            select(
                Step.revision_id,
                Step.id,
                Step.key,
                Step.position,
                Step.who,
                Step.what,
                Step.record,
                Step.limit_amount,
                Step.limit_unit,
                Step.limit_text,
                Step.standard,
                Step.is_check,
                Step.is_stop,
            )
            .where(Step.revision_id.in_(revisions))
            .order_by(Step.revision_id, Step.position),
            StepContent,
        )
        self.departments = _grouped(
            select(RevisionDepartment.revision_id, Department.id, Department.name, RevisionDepartment.raci)
            .join(Department, Department.id == RevisionDepartment.department_id)
            .where(RevisionDepartment.revision_id.in_(revisions))
            .order_by(Department.path),
            DepartmentPart,
        )
        self.roles = _grouped(
            select(RevisionRole.revision_id, RevisionRole.role)
            .where(RevisionRole.revision_id.in_(revisions))
            .order_by(RevisionRole.role),
            str,
        )
        self.forms = _grouped(
            select(
                Attachment.revision_id,
                Attachment.id,
                Attachment.code,
                Attachment.title,
                Attachment.file_name,
                Attachment.media_type,
                Attachment.size,
                Attachment.storage_key,
            )
            .where(Attachment.revision_id.in_(revisions))
            .order_by(Attachment.position, Attachment.id),
            AttachedForm,
        )
        self.related = _grouped(_relations(version_id, revisions), _related)

    def procedure(self, row: Any, number: int) -> ProcedureContent:
        key = row.revision_id
        return ProcedureContent(
            procedure_id=row.procedure_id,
            revision_id=key,
            code=row.code,
            title=row.title,
            chapter_key=row.chapter_key,
            number=number,
            trigger=row.trigger,
            purpose=row.purpose,
            records=row.records,
            measures=row.measures,
            departments=self.departments.get(key, ()),
            roles=self.roles.get(key, ()),
            related=self.related.get(key, ()),
            steps=self.steps.get(key, ()),
            forms=self.forms.get(key, ()),
        )


def _grouped(statement: Select[*tuple[Any, ...]], make: Any) -> dict[int, tuple[Any, ...]]:
    """Rows (revision id, fields of `make` …) as revision id → objects."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(statement):
        found[row[0]].append(make(*row[1:]))
    return {key: tuple(items) for key, items in found.items()}


def _relations(version_id: int | None, revisions: Any) -> Select[*tuple[Any, ...]]:
    """Relations with the title that the version has for the other procedure."""
    here = (VersionProcedure.procedure_id == RevisionRelation.related_id) & (VersionProcedure.version_id == version_id)
    return (
        select(
            RevisionRelation.revision_id,
            RevisionRelation.related_id,
            Procedure.code,
            ProcedureRevision.title,
            RevisionRelation.kind,
        )
        .join(Procedure, Procedure.id == RevisionRelation.related_id)
        .outerjoin(VersionProcedure, here)
        .outerjoin(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
        .where(RevisionRelation.revision_id.in_(revisions))
        .order_by(RevisionRelation.kind, Procedure.code)
    )


def _related(procedure_id: int, code: str, title: str | None, kind: str) -> Related:
    return Related(procedure_id, code, title or "", kind, title is not None)


def procedure_content(version_id: int, procedure_id: int) -> ProcedureContent:
    """One procedure of a version, in six statements. :raises NotFound: the version does not have it."""
    rows = db.session.execute(_placed(version_id, Scope(procedure_id=procedure_id))).all()
    if not rows:
        raise NotFound()
    return _Parts(version_id, [rows[0].revision_id]).procedure(rows[0], 1)


def procedures_of(version_id: int) -> Sequence[Any]:
    """(procedure_id, revision_id, code, title, chapter_key, position) in order: the tree of a manual, one statement."""
    return db.session.execute(
        select(
            VersionProcedure.procedure_id,
            VersionProcedure.revision_id,
            Procedure.code,
            ProcedureRevision.title,
            VersionProcedure.chapter_key,
            VersionProcedure.position,
        )
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
        .where(VersionProcedure.version_id == version_id)
        .order_by(VersionProcedure.position, VersionProcedure.procedure_id)
    ).all()


def _run_text() -> Select[*tuple[Any, ...]]:
    """What `_template` needs of a procedure in a version."""
    return (
        select(
            VersionProcedure.version_id,
            VersionProcedure.revision_id,
            ManualVersion.manual_id,
            ManualVersion.major,
            ManualVersion.minor,
            ManualVersion.title.label("manual_title"),
            Procedure.code,
            ProcedureRevision.title,
        )
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == VersionProcedure.revision_id)
    )


def procedure_for_run(procedure_id: int, on: date) -> RunTemplate:
    """The text of a procedure that holds on a day, for starting a checklist run. Six statements.

    :raises NotFound: no effective version of its manual on that day has it.
    """
    row = db.session.execute(_run_text().where(VersionProcedure.procedure_id == procedure_id, effective_on(on))).first()
    if row is None:
        raise NotFound()
    return _template(row, procedure_id)


def revision_for_run(version_id: int, procedure_id: int) -> RunTemplate:
    """The text that a run pinned: of any published version, superseded ones too. :raises NotFound: no such text."""
    row = db.session.execute(
        _run_text().where(
            VersionProcedure.version_id == version_id,
            VersionProcedure.procedure_id == procedure_id,
            ManualVersion.state == PUBLISHED,
        )
    ).first()
    if row is None:
        raise NotFound()
    return _template(row, procedure_id)


def _template(row: Any, procedure_id: int) -> RunTemplate:
    parts = _Parts(row.version_id, [row.revision_id])
    key = row.revision_id
    return RunTemplate(
        procedure_id=procedure_id,
        revision_id=key,
        version_id=row.version_id,
        manual_id=row.manual_id,
        manual_title=row.manual_title,
        version_number=f"{row.major}.{row.minor}",
        code=row.code,
        title=row.title,
        department_ids=tuple(part.department_id for part in parts.departments.get(key, ())),
        roles=parts.roles.get(key, ()),
        steps=parts.steps.get(key, ()),
        forms=parts.forms.get(key, ()),
    )


def revision_record(version_id: int) -> list[RevisionRecord]:
    """The revision record (修订记录): published versions up to this one, oldest first, and this one itself."""
    at_hand = load_version(version_id)
    rows = db.session.execute(
        select(
            ManualVersion.major,
            ManualVersion.minor,
            ManualVersion.effective_from,
            ManualVersion.summary,
            User.name,
        )
        .outerjoin(User, User.id == ManualVersion.created_by_id)
        .where(
            ManualVersion.manual_id == at_hand.manual_id,
            or_(ManualVersion.state == PUBLISHED, ManualVersion.id == version_id),
            or_(
                ManualVersion.major < at_hand.major,
                (ManualVersion.major == at_hand.major) & (ManualVersion.minor <= at_hand.minor),
            ),
        )
        .order_by(ManualVersion.major, ManualVersion.minor)
    )
    return [RevisionRecord(f"{row.major}.{row.minor}", row.effective_from, row.summary, row.name or "") for row in rows]


def signatures(version_id: int) -> list[Signature]:
    """Who signed the last round of a version's review, in the order of signing."""
    version = load_version(version_id)
    if version.request_id is None:
        return []
    for_user = aliased(User)
    rows = db.session.execute(
        select(
            User.name,
            for_user.name.label("for_name"),
            ApprovalSeat.basis,
            ApprovalDecision.vote,
            ApprovalDecision.decided_at,
            ApprovalDecision.opinion,
        )
        .join(User, User.id == ApprovalDecision.by_id)
        .join(ApprovalSeat, ApprovalSeat.id == ApprovalDecision.seat_id)
        .outerjoin(for_user, for_user.id == ApprovalDecision.for_id)
        .where(ApprovalDecision.request_id == version.request_id)
        .order_by(ApprovalDecision.id)
    ).all()
    wanted = {found for row in rows if (found := _department_in(row.basis)) is not None}
    names = {}
    if wanted:
        found_names = db.session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
        names = {row.id: row.name for row in found_names}
    return [
        Signature(
            name=row.name,
            on_behalf_of=row.for_name or "",
            seat=names.get(_department_in(row.basis), ""),
            outcome=row.vote,
            day=clock.local(row.decided_at).date(),
            opinion=row.opinion,
        )
        for row in rows
    ]


def _department_in(basis: str) -> int | None:
    """The department in the basis of a seat ("head:7", "deputy:7"); None for other seats."""
    word, _colon, number = basis.partition(":")
    return id_from(number) if word in ("head", "deputy") else None


def departments_of(version_id: int) -> Sequence[Any]:
    """(id, name) of all departments that procedures of a version name, in the order of the tree."""
    return db.session.execute(
        select(Department.id, Department.name, Department.path)
        .join(RevisionDepartment, RevisionDepartment.department_id == Department.id)
        .join(VersionProcedure, VersionProcedure.revision_id == RevisionDepartment.revision_id)
        .where(VersionProcedure.version_id == version_id)
        .distinct()
        .order_by(Department.path)
    ).all()
