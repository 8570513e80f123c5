"""Changes to opportunities: create, change, move, close, open again, plan the next step; sales targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.models import (
    CHANGED,
    CLOSED,
    CREATED,
    IDENTIFIED,
    LOST,
    MOVED,
    OPEN_STAGES,
    REOPENED,
    SOURCES,
    WON,
    Opportunity,
    OpportunityEvent,
    OpportunityProduct,
    SalesTarget,
)
from plugins.key_accounts.opportunities.settings import usual_probability
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.money import LIMIT
from portal.core.permissions import can, require
from portal.customers.inputs import NextStepInput
from portal.customers.models import Customer, NextStep
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services import finish_step, plan_step
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Product

#: Days until the first step that the portal plans itself when none is given.
FIRST_STEP_DAYS = 7
MOST_PRODUCTS = 30
FIELDS = (
    "title",
    "source",
    "amount",
    "probability",
    "close_on",
    "owner_id",
    "unit",
    "category",
    "competitors",
    "notes",
)


@dataclass(frozen=True)
class OpportunityInput:
    """What is known of an opportunity.

    :ivar amount: yuan a year. :ivar probability: per cent; None: what is usual for the stage.
    :ivar close_on: None: in 90 days. :ivar owner_id: None: the account manager, else who creates it.
    :ivar next_step: None: "talk about it" within a week is planned, so that none is without a next step.
    """

    customer_id: int
    title: str
    source: str
    amount: Decimal
    probability: int | None = None
    stage: str = IDENTIFIED
    close_on: date | None = None
    owner_id: int | None = None
    product_ids: Sequence[int] = field(default_factory=tuple)
    unit: str = ""
    category: str = ""
    competitors: str = ""
    notes: str = ""
    next_step: NextStepInput | None = None


def create_opportunity(data: OpportunityInput, actor: Actor) -> Opportunity:
    """Add an opportunity with its next step.

    :raises NotFound, NotAllowed: no such customer, or not one the actor may change. :raises Invalid: as usual.
    """
    customer = db.session.get(Customer, data.customer_id)
    if customer is None:
        raise NotFound()
    require(actor, EDIT, customer)
    values = _checked(data, customer, actor, None)
    now = clock.now()
    opportunity = Opportunity(
        customer_id=customer.id,
        **values,
        stage=data.stage,
        stage_since=now,
        created_at=now,
        created_by_id=actor.user_id,
        updated_at=now,
    )
    db.session.add(opportunity)
    db.session.flush()
    _set_products(opportunity, data.product_ids)
    step = data.next_step or NextStepInput(
        task=_("Talk about: %(title)s", title=opportunity.title)[:500],
        due_on=clock.today() + timedelta(days=FIRST_STEP_DAYS),
        owner_id=opportunity.owner_id,
    )
    opportunity.next_step_id = plan_step(customer.id, step, actor).id
    db.session.flush()
    _event(opportunity, CREATED, "", actor)
    _record(opportunity, KeyAccountAction.OPPORTUNITY_CREATED, actor, new=_facts(opportunity))
    return opportunity


def change_opportunity(
    opportunity_id: int, data: OpportunityInput, actor: Actor, version: int | None = None
) -> Opportunity:
    """Change what is known; the stage is changed by `move_opportunity`.

    :raises Conflict: somebody else was faster, or the opportunity is closed.
    """
    opportunity = _locked(opportunity_id, actor, version)
    _refuse_closed(opportunity)
    values = _checked(data, opportunity.customer, actor, opportunity)
    before = _facts(opportunity)
    products = sorted(item.product_id for item in opportunity.products)
    for name, value in values.items():
        setattr(opportunity, name, value)
    _set_products(opportunity, data.product_ids)
    after = _facts(opportunity)
    changed = [name for name in after if before[name] != after[name]]
    if not changed and products == sorted(set(data.product_ids)):
        return opportunity
    opportunity.updated_at = clock.now()
    db.session.flush()
    if {"amount", "probability", "close_on"} & set(changed):
        _event(opportunity, CHANGED, opportunity.stage, actor)
    _record(
        opportunity,
        KeyAccountAction.OPPORTUNITY_CHANGED,
        actor,
        old={name: before[name] for name in changed},
        new={name: after[name] for name in changed},
    )
    return opportunity


def move_opportunity(opportunity_id: int, stage: str, actor: Actor, version: int | None = None) -> Opportunity:
    """Put an opportunity into another open stage. A probability that was the usual one follows the stage.

    :raises Invalid: unknown stage, or forward without a next step. :raises Conflict: it was moved or closed meanwhile.
    """
    opportunity = _locked(opportunity_id, actor, version)
    _refuse_closed(opportunity)
    if stage not in OPEN_STAGES:
        raise Invalid([("stage", _("Choose one of the list."))])
    old = opportunity.stage
    if stage == old:
        return opportunity
    if OPEN_STAGES.index(stage) > OPEN_STAGES.index(old) and not has_next_step(opportunity):
        raise Invalid([("stage", _("Plan the next step first: an opportunity without one does not move on."))])
    if opportunity.probability == usual_probability(old):
        opportunity.probability = usual_probability(stage)
    opportunity.stage = stage
    opportunity.stage_since = opportunity.updated_at = clock.now()
    db.session.flush()
    _event(opportunity, MOVED, old, actor)
    _record(opportunity, KeyAccountAction.OPPORTUNITY_MOVED, actor, old={"stage": old}, new={"stage": stage})
    return opportunity


def close_opportunity(
    opportunity_id: int, outcome: str, reason: str, note: str, actor: Actor, version: int | None = None
) -> Opportunity:
    """Note that an opportunity was won or lost, and why. Its next step is finished with it.

    :raises Invalid: no reason, or one that does not belong to the outcome.
    """
    opportunity = _locked(opportunity_id, actor, version)
    _refuse_closed(opportunity)
    reasons = {WON: words.WIN_REASONS, LOST: words.LOSS_REASONS}.get(outcome)
    if reasons is None:
        raise Invalid([("outcome", _("Choose one of the list."))])
    checker = Checker()
    if reason not in reasons:
        checker.add("reason", _("Say why it was won.") if outcome == WON else _("Say why it was lost."))
    note = checker.line("note", note, 500)
    checker.done()
    old = opportunity.stage
    opportunity.stage, opportunity.close_reason, opportunity.close_note = outcome, reason, note
    opportunity.probability = 100 if outcome == WON else 0
    opportunity.close_on = clock.today()
    opportunity.closed_at = opportunity.stage_since = opportunity.updated_at = clock.now()
    step = opportunity.next_step
    opportunity.next_step_id = None
    db.session.flush()
    if step is not None and step.is_open:
        finish_step(step.id, actor)
    _event(opportunity, CLOSED, old, actor, reason, note)
    _record(
        opportunity,
        KeyAccountAction.OPPORTUNITY_CLOSED,
        actor,
        old={"stage": old},
        new={"stage": outcome, "close_reason": reason},
        reason=note,
    )
    return opportunity


def reopen_opportunity(opportunity_id: int, actor: Actor, version: int | None = None) -> Opportunity:
    """Take a closing back: the opportunity is in the stage it had before, with that stage's usual probability."""
    opportunity = _locked(opportunity_id, actor, version)
    if opportunity.is_open:
        raise Conflict(_("This opportunity is open."))
    old = opportunity.stage
    last = db.session.scalars(
        select(OpportunityEvent)
        .where(OpportunityEvent.opportunity_id == opportunity.id, OpportunityEvent.kind == CLOSED)
        .order_by(OpportunityEvent.id.desc())
        .limit(1)
    ).first()
    stage = last.from_stage if last is not None and last.from_stage in OPEN_STAGES else IDENTIFIED
    opportunity.stage, opportunity.close_reason, opportunity.close_note = stage, "", ""
    opportunity.closed_at = None
    opportunity.probability = usual_probability(stage)
    opportunity.stage_since = opportunity.updated_at = clock.now()
    db.session.flush()
    _event(opportunity, REOPENED, old, actor)
    _record(opportunity, KeyAccountAction.OPPORTUNITY_REOPENED, actor, old={"stage": old}, new={"stage": stage})
    return opportunity


