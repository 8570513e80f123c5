"""What is done for a plan: actions with owners, reviews with dates; who takes over when somebody leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans.base import lock_plan, record_plan
from plugins.key_accounts.plans.models import ARCHIVED, DONE, DROPPED, OPEN, AccountPlan, PlanAction, PlanReview
from portal.core import clock
from portal.core.errors import Conflict, NotAllowed, NotFound
from portal.core.permissions import can
from portal.customers.permissions import EDIT, VIEW
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


def save_action(
    plan_id: int, action_id: int | None, task: str, owner_id: int | None, due_on: date | None, actor: Actor
) -> PlanAction:
    """Add an action, or change an open one."""
    plan = lock_plan(plan_id, actor, None, content=False)
    action = None
    if action_id is not None:
        action = db.session.get(PlanAction, action_id, with_for_update=True, populate_existing=True)
        if action is None or action.plan_id != plan.id:
            raise NotFound()
        if action.state != OPEN:
            raise Conflict(_("This action is finished."))
    checker = Checker()
    task = checker.line("task", task, 300, required=_("Say what is to be done."))
    due_on = checker.day("due_on", due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    owner = db.session.get(User, owner_id) if owner_id else None
    if owner is None or not owner.is_active:
        checker.add("owner_id", _("Choose somebody who works here."))
    elif not can(_as_reader(owner), VIEW, plan.customer_id):
        checker.add(
            "owner_id",
            _("%(name)s does not see this customer. Take the person into the account team first.", name=owner.name),
        )
    checker.done()
    assert due_on is not None
    if action is None:
        action = PlanAction(plan_id=plan.id, state=OPEN, created_at=clock.now())
        db.session.add(action)
    action.task, action.owner_id, action.due_on = task, owner_id, due_on
    plan.updated_at = clock.now()
    db.session.flush()
    record_plan(plan, KeyAccountAction.PLAN_ACTION, actor, new={"task": task, "due_on": due_on, "owner_id": owner_id})
    return action


def finish_action(action_id: int, state: str, result: str, actor: Actor) -> PlanAction:
    """An action is done, dropped or open again: by its owner, or by who may change the customer."""
    action = db.session.get(PlanAction, action_id, with_for_update=True, populate_existing=True)
    plan = db.session.get(AccountPlan, action.plan_id) if action else None
    if action is None or plan is None or not can(actor, VIEW, plan.customer_id):
        raise NotFound()
    if action.owner_id != actor.user_id and not can(actor, EDIT, plan.customer_id):
        raise NotAllowed(_("An action is finished by its owner or by the account manager."))
    if plan.state == ARCHIVED:
        raise Conflict(_("This plan was put away."))
    checker = Checker()
    if state not in (OPEN, DONE, DROPPED):
        checker.add("state", _("Choose one of the list."))
    result = checker.text("result", result, 500, required=_("Give a reason.") if state == DROPPED else None)
    checker.done()
    old, action.state, action.result = action.state, state, result
    action.finished_at = None if state == OPEN else clock.now()
    plan.updated_at = clock.now()
    db.session.flush()
    record_plan(
        plan,
        KeyAccountAction.PLAN_ACTION,
        actor,
        old={"state": old},
        new={"state": state, "task": action.task},
        reason=result,
    )
    return action


def save_review(
    plan_id: int, review_id: int | None, due_on: date | None, held_on: date | None, result: str, actor: Actor
) -> PlanReview:
    """Add or change a review date; a review that was held says what came of it."""
    plan = lock_plan(plan_id, actor, None, content=False)
    review = None
    if review_id is not None:
        review = db.session.get(PlanReview, review_id, with_for_update=True)
        if review is None or review.plan_id != plan.id:
            raise NotFound()
    checker = Checker()
    due_on = checker.day("due_on", due_on)
    if due_on is None:
        checker.add("due_on", _("Say until when."))
    held_on = checker.day("held_on", held_on, not_after_today=True)
    result = checker.text("result", result, 2000, required=_("Say what came of it.") if held_on else None)
    checker.done()
    assert due_on is not None
    if review is None:
        review = PlanReview(plan_id=plan.id)
        db.session.add(review)
    review.due_on, review.held_on, review.result = due_on, held_on, result
    db.session.flush()
    record_plan(plan, KeyAccountAction.PLAN_REVIEW, actor, new={"due_on": due_on, "held_on": held_on})
    return review


def hand_over(user: User, successor: User | None, actor: Actor) -> None:
    """Somebody left: his open actions go to the successor, or have no owner until the account manager names one."""
    rows = db.session.scalars(
        select(PlanAction)
        .join(AccountPlan, AccountPlan.id == PlanAction.plan_id)
        .where(PlanAction.owner_id == user.id, PlanAction.state == OPEN, AccountPlan.live == 1)
        .order_by(PlanAction.id)
    )
    for action in list(rows):
        action.owner_id = successor.id if successor else None
        db.session.flush()
        record_plan(
            action.plan,
            KeyAccountAction.PLAN_ACTION,
            actor,
            old={"owner_id": user.id},
            new={"owner_id": action.owner_id, "task": action.task},
        )


def _as_reader(user: User) -> Any:
    from portal.org.actor import actor_from_user

    return actor_from_user(user)
