"""The lifecycle stage and the qualification before it (R-CUS-2)."""

from __future__ import annotations

from sqlalchemy import select

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import visible
from portal.customers.actions import CustomerAction
from portal.customers.inputs import QualificationInput
from portal.customers.models import Customer, CustomerQualification, CustomerStageChange
from portal.customers.permissions import EDIT, VIEW
from portal.customers.services.assignment import BulkResult, Refusal
from portal.customers.services.common import label_of, locked_customer
from portal.customers.validation import Checker
from portal.customers.vocabulary import FORWARD, Grade, Stage
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager

REASON_LIMIT = 500


def needs_reason(present: str, wanted: str) -> bool:
    """Whether a change wants a reason: backwards, to dormant or lost, and back from there."""
    if present not in FORWARD or wanted not in FORWARD:
        return True
    return FORWARD.index(Stage(wanted)) < FORWARD.index(Stage(present))


def needs_qualification(present: str, wanted: str) -> bool:
    """Whether a change wants need, means and reputation assessed: on the way to "opportunity" or beyond it."""
    threshold = FORWARD.index(Stage.OPPORTUNITY)
    if wanted not in FORWARD or FORWARD.index(Stage(wanted)) < threshold:
        return False
    return present not in FORWARD or FORWARD.index(Stage(present)) < threshold


def latest_qualification(customer_id: int) -> CustomerQualification | None:
    """The assessment that counts."""
    return db.session.scalars(
        select(CustomerQualification)
        .where(CustomerQualification.customer_id == customer_id)
        .order_by(CustomerQualification.assessed_at.desc(), CustomerQualification.id.desc())
        .limit(1)
    ).first()


def refusal_of(customer: Customer, wanted: str, reason: str, proven: bool = False) -> tuple[str, str] | None:
    """(field, message) of what stands against a change of stage; None when nothing does."""
    if wanted not in {stage.value for stage in Stage}:
        return "stage", _("Choose one of the list.")
    if customer.stage == wanted:
        return "stage", _("The customer is at this stage already.")
    if needs_reason(customer.stage, wanted) and not reason:
        return "reason", _("Going back, dormant and lost need a reason.")
    if needs_qualification(customer.stage, wanted) and not proven:
        assessment = latest_qualification(customer.id)
        if assessment is None:
            return "stage", _("Assess need, means and reputation first.")
        if not assessment.is_complete:
            return "stage", _("Need, means and reputation must all be fair or good.")
    return None


def change_stage(
    customer_id: int,
    stage: str,
    actor: Actor,
    *,
    reason: str = "",
    seen: str | None = None,
    proven: bool = False,
) -> Customer:
    """Move a customer to another stage; kept with date, author and reason.

    :param seen: the stage that the actor saw; when it is another one now, he is told.
    :param proven: a purchase proves need and means: no qualification is asked for (for other modules, not for forms).
    :raises NotFound, NotAllowed: as usual. :raises Conflict: when somebody else moved it.
    :raises Invalid: when a reason or the qualification is missing.
    """
    customer = locked_customer(customer_id, actor, EDIT)
    checker = Checker()
    reason = checker.line("reason", reason, REASON_LIMIT)
    checker.done()
    if seen is not None and seen != customer.stage:
        raise Conflict(_("Somebody else changed the stage in the meantime."))
    refusal = refusal_of(customer, stage, reason, proven)
    if refusal is not None:
        raise Invalid([refusal])
    _move(customer, stage, reason, actor)
    return customer


def change_stages(customer_ids: list[int], stage: str, reason: str, actor: Actor) -> BulkResult:
    """Move many customers; each that cannot be moved is reported with its reason."""
    checker = Checker()
    reason = checker.line("reason", reason, REASON_LIMIT)
    checker.done()
    rows = db.session.scalars(
        select(Customer).where(Customer.id.in_(customer_ids), visible(actor, VIEW)).with_for_update()
    ).all()
    editable = set(db.session.scalars(select(Customer.id).where(Customer.id.in_(customer_ids), visible(actor, EDIT))))
    result = BulkResult()
    for customer in rows:
        if customer.id not in editable:
            result.refused.append(Refusal(customer.id, customer.name, _("You may not change this customer.")))
            continue
        refusal = refusal_of(customer, stage, reason)
        if refusal is not None:
            result.refused.append(Refusal(customer.id, customer.name, str(refusal[1])))
            continue
        _move(customer, stage, reason, actor)
        result.done.append(customer.id)
    return result


def _move(customer: Customer, stage: str, reason: str, actor: Actor) -> None:
    before, now = customer.stage, clock.now()
    customer.stage, customer.stage_changed_at = stage, now
    customer.updated_at, customer.updated_by_id = now, actor.user_id
    db.session.add(
        CustomerStageChange(
            customer_id=customer.id,
            from_stage=before,
            to_stage=stage,
            changed_at=now,
            changed_by_id=actor.user_id,
            reason=reason,
        )
    )
    db.session.flush()
    record(
        actor,
        CustomerAction.STAGE,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        old={"stage": before},
        new={"stage": stage},
        customer_id=customer.id,
        reason=reason,
    )
    manager().hook.customer_changed(customer=customer, changes={"stage": (before, stage)}, actor=actor)


def assess_customer(customer_id: int, data: QualificationInput, actor: Actor) -> CustomerQualification:
    """Keep an assessment of need, means and reputation. :raises NotFound, NotAllowed, Invalid: as usual."""
    customer = locked_customer(customer_id, actor, EDIT)
    checker = Checker()
    assessment = CustomerQualification(
        customer_id=customer.id,
        need=checker.choice("need", data.need, Grade, blank=False),
        means=checker.choice("means", data.means, Grade, blank=False),
        reputation=checker.choice("reputation", data.reputation, Grade, blank=False),
        notes=checker.text("notes", data.notes),
        assessed_at=clock.now(),
        assessed_by_id=actor.user_id,
    )
    checker.done()
    before = latest_qualification(customer.id)
    grades = ("need", "means", "reputation")
    db.session.add(assessment)
    db.session.flush()
    record(
        actor,
        CustomerAction.QUALIFY,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        old={name: getattr(before, name) for name in grades} if before else None,
        new={name: getattr(assessment, name) for name in grades},
        customer_id=customer.id,
    )
    return assessment