def plan_next_step(opportunity_id: int, data: NextStepInput, actor: Actor) -> Opportunity:
    """Plan what comes next; the step before it counts as done."""
    opportunity = _locked(opportunity_id, actor, None)
    _refuse_closed(opportunity)
    before = opportunity.next_step
    step = plan_step(opportunity.customer_id, data, actor)
    opportunity.next_step_id, opportunity.updated_at = step.id, clock.now()
    db.session.flush()
    if before is not None and before.is_open:
        finish_step(before.id, actor)
    return opportunity


def has_next_step(opportunity: Opportunity) -> bool:
    """Whether a step of the customer that serves the opportunity is still to be done."""
    step = db.session.get(NextStep, opportunity.next_step_id) if opportunity.next_step_id else None
    return step is not None and step.is_open


def set_targets(user_id: int, year: int, amounts: Mapping[str, Decimal | None], actor: Actor) -> None:
    """Set what a person is to sell in a year; None takes a target away.

    :param amounts: source ("" for the whole year) → yuan.
    :raises NotAllowed: for people outside the departments the actor oversees, unless he is an executive.
    """
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise Invalid([("user_id", _("Choose somebody who works here."))])
    if not may_set_targets(actor, user):
        raise NotAllowed(_("Targets are set by the head of the department or an executive."))
    checker = Checker()
    for source, amount in amounts.items():
        if source not in ("", *SOURCES):
            checker.add("", _("Choose one of the list."))
        elif amount is not None and not 0 <= amount <= LIMIT:
            checker.add(source or "total", _("The amount is too large.") if amount > 0 else _("Not below zero."))
    if not 2000 <= year <= 2100:
        checker.add("year", _("Enter a year such as 2026."))
    checker.done()
    present = {
        row.source: row
        for row in db.session.scalars(
            select(SalesTarget).where(SalesTarget.user_id == user.id, SalesTarget.year == year).with_for_update()
        )
    }
    old = {source: row.amount for source, row in present.items()}
    for source, amount in amounts.items():
        row = present.get(source)
        if amount is None:
            if row is not None:
                db.session.delete(row)
            continue
        if row is None:
            row = SalesTarget(user_id=user.id, year=year, source=source)
            db.session.add(row)
        row.amount, row.set_by_id, row.updated_at = amount, actor.user_id, clock.now()
    db.session.flush()
    record(
        actor,
        KeyAccountAction.TARGETS_SET,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        old={f"{year} {source}".strip(): amount for source, amount in old.items()},
        new={f"{year} {source}".strip(): amount for source, amount in amounts.items() if amount is not None},
    )


