"""Every working day: what is overdue comes to its owner, once for each due day."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from plugins.key_accounts.care.models import CareDuty
from plugins.key_accounts.care.vocabulary import DUTIES
from plugins.key_accounts.plans.models import OPEN, AccountPlan, PlanAction, PlanReview
from portal.core import clock
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.paths import path_for
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _l
from portal.notifications.kinds import message
from portal.notifications.services import notify

NOTICE = "key_accounts.due"
CHUNK = 100


def remind(context: JobContext) -> dict[str, Any]:
    """Tell owners of overdue actions, reviews and duties; each due day is told once."""
    today = clock.today()
    told = 0
    for ids, tell in (
        (_overdue_actions(today), _tell_action),
        (_due_reviews(today), _tell_review),
        (_overdue_duties(today), _tell_duty),
    ):
        for start in range(0, len(ids), CHUNK):
            context.check_cancelled()
            with transaction():
                told += sum(tell(key) for key in ids[start : start + CHUNK])
    return {"told": told}


def _overdue_actions(today: Any) -> list[int]:
    statement = (
        select(PlanAction.id)
        .join(AccountPlan, AccountPlan.id == PlanAction.plan_id)
        .where(
            PlanAction.state == OPEN,
            PlanAction.due_on < today,
            AccountPlan.live == 1,
            or_(PlanAction.reminded_for.is_(None), PlanAction.reminded_for != PlanAction.due_on),
        )
    )
    return list(db.session.scalars(statement.order_by(PlanAction.id)))


def _due_reviews(today: Any) -> list[int]:
    statement = (
        select(PlanReview.id)
        .join(AccountPlan, AccountPlan.id == PlanReview.plan_id)
        .where(
            PlanReview.held_on.is_(None),
            PlanReview.due_on <= today,
            AccountPlan.live == 1,
            or_(PlanReview.reminded_for.is_(None), PlanReview.reminded_for != PlanReview.due_on),
        )
    )
    return list(db.session.scalars(statement.order_by(PlanReview.id)))


def _overdue_duties(today: Any) -> list[int]:
    statement = select(CareDuty.id).where(
        CareDuty.is_needed,
        CareDuty.due_on < today,
        or_(CareDuty.reminded_for.is_(None), CareDuty.reminded_for != CareDuty.due_on),
    )
    return list(db.session.scalars(statement.order_by(CareDuty.id)))


def _tell_action(action_id: int) -> bool:
    action = db.session.get_one(PlanAction, action_id)
    customer = db.session.get_one(Customer, action.plan.customer_id)
    # Nobody's action is the account manager's worry.
    owner = action.owner_id or customer.account_manager_id
    action.reminded_for = action.due_on
    if owner is None:
        return False
    notify(
        [owner],
        NOTICE,
        title=message(
            "Overdue since %(day)s: %(task)s (%(customer)s)",
            day=action.due_on,
            task=action.task,
            customer=customer.name,
        ),
        url=path_for("key_accounts.plan", customer_id=customer.id),
        about=f"key_accounts_action:{action.id}",
    )
    return True


def _tell_review(review_id: int) -> bool:
    review = db.session.get_one(PlanReview, review_id)
    customer = db.session.get_one(Customer, review.plan.customer_id)
    review.reminded_for = review.due_on
    if customer.account_manager_id is None:
        return False
    notify(
        [customer.account_manager_id],
        NOTICE,
        title=message("Review of the account plan is due: %(customer)s", customer=customer.name),
        url=path_for("key_accounts.plan", customer_id=customer.id),
        about=f"key_accounts_review:{review.id}",
    )
    return True


def _tell_duty(duty_id: int) -> bool:
    duty = db.session.get_one(CareDuty, duty_id)
    customer = db.session.get_one(Customer, duty.customer_id)
    owner = duty.owner_id or customer.account_manager_id
    duty.reminded_for = duty.due_on
    if owner is None:
        return False
    notify(
        [owner],
        NOTICE,
        title=message(
            "Care duty overdue: %(duty)s (%(customer)s)", duty=str(DUTIES[duty.duty][0]), customer=customer.name
        ),
        url=path_for("key_accounts.care", customer_id=customer.id),
        about=f"key_accounts_duty:{duty.id}",
    )
    return True


JOBS = (
    Job(
        "key_accounts.remind",
        _l("Tell owners of overdue plan actions, reviews and care duties"),
        remind,
        schedule=Schedule(minute="50", hour="6", working_days=True),
        idempotent=True,
    ),
)
