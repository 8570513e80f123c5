"""Reading notices and the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select

from portal.core.numbers import id_from
from portal.core.permissions import Actor
from portal.core.registry import registry
from portal.core.together import Question
from portal.extensions import db
from portal.notifications.kinds import NoticeKind, render
from portal.notifications.models import Channel, Notice, NoticePreference, OutboxMessage, OutboxState
from portal.notifications.services import channel_of

PAGE_SIZE = 30
#: The badge says "99+" beyond.
COUNT_LIMIT = 100


@dataclass(frozen=True)
class NoticeLine:
    """One notice in the reader's language."""

    id: int
    kind_title: str
    title: str
    body: str
    url: str
    actor_name: str
    created_at: datetime
    is_unread: bool


@dataclass(frozen=True)
class NoticePage:
    """A page of notices; cursors are None where there is nothing further."""

    lines: list[NoticeLine]
    newest_id: int
    next_cursor: str | None


@dataclass(frozen=True)
class Choice:
    """A kind and the channel in force, for the page of choices."""

    kind: NoticeKind
    channel: str
    is_default: bool


def unread_count(actor: Actor) -> int:
    """How many unread notices the actor has, counted up to 100; one statement on a partial index."""
    if actor.user_id is None:
        return 0
    return int(db.session.scalar(_unread_statement(), {"person": actor.user_id}) or 0)


def unread_question(actor: Actor) -> Question:
    """The same for the menu, which asks it together with others."""
    return Question(_unread_statement(), {"person": actor.user_id})


@cache
def _unread_statement() -> Select[int]:
    """Built once: every page asks it."""
    person = bindparam("person", type_=Integer)
    inner = select(Notice.id).where(Notice.user_id == person, Notice.read_at.is_(None)).limit(COUNT_LIMIT).subquery()
    return select(func.count()).select_from(inner)


def notice_page(user_id: int, *, only_unread: bool = False, kind: str = "", cursor: str = "") -> NoticePage:
    """A page of a person's notices: unread first, then the read ones, each newest first; at most two statements.

    :param cursor: "u<id>" behind an unread notice, "r<id>" behind a read one; anything else is the first page.
    """
    part, before = _cursor(cursor)
    rows: list[Any] = []
    if part == "u":
        rows = _fetch(user_id, True, kind, before, PAGE_SIZE + 1)
        before = None
    if not only_unread and len(rows) <= PAGE_SIZE:
        rows += _fetch(user_id, False, kind, before, PAGE_SIZE + 1 - len(rows))
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    kinds = registry("notice_kinds")
    lines = []
    for row in rows:
        known = kinds.get(row.kind)
        lines.append(
            NoticeLine(
                id=row.id,
                kind_title=str(known.title) if known else "",
                title=render(row.title),
                body=render(row.body),
                url=row.url,
                actor_name=row.actor_name,
                created_at=row.created_at,
                is_unread=row.read_at is None,
            )
        )
    following = None
    if more:
        last = rows[-1]
        following = f"{'u' if last.read_at is None else 'r'}{last.id}"
    return NoticePage(lines, max((row.id for row in rows), default=0), following)


def _cursor(text: str) -> tuple[str, int | None]:
    part, number = text[:1], id_from(text[1:])
    return (part, number) if part in {"u", "r"} and number is not None else ("u", None)


def _fetch(user_id: int, unread: bool, kind: str, before: int | None, limit: int) -> list[Any]:
    statement = select(
        Notice.id,
        Notice.kind,
        Notice.title,
        Notice.body,
        Notice.url,
        Notice.actor_name,
        Notice.created_at,
        Notice.read_at,
    ).where(Notice.user_id == user_id, Notice.read_at.is_(None) if unread else Notice.read_at.is_not(None))
    if kind:
        statement = statement.where(Notice.kind == kind)
    if before is not None:
        statement = statement.where(Notice.id < before)
    return list(db.session.execute(statement.order_by(Notice.id.desc()).limit(limit)))


def choices_of(user_id: int) -> list[Choice]:
    """Every kind and the person's channel for it; one statement."""
    chosen = {
        row.kind: row.channel
        for row in db.session.execute(
            select(NoticePreference.kind, NoticePreference.channel).where(NoticePreference.user_id == user_id)
        )
    }
    return [
        Choice(kind, channel_of(kind, chosen.get(kind.key)), kind.key not in chosen)
        for kind in sorted(registry("notice_kinds"), key=lambda kind: kind.key)
    ]


def channels_for(kind: NoticeKind) -> list[str]:
    """The channels that may be chosen for a kind."""
    return [channel for channel in Channel if not (kind.mandatory and channel == Channel.NONE)]


def outbox_counts() -> dict[str, int]:
    """How many messages wait and how many failed; one statement over the partial indexes' states."""
    rows = db.session.execute(
        select(OutboxMessage.state, func.count())
        .where(OutboxMessage.state.in_((OutboxState.QUEUED, OutboxState.SENDING, OutboxState.FAILED)))
        .group_by(OutboxMessage.state)
    )
    return {row[0]: row[1] for row in rows}
