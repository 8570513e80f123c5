"""Telling people. Everything is written in the caller's transaction; mail leaves after the commit."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Any

from sqlalchemy import delete, select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.errors import Invalid, NotFound
from portal.core.permissions import Actor
from portal.core.registry import registry
from portal.core.web import safe_next
from portal.extensions import db
from portal.i18n import _
from portal.notifications.actions import NoticeAction
from portal.notifications.kinds import Message, NoticeKind, encode
from portal.notifications.models import Channel, Notice, NoticePreference, OutboxMessage, OutboxState
from portal.org.models import User

ABOUT_LENGTH = 100
URL_LENGTH = 500
MESSAGE_ID_DOMAIN = "portal.invalid"


@dataclass(frozen=True)
class CalendarPart:
    """A calendar entry that goes along with a mail. :ivar method: REQUEST or CANCEL. :ivar text: RFC 5545."""

    method: str
    text: str


def notify(
    user_ids: Iterable[int],
    kind: str,
    *,
    title: object,
    body: object = "",
    url: str = "",
    actor: Actor | None = None,
    about: str = "",
) -> list[Notice]:
    """Tell people something, each by the channels that he chose.

    :param user_ids: who; those who left are passed over, nobody is told twice.
    :param kind: key of a registered `NoticeKind`.
    :param title: one line: `message("…", …)` so that each reader sees his language, or a plain text.
    :param url: path within the portal that the notice leads to.
    :param actor: who caused it.
    :param about: e.g. "request:12"; an unread notice of the same kind about the same is replaced, not doubled, and mail
        is not sent again for the same words.
    :raises KeyError: for an unknown kind. :raises Invalid: for line breaks in the title.
    """
    definition: NoticeKind = registry("notice_kinds")[kind]
    kept_title, kept_body = encode(title), encode(body) if body else ""
    refuse_line_breaks(title)
    path = safe_next(url, "")[:URL_LENGTH]
    about = about[:ABOUT_LENGTH]
    wanted = sorted(set(user_ids))
    if not wanted:
        return []
    people = db.session.execute(
        select(User.id, User.email, User.language, NoticePreference.channel)
        .outerjoin(NoticePreference, (NoticePreference.user_id == User.id) & (NoticePreference.kind == kind))
        .where(User.id.in_(wanted), User.is_active)
        .order_by(User.id)
    ).all()
    earlier: dict[int, Notice] = {}
    if about:
        earlier = {
            notice.user_id: notice
            for notice in db.session.scalars(
                select(Notice)
                .where(Notice.user_id.in_(wanted), Notice.read_at.is_(None))
                .where(Notice.kind == kind, Notice.about == about)
                .order_by(Notice.id)
            )
        }
    now = clock.now()
    told: list[Notice] = []
    for person in people:
        channel = channel_of(definition, person.channel)
        if channel == Channel.NONE:
            continue
        before = earlier.get(person.id)
        if before is not None:
            same = before.title == kept_title and before.body == kept_body
            db.session.execute(delete(Notice).where(Notice.id == before.id))
            db.session.expunge(before)
        else:
            same = False
        notice = Notice(
            user_id=person.id,
            kind=kind,
            about=about,
            title=kept_title,
            body=kept_body,
            url=path,
            actor_id=actor.user_id if actor else None,
            actor_name=actor.name if actor and not actor.is_system else "",
            created_at=now,
            is_for_digest=channel == Channel.DIGEST,
        )
        db.session.add(notice)
        told.append(notice)
        if channel == Channel.MAIL and not same and is_address(person.email):
            item = {"title": kept_title, "body": kept_body, "url": path, "at": now.isoformat()}
            if before is not None and _replace_waiting(person.id, kind, about, kept_title, item):
                continue
            _put_into_outbox(
                person.email,
                encoded_subject=kept_title,
                items=[item],
                kind=kind,
                user_id=person.id,
                about=about,
                language=person.language,
            )
    db.session.flush()
    return told


def channel_of(kind: NoticeKind, chosen: str | None) -> str:
    """The channel in force for a kind: the person's choice, else the default; mandatory kinds are never silent."""
    if chosen is None:
        return Channel.MAIL if kind.default_mail else Channel.PORTAL
    return Channel.PORTAL if kind.mandatory and chosen == Channel.NONE else chosen


def queue_mail(
    to_address: str,
    *,
    subject: object,
    body: object = "",
    url: str = "",
    kind: str = "",
    user_id: int | None = None,
    language: str = "",
    calendar: CalendarPart | None = None,
) -> OutboxMessage:
    """Put one mail into the outbox (e.g. to an address that is no user's).

    :param subject: `message(…)` or a plain text, one line.
    :param calendar: an invitation, attached so that the reader's program offers to accept it.
    :raises Invalid: for an address that is none, and for line breaks in subject or address.
    """
    refuse_line_breaks(subject)
    item = {
        "title": encode(subject),
        "body": encode(body) if body else "",
        "url": safe_next(url, ""),
        "at": clock.now().isoformat(),
    }
    if calendar is not None:
        item |= {"calendar": calendar.text, "method": calendar.method}
    row = _put_into_outbox(
        to_address, encoded_subject=encode(subject), items=[item], kind=kind, user_id=user_id, language=language
    )
    db.session.flush()
    return row


def _replace_waiting(user_id: int, kind: str, about: str, encoded_subject: str, item: Mapping[str, Any]) -> bool:
    """Give a mail that nobody has begun to send the newer words; False when there is none."""
    done = db.session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.user_id == user_id, OutboxMessage.state == OutboxState.QUEUED)
        .where(OutboxMessage.kind == kind, OutboxMessage.about == about, OutboxMessage.attempts == 0)
        .values(subject=encoded_subject, items=json.dumps([item], ensure_ascii=False))
    )
    return bool(rows_changed(done))


