"""Who looks after a customer: assigning, in bulk too, and handing over when somebody leaves (R-ORG-4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.permissions import visible
from portal.customers.actions import CustomerAction
from portal.customers.inputs import AssignInput
from portal.customers.models import Customer, NextStep
from portal.customers.permissions import ASSIGN, VIEW
from portal.customers.services.common import label_of
from portal.customers.validation import Checker
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.pluginmanager import manager

REASON_LIMIT = 500


@dataclass(frozen=True)
class Refusal:
    """A row that a bulk action left alone, and why."""

    customer_id: int
    name: str
    reason: str


@dataclass
class BulkResult:
    """What a bulk action did and what it refused."""

    done: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def assign_customers(customer_ids: list[int], data: AssignInput, actor: Actor) -> BulkResult:
    """Give customers to an account manager and a department; open next steps of the former one go along.

    The department follows the account manager unless one is given. Customers that the actor sees but may not assign
    are reported; those he does not see are not even named.

    :raises Invalid: when the new account manager or department cannot be chosen by this actor.
    """
    checker = Checker()
    reason = checker.line("reason", data.reason, REASON_LIMIT)
    manager_id, department_id = _target(data, actor, checker)
    checker.done()
    rows = db.session.scalars(
        select(Customer)
        .where(Customer.id.in_(customer_ids), visible(actor, VIEW))
        .order_by(Customer.id)
        .with_for_update()
    ).all()
    allowed = set(db.session.scalars(select(Customer.id).where(Customer.id.in_(customer_ids), visible(actor, ASSIGN))))
    result = BulkResult()
    for customer in rows:
        if customer.id not in allowed:
            result.refused.append(
                Refusal(customer.id, customer.name, _("Only the department head or an executive may assign it."))
            )
        elif customer.account_manager_id == manager_id and department_id in (None, customer.department_id):
            result.refused.append(Refusal(customer.id, customer.name, _("Nothing would change.")))
        else:
            _assign(customer, manager_id, department_id, actor, reason, CustomerAction.ASSIGN)
            result.done.append(customer.id)
    return result


def hand_over_customers(leaving: User, successor: User | None, actor: Actor) -> int:
    """Give all customers and open next steps of somebody who leaves to the successor; returns how many customers.

    The owning department follows the successor. Without a successor the customers have no account manager until the
    head assigns them; the next steps stay with the customers.
    """
    customers = db.session.scalars(
        select(Customer)
        .where(Customer.account_manager_id == leaving.id, Customer.status != Status.MERGED.value)
        .order_by(Customer.id)
        .with_for_update()
    ).all()
    department_id = successor.department_id if successor else None
    for customer in customers:
        _assign(
            customer,
            successor.id if successor else None,
            department_id,
            actor,
            "",
            CustomerAction.HAND_OVER,
            steps=False,
        )
    db.session.execute(
        update(NextStep)
        .where(NextStep.owner_id == leaving.id, NextStep.done_at.is_(None), NextStep.cancelled_at.is_(None))
        .values(owner_id=successor.id if successor else None)
        .execution_options(synchronize_session="fetch")
    )
    return len(customers)


def _target(data: AssignInput, actor: Actor, checker: Checker) -> tuple[int | None, int | None]:
    unlimited = actor.is_system or EXECUTIVE in actor.roles
    department_id = data.department_id
    if data.account_manager_id is not None:
        chosen = db.session.get(User, data.account_manager_id)
        if chosen is None or not chosen.is_active:
            checker.add("account_manager_id", _("Choose somebody who works here."))
            return None, None
        department_id = department_id if department_id is not None else chosen.department_id
        if not unlimited and chosen.department_id not in actor.oversees:
            checker.add("account_manager_id", _("The account manager belongs to a department that you do not head."))
    if department_id is not None:
        department = db.session.get(Department, department_id)
        if department is None or not department.is_active:
            checker.add("department_id", _("Choose a department."))
        elif not unlimited and department.id not in actor.oversees:
            checker.add("department_id", _("You do not head this department."))
    return data.account_manager_id, department_id


def _assign(
    customer: Customer,
    manager_id: int | None,
    department_id: int | None,
    actor: Actor,
    reason: str,
    action: CustomerAction,
    steps: bool = True,
) -> None:
    wanted = {
        "account_manager_id": manager_id,
        "department_id": department_id if department_id is not None else customer.department_id,
    }
    changes = {
        name: (getattr(customer, name), value) for name, value in wanted.items() if getattr(customer, name) != value
    }
    if not changes:
        return
    former = customer.account_manager_id
    for name, (_old, value) in changes.items():
        setattr(customer, name, value)
    customer.updated_at, customer.updated_by_id = clock.now(), actor.user_id
    db.session.flush()
    if steps and former is not None and former != manager_id:
        db.session.execute(
            update(NextStep)
            .where(
                NextStep.customer_id == customer.id,
                NextStep.owner_id == former,
                NextStep.done_at.is_(None),
                NextStep.cancelled_at.is_(None),
            )
            .values(owner_id=manager_id)
            .execution_options(synchronize_session="fetch")
        )
    record(
        actor,
        action,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        old={name: pair[0] for name, pair in changes.items()},
        new={name: pair[1] for name, pair in changes.items()},
        customer_id=customer.id,
        reason=reason,
    )
    manager().hook.customer_changed(customer=customer, changes=changes, actor=actor)
