"""Writing a draft: chapters and procedures. Two editors at once never overwrite each other: each save names what it
saw, and an older one is answered with both texts. Every save can be undone. Nothing here commits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from plugins.sop.actions import ManualAction
from plugins.sop.manuals import markdown, revisions
from plugins.sop.manuals.base import audit_version, load_draft
from plugins.sop.manuals.inputs import ChapterInput, ProcedureInput, StepInput
from plugins.sop.manuals.models import (
    AFTER,
    EVERYBODY,
    HEADS,
    LIMIT_UNITS,
    PUBLISHED,
    RACI,
    RELATIONS,
    Chapter,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionRelation,
    UndoStep,
    VersionProcedure,
)
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.numbers import id_from
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import ROLES, Department, User

CHAPTERS = 40
STEPS = 60
TEXT = 4_000
LENGTHS = {"who": 200, "what": 2_000, "record": 300, "limit_text": 100, "standard": 2_000}
#: Undo goes back this many saves of a chapter or procedure.
UNDO = 40
#: Saves that a script makes while somebody types are one step of undo.
ONE_STEP = timedelta(minutes=2)


# ---- chapters ------------------------------------------------------------------------------------------------------


def load_chapter(version: ManualVersion, key: str) -> Chapter:
    """A chapter of a version. :raises NotFound: when there is none."""
    found = db.session.scalars(
        select(Chapter).where(Chapter.version_id == version.id, Chapter.key == key)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def save_chapter(version_id: int, key: str, data: ChapterInput, actor: Actor) -> Chapter:
    """Save a chapter.

    :raises Invalid: a text that cannot be kept, with its line. :raises Conflict: somebody saved it meanwhile; `details`
        has "by", "at" and what stands there now.
    """
    version = load_draft(version_id, actor)
    chapter = load_chapter(version, key)
    body = data.body.replace("\r\n", "\n").replace("\r", "\n")
    title = data.title.strip()
    if chapter.edit_version != data.seen:
        raise Conflict(
            _("Somebody else saved this chapter meanwhile."), **_who(chapter.edited_by_id, chapter.edited_at)
        )
    errors = ErrorList()
    if not title or len(title) > 200:
        errors.add("title", _("A chapter needs a title of at most 200 characters."))
    for trouble in markdown.check(body):
        errors.add("body", _("Line %(line)s: %(problem)s", line=trouble.line, problem=trouble.message))
    errors.raise_if_any()
    if (title, body) == (chapter.title, chapter.body):
        return chapter
    before = {"title": chapter.title, "body": chapter.body}
    remember(version, f"chapter:{key}", before, actor, data.autosaved)
    _write_chapter(chapter, title, body, actor)
    if not data.autosaved:
        audit_version(actor, ManualAction.CHAPTER_CHANGED, version, new={"chapter": title})
    return chapter


def _write_chapter(chapter: Chapter, title: str, body: str, actor: Actor) -> None:
    chapter.title, chapter.body = title, body
    chapter.edit_version += 1
    chapter.edited_at, chapter.edited_by_id = clock.now(), actor.user_id
    db.session.flush()


def add_chapter(version_id: int, title: str, actor: Actor) -> Chapter:
    """Add an empty chapter at the end."""
    version = load_draft(version_id, actor)
    if not title.strip() or len(title) > 200:
        raise Invalid([("title", _("A chapter needs a title of at most 200 characters."))])
    count, last = db.session.execute(
        select(func.count(), func.coalesce(func.max(Chapter.position), 0)).where(Chapter.version_id == version.id)
    ).one()
    if count >= CHAPTERS:
        raise Invalid(_("A manual has at most %(count)s chapters.", count=CHAPTERS))
    chapter = Chapter(version_id=version.id, key=revisions.new_key(), position=last + 1, title=title.strip(), body="")
    db.session.add(chapter)
    db.session.flush()
    audit_version(actor, ManualAction.CHAPTERS_ARRANGED, version, new={"added": chapter.title})
    return chapter


def move_chapter(version_id: int, key: str, by: int, actor: Actor) -> None:
    """Move a chapter up (-1) or down (+1)."""
    version = load_draft(version_id, actor)
    chapters = list(
        db.session.scalars(
            select(Chapter).where(Chapter.version_id == version.id).order_by(Chapter.position, Chapter.id)
        )
    )
    index = next((number for number, chapter in enumerate(chapters) if chapter.key == key), None)
    if index is None:
        raise NotFound()
    target = min(max(index + by, 0), len(chapters) - 1)
    chapters.insert(target, chapters.pop(index))
    for position, chapter in enumerate(chapters, start=1):
        chapter.position = position
    db.session.flush()


def remove_chapter(version_id: int, key: str, actor: Actor) -> None:
    """Remove a chapter that carries no procedures; it can be brought back with undo. :raises Invalid: it does."""
    version = load_draft(version_id, actor)
    chapter = load_chapter(version, key)
    held = db.session.scalar(
        select(func.count())
        .select_from(VersionProcedure)
        .where(VersionProcedure.version_id == version.id, VersionProcedure.chapter_key == key)
    )
    if held:
        raise Invalid(_("This chapter carries procedures. Move them into another one first."))
    names = ("key", "position", "title", "body")
    remember(version, "list", {"chapters": [{name: getattr(chapter, name) for name in names}]}, actor)
    db.session.delete(chapter)
    db.session.flush()
    audit_version(actor, ManualAction.CHAPTERS_ARRANGED, version, old={"removed": chapter.title})


# ---- procedures ----------------------------------------------------------------------------------------------------


def mark_of(revision: ProcedureRevision) -> str:
    """What a form carries to say which text it was made from."""
    return f"{revision.edit_version}"


def save_procedure(version_id: int, procedure_id: int, data: ProcedureInput, actor: Actor) -> ProcedureRevision:
    """Save a procedure of a draft. Steps without text are kept while it is being written.

    :raises Invalid: too long, unknown departments, a loop of procedures that follow one another.
    :raises Conflict: somebody saved it meanwhile.
    """
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    present = db.session.get_one(ProcedureRevision, place.revision_id)
    if mark_of(present) != data.seen:
        details = _who(present.edited_by_id, present.edited_at)
        raise Conflict(_("Somebody else saved this procedure meanwhile."), **details)
    procedure = db.session.get_one(Procedure, procedure_id)
    _check_procedure(version, procedure, data)
    before = revisions.snapshot(present.id)
    after = _as_data(data, before)
    if data.code and data.code.strip() != procedure.code:
        procedure.code = data.code.strip()
    elif after == before:
        return present
    remember(version, f"procedure:{procedure_id}", before, actor, data.autosaved)
    own = revisions.own_revision(version, procedure_id)
    revisions.write_text(own, after, actor)
    if not data.autosaved:
        audit_version(actor, ManualAction.PROCEDURE_CHANGED, version, new={"code": procedure.code, "title": own.title})
    return own


def _as_data(data: ProcedureInput, before: dict[str, Any]) -> dict[str, Any]:
    """The snapshot that a form means; forms are attached on their own."""
    steps = []
    used: set[str] = set()
    for position, step in enumerate(data.steps, start=1):
        key = step.key if step.key and step.key not in used else revisions.new_key()
        used.add(key)
        row: dict[str, Any] = {name: getattr(step, name) for name in revisions.STEP_COLUMNS if name != "position"}
        steps.append({**row, "key": key, "position": position})
    return {
        **{name: getattr(data, name).strip() for name in revisions.TEXTS},
        "steps": [{name: step[name] for name in revisions.STEP_COLUMNS} for step in steps],
        "forms": before["forms"],
        "departments": sorted([department, raci] for department, raci in data.departments),
        "roles": sorted(set(data.roles)),
        "related": sorted([other, kind] for other, kind in data.related),
    }


def _check_procedure(version: ManualVersion, procedure: Procedure, data: ProcedureInput) -> None:
    errors = ErrorList()
    if not data.title.strip() or len(data.title) > 200:
        errors.add("title", _("A procedure needs a title of at most 200 characters."))
    if data.code and data.code.strip() != procedure.code:
        check_code(version.manual_id, data.code, errors)
        if was_published(procedure.id):
            errors.add("code", _("The code stays as it was published."))
    for name in ("trigger", "purpose", "records", "measures"):
        if len(getattr(data, name)) > TEXT:
            errors.add(name, _("At most %(n)s characters.", n=TEXT))
    if len(data.steps) > STEPS:
        errors.add("steps", _("A procedure has at most %(count)s steps.", count=STEPS))
    for number, step in enumerate(data.steps, start=1):
        _check_step(number, step, errors)
    _check_departments(data, errors)
    if set(data.roles) - {*ROLES, HEADS, EVERYBODY}:
        errors.add("roles", _("Choose roles from the list."))
    check_relations(version, procedure, data.related, errors)
    errors.raise_if_any()


def _check_step(number: int, step: StepInput, errors: ErrorList) -> None:
    for name, length in LENGTHS.items():
        if len(getattr(step, name)) > length:
            errors.add("steps", _("Step %(number)s: at most %(n)s characters in one field.", number=number, n=length))
    if (step.limit_amount is None) != (step.limit_unit == ""):
        errors.add("steps", _("Step %(number)s: a time limit is a number and a unit.", number=number))
    elif step.limit_amount is not None and not (1 <= step.limit_amount <= 1000 and step.limit_unit in LIMIT_UNITS):
        errors.add("steps", _("Step %(number)s: a time limit is between 1 and 1000.", number=number))


def _check_departments(data: ProcedureInput, errors: ErrorList) -> None:
    wanted = {department for department, _raci in data.departments}
    known = set(db.session.scalars(select(Department.id).where(Department.id.in_(wanted)))) if wanted else set()
    if wanted - known or len(wanted) != len(data.departments):
        errors.add("departments", _("Choose departments from the list."))
    for _department, letters in data.departments:
        if not letters or letters != "".join(letter for letter in RACI if letter in letters):
            errors.add("departments", _("A department has one or more of the letters R, A, C, I."))
            return


def check_relations(
    version: ManualVersion, procedure: Procedure, related: tuple[tuple[int, str], ...], errors: ErrorList
) -> None:
    """Related procedures are others of the same manual; those that follow one another may not form a loop."""
    wanted = {other for other, _kind in related}
    if procedure.id in wanted:
        errors.add("related", _("A procedure is not related to itself."))
    here = dict(
        db.session.execute(
            select(Procedure.id, Procedure.code)
            .join(VersionProcedure, VersionProcedure.procedure_id == Procedure.id)
            .where(VersionProcedure.version_id == version.id)
        ).all()
    )
    if wanted - here.keys() or len(wanted) != len(related) or any(kind not in RELATIONS for _o, kind in related):
        errors.add("related", _("Choose each related procedure once, from this manual."))
        return
    follows: dict[int, set[int]] = {}
    for one, other in db.session.execute(
        select(VersionProcedure.procedure_id, RevisionRelation.related_id)
        .join(RevisionRelation, RevisionRelation.revision_id == VersionProcedure.revision_id)
        .where(VersionProcedure.version_id == version.id, RevisionRelation.kind == AFTER)
    ):
        follows.setdefault(one, set()).add(other)
    follows[procedure.id] = {other for other, kind in related if kind == AFTER}
    if loop := find_loop(follows, procedure.id):
        chain = " → ".join(here.get(number, "?") for number in loop)
        errors.add("related", _("These procedures would wait for one another: %(chain)s.", chain=chain))


def find_loop(follows: dict[int, set[int]], start: int) -> list[int]:
    """A way from `start` back to itself, or []. Pure."""
    stack: list[tuple[int, list[int]]] = [(start, [start])]
    seen: set[int] = set()
    while stack:
        node, way = stack.pop()
        for following in sorted(follows.get(node, ()), reverse=True):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                stack.append((following, [*way, following]))
    return []


def check_code(manual_id: int, code: str, errors: ErrorList) -> None:
    """A code is short and not taken in its manual."""
    if not code.strip() or len(code.strip()) > 30:
        errors.add("code", _("A code has at most 30 characters."))
    elif db.session.scalar(
        select(Procedure.id).where(Procedure.manual_id == manual_id, Procedure.code == code.strip())
    ):
        errors.add("code", _("This code is taken by another procedure of the manual."))


def was_published(procedure_id: int) -> bool:
    """Whether a published version has the procedure."""
    statement = (
        select(VersionProcedure.procedure_id)
        .join(ManualVersion, ManualVersion.id == VersionProcedure.version_id)
        .where(VersionProcedure.procedure_id == procedure_id, ManualVersion.state == PUBLISHED)
        .limit(1)
    )
    return db.session.scalar(statement) is not None


# ---- undo ----------------------------------------------------------------------------------------------------------


def remember(version: ManualVersion, unit: str, before: dict[str, Any], actor: Actor, autosaved: bool = False) -> None:
    """Keep what was there before a change, so that it can be undone."""
    last = db.session.scalars(
        select(UndoStep)
        .where(UndoStep.version_id == version.id, UndoStep.unit == unit)
        .order_by(UndoStep.id.desc())
        .limit(1)
    ).one_or_none()
    now = clock.now()
    if autosaved and last is not None and last.by_id == actor.user_id and now - last.at < ONE_STEP:
        return
    db.session.add(UndoStep(version_id=version.id, unit=unit, before=before, at=now, by_id=actor.user_id))
    db.session.flush()
    keep = (
        select(UndoStep.id)
        .where(UndoStep.version_id == version.id, UndoStep.unit == unit)
        .order_by(UndoStep.id.desc())
        .limit(UNDO)
    )
    db.session.execute(
        delete(UndoStep)
        .where(UndoStep.version_id == version.id, UndoStep.unit == unit, UndoStep.id.not_in(keep.subquery().select()))
        .execution_options(synchronize_session=False)
    )


def undo(version_id: int, unit: str, actor: Actor) -> bool:
    """Take the last change of a chapter, a procedure or the list back. Whether there was one."""
    version = load_draft(version_id, actor)
    last = db.session.scalars(
        select(UndoStep)
        .where(UndoStep.version_id == version.id, UndoStep.unit == unit)
        .order_by(UndoStep.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return False
    word, _colon, name = unit.partition(":")
    if word == "chapter":
        _write_chapter(load_chapter(version, name), last.before["title"], last.before["body"], actor)
    elif word == "procedure" and (procedure_id := id_from(name)) is not None:
        _restore_procedure(version, procedure_id, last.before, actor)
    else:
        _restore_list(version, last.before)
    db.session.delete(last)
    db.session.flush()
    audit_version(actor, ManualAction.UNDONE, version, new={"unit": unit})
    return True


def _restore_procedure(version: ManualVersion, procedure_id: int, before: dict[str, Any], actor: Actor) -> None:
    present = set(
        db.session.scalars(select(VersionProcedure.procedure_id).where(VersionProcedure.version_id == version.id))
    )
    # What it was related to may have been removed meanwhile.
    kept = [pair for pair in before["related"] if pair[0] in present]
    own = revisions.own_revision(version, procedure_id)
    revisions.write_text(own, {**before, "related": kept}, actor)


def _restore_list(version: ManualVersion, before: dict[str, Any]) -> None:
    for row in before.get("chapters", []):
        db.session.add(Chapter(version_id=version.id, **row))
    db.session.flush()
    keys = set(db.session.scalars(select(Chapter.key).where(Chapter.version_id == version.id)))
    for row in before.get("procedures", []):
        if row["chapter_key"] not in keys:
            raise Conflict(_("The chapter of this procedure was removed; bring it back first."))
        db.session.add(VersionProcedure(version_id=version.id, **row))
    db.session.flush()
    renumber(version)


def undo_units(version_id: int) -> set[str]:
    """Units of a draft that have something to undo."""
    return set(db.session.scalars(select(UndoStep.unit).where(UndoStep.version_id == version_id).distinct()))


def renumber(version: ManualVersion) -> None:
    """Give the procedures of a draft the positions 1 … n again, chapter by chapter."""
    rows = db.session.execute(
        select(VersionProcedure.procedure_id, VersionProcedure.position)
        .outerjoin(
            Chapter, (Chapter.version_id == VersionProcedure.version_id) & (Chapter.key == VersionProcedure.chapter_key)
        )
        .where(VersionProcedure.version_id == version.id)
        .order_by(Chapter.position, VersionProcedure.position, VersionProcedure.procedure_id)
    ).all()
    changed = [
        {"version_id": version.id, "procedure_id": row.procedure_id, "position": number}
        for number, row in enumerate(rows, start=1)
        if row.position != number
    ]
    if changed:
        db.session.execute(update(VersionProcedure), changed)
        db.session.expire_all()


def _who(user_id: int | None, at: Any) -> dict[str, Any]:
    name = db.session.scalar(select(User.name).where(User.id == user_id)) if user_id else ""
    return {"by": name or "", "at": at}
