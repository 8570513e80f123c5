"""What a manual on paper shows, as primitives that JSON can hold: the context of its document.

The context is what decides whether an earlier document can be given again, so nothing in it depends on the moment.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from plugins.sop.export.glossary import glossary_for
from plugins.sop.export.words import classification_words, role_words, state_warning
from plugins.sop.manuals import queries
from plugins.sop.manuals.content import ManualContent, ProcedureContent, Related, Scope
from plugins.sop.manuals.markdown import render as render_markdown
from plugins.sop.runs.vocabulary import limit
from portal.core.text import sort_key
from portal.i18n import _, speaking

#: Departments side by side in one RACI table.
RACI_COLUMNS = 8
#: Names of forms in a step's record: in Chinese title marks, or parts of a list.
_TITLED = re.compile("\u300a([^\u300a\u300b]{1,80})\u300b")
_LIST = re.compile("[\u3001\uff1b;\n]+")


@dataclass(frozen=True)
class Choice:
    """What is to be printed.

    :ivar checklists: with a sheet to tick for every procedure.
    :ivar indexes: with RACI table, index of forms, glossary, index by department.
    """

    scope: Scope = queries.WHOLE
    checklists: bool = True
    indexes: bool = True


def manual_paper(version_id: int, choice: Choice) -> dict[str, Any]:
    """The context of a manual's document, in the manual's own language.

    :raises NotFound: no such version, or nothing of it in the scope.
    """
    content = queries.manual_content(version_id, choice.scope)
    with speaking(content.facts.language):
        return paper_of(
            content,
            choice,
            revisions=[
                {
                    "number": item.number,
                    "effective_from": item.effective_from.isoformat() if item.effective_from else "",
                    "summary": item.summary,
                    "author": item.author,
                }
                for item in queries.revision_record(version_id)
            ],
            signatures=[
                {
                    "name": _("%(name)s for %(other)s", name=item.name, other=item.on_behalf_of)
                    if item.on_behalf_of
                    else item.name,
                    "seat": item.seat,
                    "day": item.day.isoformat(),
                    "opinion": item.opinion,
                }
                for item in queries.signatures(version_id)
                if item.outcome == "approve"
            ],
        )


def paper_of(
    content: ManualContent,
    choice: Choice,
    *,
    revisions: list[dict[str, str]],
    signatures: list[dict[str, str]],
) -> dict[str, Any]:
    """The same from content in memory; the manual's language is being spoken."""
    facts = content.facts
    chapters: list[dict[str, Any]] = []
    for chapter in content.chapters:
        chapters.append(
            {
                "key": chapter.key,
                "anchor": f"c-{_safe(chapter.key)}",
                "number": chapter.number,
                "title": chapter.title,
                "html": str(render_markdown(chapter.body)) if chapter.body else "",
                "procedures": [_procedure(item, content) for item in chapter.procedures],
            }
        )
    procedures = [item for chapter in chapters for item in chapter["procedures"]]
    return {
        "facts": {
            "code": facts.code,
            "title": facts.title,
            "company": facts.company,
            "classification": classification_words(facts.classification),
            "is_confidential": facts.classification == "confidential",
            "department": facts.department,
            "number": facts.number,
            "warning": state_warning(facts.state),
            "summary": facts.summary,
            "effective_from": facts.effective_from.isoformat() if facts.effective_from else "",
            "review_due": facts.review_due.isoformat() if facts.review_due else "",
            "digest": facts.content_digest,
            "language": facts.language,
            "what": scope_words(content),
        },
        "revisions": revisions,
        "signatures": signatures,
        "chapters": chapters,
        "checklists": choice.checklists,
        "whole": choice.scope.is_all,
        "raci": raci_tables(content) if choice.indexes else [],
        "forms": form_index(procedures) if choice.indexes else [],
        "glossary": glossary_for(_text_of(content), facts.language) if choice.indexes else [],
        "by_department": by_department(content) if choice.indexes else [],
    }


def _text_of(content: ManualContent) -> str:
    """The words that the glossary is looked for in."""
    words = [chapter.body for chapter in content.chapters]
    for item in content.procedures:
        words += [item.title, item.trigger, item.purpose, item.records]
        words += [f"{step.what} {step.standard}" for step in item.steps]
    return "\n".join(words)


