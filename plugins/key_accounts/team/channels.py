"""Changes to channels: lasting lines between one of ours and one of theirs."""

from __future__ import annotations

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.team.checking import active_user, customer_for, own_contact
from plugins.key_accounts.team.models import LEVELS, Channel
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.customers.permissions import VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def add_channel(
    customer_id: int, level: str, user_id: int | None, contact_id: int | None, topic: str, actor: Actor
) -> Channel:
    """Open a lasting line between one of ours and one of theirs."""
    customer = customer_for(customer_id, actor)
    checker = Checker()
    if level not in LEVELS:
        checker.add("level", _("Choose one of the list."))
    user = active_user(user_id, "user_id", checker)
    contact = own_contact(contact_id, customer.id, "contact_id", checker)
    topic = checker.line("topic", topic, 200)
    checker.done()
    assert user is not None
    assert contact is not None
    channel = Channel(
        customer_id=customer.id,
        level=level,
        user_id=user.id,
        contact_id=contact.id,
        topic=topic,
        created_at=clock.now(),
    )
    db.session.add(channel)
    db.session.flush()
    record(
        actor,
        KeyAccountAction.CHANNEL_ADDED,
        object_type="key_accounts_channel",
        object_id=channel.id,
        object_label=label_of(customer),
        customer_id=customer.id,
        new={"level": level, "user": user.name, "contact": contact.id},
    )
    return channel


def end_channel(channel_id: int, actor: Actor) -> Channel:
    """Close a line; it stays in the record."""
    channel = db.session.get(Channel, channel_id, with_for_update=True, populate_existing=True)
    if channel is None or not can(actor, VIEW, channel.customer_id):
        raise NotFound()
    customer = customer_for(channel.customer_id, actor)
    if channel.ended_at is None:
        channel.ended_at = clock.now()
        db.session.flush()
        record(
            actor,
            KeyAccountAction.CHANNEL_ENDED,
            object_type="key_accounts_channel",
            object_id=channel.id,
            object_label=label_of(customer),
            customer_id=customer.id,
            new={"ended": True},
        )
    return channel
