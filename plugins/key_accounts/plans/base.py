"""What all changes to account plans share: the locked plan, and its line in the trail."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.plans.models import APPROVED, ARCHIVED, DRAFT, SUBMITTED, AccountPlan
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.permissions import can, require
from portal.customers.models import Customer
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services.common import label_of
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def lock_plan(plan_id: int, actor: Actor, version: int | None, content: bool = True) -> AccountPlan:
    """A plan that the actor may change, locked until the commit.

    :param content: what an approver reads is to be changed; not while he has it before him.
    :raises NotFound: of a customer he does not see. :raises Conflict: put away, filed, or changed meanwhile.
    """
    plan = db.session.get(AccountPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or not can(actor, VIEW, plan.customer_id):
        raise NotFound()
    require(actor, EDIT, plan.customer_id)
    if plan.state == ARCHIVED:
        raise Conflict(_("This plan was put away."))
    if content and plan.state == SUBMITTED:
        raise Conflict(_("The plan waits for a decision; withdraw the request to change it."))
    if version is not None and plan.version != version:
        raise Conflict(_("Somebody else changed this in the meantime."), version=plan.version)
    return plan


def touch_plan(plan: AccountPlan) -> None:
    """What was approved is no longer what is written."""
    plan.updated_at = clock.now()
    if plan.state == APPROVED:
        plan.state = DRAFT
    db.session.flush()


def record_plan(plan: AccountPlan, action: KeyAccountAction, actor: Actor, **details: Any) -> None:
    """A line of the trail about a plan."""
    record(
        actor,
        action,
        object_type="key_accounts_plan",
        object_id=plan.id,
        object_label=label_of(db.session.get_one(Customer, plan.customer_id)),
        customer_id=plan.customer_id,
        **details,
    )
