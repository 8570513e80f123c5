"""Search terms of procedures: the core's way for names (suffixes, pinyin, initials), and folded text for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert

from plugins.sop.manuals.models import ProcedureRevision, ProcedureTerm
from portal.core.text import fold, suffix_terms
from portal.extensions import db

NAME, PINYIN, INITIALS = 1, 2, 3
#: Folded text kept for searching, characters.
TEXT = 20_000


def terms_of(code: str, title: str) -> set[tuple[int, str]]:
    """(kind, term) pairs under which a procedure is found by its title or code."""
    found: set[tuple[int, str]] = set()
    for name in (title, code):
        terms = suffix_terms(name)
        found.update((NAME, term) for term in terms.name)
        found.update((PINYIN, term) for term in terms.pinyin)
        found.update((INITIALS, term) for term in terms.initials)
    return found


def search_text(parts: Iterable[str]) -> str:
    """The words of a procedure, folded for LIKE."""
    return fold(" ".join(part for part in parts if part))[:TEXT]


def index_revisions(rows: Sequence[tuple[ProcedureRevision, str]]) -> None:
    """Write the terms of (revision, code) pairs anew (flushes only)."""
    ids = [revision.id for revision, _code in rows]
    if not ids:
        return
    db.session.execute(delete(ProcedureTerm).where(ProcedureTerm.revision_id.in_(ids)))
    values = [
        {"kind": kind, "term": term, "revision_id": revision.id}
        for revision, code in rows
        for kind, term in sorted(terms_of(code, revision.title))
    ]
    if values:
        db.session.execute(insert(ProcedureTerm), values)
