"""The request for a sample: decided by the head of the owning department."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from portal.approvals.kinds import ApprovalKind, Description, Fact, OwningHead, StepSpec
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal_sample_plugin import services


def _route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    return [StepSpec("head", "Department head", (OwningHead(),))]


def _describe(request: ApprovalRequest) -> Description:
    delivery = services.delivery_of(request)
    return Description(request.title, (Fact(_("What is to be sent"), delivery.product, important=True),))


def _approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    services.send(request, actor)


def _refused(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    services.refuse(request)


def _url(request: ApprovalRequest) -> str | None:
    return url_for("sample.of_customer", customer_id=request.customer_id) if request.customer_id else None


KIND = ApprovalKind(
    key=services.KIND,
    title=_l("Product sample"),
    route=_route,
    describe=_describe,
    icon="box",
    url=_url,
    on_approved=_approved,
    on_rejected=_refused,
    on_returned=_refused,
    on_withdrawn=_refused,
    on_expired=_refused,
    on_cancelled=_refused,
)