def may_set_targets(actor: Actor, user: User) -> bool:
    """Whether the actor sets the targets of a person."""
    return "executive" in actor.roles or user.department_id in actor.oversees or actor.is_system


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: his open opportunities go to the successor; without one they have no owner until somebody takes
    them (the customer's account manager sees them on his board)."""
    rows = db.session.scalars(
        select(Opportunity)
        .where(Opportunity.owner_id == user.id, Opportunity.closed_at.is_(None))
        .order_by(Opportunity.id)
    )
    for row in list(rows):
        row.owner_id = successor.id if successor else None
        db.session.flush()
        _record(
            row,
            KeyAccountAction.OPPORTUNITY_CHANGED,
            actor,
            old={"owner_id": user.id},
            new={"owner_id": row.owner_id},
        )


# ---- inside --------------------------------------------------------------------------------------------------------


def _locked(opportunity_id: int, actor: Actor, version: int | None) -> Opportunity:
    opportunity = db.session.get(Opportunity, opportunity_id, with_for_update=True, populate_existing=True)
    if opportunity is None or not can(actor, VIEW, opportunity.customer_id):
        raise NotFound()
    require(actor, EDIT, opportunity.customer_id)
    if version is not None and opportunity.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."))
    return opportunity


def _refuse_closed(opportunity: Opportunity) -> None:
    if not opportunity.is_open:
        raise Conflict(_("This opportunity is closed already."))


def _checked(data: OpportunityInput, customer: Customer, actor: Actor, present: Opportunity | None) -> dict[str, Any]:
    checker = Checker()
    stage = present.stage if present else data.stage
    if stage not in OPEN_STAGES:
        checker.add("stage", _("Choose one of the list."))
        stage = IDENTIFIED
    if data.source not in SOURCES:
        checker.add("source", _("Choose one of the list."))
    amount = data.amount
    if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("0.01")):
        checker.add("amount", _("Enter an amount in yuan, such as 1,234.50."))
    elif amount > LIMIT:
        checker.add("amount", _("The amount is too large."))
    probability = usual_probability(stage) if data.probability is None else data.probability
    if not 0 <= probability <= 100:
        checker.add("probability", _("Enter per cent from 0 to 100."))
    close_on = data.close_on or clock.today() + timedelta(days=90)
    if close_on < clock.today() and (present is None or present.close_on != close_on):
        checker.add("close_on", _("The expected day lies ahead: choose today or later."))
    owner_id = data.owner_id or (present.owner_id if present else None) or customer.account_manager_id or actor.user_id
    if owner_id is not None and (present is None or owner_id != present.owner_id):
        owner = db.session.get(User, owner_id)
        if owner is None or not owner.is_active:
            checker.add("owner_id", _("Choose somebody who works here."))
    products = set(data.product_ids)
    if len(products) > MOST_PRODUCTS:
        checker.add("product_ids", _("At most %(n)s products.", n=MOST_PRODUCTS))
    elif products:
        known = set(db.session.scalars(select(Product.id).where(Product.id.in_(sorted(products)))))
        if known != products:
            checker.add("product_ids", _("Choose one of the list."))
    values = {
        "title": checker.line("title", data.title, 200, required=_("Say what the opportunity is.")),
        "source": data.source,
        "amount": amount,
        "probability": probability,
        "close_on": checker.day("close_on", close_on),
        "owner_id": owner_id,
        "unit": checker.line("unit", data.unit, 120),
        "category": checker.line("category", data.category, 100),
        "competitors": checker.text("competitors", data.competitors, 500),
        "notes": checker.text("notes", data.notes, 5000),
    }
    checker.done()
    return values


