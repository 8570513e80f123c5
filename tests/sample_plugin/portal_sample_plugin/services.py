"""Asking for a sample, and what the decision does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from portal.approvals.models import ApprovalRequest
from portal.approvals.services import file_request
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import ErrorList, NotFound
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor
from portal.pluginmanager import manager
from portal_sample_plugin import queries
from portal_sample_plugin.actions import SampleAction
from portal_sample_plugin.models import REFUSED, SENT, SampleDelivery, SampleDiary

KIND = "sample.delivery"
NOTICE = "sample.sent"
MOST_OPEN = "sample.most_open"
SENT_OCCASION = "sample.sent"


@dataclass(frozen=True)
class SampleInput:
    """What is asked for."""

    customer_id: int
    product: str
    token: str


def ask(data: SampleInput, actor: Actor) -> ApprovalRequest:
    """Ask for a sample for a customer one may edit. :raises Invalid: no product, too many waiting."""
    customer = db.session.get(Customer, data.customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token)).first()
    if repeated is not None:
        return repeated
    errors = ErrorList()
    if not data.product:
        errors.add("product", _("Say what is to be sent."))
    if queries.open_of(customer.id) >= settings.get(MOST_OPEN):
        errors.add("", _("Other samples for this customer wait for a decision."))
    errors.raise_if_any()
    delivery = SampleDelivery(
        customer_id=customer.id, product=data.product, asked_at=clock.now(), asked_by_id=actor.user_id
    )
    db.session.add(delivery)
    db.session.flush()
    request = file_request(
        KIND,
        actor,
        subject_type="sample_delivery",
        subject_id=delivery.id,
        title=_("Sample for %(customer)s", customer=customer.name),
        payload={"delivery": delivery.id},
        department_id=customer.department_id,
        customer_id=customer.id,
        token=data.token,
    )
    delivery.request_id = request.id
    record(
        actor,
        SampleAction.ASK,
        object_type="sample_delivery",
        object_id=delivery.id,
        object_label=data.product,
        customer_id=customer.id,
        new={"product": data.product},
    )
    return request


def send(request: ApprovalRequest, actor: Actor) -> None:
    """The request was approved."""
    delivery = delivery_of(request)
    delivery.state, delivery.sent_at = SENT, clock.now()
    record(
        actor,
        SampleAction.SEND,
        object_type="sample_delivery",
        object_id=delivery.id,
        object_label=delivery.product,
        customer_id=delivery.customer_id,
        new={"state": SENT},
    )
    manager().hook.occasion_happened(
        occasion=SENT_OCCASION, subject=f"sample:{delivery.id}", customer_id=delivery.customer_id, actor=actor
    )
    notify(
        [delivery.asked_by_id] if delivery.asked_by_id else [],
        NOTICE,
        title=message("The sample %(product)s may be sent", product=delivery.product),
        actor=actor,
    )


def refuse(request: ApprovalRequest) -> None:
    """The request came to another end."""
    delivery_of(request).state = REFUSED


def forget_unasked(customer_ids: Sequence[int]) -> None:
    """Samples that nobody asked for go with their customers."""
    db.session.execute(delete(SampleDelivery).where(SampleDelivery.id.in_(queries.unasked(customer_ids))))


def delivery_of(request: ApprovalRequest) -> SampleDelivery:
    """What a request is about."""
    return db.session.scalars(select(SampleDelivery).where(SampleDelivery.id == request.subject_id)).one()


def note(event: str, about: object = "") -> None:
    """Write a line into the diary, in the caller's transaction."""
    db.session.add(SampleDiary(event=event, about=str(about)[:200]))
    db.session.flush()
