"""The daily digest: what came in for people who chose it, in one mail."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update

from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.notifications.kinds import encode, message_n
from portal.notifications.models import Notice
from portal.notifications.services import is_address, put_digest
from portal.org.models import User

#: More notices than this are not listed one by one.
LISTED = 100


def write_digests(cancelled: Callable[[], bool] = lambda: False) -> int:
    """Write one mail per person into the outbox; a transaction for each, so that running it again does nothing twice.

    Returns how many mails were written.
    """
    people = list(
        db.session.scalars(select(Notice.user_id).where(Notice.is_for_digest).distinct().order_by(Notice.user_id))
    )
    db.session.rollback()
    written = 0
    for user_id in people:
        if cancelled():
            break
        with transaction():
            written += _write_one(user_id)
    return written


def _write_one(user_id: int) -> int:
    waiting = db.session.execute(
        select(Notice.id, Notice.title, Notice.body, Notice.url, Notice.created_at, Notice.read_at)
        .where(Notice.user_id == user_id, Notice.is_for_digest)
        .order_by(Notice.id)
    ).all()
    if not waiting:
        return 0
    newest = waiting[-1].id
    db.session.execute(
        update(Notice)
        .where(Notice.user_id == user_id, Notice.is_for_digest, Notice.id <= newest)
        .values(is_for_digest=False)
    )
    user = db.session.execute(select(User.email, User.language, User.is_active).where(User.id == user_id)).one()
    unread = [row for row in waiting if row.read_at is None]
    if not unread or not user.is_active or not is_address(user.email):
        return 0
    items = [
        {"title": row.title, "body": row.body, "url": row.url, "at": row.created_at.isoformat()}
        for row in unread[-LISTED:]
    ]
    subject = message_n(
        "%(num)s new notice on %(day)s", "%(num)s new notices on %(day)s", len(unread), day=clock.today().isoformat()
    )
    put_digest(user.email, encode(subject), items, user_id, user.language)
    return 1