def _set_products(opportunity: Opportunity, product_ids: Sequence[int]) -> None:
    wanted = set(product_ids)
    opportunity.products = [
        *(item for item in opportunity.products if item.product_id in wanted),
        *(
            OpportunityProduct(product_id=product_id)
            for product_id in sorted(wanted - {item.product_id for item in opportunity.products})
        ),
    ]
    db.session.flush()


def _facts(opportunity: Opportunity) -> dict[str, Any]:
    return {name: getattr(opportunity, name) for name in FIELDS}


def _event(
    opportunity: Opportunity, kind: str, from_stage: str, actor: Actor, reason: str = "", note: str = ""
) -> None:
    db.session.add(
        OpportunityEvent(
            opportunity_id=opportunity.id,
            kind=kind,
            from_stage=from_stage,
            to_stage=opportunity.stage,
            amount=opportunity.amount,
            probability=opportunity.probability,
            close_on=opportunity.close_on,
            reason=reason,
            note=note,
            at=clock.now(),
            by_id=actor.user_id,
        )
    )
    db.session.flush()


def _record(
    opportunity: Opportunity,
    action: KeyAccountAction,
    actor: Actor,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_opportunity",
        object_id=opportunity.id,
        object_label=opportunity.title,
        customer_id=opportunity.customer_id,
        old=old,
        new=new,
        reason=reason,
    )
