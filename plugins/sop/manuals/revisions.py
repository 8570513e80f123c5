"""Texts of procedures in a draft: copied when first edited, read as plain data, written from plain data.

The plain data (`snapshot`) is what undo keeps and what duplicating and starters write; JSON values alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from plugins.sop.manuals.indexing import index_revisions, search_text
from plugins.sop.manuals.models import (
    Attachment,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    RevisionDepartment,
    RevisionRelation,
    RevisionRole,
    Step,
    VersionProcedure,
)
from portal.core import clock
from portal.core.errors import NotFound
from portal.extensions import db
from portal.org.actor import Actor

TEXTS = ("title", "trigger", "purpose", "records", "measures")
STEP_COLUMNS = (
    "key",
    "position",
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
FORM_COLUMNS = ("position", "code", "title", "file_name", "media_type", "size", "storage_key")


def new_key() -> str:
    """A key for a step or chapter: 12 hexadecimal digits."""
    return secrets.token_hex(6)


def placed(version: ManualVersion, procedure_id: int) -> VersionProcedure:
    """Where a version has a procedure. :raises NotFound: nowhere."""
    found = db.session.get(VersionProcedure, (version.id, procedure_id))
    if found is None:
        raise NotFound()
    return found


def snapshot(revision_id: int) -> dict[str, Any]:
    """Everything a text says, as JSON values."""
    revision = db.session.get_one(ProcedureRevision, revision_id)
    return {
        **{name: getattr(revision, name) for name in TEXTS},
        "steps": _rows(Step, STEP_COLUMNS, revision_id),
        "forms": _rows(Attachment, FORM_COLUMNS, revision_id),
        "departments": _pairs(RevisionDepartment, "department_id", "raci", revision_id),
        "roles": sorted(db.session.scalars(select(RevisionRole.role).where(RevisionRole.revision_id == revision_id))),
        "related": _pairs(RevisionRelation, "related_id", "kind", revision_id),
    }


def _rows(model: Any, columns: tuple[str, ...], revision_id: int) -> list[dict[str, Any]]:
    statement = select(*(getattr(model, name) for name in columns)).where(model.revision_id == revision_id)
    return [dict(zip(columns, row, strict=True)) for row in db.session.execute(statement.order_by(model.position))]


def _pairs(model: Any, first: str, second: str, revision_id: int) -> list[list[Any]]:
    statement = select(getattr(model, first), getattr(model, second)).where(model.revision_id == revision_id)
    return sorted([list(row) for row in db.session.execute(statement)])


def own_revision(version: ManualVersion, procedure_id: int) -> ProcedureRevision:
    """The text of a procedure that belongs to this draft alone; copied from the shared one when there is none yet."""
    place = placed(version, procedure_id)
    revision = db.session.get_one(ProcedureRevision, place.revision_id)
    if revision.origin_version_id == version.id:
        return revision
    data = snapshot(revision.id)
    copy = ProcedureRevision(
        procedure_id=procedure_id,
        origin_version_id=version.id,
        **{name: data[name] for name in TEXTS},
        search_text=revision.search_text,
        # Counts on, so that a form opened before the copy is recognised as old.
        edit_version=revision.edit_version,
    )
    db.session.add(copy)
    db.session.flush()
    write_parts(copy, data)
    place.revision_id = copy.id
    db.session.flush()
    return copy


def write_text(revision: ProcedureRevision, data: Mapping[str, Any], actor: Actor) -> None:
    """Replace a draft's text by plain data, count the save, index it."""
    for name in TEXTS:
        setattr(revision, name, data[name])
    revision.edit_version += 1
    revision.edited_at = clock.now()
    revision.edited_by_id = actor.user_id
    db.session.flush()
    write_parts(revision, data)
    index(revision, data)


def write_parts(revision: ProcedureRevision, data: Mapping[str, Any]) -> None:
    """Replace steps, forms, departments, roles and relations of a draft's text."""
    for model in (Step, Attachment, RevisionDepartment, RevisionRole, RevisionRelation):
        db.session.execute(delete(model).where(model.revision_id == revision.id))
    steps = [
        {**{name: row[name] for name in STEP_COLUMNS}, "revision_id": revision.id, "position": position}
        for position, row in enumerate(data["steps"], start=1)
    ]
    forms = [
        {**{name: row[name] for name in FORM_COLUMNS}, "revision_id": revision.id, "position": position}
        for position, row in enumerate(data["forms"], start=1)
    ]
    departments = [
        {"revision_id": revision.id, "department_id": one, "raci": letters} for one, letters in data["departments"]
    ]
    roles = [{"revision_id": revision.id, "role": role} for role in data["roles"]]
    related = [{"revision_id": revision.id, "related_id": one, "kind": kind} for one, kind in data["related"]]
    for model, rows in (
        (Step, steps),
        (Attachment, forms),
        (RevisionDepartment, departments),
        (RevisionRole, roles),
        (RevisionRelation, related),
    ):
        if rows:
            db.session.execute(insert(model), rows)


def index(revision: ProcedureRevision, data: Mapping[str, Any]) -> None:
    """Keep the search terms and the searched text of a draft's text up to date."""
    code = db.session.scalar(select(Procedure.code).where(Procedure.id == revision.procedure_id)) or ""
    words = [code, *(data[name] for name in TEXTS)]
    for step in data["steps"]:
        words += [step["who"], step["what"], step["record"], step["standard"]]
    words += [form["title"] for form in data["forms"]]
    revision.search_text = search_text(words)
    db.session.flush()
    index_revisions([(revision, code)])
