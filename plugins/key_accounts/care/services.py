"""Changes to duties, forecasts and incentives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.care.models import DUTIES, CareDuty, DemandForecast, DutyRecord, Incentive
from plugins.key_accounts.care.rules import RHYTHMS, later, next_months
from plugins.key_accounts.care.vocabulary import INCENTIVES
from plugins.key_accounts.team.checking import active_user, customer_for
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import NotAllowed, NotFound
from portal.core.money import LIMIT
from portal.core.permissions import can
from portal.customers.models import Customer, Interaction
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.documents.models import Document
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Purchase


@dataclass(frozen=True)
class DutyInput:
    """How a duty is kept with one customer."""

    owner_id: int | None
    rhythm_months: int
    due_on: date | None
    is_needed: bool = True
    note: str = ""


@dataclass(frozen=True)
class DoneInput:
    """That a duty was done, with its evidence: an interaction, a document, a purchase, or words."""

    done_on: date | None
    note: str = ""
    interaction_id: int | None = None
    document_id: int | None = None
    purchase_id: int | None = None


@dataclass(frozen=True)
class IncentiveInput:
    """An incentive granted."""

    kind: str
    terms: str
    valid_from: date | None
    valid_until: date | None
    amount: Decimal | None = None
    result: str = ""


def set_up_duties(customer_id: int, actor: Actor) -> list[CareDuty]:
    """Give a customer the duties of the ten it lacks, with the usual rhythm, owned by the account manager."""
    customer = customer_for(customer_id, actor)
    db.session.get(Customer, customer.id, with_for_update=True)
    present = set(db.session.scalars(select(CareDuty.duty).where(CareDuty.customer_id == customer.id)))
    today = clock.today()
    made = []
    for number, duty in enumerate(DUTIES):
        if duty in present:
            continue
        # The first days lie apart, so that ten duties do not fall on one day.
        row = CareDuty(
            customer_id=customer.id,
            duty=duty,
            owner_id=customer.account_manager_id or actor.user_id,
            rhythm_months=RHYTHMS[duty],
            due_on=min(later(today, RHYTHMS[duty]), date.fromordinal(today.toordinal() + 14 + 7 * number)),
        )
        db.session.add(row)
        made.append(row)
    db.session.flush()
    if made:
        _record(customer, made[0].id, KeyAccountAction.DUTY_CHANGED, actor, new={"set_up": [row.duty for row in made]})
    return made


def change_duty(duty_id: int, data: DutyInput, actor: Actor) -> CareDuty:
    """Change owner, rhythm, due day; or put the duty aside, with the reason."""
    row, customer = _locked(duty_id, actor)
    checker = Checker()
    owner = active_user(data.owner_id, "owner_id", checker)
    if not 1 <= data.rhythm_months <= 24:
        checker.add("rhythm_months", _("Between 1 and 24 months."))
    due_on = checker.day("due_on", data.due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    note = checker.line("note", data.note, 300, required=None if data.is_needed else _("Say why it is put aside."))
    checker.done()
    assert owner is not None
    assert due_on is not None
    names = ("owner_id", "rhythm_months", "due_on", "is_needed")
    before = {name: getattr(row, name) for name in names}
    row.owner_id, row.rhythm_months, row.due_on = owner.id, data.rhythm_months, due_on
    row.is_needed, row.note = data.is_needed, note
    db.session.flush()
    after = {name: getattr(row, name) for name in names}
    _record(customer, row.id, KeyAccountAction.DUTY_CHANGED, actor, old=before, new={**after, "duty": row.duty})
    return row


def finish_duty(duty_id: int, data: DoneInput, actor: Actor) -> DutyRecord:
    """Note that a duty was done: by its owner or by who may change the customer. The next due day follows the rhythm.

    :raises Invalid: no evidence at all, or evidence of another customer.
    """
    row = db.session.get(CareDuty, duty_id, with_for_update=True, populate_existing=True)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    if row.owner_id != actor.user_id and not can(actor, EDIT, row.customer_id):
        raise NotAllowed(_("A duty is noted by its owner or by the account manager."))
    customer = db.session.get_one(Customer, row.customer_id)
    checker = Checker()
    done_on = checker.day("done_on", data.done_on, not_after_today=True)
    if data.done_on is None:
        checker.add("done_on", _("Say when."))
    note = checker.text("note", data.note, 1000)
    evidence: tuple[tuple[str, int | None, Any], ...] = (
        ("interaction_id", data.interaction_id, Interaction),
        ("document_id", data.document_id, Document),
        ("purchase_id", data.purchase_id, Purchase),
    )
    for field, key, model in evidence:
        found = db.session.get(model, key) if key else None
        if key and (found is None or found.customer_id != customer.id):
            checker.add(field, _("Choose one of the list."))
    if not note and not any(key for _field, key, _model in evidence):
        checker.add("note", _("Name the evidence: a contact, a document, a purchase, or say what was done."))
    checker.done()
    assert done_on is not None
    done = DutyRecord(
        duty_id=row.id,
        done_on=done_on,
        due_on=row.due_on,
        note=note,
        interaction_id=data.interaction_id,
        document_id=data.document_id,
        purchase_id=data.purchase_id,
        created_at=clock.now(),
        by_id=actor.user_id,
    )
    db.session.add(done)
    row.due_on = max(row.due_on, later(done_on, row.rhythm_months))
    db.session.flush()
    _record(customer, row.id, KeyAccountAction.DUTY_DONE, actor, new={"duty": row.duty, "done_on": done_on})
    return done


def take_back(record_id: int, actor: Actor) -> DutyRecord:
    """Take a note back: the duty is due again when it was, if nothing was noted after it."""
    done = db.session.get(DutyRecord, record_id, with_for_update=True, populate_existing=True)
    if done is None:
        raise NotFound()
    row, customer = _locked(done.duty_id, actor)
    if done.cancelled_at is not None:
        return done
    done.cancelled_at = clock.now()
    last = db.session.scalar(
        select(DutyRecord.id).where(DutyRecord.duty_id == row.id).order_by(DutyRecord.id.desc()).limit(1)
    )
    if last == done.id:
        row.due_on = done.due_on
    db.session.flush()
    _record(customer, row.id, KeyAccountAction.DUTY_TAKEN_BACK, actor, new={"duty": row.duty, "done_on": done.done_on})
    return done


def set_forecast(customer_id: int, amounts: Mapping[date, Decimal | None], actor: Actor) -> None:
    """Keep what the customer says this month it will need in the next six; an earlier answer of this month goes."""
    customer = customer_for(customer_id, actor)
    today = clock.today()
    made_in = today.replace(day=1)
    months = next_months(today)
    checker = Checker()
    for number, month in enumerate(months, start=1):
        amount = amounts.get(month)
        if amount is not None and not 0 <= amount <= LIMIT:
            checker.add(f"month_{number}", _("Not below zero.") if amount < 0 else _("The amount is too large."))
    if not any(amounts.get(month) is not None for month in months):
        checker.add("month_1", _("Enter at least one month."))
    checker.done()
    present = {
        row.month: row
        for row in db.session.scalars(
            select(DemandForecast)
            .where(DemandForecast.customer_id == customer.id, DemandForecast.made_in == made_in)
            .with_for_update()
        )
    }
    for month in months:
        amount, row = amounts.get(month), present.get(month)
        if amount is None:
            if row is not None:
                db.session.delete(row)
            continue
        if row is None:
            row = DemandForecast(customer_id=customer.id, made_in=made_in, month=month)
            db.session.add(row)
        row.amount, row.updated_at, row.by_id = amount, clock.now(), actor.user_id
    db.session.flush()
    new = {month.isoformat()[:7]: amounts[month] for month in months if amounts.get(month) is not None}
    _record(customer, customer.id, KeyAccountAction.FORECAST_SET, actor, new=new)


def record_incentive(customer_id: int, data: IncentiveInput, actor: Actor) -> Incentive:
    """Keep an incentive as a record."""
    customer = customer_for(customer_id, actor)
    checker = Checker()
    if data.kind not in INCENTIVES:
        checker.add("kind", _("Choose one of the list."))
    terms = checker.text("terms", data.terms, 500, required=_("Say what is granted on which terms."))
    first, last = checker.day("valid_from", data.valid_from), checker.day("valid_until", data.valid_until)
    if first is None or last is None:
        checker.add("valid_until", _("Say from when until when."))
    elif last < first:
        checker.add("valid_until", _("The last day is before the first one."))
    if data.amount is not None and not 0 <= data.amount <= LIMIT:
        checker.add("amount", _("Not below zero."))
    result = checker.text("result", data.result, 500)
    checker.done()
    row = Incentive(
        customer_id=customer.id,
        kind=data.kind,
        terms=terms,
        amount=data.amount,
        valid_from=first,
        valid_until=last,
        result=result,
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    new = {"kind": data.kind, "amount": data.amount, "from": first, "until": last}
    _record(customer, row.id, KeyAccountAction.INCENTIVE_RECORDED, actor, new=new)
    return row


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: his duties go to the successor, or have no owner until the account manager names one."""
    for row in list(db.session.scalars(select(CareDuty).where(CareDuty.owner_id == user.id).order_by(CareDuty.id))):
        row.owner_id = successor.id if successor else None
        db.session.flush()
        customer = db.session.get_one(Customer, row.customer_id)
        new = {"owner_id": row.owner_id, "duty": row.duty}
        _record(customer, row.id, KeyAccountAction.DUTY_CHANGED, actor, old={"owner_id": user.id}, new=new)


def _locked(duty_id: int, actor: Actor) -> tuple[CareDuty, Customer]:
    row = db.session.get(CareDuty, duty_id, with_for_update=True, populate_existing=True)
    if row is None or not can(actor, VIEW, row.customer_id):
        raise NotFound()
    return row, customer_for(row.customer_id, actor)


def _record(customer: Customer, object_id: int, action: KeyAccountAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_care",
        object_id=object_id,
        object_label=label_of(customer),
        customer_id=customer.id,
        **details,
    )
