"""Which procedures a draft has, and in which order: new ones, starters, copies, removing, moving. Nothing commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from plugins.sop import library
from plugins.sop.actions import ManualAction
from plugins.sop.manuals import revisions
from plugins.sop.manuals.base import audit_version, load_draft
from plugins.sop.manuals.editing import check_code, load_chapter, remember, renumber
from plugins.sop.manuals.models import (
    AFTER,
    RACI,
    SEE_ALSO,
    Chapter,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionRelation,
    VersionProcedure,
)
from portal.core.errors import ErrorList, Invalid, NotFound
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

PROCEDURES = 500
_NUMBER = re.compile(r"(.*?)(\d+)\Z")


def add_procedure(
    version_id: int, chapter_key: str, code: str, title: str, actor: Actor, after: int | None = None
) -> int:
    """Add an empty procedure behind another one, or at the end of a chapter. Returns its id."""
    version = load_draft(version_id, actor)
    errors = ErrorList()
    check_code(version.manual_id, code, errors)
    if not title.strip() or len(title) > 200:
        errors.add("title", _("A procedure needs a title of at most 200 characters."))
    errors.raise_if_any()
    empty = {**dict.fromkeys(revisions.TEXTS, ""), "title": title.strip(), "steps": [], "forms": []}
    procedure_id = _place(version, chapter_key, code.strip(), {**empty, "departments": [], "roles": [], "related": []})
    _finish(version, procedure_id, actor, after)
    return procedure_id


def _place(version: ManualVersion, chapter_key: str, code: str, data: Mapping[str, Any], starter: str = "") -> int:
    """A new procedure with a text, at the end of a chapter."""
    load_chapter(version, chapter_key)
    count, last = db.session.execute(
        select(func.count(), func.coalesce(func.max(VersionProcedure.position), 0)).where(
            VersionProcedure.version_id == version.id
        )
    ).one()
    if count >= PROCEDURES:
        raise Invalid(_("A manual has at most %(count)s procedures.", count=PROCEDURES))
    procedure = Procedure(manual_id=version.manual_id, code=code, starter=starter)
    db.session.add(procedure)
    db.session.flush()
    revision = ProcedureRevision(
        procedure_id=procedure.id,
        origin_version_id=version.id,
        **{name: data[name] for name in revisions.TEXTS},
    )
    db.session.add(revision)
    db.session.flush()
    revisions.write_parts(revision, data)
    revisions.index(revision, data)
    db.session.add(
        VersionProcedure(
            version_id=version.id,
            procedure_id=procedure.id,
            revision_id=revision.id,
            chapter_key=chapter_key,
            position=last + 1,
        )
    )
    db.session.flush()
    return procedure.id


def _finish(version: ManualVersion, procedure_id: int, actor: Actor, after: int | None) -> None:
    renumber(version)
    if after is not None:
        _move_behind(version, procedure_id, after)
    code = db.session.scalar(select(Procedure.code).where(Procedure.id == procedure_id))
    audit_version(actor, ManualAction.PROCEDURE_ADDED, version, new={"code": code})


def take_starters(
    version_id: int, keys: Sequence[str], departments: Mapping[str, int], chapter_key: str, actor: Actor
) -> list[int]:
    """Take procedures from the library of starters.

    :param departments: kind of department → department of the company; kinds that are missing are left out.
    :returns: ids of the new procedures. Those that the draft has already are passed over.
    """
    version = load_draft(version_id, actor)
    language = version.manual.language
    there = dict(
        db.session.execute(
            select(Procedure.starter, Procedure.id)
            .join(VersionProcedure, VersionProcedure.procedure_id == Procedure.id)
            .where(VersionProcedure.version_id == version.id, Procedure.starter != "")
        ).all()
    )
    made: dict[str, int] = {}
    chosen = []
    for key in keys:
        item = library.starter(key, language)
        if item is None:
            raise Invalid([("keys", _("This starter procedure does not exist."))])
        if key not in there and key not in made:
            code = free_code(version.manual_id, item.code)
            made[key] = _place(version, chapter_key, code, _starter_data(item, departments), starter=key)
            chosen.append(item)
    _relate(chosen, {**there, **made}, made)
    renumber(version)
    if made:
        audit_version(actor, ManualAction.PROCEDURE_ADDED, version, new={"starters": sorted(made)})
    return list(made.values())


def _starter_data(item: library.Starter, departments: Mapping[str, int]) -> dict[str, Any]:
    letters: dict[int, str] = {}
    for kind, raci in item.raci.items():
        if kind in departments:
            joined = letters.get(departments[kind], "") + raci
            letters[departments[kind]] = "".join(letter for letter in RACI if letter in joined)
    return {
        "title": item.title,
        "trigger": item.trigger,
        "purpose": item.purpose,
        "records": item.records,
        "measures": item.measures,
        "steps": [
            {
                "key": revisions.new_key(),
                "position": number,
                "who": step.who,
                "what": step.what,
                "record": step.record,
                "limit_amount": step.limit_amount,
                "limit_unit": step.limit_unit,
                "limit_text": step.limit_text,
                "standard": step.standard,
                "is_check": step.is_check,
                "is_stop": step.is_stop,
            }
            for number, step in enumerate(item.steps, start=1)
        ],
        "forms": [],
        "departments": sorted([department, raci] for department, raci in letters.items()),
        "roles": sorted(item.roles),
        "related": [],
    }


def _relate(items: Iterable[library.Starter], known: Mapping[str, int], made: Mapping[str, int]) -> None:
    """Relations among starters, as far as both ends are there."""
    for item in items:
        place = db.session.scalars(
            select(ProcedureRevision.id).where(ProcedureRevision.procedure_id == made[item.key])
        ).one()
        kinds = {known[key]: AFTER for key in item.after if key in known}
        for key in item.see:
            if key in known:
                kinds.setdefault(known[key], SEE_ALSO)
        db.session.add_all(
            RevisionRelation(revision_id=place, related_id=other, kind=kind) for other, kind in kinds.items()
        )
    db.session.flush()


def free_code(manual_id: int, wanted: str) -> str:
    """The code itself when it is free; else the next number behind it."""
    taken = set(db.session.scalars(select(Procedure.code).where(Procedure.manual_id == manual_id)))
    code = wanted[:30]
    while code in taken:
        match = _NUMBER.match(code)
        if match is None:
            code = f"{code[:27]}-2"
        else:
            digits = str(int(match[2]) + 1).zfill(len(match[2]))
            code = f"{match[1][: 30 - len(digits)]}{digits}"
    return code


def duplicate_procedure(version_id: int, procedure_id: int, actor: Actor) -> int:
    """A copy of a procedure behind it, with a code of its own. Returns its id."""
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    data = revisions.snapshot(place.revision_id)
    data["title"] = _("%(title)s (copy)", title=data["title"][:180])
    for step in data["steps"]:
        step["key"] = revisions.new_key()
    original = db.session.get_one(Procedure, procedure_id)
    code = free_code(version.manual_id, original.code)
    copy_id = _place(version, place.chapter_key, code, data)
    _finish(version, copy_id, actor, procedure_id)
    return copy_id


def remove_procedures(version_id: int, procedure_ids: Sequence[int], actor: Actor) -> list[str]:
    """Take procedures out of a draft; undo brings them back. Earlier versions, and checklist runs by them, keep theirs.

    :returns: codes of those that others named as related; these relations are gone too.
    """
    version = load_draft(version_id, actor)
    names = ("procedure_id", "revision_id", "chapter_key", "position")
    places = [revisions.placed(version, one) for one in dict.fromkeys(procedure_ids)]
    if not places:
        return []
    rows = [{name: getattr(place, name) for name in names} for place in places]
    remember(version, "list", {"procedures": rows}, actor)
    gone = [place.procedure_id for place in places]
    for place in places:
        db.session.delete(place)
    db.session.flush()
    unlinked = _unlink(version, gone, actor)
    renumber(version)
    codes = list(db.session.scalars(select(Procedure.code).where(Procedure.id.in_(gone))))
    audit_version(actor, ManualAction.PROCEDURE_REMOVED, version, old={"codes": sorted(codes)})
    return unlinked


def _unlink(version: ManualVersion, gone: Sequence[int], actor: Actor) -> list[str]:
    """Relations to procedures that were taken out would lead nowhere."""
    rows = db.session.execute(
        select(VersionProcedure.procedure_id, Procedure.code)
        .join(RevisionRelation, RevisionRelation.revision_id == VersionProcedure.revision_id)
        .join(Procedure, Procedure.id == VersionProcedure.procedure_id)
        .where(VersionProcedure.version_id == version.id, RevisionRelation.related_id.in_(gone))
        .distinct()
    ).all()
    for procedure_id, _code in rows:
        own = revisions.own_revision(version, procedure_id)
        data = revisions.snapshot(own.id)
        data["related"] = [pair for pair in data["related"] if pair[0] not in gone]
        revisions.write_text(own, data, actor)
    return sorted(code for _id, code in rows)


def move_procedure(version_id: int, procedure_id: int, chapter_key: str, position: int, actor: Actor) -> None:
    """Put a procedure at a place (from 1) among those of a chapter."""
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    load_chapter(version, chapter_key)
    others = _in_chapter(version, chapter_key, without=procedure_id)
    others.insert(min(max(position, 1), len(others) + 1) - 1, place)
    place.chapter_key = chapter_key
    _number(version, chapter_key, others)


def shift_procedure(version_id: int, procedure_id: int, by: int, actor: Actor) -> None:
    """Move a procedure up (-1) or down (+1); beyond its chapter's end into the next one."""
    version = load_draft(version_id, actor)
    place = revisions.placed(version, procedure_id)
    rows = _in_chapter(version, place.chapter_key)
    index = [row.procedure_id for row in rows].index(procedure_id)
    target = index + by
    if 0 <= target < len(rows):
        rows.insert(target, rows.pop(index))
        _number(version, place.chapter_key, rows)
        return
    keys = list(
        db.session.scalars(select(Chapter.key).where(Chapter.version_id == version.id).order_by(Chapter.position))
    )
    beyond = keys.index(place.chapter_key) + (1 if by > 0 else -1)
    if not 0 <= beyond < len(keys):
        return
    into = _in_chapter(version, keys[beyond])
    place.chapter_key = keys[beyond]
    _number(version, keys[beyond], [place, *into] if by > 0 else [*into, place])


def _in_chapter(version: ManualVersion, key: str, without: int | None = None) -> list[VersionProcedure]:
    rows = db.session.scalars(
        select(VersionProcedure)
        .where(VersionProcedure.version_id == version.id, VersionProcedure.chapter_key == key)
        .order_by(VersionProcedure.position, VersionProcedure.procedure_id)
    )
    return [row for row in rows if row.procedure_id != without]


def _number(version: ManualVersion, key: str, rows: Sequence[VersionProcedure]) -> None:
    """Write the order of one chapter, then that of the whole."""
    first = min((row.position for row in rows), default=1)
    for offset, row in enumerate(rows):
        row.position = first + offset
    db.session.flush()
    renumber(version)


def _move_behind(version: ManualVersion, procedure_id: int, after: int) -> None:
    anchor = db.session.get(VersionProcedure, (version.id, after))
    if anchor is None:
        raise NotFound()
    place = revisions.placed(version, procedure_id)
    rows = _in_chapter(version, anchor.chapter_key, without=procedure_id)
    rows.insert([row.procedure_id for row in rows].index(after) + 1, place)
    place.chapter_key = anchor.chapter_key
    _number(version, anchor.chapter_key, rows)
