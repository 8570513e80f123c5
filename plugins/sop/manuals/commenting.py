"""Remarks on a version in writing or under review: threads on a step, a procedure, a chapter or the whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from plugins.sop import permissions
from plugins.sop.actions import ManualAction
from plugins.sop.manuals.base import audit_version
from plugins.sop.manuals.models import Chapter, Comment, ManualVersion, Step, VersionProcedure
from plugins.sop.manuals.sight import load_seen, may_comment
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor
from portal.org.models import User

LENGTH = 2_000
NOTICE = "sop.review"


@dataclass(frozen=True)
class Remark:
    """One remark of a thread."""

    comment_id: int
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A remark with its answers. `place`: ("chapter", key), ("procedure", id), ("step", "id:key") or ("", "")."""

    comment_id: int
    chapter_key: str
    procedure_id: int | None
    step_key: str
    remarks: tuple[Remark, ...]
    resolved_by: str
    resolved_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still has to be settled."""
        return self.resolved_at is None


@dataclass(frozen=True)
class Place:
    """What a remark is about; empty: the whole version."""

    chapter_key: str = ""
    procedure_id: int | None = None
    step_key: str = ""


def write_comment(version_id: int, place: Place, text: str, actor: Actor, thread_id: int | None = None) -> Comment:
    """Write a remark, or an answer to one. The other side is told: editors of reviewers' remarks and the reverse.

    :raises NotAllowed: only those who write or review it. :raises Invalid: no text.
    """
    version = load_seen(version_id, actor)
    if not may_comment(version, actor):
        raise NotAllowed(_("Remarks are written by those who write or review a version, until it is published."))
    words = text.strip()
    if not words or len(words) > LENGTH:
        raise Invalid([("text", _("Write a remark of at most %(n)s characters.", n=LENGTH))])
    if thread_id is not None:
        first = db.session.get(Comment, thread_id)
        if first is None or first.version_id != version.id or first.thread_id is not None:
            raise NotFound()
        place = Place(first.chapter_key, first.procedure_id, first.step_key)
    else:
        _check_place(version, place)
    comment = Comment(
        version_id=version.id,
        chapter_key=place.chapter_key,
        procedure_id=place.procedure_id,
        step_key=place.step_key,
        thread_id=thread_id,
        text=words,
        at=clock.now(),
        by_id=actor.user_id or 0,
    )
    db.session.add(comment)
    db.session.flush()
    audit_version(actor, ManualAction.COMMENTED, version, new={"comment": comment.id})
    _tell(version, comment, actor)
    return comment


def _check_place(version: ManualVersion, place: Place) -> None:
    if (
        place.chapter_key
        and db.session.scalar(
            select(Chapter.id).where(Chapter.version_id == version.id, Chapter.key == place.chapter_key)
        )
        is None
    ):
        raise NotFound()
    if place.procedure_id is not None:
        found = db.session.get(VersionProcedure, (version.id, place.procedure_id))
        if found is None:
            raise NotFound()
        if (
            place.step_key
            and db.session.scalar(
                select(Step.id).where(Step.revision_id == found.revision_id, Step.key == place.step_key)
            )
            is None
        ):
            raise NotFound()


def _tell(version: ManualVersion, comment: Comment, actor: Actor) -> None:
    """Whoever took part in the thread, and whoever drafted the version."""
    thread = comment.thread_id or comment.id
    people = set(
        db.session.scalars(select(Comment.by_id).where((Comment.thread_id == thread) | (Comment.id == thread)))
    )
    people |= {version.created_by_id} if version.created_by_id else set()
    notify(
        people - {actor.user_id},
        NOTICE,
        title=message("New remark on %(manual)s %(number)s", manual=version.manual.title, number=version.number),
        body=comment.text[:200],
        url=path_for("sop.changes", version_id=version.id),
        actor=actor,
        about=f"sop_comment:{thread}",
    )


def resolve_comment(comment_id: int, resolved: bool, actor: Actor) -> Comment:
    """Settle a thread, or open it again. Those who write the version and who began the thread may."""
    comment = db.session.get(Comment, comment_id)
    if comment is None or comment.thread_id is not None:
        raise NotFound()
    version = load_seen(comment.version_id, actor)
    if not may_comment(version, actor):
        raise Conflict(_("The version is published; its remarks stay as they are."))
    if comment.by_id != actor.user_id and not can(actor, permissions.EDIT, version.manual_id):
        raise NotAllowed(_("A remark is settled by those who write the version or by whoever made it."))
    if resolved == (comment.resolved_at is not None):
        return comment
    comment.resolved_at = clock.now() if resolved else None
    comment.resolved_by_id = actor.user_id if resolved else None
    db.session.flush()
    audit_version(actor, ManualAction.COMMENT_RESOLVED, version, new={"comment": comment.id, "resolved": resolved})
    return comment


def threads_of(version_id: int) -> list[Thread]:
    """All threads of a version, oldest first; one statement."""
    resolver = aliased(User)
    rows = db.session.execute(
        select(Comment, User.name, resolver.name.label("resolver"))
        .join(User, User.id == Comment.by_id)
        .outerjoin(resolver, resolver.id == Comment.resolved_by_id)
        .where(Comment.version_id == version_id)
        .order_by(Comment.id)
        .limit(2_000)
    ).all()
    remarks: dict[int, list[Remark]] = defaultdict(list)
    for comment, name, _resolver in rows:
        remarks[comment.thread_id or comment.id].append(Remark(comment.id, comment.text, name, comment.at))
    return [
        Thread(
            comment.id,
            comment.chapter_key,
            comment.procedure_id,
            comment.step_key,
            tuple(remarks[comment.id]),
            resolver_name or "",
            comment.resolved_at,
        )
        for comment, _name, resolver_name in rows
        if comment.thread_id is None
    ]


def open_threads(version_id: int) -> int:
    """How many threads of a version are not settled."""
    statement = select(func.count()).where(
        Comment.version_id == version_id, Comment.thread_id.is_(None), Comment.resolved_at.is_(None)
    )
    return int(db.session.scalar(statement) or 0)
