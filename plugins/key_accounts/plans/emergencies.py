"""Changes to emergency plans (R-KA-12): incident types, who is responsible on both sides, steps, log."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans.models import EmergencyPlan, IncidentEntry
from plugins.key_accounts.plans.vocabulary import ENTRIES
from plugins.key_accounts.team.checking import active_user, customer_for, own_contact
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.permissions import can
from portal.customers.permissions import VIEW
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


@dataclass(frozen=True)
class EmergencyInput:
    """What is done when an incident of a kind happens. :ivar steps: one a line."""

    incident: str
    user_id: int | None
    contact_id: int | None
    steps: str
    answer_hours: int = 4
    is_active: bool = True


def save_emergency(
    customer_id: int, emergency_id: int | None, data: EmergencyInput, actor: Actor, version: int | None = None
) -> EmergencyPlan:
    """Add or change an emergency plan."""
    customer = customer_for(customer_id, actor)
    row = None
    if emergency_id is not None:
        row = db.session.get(EmergencyPlan, emergency_id, with_for_update=True, populate_existing=True)
        if row is None or row.customer_id != customer.id:
            raise NotFound()
        if version is not None and row.version != version:
            raise Conflict(_("Somebody else changed this in the meantime."), version=row.version)
    checker = Checker()
    incident = checker.line("incident", data.incident, 120, required=_("Say what may happen."))
    user = active_user(data.user_id, "user_id", checker)
    contact = own_contact(data.contact_id, customer.id, "contact_id", checker) if data.contact_id else None
    steps = checker.text("steps", data.steps, 3000, required=_("Say what is done, one step a line."))
    if not 1 <= data.answer_hours <= 240:
        checker.add("answer_hours", _("Between 1 and 240 hours."))
    checker.done()
    assert user is not None
    if row is None:
        row = EmergencyPlan(customer_id=customer.id)
        db.session.add(row)
    row.incident, row.user_id, row.contact_id = incident, user.id, contact.id if contact else None
    row.steps, row.answer_hours, row.is_active = steps, data.answer_hours, data.is_active
    row.updated_at = clock.now()
    db.session.flush()
    record(
        actor,
        KeyAccountAction.EMERGENCY_CHANGED,
        object_type="key_accounts_emergency",
        object_id=row.id,
        object_label=incident,
        customer_id=customer.id,
        new={"incident": incident, "user_id": user.id, "hours": data.answer_hours, "active": data.is_active},
    )
    return row


def note_incident(emergency_id: int, kind: str, text: str, actor: Actor) -> IncidentEntry:
    """Add a line to the log: whoever sees the customer may, an emergency waits for nobody."""
    row = db.session.get(EmergencyPlan, emergency_id)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    checker = Checker()
    if kind not in ENTRIES:
        checker.add("kind", _("Choose one of the list."))
    text = checker.text("text", text, 1000, required=_("Say what happened."))
    checker.done()
    entry = IncidentEntry(emergency_id=row.id, kind=kind, text=text, at=clock.now(), by_id=actor.user_id)
    db.session.add(entry)
    db.session.flush()
    record(
        actor,
        KeyAccountAction.INCIDENT_NOTED,
        object_type="key_accounts_emergency",
        object_id=row.id,
        object_label=row.incident,
        customer_id=row.customer_id,
        new={"kind": kind},
    )
    return entry


def hand_over(user: User, successor: User | None) -> None:
    """Somebody left: the successor is responsible, or nobody until the account manager names one."""
    from sqlalchemy import update

    db.session.execute(
        update(EmergencyPlan)
        .where(EmergencyPlan.user_id == user.id)
        .values(user_id=successor.id if successor else None)
        .execution_options(synchronize_session="fetch")
    )
