"""Recording satisfaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.satisfaction.models import GRADES, PHASES, SatisfactionGrade
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList, NotFound
from portal.core.permissions import require
from portal.customers.models import Contact, Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


@dataclass(frozen=True)
class GradeInput:
    """What a contact said."""

    surveyed_on: date | None
    phase: str
    grade: int | None
    contact_id: int | None = None
    remark: str = ""


def record_grade(customer_id: int, data: GradeInput, actor: Actor) -> SatisfactionGrade:
    """Keep a grade. :raises Invalid: unknown grade or phase, a day to come, another customer's contact."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    errors = ErrorList()
    if data.grade not in GRADES:
        errors.add("grade", _("Choose from the list."))
    if data.phase not in PHASES:
        errors.add("phase", _("Choose from the list."))
    if data.surveyed_on is None:
        errors.add("surveyed_on", _("Enter a date."))
    elif data.surveyed_on > clock.today():
        errors.add("surveyed_on", _("This day has not come yet."))
    if data.contact_id is not None:
        contact = db.session.get(Contact, data.contact_id)
        if contact is None or contact.customer_id != customer_id:
            errors.add("contact_id", _("Choose a contact of this customer."))
    if len(data.remark.strip()) > 500:
        errors.add("remark", _("At most %(n)s characters.", n=500))
    errors.raise_if_any()
    assert data.surveyed_on is not None  # refused above
    assert data.grade is not None
    row = SatisfactionGrade(
        customer_id=customer_id,
        contact_id=data.contact_id,
        surveyed_on=data.surveyed_on,
        phase=data.phase,
        grade=data.grade,
        remark=data.remark.strip(),
        recorded_at=clock.now(),
        recorded_by_id=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    _record(row, customer, KeyAccountAction.SATISFACTION_RECORDED, actor)
    health.refresh([customer_id])
    return row


def cancel_grade(row: SatisfactionGrade, actor: Actor) -> None:
    """Take a grade back that was recorded by mistake; it stays, struck out, and counts nowhere."""
    customer = db.session.get_one(Customer, row.customer_id)
    require(actor, "customers.edit", customer)
    if row.cancelled_at is not None:
        return
    row.cancelled_at = clock.now()
    db.session.flush()
    _record(row, customer, KeyAccountAction.SATISFACTION_CANCELLED, actor)
    health.refresh([customer.id])


def _record(row: SatisfactionGrade, customer: Customer, action: KeyAccountAction, actor: Actor) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_satisfaction",
        object_id=row.id,
        object_label=customer.name,
        customer_id=customer.id,
        new={"grade": row.grade, "surveyed_on": row.surveyed_on, "phase": row.phase},
    )
