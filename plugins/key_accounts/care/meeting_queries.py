"""Reads of meetings with key accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from plugins.key_accounts.care.models import DONE, Meeting, MeetingAction, MeetingGuest
from portal.core.errors import NotFound
from portal.core.permissions import can, visible
from portal.customers.models import Contact, Customer
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User


def meetings_between(begin: datetime, end: datetime) -> list[Meeting]:
    """Meetings that begin in a time, in order."""
    return list(
        db.session.scalars(
            select(Meeting)
            .where(Meeting.starts_at >= begin, Meeting.starts_at < end)
            .order_by(Meeting.starts_at, Meeting.id)
            .limit(100)
        )
    )


def meetings(limit: int = 50) -> list[Meeting]:
    """Meetings, the latest first."""
    return list(
        db.session.scalars(
            select(Meeting)
            .order_by(Meeting.starts_at.desc(), Meeting.id.desc())
            .options(joinedload(Meeting.organiser).lazyload(User.roles))
            .limit(limit)
        )
    )


def meeting_for(meeting_id: int) -> Meeting:
    """A meeting. :raises NotFound: when there is none."""
    row = db.session.get(Meeting, meeting_id, options=[joinedload(Meeting.organiser).lazyload(User.roles)])
    if row is None:
        raise NotFound()
    return row


def guests_of(meeting_id: int, actor: Actor) -> list[Any]:
    """Guests of customers the actor sees; one statement."""
    statement = (
        select(
            MeetingGuest.id,
            MeetingGuest.answer,
            MeetingGuest.customer_id,
            Contact.name,
            Contact.title,
            and_(Contact.message_consent, Contact.email != "").label("is_reachable"),
            Customer.name.label("customer"),
        )
        .join(Customer, Customer.id == MeetingGuest.customer_id)
        .join(Contact, Contact.id == MeetingGuest.contact_id)
        .where(MeetingGuest.meeting_id == meeting_id, visible(actor, VIEW))
        .order_by(Customer.name_sort, Customer.id, Contact.name_sort, MeetingGuest.id)
        .limit(500)
    )
    return list(db.session.execute(statement))


def guest_for(guest_id: int, actor: Actor) -> MeetingGuest:
    """A guest of a visible customer. :raises NotFound: for all others."""
    row = db.session.get(MeetingGuest, guest_id)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    return row


def meeting_actions(meeting_id: int) -> list[MeetingAction]:
    """What was agreed."""
    return list(
        db.session.scalars(
            select(MeetingAction)
            .where(MeetingAction.meeting_id == meeting_id)
            .order_by(MeetingAction.state == DONE, MeetingAction.due_on, MeetingAction.id)
            .options(joinedload(MeetingAction.owner).lazyload(User.roles))
        )
    )
