"""Manuals and their drafts: begin, revise, discard, change what is said about a manual. Nothing here commits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, literal, select

from plugins.sop import library, permissions
from plugins.sop.actions import ManualAction
from plugins.sop.manuals.base import (
    audit_manual,
    audit_version,
    last_published,
    load_draft,
    load_for_edit,
    note_event,
    open_version,
)
from plugins.sop.manuals.models import (
    CLASSIFICATIONS,
    DRAFT,
    Chapter,
    Comment,
    Manual,
    ManualEditor,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    Question,
    UndoStep,
    VersionEvent,
    VersionProcedure,
)
from plugins.sop.reading.models import ReadingRule
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import LANGUAGES, _
from portal.org.actor import Actor
from portal.org.models import Department, User

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,29}\Z")
TITLE_LENGTH = 200


@dataclass(frozen=True)
class ManualInput:
    """What is said about a manual.

    :ivar with_template: begin with the seven chapters; otherwise with one chapter for procedures.
    """

    code: str
    title: str
    language: str
    department_id: int
    classification: str = "internal"
    company: str = ""
    review_months: int = 12
    with_template: bool = True


def create_manual(data: ManualInput, actor: Actor) -> ManualVersion:
    """Begin a manual with the draft of version 1.0. :raises Invalid: code taken, unknown department."""
    require(actor, permissions.WRITE)
    _check(data, None)
    now = clock.now()
    manual = Manual(
        code=data.code.upper(),
        title=data.title.strip(),
        classification=data.classification,
        language=data.language,
        company=data.company.strip(),
        department_id=data.department_id,
        review_months=data.review_months,
        created_at=now,
        created_by_id=actor.user_id,
    )
    db.session.add(manual)
    db.session.flush()
    version = ManualVersion(
        manual_id=manual.id,
        major=1,
        minor=0,
        title=manual.title,
        company=manual.company,
        created_at=now,
        created_by_id=actor.user_id,
    )
    db.session.add(version)
    db.session.flush()
    chapters = library.template(data.language)
    if not data.with_template:
        chapters = chapters[-1:]
    for position, chapter in enumerate(chapters, start=1):
        db.session.add(
            Chapter(version_id=version.id, key=chapter.key, position=position, title=chapter.title, body=chapter.body)
        )
    note_event(version, "drafted", actor)
    audit_manual(actor, ManualAction.CREATED, manual, new={"code": manual.code, "title": manual.title})
    return version


def _check(data: ManualInput, manual: Manual | None) -> None:
    errors = ErrorList()
    if not CODE.match(data.code):
        errors.add("code", _("Letters, digits, dots and hyphens, at most 30."))
    elif db.session.scalar(
        select(Manual.id).where(Manual.code == data.code.upper(), Manual.id != (manual.id if manual else 0))
    ):
        errors.add("code", _("This code is taken by another manual."))
    if not data.title.strip():
        errors.add("title", _("A manual needs a title."))
    elif len(data.title) > TITLE_LENGTH:
        errors.add("title", _("At most %(n)s characters.", n=TITLE_LENGTH))
    if data.language not in dict(LANGUAGES):
        errors.add("language", _("Choose a language."))
    if data.classification not in CLASSIFICATIONS:
        errors.add("classification", _("Choose who may read it."))
    department = db.session.get(Department, data.department_id)
    if department is None or not department.is_active:
        errors.add("department_id", _("Choose a department."))
    if not 1 <= data.review_months <= 120:
        errors.add("review_months", _("Between 1 and 120 months."))
    errors.raise_if_any()


def change_manual(manual_id: int, data: ManualInput, actor: Actor) -> Manual:
    """Change what is said about a manual.

    Title and company are printed, so they change in the draft and take effect with it; department, readers and the
    time of the next look-through change at once. Code and language stay once a version was published.
    """
    manual = load_for_edit(manual_id, actor)
    _check(data, manual)
    published = last_published(manual.id) is not None
    if published and (data.code.upper() != manual.code or data.language != manual.language):
        raise Invalid([("code", _("Code and language stay as they were published."))])
    draft = open_version(manual.id)
    words = (data.title.strip(), data.company.strip())
    old = {"department_id": manual.department_id, "classification": manual.classification}
    if draft is not None and draft.state == DRAFT:
        draft.title, draft.company = words
    elif words != (manual.title, manual.company):
        raise Conflict(_("Title and company are printed in the manual: begin a revision to change them."))
    if not published:
        manual.title, manual.company = words
        manual.code, manual.language = data.code.upper(), data.language
    manual.department_id = data.department_id
    manual.classification = data.classification
    manual.review_months = data.review_months
    db.session.flush()
    audit_manual(
        actor,
        ManualAction.CHANGED,
        manual,
        old=old,
        new={"department_id": manual.department_id, "classification": manual.classification},
    )
    return manual


def set_editors(manual_id: int, user_ids: Iterable[int], actor: Actor) -> None:
    """Who writes a manual besides the SOP editors and the head of its department."""
    manual = load_for_edit(manual_id, actor)
    wanted = set(user_ids)
    known = set(db.session.scalars(select(User.id).where(User.id.in_(wanted), User.is_active))) if wanted else set()
    if wanted - known:
        raise Invalid([("editors", _("Choose people who work here."))])
    before = set(db.session.scalars(select(ManualEditor.user_id).where(ManualEditor.manual_id == manual.id)))
    db.session.execute(delete(ManualEditor).where(ManualEditor.manual_id == manual.id))
    db.session.add_all(ManualEditor(manual_id=manual.id, user_id=person) for person in sorted(wanted))
    db.session.flush()
    if before != wanted:
        old, new = {"editors": sorted(before)}, {"editors": sorted(wanted)}
        audit_manual(actor, ManualAction.CHANGED, manual, old=old, new=new)


def start_draft(manual_id: int, actor: Actor) -> ManualVersion:
    """Begin the next version from the last published one: a handful of statements, however many procedures.

    :raises Conflict: one is being worked on already, or the manual is retired.
    """
    manual = load_for_edit(manual_id, actor)
    if manual.retired_on is not None:
        raise Conflict(_("This manual is retired."))
    if (found := open_version(manual.id)) is not None:
        raise Conflict(_("Version %(number)s is being worked on already.", number=found.number))
    base = last_published(manual.id)
    if base is None:
        raise NotFound()
    version = ManualVersion(
        manual_id=manual.id,
        base_id=base.id,
        major=base.major,
        minor=base.minor + 1,
        title=base.title,
        company=base.company,
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(version)
    db.session.flush()
    _take_over(base.id, version.id)
    note_event(version, "drafted", actor)
    audit_version(actor, ManualAction.DRAFTED, version, new={"number": version.number, "manual": manual.code})
    return version


def _take_over(base_id: int, version_id: int) -> None:
    """Chapters, the list of procedures and questions of one version for another; texts of procedures are shared."""
    new = literal(version_id)
    for model, names in (
        (Chapter, ("key", "position", "title", "body")),
        (VersionProcedure, ("procedure_id", "revision_id", "chapter_key", "position")),
        (Question, ("position", "question", "answers", "correct")),
    ):
        columns = [getattr(model, name) for name in names]
        extra = [literal(1)] if model is Chapter else []
        source = select(new, *columns, *extra).where(model.version_id == base_id)
        targets = ["version_id", *names, *(["edit_version"] if model is Chapter else [])]
        db.session.execute(insert(model).from_select(targets, source, include_defaults=False))


def discard_draft(version_id: int, actor: Actor) -> Manual | None:
    """Throw a draft away. The manual goes with it when nothing of it was ever published (then None is answered)."""
    version = load_draft(version_id, actor)
    manual = version.manual
    audit_version(actor, ManualAction.DISCARDED, version, old={"number": version.number})
    db.session.execute(delete(Comment).where(Comment.version_id == version.id, Comment.thread_id.is_not(None)))
    for model in (Comment, UndoStep, VersionProcedure, Chapter, Question, VersionEvent):
        db.session.execute(delete(model).where(model.version_id == version.id))
    _drop_own_texts(version)
    db.session.delete(version)
    db.session.flush()
    if last_published(manual.id) is not None:
        return manual
    audit_manual(actor, ManualAction.DELETED, manual, old={"code": manual.code, "title": manual.title})
    for owned in (ReadingRule, ManualEditor):
        db.session.execute(delete(owned).where(owned.manual_id == manual.id))
    db.session.delete(manual)
    db.session.flush()
    return None


def _drop_own_texts(version: ManualVersion) -> None:
    """Delete the texts made in a draft, and procedures that have no text left."""
    db.session.execute(delete(ProcedureRevision).where(ProcedureRevision.origin_version_id == version.id))
    with_text = select(ProcedureRevision.procedure_id).where(ProcedureRevision.procedure_id == Procedure.id)
    db.session.execute(
        delete(Procedure)
        .where(Procedure.manual_id == version.manual_id, ~with_text.exists())
        .execution_options(synchronize_session=False)
    )
