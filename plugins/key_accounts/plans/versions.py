"""A plan as it was at a moment: kept, filed with the head, decided on."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans import queries
from plugins.key_accounts.plans.base import lock_plan, record_plan
from plugins.key_accounts.plans.models import APPROVED, DRAFT, SUBMITTED, AccountPlan, PlanVersion
from portal.approvals.models import ApprovalRequest
from portal.approvals.services import file_request
from portal.core import clock
from portal.core.errors import Invalid
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

KIND = "key_accounts.plan"


def keep_version(plan_id: int, actor: Actor) -> PlanVersion:
    """Keep the plan as it is now."""
    plan = lock_plan(plan_id, actor, None, content=False)
    version = _keep(plan, "kept", actor)
    record_plan(plan, KeyAccountAction.PLAN_KEPT, actor, new={"number": version.number})
    return version


def submit_plan(plan_id: int, token: str, actor: Actor) -> ApprovalRequest:
    """File the plan with the head of the owning department; until he decides it does not change.

    :raises Invalid: an empty plan: at least priorities or direction, and one action or target, must be there.
    """
    plan = lock_plan(plan_id, actor, None)
    sections = queries.sections_of(plan.id)
    missing = []
    if not any(key in sections and sections[key].body for key in ("priorities", "direction")):
        missing.append(_("Write the priorities or the direction first."))
    if not queries.actions_of(plan.id) and not queries.targets_of(plan.id):
        missing.append(_("Name at least one action or one target."))
    if missing:
        raise Invalid([("", text) for text in missing])
    version = _keep(plan, "submitted", actor)
    customer = db.session.get_one(Customer, plan.customer_id)
    request = file_request(
        KIND,
        actor,
        subject_type="key_accounts_plan",
        subject_id=plan.id,
        title=_("Account plan: %(customer)s", customer=customer.name),
        payload={"plan": plan.id, "version": version.id},
        department_id=customer.department_id,
        customer_id=customer.id,
        token=token,
        scope=f"plan:{plan.id}",
    )
    plan.state, plan.request_id = SUBMITTED, request.id
    db.session.flush()
    record_plan(plan, KeyAccountAction.PLAN_SUBMITTED, actor, new={"version": version.number, "request": request.id})
    return request


def settle(plan_id: int, approved: bool, actor: Actor) -> None:
    """The head decided, or the request ended otherwise."""
    plan = db.session.get(AccountPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or plan.state != SUBMITTED:
        return
    plan.state = APPROVED if approved else DRAFT
    plan.updated_at = clock.now()
    db.session.flush()
    if approved:
        _keep(plan, "approved", actor)
    record_plan(plan, KeyAccountAction.PLAN_DECIDED, actor, old={"state": SUBMITTED}, new={"state": plan.state})


def snapshot(plan: AccountPlan) -> dict[str, Any]:
    """The whole plan as primitives."""
    return {
        "title": plan.title,
        "first_year": plan.first_year,
        "years": plan.years,
        "phase": plan.phase,
        "invested": str(plan.invested),
        "sections": {key: row.body for key, row in queries.sections_of(plan.id).items() if row.body},
        "targets": {
            measure: {str(year): str(value) for year, value in by_year.items()}
            for measure, by_year in queries.targets_of(plan.id).items()
        },
        "actions": [
            {
                "task": row.task,
                "owner": row.owner.name if row.owner else "",
                "due_on": row.due_on.isoformat(),
                "state": row.state,
                "result": row.result,
            }
            for row in queries.actions_of(plan.id)
        ],
        "reviews": [
            {
                "due_on": row.due_on.isoformat(),
                "held_on": row.held_on.isoformat() if row.held_on else "",
                "result": row.result,
            }
            for row in queries.reviews_of(plan.id)
        ],
    }


def _keep(plan: AccountPlan, occasion: str, actor: Actor) -> PlanVersion:
    last = db.session.scalar(select(func.max(PlanVersion.number)).where(PlanVersion.plan_id == plan.id)) or 0
    version = PlanVersion(
        plan_id=plan.id,
        number=last + 1,
        occasion=occasion,
        content=json.dumps(snapshot(plan), ensure_ascii=False, sort_keys=True),
        made_at=clock.now(),
        made_by_id=actor.user_id,
    )
    db.session.add(version)
    db.session.flush()
    return version
