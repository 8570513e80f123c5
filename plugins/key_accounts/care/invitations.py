"""Invitations to meetings by mail, with the meeting as a calendar entry that the guest's own program takes up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from plugins.key_accounts.care import ics
from plugins.key_accounts.care.models import CANCELLED, Meeting, MeetingGuest
from portal.core import clock
from portal.core.paths import host_name, path_for
from portal.customers.models import Contact, Customer
from portal.extensions import db
from portal.notifications.kinds import message
from portal.notifications.services import is_address, notify, queue_mail
from portal.org.actor import Actor
from portal.org.models import User

NOTICE = "key_accounts.meeting"
#: Guests who answered so want to know no more.
SILENT = ("declined", "came")


@dataclass(frozen=True)
class Sent:
    """How many were written to, and the names of those who have to be told otherwise."""

    mailed: int
    others: tuple[str, ...]


def reachable(contact: Contact) -> bool:
    """Whether a person may be written to: has an address and agreed to messages."""
    return contact.message_consent and is_address(contact.email)


def send(meeting: Meeting, contacts: Iterable[Contact], is_news: bool = True) -> Sent:
    """Put an invitation, or what became of it, into the outbox for each of them; sent after the commit.

    The calendar entry keeps its name, so that a changed or cancelled meeting takes the place of the earlier one.
    Nothing in the mail leads into the portal: guests are outsiders.

    :param is_news: False when they know of the meeting already and it was changed.
    """
    organiser = db.session.get(User, meeting.organiser_id) if meeting.organiser_id else None
    day = clock.local(meeting.starts_at).strftime("%Y-%m-%d %H:%M")
    if meeting.state == CANCELLED:
        subject = message("Called off: %(title)s, %(day)s", title=meeting.title, day=day)
    elif is_news:
        subject = message("Invitation: %(title)s, %(day)s", title=meeting.title, day=day)
    else:
        subject = message("Changed: %(title)s, %(day)s", title=meeting.title, day=day)
    mailed, others = 0, []
    for contact in contacts:
        if not reachable(contact):
            others.append(contact.name)
            continue
        queue_mail(
            contact.email,
            subject=subject,
            body=message(
                "To %(name)s\nBegins: %(day)s (%(minutes)s minutes)\nPlace: %(place)s\nOrganiser: %(organiser)s\n"
                "%(agenda)s",
                name=contact.name,
                day=day,
                minutes=meeting.minutes,
                place=meeting.place or "—",
                organiser=organiser.name if organiser else "—",
                agenda=meeting.agenda,
            ),
            kind=NOTICE,
            calendar=ics.invitation_of(meeting, contact, organiser, host_name()),
        )
        mailed += 1
    return Sent(mailed, tuple(others))


def tell_guests(meeting: Meeting) -> Sent:
    """Tell the guests who have not declined that the meeting was changed or called off."""
    statement = (
        select(Contact)
        .join(MeetingGuest, MeetingGuest.contact_id == Contact.id)
        .where(MeetingGuest.meeting_id == meeting.id, MeetingGuest.answer.not_in(SILENT), Contact.is_active)
        .order_by(Contact.id)
    )
    return send(meeting, db.session.scalars(statement), is_news=False)


def tell_colleagues(meeting: Meeting, actor: Actor) -> None:
    """Tell the organiser and the account managers of the guests that a meeting was planned, changed or called off."""
    managers = db.session.scalars(
        select(Customer.account_manager_id)
        .join(MeetingGuest, MeetingGuest.customer_id == Customer.id)
        .where(MeetingGuest.meeting_id == meeting.id, Customer.account_manager_id.is_not(None))
        .distinct()
    )
    concerned = {*managers, meeting.organiser_id} - {None, actor.user_id}
    day = clock.local(meeting.starts_at).strftime("%Y-%m-%d %H:%M")
    is_off = meeting.state == CANCELLED
    notify(
        [key for key in concerned if key is not None],
        NOTICE,
        title=message("Called off: %(title)s, %(day)s", title=meeting.title, day=day)
        if is_off
        else message("Meeting: %(title)s, %(day)s", title=meeting.title, day=day),
        url=path_for("key_accounts.meeting", meeting_id=meeting.id),
        actor=actor,
        about=f"key_accounts_meeting:{meeting.id}",
    )