def mail_address(user_id: int) -> str:
    """A person's address, "" when there is none."""
    return db.session.scalar(select(User.email).where(User.id == user_id)) or ""


def is_address(address: str) -> bool:
    """Whether mail can be sent there; a person whose address is wrong still gets the notice in the portal."""
    try:
        check_address(address)
    except Invalid:
        return False
    return True


def _put_into_outbox(
    to_address: str,
    *,
    encoded_subject: str,
    items: Sequence[Mapping[str, Any]],
    kind: str,
    user_id: int | None,
    language: str,
    about: str = "",
    template: str = "notice",
) -> OutboxMessage:
    now = clock.now()
    row = OutboxMessage(
        to_address=check_address(to_address),
        subject=encoded_subject,
        items=json.dumps(list(items), ensure_ascii=False),
        kind=kind,
        user_id=user_id,
        about=about,
        language=language,
        template=template,
        message_id=f"<{secrets.token_hex(16)}@{MESSAGE_ID_DOMAIN}>",
        created_at=now,
        next_at=now,
    )
    db.session.add(row)
    return row


def put_digest(
    to_address: str, encoded_subject: str, items: Sequence[Mapping[str, Any]], user_id: int, language: str
) -> OutboxMessage:
    """Put a digest into the outbox (the daily job's)."""
    row = _put_into_outbox(
        to_address,
        encoded_subject=encoded_subject,
        items=items,
        kind="digest",
        user_id=user_id,
        language=language,
        template="digest",
    )
    db.session.flush()
    return row


def refuse_line_breaks(text: object) -> None:
    """Refuse control characters in what becomes a mail header. :raises Invalid: when there are any."""
    parts = [text.msgid, *(value for _name, value in text.params)] if isinstance(text, Message) else [text]
    if any(ord(character) < 32 or ord(character) == 127 for part in parts for character in str(part)):
        raise Invalid(_("A subject cannot contain line breaks."))


def check_address(address: str) -> str:
    """The address when it is one. :raises Invalid: otherwise (line breaks, several addresses, no domain)."""
    refuse_line_breaks(address)
    try:
        parsed = Address(addr_spec=address.strip())
    except Exception as error:
        raise Invalid(_("This is not an e-mail address: %(address)s", address=address[:100])) from error
    if not parsed.username or not parsed.domain:
        raise Invalid(_("This is not an e-mail address: %(address)s", address=address[:100]))
    return parsed.addr_spec


def mark_read(notice_id: int, user_id: int) -> Notice:
    """Mark one's own notice as read. :raises NotFound: when it is not one's own."""
    notice = db.session.get(Notice, notice_id)
    if notice is None or notice.user_id != user_id:
        raise NotFound()
    if notice.read_at is None:
        notice.read_at = clock.now()
        notice.is_for_digest = False
        db.session.flush()
    return notice


def mark_all_read(user_id: int, up_to: int, kind: str = "") -> int:
    """Mark what one has seen as read; what came in meanwhile stays unread. Returns how many.

    :param up_to: the newest notice that was on the page.
    """
    statement = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None), Notice.id <= up_to)
    if kind:
        statement = statement.where(Notice.kind == kind)
    done = db.session.execute(statement.values(read_at=clock.now(), is_for_digest=False))
    return rows_changed(done)


def choose_channels(actor: Actor, choices: Mapping[str, str]) -> int:
    """Keep the actor's own choices: kind → channel. Returns how many changed.

    :raises Invalid: for an unknown kind or channel, or silence where there may be none.
    """
    kinds = registry("notice_kinds")
    errors: list[tuple[str, object]] = []
    for key, channel in choices.items():
        kind = kinds.get(key)
        if kind is None or channel not in set(Channel):
            errors.append((key, _("Choose one of the offered ways.")))
        elif kind.mandatory and channel == Channel.NONE:
            errors.append((key, _("This notice cannot be switched off.")))
    if errors:
        raise Invalid(errors)
    user_id = actor.user_id
    if user_id is None:
        raise NotFound()
    present = {
        row.kind: row for row in db.session.scalars(select(NoticePreference).where(NoticePreference.user_id == user_id))
    }
    old: dict[str, str] = {}
    new: dict[str, str] = {}
    for key, channel in choices.items():
        row = present.get(key)
        before = channel_of(kinds[key], row.channel if row else None)
        if channel == before:
            continue
        old[key], new[key] = before, channel
        if row is None:
            db.session.add(NoticePreference(user_id=user_id, kind=key, channel=channel))
        else:
            row.channel = channel
    db.session.flush()
    if new:
        record(
            actor,
            NoticeAction.PREFERENCES_CHANGED,
            object_type="user",
            object_id=user_id,
            object_label=actor.name,
            old=old,
            new=new,
        )
    return len(new)


def retry_message(message_id: int, actor: Actor) -> OutboxMessage:
    """Send a failed message again. :raises NotFound: when there is none that failed."""
    row = db.session.get(OutboxMessage, message_id)
    if row is None or row.state != OutboxState.FAILED:
        raise NotFound()
    # The time of giving up counts anew; the Message-ID stays, so the reader's program still knows it for one.
    now = clock.now()
    row.state, row.attempts, row.next_at, row.created_at, row.error = OutboxState.QUEUED, 0, now, now, ""
    db.session.flush()
    record(actor, NoticeAction.MESSAGE_RETRIED, object_type="outbox_message", object_id=row.id, object_label=row.kind)
    return row
