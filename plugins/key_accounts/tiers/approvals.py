"""An account manager asks for another tier of his customer; the head of the owning department decides (R-KA-1)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.tiers import queries, services
from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.models import ORDINARY, TIERS
from portal.approvals.kinds import ApprovalKind, Description, Fact, OwningHead, StepSpec
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.approvals.services import file_request
from portal.core.coded import N_
from portal.core.errors import ErrorList, NotFound
from portal.core.paths import path_for
from portal.core.permissions import can, require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor

STEP = N_("Approval by the department head")


def ask_for_tier(customer_id: int, tier: str, reason: str, token: str, actor: Actor) -> ApprovalRequest:
    """File the wish for another tier, with the figures of today.

    :raises Invalid: an unknown tier, the present one, no reason. :raises Conflict: somebody asked already.
    """
    customer = db.session.get(Customer, customer_id, with_for_update={"key_share": True})
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    present = queries.tier_of([customer_id]).get(customer_id, "")
    reason = reason.strip()
    errors = ErrorList()
    if tier not in TIERS:
        errors.add("tier", _("Choose a tier."))
    elif tier == present:
        errors.add("tier", _("The customer has this tier already."))
    if not reason:
        errors.add("reason", _("Give a reason."))
    elif len(reason) > services.REASON_LENGTH:
        errors.add("reason", _("At most %(n)s characters.", n=services.REASON_LENGTH))
    errors.raise_if_any()
    measure = db.session.scalars(select(CustomerMeasure).where(CustomerMeasure.customer_id == customer_id)).first()
    return file_request(
        services.REQUEST_KIND,
        actor,
        subject_type="customer",
        subject_id=customer_id,
        title=_("Tier of %(customer)s: %(tier)s", customer=customer.name, tier=words.tier_word(tier)),
        payload={
            "tier": tier,
            "from": present,
            "proposed": measure.proposal if measure else ORDINARY,
            "sales": str(measure.sales if measure else 0),
            "profit": str(measure.profit if measure else 0),
            "reason": reason,
        },
        department_id=customer.department_id,
        customer_id=customer_id,
        token=token,
        scope=f"tier:{customer_id}",
    )


def route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    """The head of the owning department."""
    return [StepSpec("head", STEP, (OwningHead(),))]


def describe(request: ApprovalRequest) -> Description:
    """The wish with the figures of the day it was filed."""
    payload = request.payload
    customer = db.session.get_one(Customer, request.customer_id)
    return Description(
        title=request.title,
        facts=(
            Fact(
                _("Customer"),
                customer.name,
                important=True,
                url=path_for("key_accounts.account", customer_id=customer.id),
            ),
            Fact(_("Present tier"), words.tier_word(payload["from"])),
            Fact(_("Tier asked for"), words.tier_word(payload["tier"]), important=True),
            Fact(_("The portal proposes"), words.tier_word(payload["proposed"])),
            Fact(_("Sales of twelve months"), f"{Decimal(payload['sales']):,.2f}"),
            Fact(_("Profit contribution"), f"{Decimal(payload['profit']):,.2f}"),
            Fact(_("Reason"), payload["reason"], important=True),
        ),
    )


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whoever may view the customer may read the wish."""
    return request.customer_id is not None and can(actor, "customers.view", request.customer_id)


def subject_url(request: ApprovalRequest) -> str | None:
    """The customer's page of key accounts."""
    return path_for("key_accounts.account", customer_id=request.customer_id) if request.customer_id else None


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The tier is as it was asked for; the history names who decided, and the reason that convinced him."""
    if request.customer_id is not None:
        services.apply_request(request.customer_id, request.payload["tier"], request.payload["reason"], actor)


KINDS = (
    ApprovalKind(
        key=services.REQUEST_KIND,
        title=_l("Tier of a customer"),
        icon="layers",
        route=route,
        describe=describe,
        may_view=may_view,
        url=subject_url,
        on_approved=on_approved,
    ),
)
