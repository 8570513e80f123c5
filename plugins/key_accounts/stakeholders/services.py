"""Changes to the stakeholder map."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.stakeholders.chart import would_loop
from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.permissions import can, require
from portal.core.text import mask_name
from portal.customers.models import Contact
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services import change_contact, contact_input_of
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


@dataclass(frozen=True)
class StakeholderInput:
    """How a contact is judged. :ivar influence: 1 … 5. :ivar attitude: −2 … +2, None: not known."""

    influence: int
    attitude: int | None
    reports_to_id: int | None = None
    note: str = ""


def judge(contact_id: int, data: StakeholderInput, actor: Actor, version: int | None = None) -> Stakeholder:
    """Put a contact into the map or change his place; every change is kept. The attitude goes to the contact itself.

    :raises Invalid: a superior of another customer, or a circle of reporting lines (the circle is named).
    """
    contact = db.session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None or not can(actor, VIEW, contact.customer_id):
        raise NotFound()
    require(actor, EDIT, contact.customer_id)
    row = db.session.scalars(select(Stakeholder).where(Stakeholder.contact_id == contact.id).with_for_update()).first()
    if row is not None and version is not None and row.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."))
    checker = Checker()
    if data.influence not in range(1, 6):
        checker.add("influence", _("Choose one of the list."))
    if data.attitude is not None and data.attitude not in range(-2, 3):
        checker.add("attitude", _("Choose one of the list."))
    note = checker.text("note", data.note, 500)
    _check_superior(contact, data.reports_to_id, checker)
    checker.done()
    before = (row.influence, row.reports_to_id, row.note, contact.attitude) if row else None
    if before == (data.influence, data.reports_to_id, note, data.attitude):
        assert row is not None
        return row
    if contact.attitude != data.attitude:
        change_contact(contact.id, replace(contact_input_of(contact), attitude=data.attitude), actor)
    if row is None:
        row = Stakeholder(customer_id=contact.customer_id, contact_id=contact.id)
        db.session.add(row)
    row.customer_id = contact.customer_id
    row.influence, row.reports_to_id, row.note = data.influence, data.reports_to_id, note
    row.updated_at = clock.now()
    db.session.flush()
    db.session.add(
        StakeholderChange(
            stakeholder_id=row.id,
            influence=row.influence,
            attitude=data.attitude,
            reports_to_id=row.reports_to_id,
            note=note,
            at=clock.now(),
            by_id=actor.user_id,
        )
    )
    db.session.flush()
    record(
        actor,
        KeyAccountAction.STAKEHOLDER_CHANGED,
        object_type="contact",
        object_id=contact.id,
        object_label=mask_name(contact.name),
        customer_id=contact.customer_id,
        private={
            "old": {"influence": before[0], "attitude": before[3]} if before else {},
            "new": {"influence": data.influence, "attitude": data.attitude, "reports_to_id": data.reports_to_id},
        },
    )
    return row


def _check_superior(contact: Contact, superior_id: int | None, checker: Checker) -> None:
    if superior_id is None:
        return
    if superior_id == contact.id:
        checker.add("reports_to_id", _("Nobody reports to himself."))
        return
    superior = db.session.get(Contact, superior_id)
    if superior is None or superior.customer_id != contact.customer_id:
        checker.add("reports_to_id", _("Choose a contact of this customer."))
        return
    superiors = {
        row.contact_id: row.reports_to_id
        for row in db.session.execute(
            select(Stakeholder.contact_id, Stakeholder.reports_to_id).where(
                Stakeholder.customer_id == contact.customer_id
            )
        )
    }
    if would_loop(superiors, contact.id, superior_id):
        checker.add(
            "reports_to_id",
            _(
                "%(superior)s already reports to %(name)s, directly or through others: that would be a circle.",
                superior=superior.name,
                name=contact.name,
            ),
        )
