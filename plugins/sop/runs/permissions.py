"""Who sees and who works with checklist runs, and who sets up those that start themselves.

A run is seen by whoever has a part in it, by the heads above the department it counts in, by executives, and, when it
is for a customer, by whoever may see that customer. Its customer's record stays behind the customer's own rules.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select

from plugins.sop.runs.models import SopRun, SopRunStep
from portal.core.permissions import Actor, Permission, Rule, anyone, has_role, visible
from portal.customers.models import Customer
from portal.i18n import _l
from portal.org.models import EXECUTIVE, SOP_EDITOR

RUN_VIEW = "sop.run_view"
RUN_WORK = "sop.run_work"
SCHEDULES = "sop.schedules"

CUSTOMER_VIEW = "customers.view"
CUSTOMER_EDIT = "customers.edit"

PERMISSIONS = (
    Permission(RUN_VIEW, _l("See a checklist run"), entity=SopRun, secret=True),
    Permission(RUN_WORK, _l("Work on a checklist run"), entity=SopRun, secret=True),
    Permission(SCHEDULES, _l("Set up checklist runs that start themselves")),
)


def _heads(actor: Actor) -> bool:
    return bool(actor.headed)


def _responsible(actor: Actor) -> ColumnElement[bool]:
    return (SopRun.owner_id == actor.user_id) | (SopRun.started_by_id == actor.user_id)


def _assigned(actor: Actor) -> ColumnElement[bool]:
    mine = select(SopRunStep.run_id).where(SopRunStep.assignee_id == actor.user_id)
    return SopRun.id.in_(mine)


def _below(actor: Actor) -> ColumnElement[bool]:
    return SopRun.department_id.in_(sorted(actor.oversees)) if actor.oversees else false()


def _of_seen(actor: Actor) -> ColumnElement[bool]:
    return SopRun.customer_id.in_(select(Customer.id).where(visible(actor, CUSTOMER_VIEW)))


def _of_changed(actor: Actor) -> ColumnElement[bool]:
    return SopRun.customer_id.in_(select(Customer.id).where(visible(actor, CUSTOMER_EDIT)))


RULES = (
    Rule(RUN_VIEW, "responsible", _l("is responsible for it or started it"), anyone, _responsible, lasting=True),
    Rule(RUN_VIEW, "assigned", _l("has a step in it"), anyone, _assigned, lasting=True),
    Rule(RUN_VIEW, "department_head", _l("heads the department"), _heads, _below, lasting=True),
    Rule(RUN_VIEW, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(RUN_VIEW, "customer", _l("may see the customer"), anyone, _of_seen, lasting=True, follows=CUSTOMER_VIEW),
    Rule(RUN_WORK, "responsible", _l("is responsible for it or started it"), anyone, _responsible, lasting=True),
    Rule(RUN_WORK, "assigned", _l("has a step in it"), anyone, _assigned, lasting=True),
    Rule(RUN_WORK, "department_head", _l("heads the department"), _heads, _below, lasting=True),
    Rule(RUN_WORK, "customer", _l("may change the customer"), anyone, _of_changed, lasting=True, follows=CUSTOMER_EDIT),
    Rule(SCHEDULES, "department_head", _l("heads a department"), _heads),
    Rule(SCHEDULES, "executive", _l("is an executive"), has_role(EXECUTIVE)),
    Rule(SCHEDULES, "sop_editor", _l("is an SOP editor"), has_role(SOP_EDITOR)),
)
