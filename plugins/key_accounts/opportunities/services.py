"""Changes to opportunities: create, change, move, close, open again, plan the next step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.inputs import OpportunityInput, check_opportunity
from plugins.key_accounts.opportunities.models import (
    CHANGED,
    CLOSED,
    CREATED,
    IDENTIFIED,
    LOST,
    MOVED,
    OPEN_STAGES,
    REOPENED,
    WON,
    Opportunity,
    OpportunityEvent,
    OpportunityProduct,
)
from plugins.key_accounts.opportunities.settings import usual_probability
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
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

#: Days until the first step that the portal plans itself when none is given.
FIRST_STEP_DAYS = 7
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


def create_opportunity(data: OpportunityInput, actor: Actor) -> Opportunity:
    """Add an opportunity with its next step.

    :raises NotFound, NotAllowed: no such customer, or not one the actor may change. :raises Invalid: as usual.
    """
    customer = db.session.get(Customer, data.customer_id)
    if customer is None:
        raise NotFound()
    require(actor, EDIT, customer)
    values = check_opportunity(data, customer, actor, None)
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
    values = check_opportunity(data, opportunity.customer, actor, opportunity)
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


def _record(opportunity: Opportunity, action: KeyAccountAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="key_accounts_opportunity",
        object_id=opportunity.id,
        object_label=opportunity.title,
        customer_id=opportunity.customer_id,
        **details,
    )
