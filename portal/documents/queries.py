"""Reads of documents; every list goes through the condition of the kinds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, false, func, or_, select

from portal.core.permissions import Actor, Condition, can, narrowed
from portal.core.registry import Registry, registry
from portal.core.together import Question
from portal.core.transaction import once_a_page
from portal.documents.kinds import DocumentKind, of_visible_customers
from portal.documents.models import READY, Document
from portal.extensions import db
from portal.org.models import User

#: Documents on one page of a customer's tab.
PAGE_SIZE = 50


def kinds() -> Registry[DocumentKind]:
    """The kinds of the running application."""
    return registry("document_kinds")


def readable(actor: Actor, customer_id: int | None = None) -> Condition:
    """SQL condition of the documents that lists show to an actor; kinds with the same rule stand in it once.

    :param customer_id: the list is about this customer alone. What his visibility decides is then decided before the
        statement (pages of a customer have asked for it anyway).
    """
    return once_a_page((readable, actor, customer_id), lambda: _readable(actor, customer_id))


def _readable(actor: Actor, customer_id: int | None) -> Condition:
    ruled: dict[Any, list[str]] = {}
    for kind in kinds():
        ruled.setdefault(kind.rows, []).append(kind.key)
    parts: list[tuple[tuple[str, ...], Condition | None]] = []
    for rows, keys in ruled.items():
        if rows is None:
            parts.append((tuple(keys), _made_by(actor.user_id)))
        elif customer_id is None or not isinstance(rows, of_visible_customers):
            parts.append((tuple(keys), rows(actor)))
        elif can(actor, rows.permission, customer_id):
            parts.append((tuple(keys), None))
    return _any_of_kinds(tuple(parts))


# Remembered: every record page asks for documents, and what is the same object is written as SQL only once.


@lru_cache(maxsize=512)
def _made_by(user_id: int | None) -> Condition:
    return Document.made_by_id == user_id


@lru_cache(maxsize=512)
def _any_of_kinds(parts: tuple[tuple[tuple[str, ...], Condition | None], ...]) -> Condition:
    """Documents of some kinds that meet a condition (None: all of them), or of other kinds that meet another."""
    conditions = [
        Document.kind.in_(keys) if rows is None else and_(Document.kind.in_(keys), rows) for keys, rows in parts
    ]
    return or_(*conditions) if conditions else false()


def may_read(actor: Actor, document: Document) -> bool:
    """Whether an actor may read one document: its kind's condition and its kind's word must both allow it."""
    kind = kinds().get(document.kind)
    if kind is None:
        return False
    if kind.rows is not None:
        found = db.session.scalar(select(Document.id).where(Document.id == document.id, kind.rows(actor)))
        if found is None:
            return False
    return kind.may_read(actor, document)


def for_customer(
    actor: Actor, customer_id: int, before: int | None = None, limit: int = PAGE_SIZE
) -> tuple[list[Any], int | None]:
    """Documents about a customer that the actor may see, newest first, one statement.

    :param before: only documents with a smaller id (the next page).
    :returns: rows (id, number, version, title, kind, state, pages, made_at, made_by) and the `before` of the next page.
    """
    where: list[Condition] = [Document.customer_id == customer_id, readable(actor, customer_id)]
    if before is not None:
        where.append(Document.id < before)
    found = list(
        db.session.execute(
            select(
                Document.id,
                Document.number,
                Document.version,
                Document.title,
                Document.kind,
                Document.state,
                Document.pages,
                Document.made_at,
                User.name.label("made_by"),
            )
            .outerjoin(User, User.id == Document.made_by_id)
            .where(*where)
            .order_by(Document.id.desc())
            .limit(limit + 1)
        )
    )
    more = len(found) > limit
    rows = found[:limit]
    return rows, (rows[-1].id if more else None)


def count_question(actor: Actor, customer_id: int) -> Question:
    """How many documents about a customer the actor's list shows."""
    return Question(narrowed(_count_statement(), readable(actor, customer_id)), {"customer_id": customer_id})


@cache
def _count_statement() -> Select[int]:
    return (
        select(func.count())
        .select_from(Document)
        .where(Document.customer_id == bindparam("customer_id", type_=Integer))
    )


def recent_for_customer(actor: Actor, customer_id: int, before: datetime | None, limit: int) -> Sequence[Any]:
    """Finished documents about a customer for the time line, newest first.

    Rows: id, number, title, kind, made_at, made_by.
    """
    where: list[Condition] = [
        Document.customer_id == customer_id,
        Document.state == READY,
        readable(actor, customer_id),
    ]
    if before is not None:
        where.append(Document.made_at < before)
    return db.session.execute(
        select(
            Document.id,
            Document.number,
            Document.title,
            Document.kind,
            Document.made_at,
            User.name.label("made_by"),
        )
        .outerjoin(User, User.id == Document.made_by_id)
        .where(*where)
        .order_by(Document.made_at.desc(), Document.id.desc())
        .limit(limit)
    ).all()


def same_document(kind: str, customer_id: int | None, language: str, data_digest: str) -> Document | None:
    """The newest finished document that shows exactly the same data, if there is one."""
    return db.session.scalar(
        select(Document)
        .where(
            Document.kind == kind,
            Document.customer_id.is_(None) if customer_id is None else Document.customer_id == customer_id,
            Document.language == language,
            Document.data_digest == data_digest,
            Document.state == READY,
        )
        .order_by(Document.id.desc())
        .limit(1)
    )