def scope_words(content: ManualContent) -> str:
    """What part of the manual this is, for the cover."""
    scope = content.scope
    if scope.is_all:
        return _("Standard operating procedures for customer relations")
    if scope.procedure_id is not None and content.procedures:
        procedure = content.procedures[0]
        return f"{procedure.code} {procedure.title}"
    words = []
    if scope.chapter_key and content.chapters:
        chapter = content.chapters[0]
        words.append(_("Chapter %(number)s: %(title)s", number=chapter.number, title=chapter.title))
    if scope.department_id is not None:
        names = {part.department_id: part.name for item in content.procedures for part in item.departments}
        words.append(_("Procedures of the department %(name)s", name=names.get(scope.department_id, "")))
    if scope.role:
        words.append(_("Procedures for: %(role)s", role=role_words(scope.role)))
    return " · ".join(words)


def _procedure(item: ProcedureContent, content: ManualContent) -> dict[str, Any]:
    here = {other.procedure_id for other in content.procedures}

    def related(other: Related) -> dict[str, str]:
        anchor = anchor_of(other.procedure_id) if other.procedure_id in here else ""
        return {"anchor": anchor, "words": f"{other.code} {other.title}".strip()}

    steps = [
        {
            "number": step.number,
            "who": step.who,
            "what": step.what,
            "record": step.record,
            "limit": limit(step),
            "standard": step.standard,
            "is_check": step.is_check,
            "is_stop": step.is_stop,
        }
        for step in item.steps
    ]
    return {
        "anchor": anchor_of(item.procedure_id),
        "checklist_anchor": f"k{item.procedure_id}",
        "id": item.procedure_id,
        "code": item.code,
        "title": item.title,
        "trigger": item.trigger,
        "purpose": item.purpose,
        "records": item.records,
        "measures": item.measures,
        "departments": [{"name": part.name, "raci": part.raci} for part in item.departments],
        "roles": [role_words(role) for role in item.roles],
        "after": [related(other) for other in item.related if other.kind == "after" and other.title],
        "see": [related(other) for other in item.related if other.kind != "after" and other.title],
        "forms": [{"code": form.code, "title": form.title} for form in item.forms],
        "steps": steps,
        "has_stops": any(step["is_stop"] for step in steps),
        "has_checks": any(step["is_check"] for step in steps),
    }


def anchor_of(procedure_id: int) -> str:
    """Name of a procedure's place in the file."""
    return f"p{procedure_id}"


def _safe(key: str) -> str:
    """A chapter's key as a name that needs no quoting."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else hashlib.sha256(key.encode()).hexdigest()[:12]


# ---- indexes -------------------------------------------------------------------------------------------------------


def raci_tables(content: ManualContent) -> list[dict[str, Any]]:
    """Procedures × departments with their letters, at most `RACI_COLUMNS` departments to a table."""
    names: dict[int, str] = {}
    for item in content.procedures:
        for part in item.departments:
            names.setdefault(part.department_id, part.name)
    ids = list(names)
    tables = []
    for start in range(0, len(ids), RACI_COLUMNS):
        columns = ids[start : start + RACI_COLUMNS]
        rows = []
        for item in content.procedures:
            letters = {part.department_id: part.raci for part in item.departments}
            if any(column in letters for column in columns):
                rows.append(
                    {
                        "anchor": anchor_of(item.procedure_id),
                        "words": f"{item.code} {item.title}",
                        "letters": [letters.get(column, "") for column in columns],
                    }
                )
        tables.append({"departments": [names[column] for column in columns], "rows": rows})
    return tables


def form_index(procedures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Forms and records that steps name or procedures carry, each with the procedures that use it."""
    uses: dict[str, list[dict[str, str]]] = {}
    for item in procedures:
        words = [form["title"] for form in item["forms"]]
        for step in item["steps"]:
            words += form_names(step["record"])
        use = {"anchor": item["anchor"], "words": f"{item['code']} {item['title']}"}
        for word in words:
            found = uses.setdefault(word, [])
            if use not in found:
                found.append(use)
    return [{"name": name, "uses": uses[name]} for name in sorted(uses, key=sort_key)]


def form_names(record: str) -> list[str]:
    """Names of forms in a step's record: what stands in title marks, else the parts of the list."""
    titled = _TITLED.findall(record)
    return titled or [part.strip() for part in _LIST.split(record) if part.strip()]


def by_department(content: ManualContent) -> list[dict[str, Any]]:
    """Departments with their procedures."""
    groups: dict[int, dict[str, Any]] = {}
    for item in content.procedures:
        for part in item.departments:
            group = groups.setdefault(part.department_id, {"name": part.name, "uses": []})
            group["uses"].append({"anchor": anchor_of(item.procedure_id), "code": item.code, "title": item.title})
    return list(groups.values())
