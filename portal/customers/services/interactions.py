"""Interactions and next steps (R-CUS-9): record, change, take back; plan, finish, "done, and plan the next"."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.money import LIMIT
from portal.core.permissions import can, require
from portal.customers.actions import CustomerAction
from portal.customers.inputs import InteractionInput, NextStepInput
from portal.customers.models import Contact, Customer, Interaction, NextStep
from portal.customers.permissions import ASSIGN, EDIT, VIEW
from portal.customers.services.common import label_of, locked, locked_customer, refuse_stale
from portal.customers.services.contacts import refuse_foreign_contacts
from portal.customers.validation import Checker
from portal.customers.vocabulary import Appointment, Direction, InteractionKind
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User
from portal.pluginmanager import manager

#: Clocks of telephones and servers differ a little.
TOLERANCE = timedelta(minutes=10)
EARLIEST = datetime(1900, 1, 1, tzinfo=clock.zone())
MAX_MINUTES = 24 * 60
MAX_PEOPLE = 50
STEP_FIELDS = ("kind", "task", "due_on", "appointment", "owner_id")
FIELDS = ("kind", "direction", "at", "minutes", "appointment", "cost", "subject", "result", "opinions")


def record_interaction(customer_id: int, data: InteractionInput, actor: Actor) -> Interaction:
    """Keep an interaction, with its next step when one is given.

    :raises NotFound, NotAllowed: as usual. :raises Invalid: with all wrong fields at once; those of the next step are
        named "next_step-…".
    """
    customer = locked_customer(customer_id, actor, EDIT)
    return _record(customer, data, actor)


def _record(customer: Customer, data: InteractionInput, actor: Actor) -> Interaction:
    checker = Checker()
    values = _checked(data, checker, customer)
    step = _checked_step(data.next_step, checker, actor, "next_step-") if data.next_step else None
    checker.done()
    now = clock.now()
    contacts, colleagues = values.pop("contacts"), values.pop("colleagues")
    interaction = Interaction(
        customer_id=customer.id, **values, author_id=actor.user_id, created_at=now, updated_at=now
    )
    interaction.contacts, interaction.colleagues = contacts, colleagues
    db.session.add(interaction)
    db.session.flush()
    _audit(actor, CustomerAction.INTERACTION_RECORD, interaction, customer, None, _snapshot(interaction))
    if step is not None:
        _add_step(customer, step, actor, interaction)
    maintain_dates(customer.id)
    manager().hook.interactions_changed(customer_ids=[customer.id], actor=actor)
    return interaction


def change_interaction(
    interaction_id: int, data: InteractionInput, actor: Actor, version: int | None = None
) -> Interaction:
    """Correct an interaction: its author, or who may assign the customer. Next steps have services of their own.

    :raises NotFound, NotAllowed, Invalid, Conflict: as usual.
    """
    interaction, customer = _locked_interaction(interaction_id, actor)
    _require_author(interaction, customer, actor)
    if interaction.is_cancelled:
        raise Conflict(_("This interaction was taken back."))
    checker = Checker()
    values = _checked(data, checker, customer, interaction)
    checker.done()
    refuse_stale(interaction, version, asdict(data), asdict(interaction_input_of(interaction)))
    before = _snapshot(interaction)
    for name, value in values.items():
        setattr(interaction, name, value)
    after = _snapshot(interaction)
    if before == after:
        return interaction
    interaction.updated_at = clock.now()
    db.session.flush()
    _audit(actor, CustomerAction.INTERACTION_CHANGE, interaction, customer, before, after)
    maintain_dates(customer.id)
    manager().hook.interactions_changed(customer_ids=[customer.id], actor=actor)
    return interaction


def cancel_interaction(interaction_id: int, reason: str, actor: Actor) -> Interaction:
    """Take back an interaction that was recorded by mistake; it stays, struck out, and counts nowhere.

    Open next steps planned with it are cancelled too.
    """
    interaction, customer = _locked_interaction(interaction_id, actor)
    _require_author(interaction, customer, actor)
    checker = Checker()
    reason = checker.line("reason", reason, 300, required=_("Say why it is taken back."))
    checker.done()
    if interaction.is_cancelled:
        return interaction
    now = clock.now()
    interaction.cancelled_at, interaction.cancelled_by_id, interaction.cancel_reason = now, actor.user_id, reason
    interaction.updated_at = now
    for step in interaction.next_steps:
        if step.is_open:
            step.cancelled_at, step.cancelled_by_id = now, actor.user_id
    db.session.flush()
    record(
        actor,
        CustomerAction.INTERACTION_CANCEL,
        object_type="interaction",
        object_id=interaction.id,
        object_label=label_of(customer),
        old={"cancelled": False},
        new={"cancelled": True},
        customer_id=customer.id,
        reason=reason,
    )
    maintain_dates(customer.id)
    manager().hook.interactions_changed(customer_ids=[customer.id], actor=actor)
    return interaction


def plan_step(customer_id: int, data: NextStepInput, actor: Actor) -> NextStep:
    """Plan a next step by itself. :raises NotFound, NotAllowed, Invalid: as usual."""
    customer = locked_customer(customer_id, actor, EDIT)
    checker = Checker()
    values = _checked_step(data, checker, actor)
    checker.done()
    step = _add_step(customer, values, actor, None)
    maintain_dates(customer.id)
    return step


def change_step(step_id: int, data: NextStepInput, actor: Actor, version: int | None = None) -> NextStep:
    """Move or reword an open next step. :raises Conflict: when it is done, cancelled or was changed meanwhile."""
    step, customer = _locked_step(step_id, actor)
    _require_open(step)
    checker = Checker()
    values = _checked_step(data, checker, actor, present=step)
    checker.done()
    if version is not None and step.version != version:
        theirs = _(
            "Somebody else changed this in the meantime: “%(task)s”, until %(day)s. Save again to put yours over it.",
            task=step.task,
            day=step.due_on.isoformat(),
        )
        raise Conflict(theirs, version=step.version)
    before = {name: getattr(step, name) for name in STEP_FIELDS}
    for name, value in values.items():
        setattr(step, name, value)
    changed = [name for name in STEP_FIELDS if before[name] != values[name]]
    if not changed:
        return step
    db.session.flush()
    record(
        actor,
        CustomerAction.STEP_CHANGE,
        object_type="next_step",
        object_id=step.id,
        object_label=label_of(customer),
        old={name: before[name] for name in changed},
        new={name: values[name] for name in changed},
        customer_id=customer.id,
    )
    maintain_dates(customer.id)
    return step


def finish_step(
    step_id: int,
    actor: Actor,
    interaction: InteractionInput | None = None,
    next_step: NextStepInput | None = None,
) -> NextStep:
    """A next step is done; with the interaction that fulfilled it and the next one planned ("done, and plan the next").

    :param interaction: what took place; its own `next_step` is planned with it.
    :param next_step: the next one when no interaction is recorded.
    :returns: the finished step. :raises Conflict: when it was done or cancelled already.
    """
    step, customer = _locked_step(step_id, actor)
    _require_open(step)
    if interaction is not None:
        step.done_interaction_id = _record(customer, interaction, actor).id
    elif next_step is not None:
        checker = Checker()
        values = _checked_step(next_step, checker, actor, "next_step-")
        checker.done()
        _add_step(customer, values, actor, None)
    step.done_at, step.done_by_id = clock.now(), actor.user_id
    db.session.flush()
    record(
        actor,
        CustomerAction.STEP_FINISH,
        object_type="next_step",
        object_id=step.id,
        object_label=label_of(customer),
        old={"done": False},
        new={"done": True, "interaction_id": step.done_interaction_id},
        customer_id=customer.id,
    )
    maintain_dates(customer.id)
    return step


def cancel_step(step_id: int, actor: Actor) -> NextStep:
    """A next step is not wanted any more. :raises Conflict: when it was done already."""
    step, customer = _locked_step(step_id, actor)
    _require_open(step)
    step.cancelled_at, step.cancelled_by_id = clock.now(), actor.user_id
    db.session.flush()
    record(
        actor,
        CustomerAction.STEP_CANCEL,
        object_type="next_step",
        object_id=step.id,
        object_label=label_of(customer),
        old={"cancelled": False},
        new={"cancelled": True},
        customer_id=customer.id,
    )
    maintain_dates(customer.id)
    return step


def interaction_input_of(interaction: Interaction) -> InteractionInput:
    """The present fields of an interaction as an input: the start of the form."""
    return InteractionInput(
        **{name: getattr(interaction, name) for name in FIELDS},
        contact_ids=tuple(contact.id for contact in interaction.contacts),
        colleague_ids=tuple(user.id for user in interaction.colleagues),
    )


def maintain_dates(customer_id: int) -> None:
    """Bring `last_contact_at` and `next_contact_on` of a customer up to date (after a merge, too).

    Written beside the version: whoever edits the record meanwhile is not disturbed.
    """
    last = (
        select(func.max(Interaction.at))
        .where(Interaction.customer_id == customer_id, Interaction.cancelled_at.is_(None))
        .scalar_subquery()
    )
    following = (
        select(func.min(NextStep.due_on))
        .where(NextStep.customer_id == customer_id, NextStep.done_at.is_(None), NextStep.cancelled_at.is_(None))
        .scalar_subquery()
    )
    db.session.execute(
        update(Customer)
        .where(Customer.id == customer_id)
        .values(last_contact_at=last, next_contact_on=following)
        .execution_options(synchronize_session=False)
    )
    present = db.session.get(Customer, customer_id)
    if present is not None:
        db.session.refresh(present, ["last_contact_at", "next_contact_on"])


# ---- checks --------------------------------------------------------------------------------------------------------


def _locked_interaction(interaction_id: int, actor: Actor) -> tuple[Interaction, Customer]:
    interaction = locked(Interaction, interaction_id)
    return interaction, _customer_of(interaction.customer_id, actor)


def _locked_step(step_id: int, actor: Actor) -> tuple[NextStep, Customer]:
    step = locked(NextStep, step_id)
    return step, _customer_of(step.customer_id, actor)


def _customer_of(customer_id: int, actor: Actor) -> Customer:
    """The customer behind an interaction or step; that they exist at an invisible customer is not told (404)."""
    customer = db.session.get(Customer, customer_id)
    if customer is None or not can(actor, VIEW, customer):
        raise NotFound()
    require(actor, EDIT, customer)
    return customer


def _require_author(interaction: Interaction, customer: Customer, actor: Actor) -> None:
    if interaction.author_id != actor.user_id and not can(actor, ASSIGN, customer):
        raise NotAllowed(_("Only its author or the department head may change an interaction."))


def _require_open(step: NextStep) -> None:
    if step.done_at is not None:
        raise Conflict(_("This next step is done already."))
    if step.cancelled_at is not None:
        raise Conflict(_("This next step was cancelled already."))


def _checked(
    data: InteractionInput, checker: Checker, customer: Customer, interaction: Interaction | None = None
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": checker.choice("kind", data.kind, InteractionKind, blank=False),
        "direction": checker.choice("direction", data.direction, Direction, blank=False),
        "at": _moment(data.at, checker),
        "minutes": data.minutes,
        "appointment": checker.choice("appointment", data.appointment, Appointment, blank=False),
        "cost": _cost(data.cost, checker),
        "subject": checker.line("subject", data.subject, 200),
        "result": checker.text("result", data.result),
        "opinions": checker.text("opinions", data.opinions),
    }
    if data.minutes is not None and not 0 <= data.minutes <= MAX_MINUTES:
        checker.add("minutes", _("Between 0 and 1,440 minutes."))
    if not values["subject"] and not values["result"]:
        checker.add("result", _("Say what it was about or what came of it."))
    if len(data.contact_ids) > MAX_PEOPLE or len(data.colleague_ids) > MAX_PEOPLE:
        checker.add("contact_ids", _("At most %(limit)s people.", limit=MAX_PEOPLE))
    try:
        values["contacts"] = refuse_foreign_contacts(list(data.contact_ids), customer.id)
    except Invalid as error:
        values["contacts"] = []
        for field, message in error.errors:
            checker.add(field, message)
    values["colleagues"] = _colleagues(list(data.colleague_ids), checker, interaction)
    return values


def _moment(at: datetime | None, checker: Checker) -> datetime:
    now = clock.now()
    if at is None:
        checker.add("at", _("Say when it took place."))
        return now
    if at > now + TOLERANCE:
        checker.add("at", _("This is in the future. What is still to come is a next step."))
    elif at < EARLIEST:
        checker.add("at", _("The date must be between 1900 and 2100."))
    return at


def _cost(cost: Decimal | None, checker: Checker) -> Decimal | None:
    if cost is None:
        return None
    if not cost.is_finite() or cost != cost.quantize(Decimal("0.01")):
        checker.add("cost", _("An amount has at most two decimals."))
        return None
    if cost < 0:
        checker.add("cost", _("A cost is never negative."))
    elif cost > LIMIT:
        checker.add("cost", _("The amount is too large."))
    return cost


def _colleagues(ids: list[int], checker: Checker, interaction: Interaction | None) -> list[User]:
    if not ids:
        return []
    rows = list(db.session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id)))
    kept = {user.id for user in interaction.colleagues} if interaction else set()
    if len(rows) != len(set(ids)) or any(not user.is_active and user.id not in kept for user in rows):
        checker.add("colleague_ids", _("Choose people who work here."))
    return rows


def _checked_step(
    data: NextStepInput, checker: Checker, actor: Actor, prefix: str = "", present: NextStep | None = None
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": checker.choice(f"{prefix}kind", data.kind, InteractionKind, blank=False),
        "task": checker.line(f"{prefix}task", data.task, 500, required=_("Say what the next step is.")),
        "due_on": checker.day(f"{prefix}due_on", data.due_on),
        "appointment": checker.choice(f"{prefix}appointment", data.appointment, Appointment, blank=False),
        "owner_id": data.owner_id if data.owner_id is not None else actor.user_id,
    }
    if data.due_on is None:
        checker.add(f"{prefix}due_on", _("Say until when."))
    elif data.due_on < clock.today() and (present is None or present.due_on != data.due_on):
        checker.add(f"{prefix}due_on", _("A next step lies ahead: choose today or later."))
    if present is not None and data.owner_id is None:
        values["owner_id"] = present.owner_id
    elif data.owner_id is not None:
        owner = db.session.get(User, data.owner_id)
        if owner is None or not owner.is_active:
            checker.add(f"{prefix}owner_id", _("Choose somebody who works here."))
    return values


def _add_step(customer: Customer, values: dict[str, Any], actor: Actor, interaction: Interaction | None) -> NextStep:
    step = NextStep(
        customer_id=customer.id,
        interaction_id=interaction.id if interaction else None,
        **values,
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(step)
    db.session.flush()
    record(
        actor,
        CustomerAction.STEP_PLAN,
        object_type="next_step",
        object_id=step.id,
        object_label=label_of(customer),
        new={name: values[name] for name in STEP_FIELDS},
        customer_id=customer.id,
    )
    return step


def _snapshot(interaction: Interaction) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(interaction, name) for name in FIELDS}
    values["contacts"] = [contact.id for contact in interaction.contacts]
    values["colleagues"] = [user.id for user in interaction.colleagues]
    return values


#: What people wrote about people: kept beside the hashed part of the audit trail.
_PRIVATE = frozenset({"subject", "result", "opinions"})


def _audit(
    actor: Actor,
    action: CustomerAction,
    interaction: Interaction,
    customer: Customer,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    blank: tuple[Any, ...] = (None, "", [])
    if before is None:
        old: dict[str, Any] = {}
        new = {name: value for name, value in after.items() if value not in blank}
    else:
        changed = [name for name in after if before[name] != after[name]]
        old = {name: before[name] for name in changed}
        new = {name: after[name] for name in changed}
    private = {
        "old": {name: value for name, value in old.items() if name in _PRIVATE},
        "new": {name: value for name, value in new.items() if name in _PRIVATE},
    }
    record(
        actor,
        action,
        object_type="interaction",
        object_id=interaction.id,
        object_label=label_of(customer),
        old={name: value for name, value in old.items() if name not in _PRIVATE} or None,
        new={name: value for name, value in new.items() if name not in _PRIVATE} or None,
        private={key: value for key, value in private.items() if value} or None,
        customer_id=customer.id,
    )


def contacts_of(customer_id: int) -> list[Contact]:
    """Active contacts, the primary one first: choices of the interaction form."""
    return list(db.session.scalars(_contacts_statement(), {"customer_id": customer_id}))


@cache
def _contacts_statement() -> Select[Contact]:
    """Built once: every page of a customer asks it."""
    return (
        select(Contact)
        .where(Contact.customer_id == bindparam("customer_id"), Contact.is_active)
        .order_by(Contact.is_primary.desc(), Contact.name_sort, Contact.id)
    )
