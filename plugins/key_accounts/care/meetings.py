"""Changes to meetings with key accounts: plan, invite, answers, minutes, what was agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.care import invitations
from plugins.key_accounts.care.invitations import Sent
from plugins.key_accounts.care.models import CANCELLED, DONE, HELD, OPEN, PLANNED, Meeting, MeetingAction, MeetingGuest
from plugins.key_accounts.care.vocabulary import ANSWERS, MEETING_KINDS
from plugins.key_accounts.permissions import LEAD
from plugins.key_accounts.team.checking import active_user
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotAllowed, NotFound
from portal.core.permissions import can, require
from portal.customers.models import Contact
from portal.customers.permissions import EDIT, VIEW
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


@dataclass(frozen=True)
class MeetingInput:
    """A meeting with key accounts. :ivar agenda: one point a line. :ivar record: the minutes."""

    title: str
    kind: str
    starts_at: datetime | None
    minutes: int | None
    organiser_id: int | None
    place: str = ""
    agenda: str = ""
    record: str = ""
    state: str = PLANNED


def save_meeting(meeting_id: int | None, data: MeetingInput, actor: Actor, version: int | None = None) -> Meeting:
    """Plan a meeting (who leads key accounts), or change it (its organiser, too). One that was held has minutes."""
    row = _meeting(meeting_id, actor, version) if meeting_id is not None else None
    if row is None:
        require(actor, LEAD)
    checker = Checker()
    values = {
        "title": checker.line("title", data.title, 200, required=_("Give the meeting a title.")),
        "kind": data.kind,
        "starts_at": data.starts_at,
        "minutes": data.minutes,
        "place": checker.line("place", data.place, 200),
        "agenda": checker.text("agenda", data.agenda, 3000),
        "record": checker.text("record", data.record, 20000),
        "state": data.state,
    }
    organiser = active_user(data.organiser_id, "organiser_id", checker)
    if data.kind not in MEETING_KINDS:
        checker.add("kind", _("Choose one of the list."))
    if data.state not in (PLANNED, HELD, CANCELLED):
        checker.add("state", _("Choose one of the list."))
    if data.starts_at is None:
        checker.add("starts_at", _("Enter a date and a time."))
    if data.minutes is None or not 15 <= data.minutes <= 3 * 1440:
        checker.add("minutes", _("Between 15 minutes and three days."))
    if data.state == HELD and not values["record"]:
        checker.add("record", _("A meeting that was held has minutes."))
    checker.done()
    assert organiser is not None
    action = KeyAccountAction.MEETING_CREATED if row is None else KeyAccountAction.MEETING_CHANGED
    if row is None:
        row = Meeting(created_at=clock.now())
        db.session.add(row)
    before = None if action == KeyAccountAction.MEETING_CREATED else _told_of(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.organiser_id = organiser.id
    db.session.flush()
    _record_meeting(row, action, actor, {"starts_at": data.starts_at, "state": data.state})
    if row.state != HELD and before != _told_of(row):
        if before is not None:
            invitations.tell_guests(row)
        invitations.tell_colleagues(row, actor)
    return row


def _told_of(row: Meeting) -> tuple[Any, ...]:
    """What guests were told."""
    return (row.title, row.starts_at, row.minutes, row.place, row.agenda, row.state, row.organiser_id)


def invite(meeting_id: int, contact_ids: Sequence[int], actor: Actor) -> Sent:
    """Invite contacts of customers the actor may change, by mail where they agreed to messages; those invited already
    stay and are not written to again."""
    row = _meeting(meeting_id, actor, None, organiser_only=False)
    if row.state != PLANNED:
        raise Conflict(_("This meeting is over."))
    invited = set(db.session.scalars(select(MeetingGuest.contact_id).where(MeetingGuest.meeting_id == row.id)))
    contacts = db.session.scalars(
        select(Contact).where(Contact.id.in_(list(contact_ids)), Contact.is_active).order_by(Contact.id)
    ).all()
    if len(contacts) != len(set(contact_ids)):
        raise NotFound()
    new = []
    for contact in contacts:
        if not can(actor, VIEW, contact.customer_id):
            raise NotFound()
        require(actor, EDIT, contact.customer_id)
        if contact.id not in invited:
            db.session.add(
                MeetingGuest(
                    meeting_id=row.id, customer_id=contact.customer_id, contact_id=contact.id, invited_at=clock.now()
                )
            )
            new.append(contact)
    db.session.flush()
    sent = invitations.send(row, new)
    if new:
        _record_meeting(row, KeyAccountAction.GUESTS_CHANGED, actor, {"invited": len(new), "mailed": sent.mailed})
    return sent


def answer(guest_id: int, value: str, actor: Actor) -> MeetingGuest:
    """Note whether a guest comes, or came."""
    guest = db.session.get(MeetingGuest, guest_id, with_for_update=True)
    if guest is None or not can(actor, VIEW, guest.customer_id):
        raise NotFound()
    require(actor, EDIT, guest.customer_id)
    checker = Checker()
    if value not in ANSWERS:
        checker.add("answer", _("Choose one of the list."))
    checker.done()
    guest.answer = value
    db.session.flush()
    _record_meeting(
        db.session.get_one(Meeting, guest.meeting_id), KeyAccountAction.GUESTS_CHANGED, actor, {"answer": value}
    )
    return guest


def add_meeting_action(
    meeting_id: int, task: str, owner_id: int | None, due_on: date | None, actor: Actor
) -> MeetingAction:
    """Note what was agreed."""
    row = _meeting(meeting_id, actor, None)
    checker = Checker()
    task = checker.line("task", task, 300, required=_("Say what is to be done."))
    owner = active_user(owner_id, "owner_id", checker)
    due_on = checker.day("due_on", due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    checker.done()
    assert owner is not None
    action = MeetingAction(meeting_id=row.id, task=task, owner_id=owner.id, due_on=due_on)
    db.session.add(action)
    db.session.flush()
    _record_meeting(row, KeyAccountAction.MEETING_ACTION, actor, {"task": task, "due_on": due_on})
    return action


def finish_meeting_action(action_id: int, actor: Actor) -> MeetingAction:
    """Done, by its owner, the organiser or who leads key accounts; once more opens it again."""
    action = db.session.get(MeetingAction, action_id, with_for_update=True)
    if action is None:
        raise NotFound()
    meeting = db.session.get_one(Meeting, action.meeting_id)
    if actor.user_id not in (action.owner_id, meeting.organiser_id) and not can(actor, LEAD):
        raise NotAllowed(_("An action is finished by its owner or by the organiser."))
    action.state = OPEN if action.state == DONE else DONE
    db.session.flush()
    _record_meeting(meeting, KeyAccountAction.MEETING_ACTION, actor, {"task": action.task, "state": action.state})
    return action


def hand_over(user: User, successor: User | None) -> None:
    """Somebody left: his planned meetings and what he had agreed to do go to the successor, or have nobody."""
    new_id = successor.id if successor else None
    planned = (Meeting.organiser_id == user.id, Meeting.state == PLANNED)
    db.session.execute(
        update(Meeting).where(*planned).values(organiser_id=new_id).execution_options(synchronize_session="fetch")
    )
    open_actions = (MeetingAction.owner_id == user.id, MeetingAction.state == OPEN)
    db.session.execute(
        update(MeetingAction)
        .where(*open_actions)
        .values(owner_id=new_id)
        .execution_options(synchronize_session="fetch")
    )


# ---- inside --------------------------------------------------------------------------------------------------------


def _meeting(meeting_id: int, actor: Actor, version: int | None, organiser_only: bool = True) -> Meeting:
    row = db.session.get(Meeting, meeting_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    if organiser_only and actor.user_id != row.organiser_id:
        require(actor, LEAD)
    if version is not None and row.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."), version=row.version)
    return row


def _record_meeting(row: Meeting, action: KeyAccountAction, actor: Actor, new: dict[str, Any]) -> None:
    record(actor, action, object_type="key_accounts_meeting", object_id=row.id, object_label=row.title, new=new)
