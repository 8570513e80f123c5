"""Pages of the plugin vip; a membership of anna's customer and a request of hers that waits for hanna."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from plugins.vip import services as vip
from plugins.vip.certificate import make_certificate
from plugins.vip.models import VipBenefit, VipCandidate, VipMembership
from portal.approvals import deciding
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.access.letters import LEADERS, RECORD, SALES, VIP_RECORD
from tests.access.saving import saved
from tests.world import World

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {}
MATRIX = {
    "GET /vip/apply/<int:customer_id>": RECORD,
    "POST /vip/apply/<int:customer_id>": RECORD,
    "GET /vip/benefits": SALES,
    "POST /vip/candidates/<int:candidate_id>/bring-back": RECORD,
    "GET /vip/candidates": SALES,
    "POST /vip/<int:membership_id>/<any(suspend, withdraw, reinstate):step>": "l---o?o----",
    "POST /vip/<int:membership_id>/points": "l---o?o----",
    "POST /vip/candidates/dismiss": SALES,
    "GET /vip/benefits/<int:benefit_id>": LEADERS,
    "POST /vip/benefits/<int:benefit_id>": LEADERS,
    "GET /vip/": SALES,
    "POST /vip/<int:membership_id>/certificate": VIP_RECORD,
    "GET /vip/benefits/new": LEADERS,
    "POST /vip/benefits/new": LEADERS,
    "POST /vip/candidates/propose": SALES,
    "POST /vip/<int:membership_id>/redeem": VIP_RECORD,
    "GET /vip/<int:membership_id>": VIP_RECORD,
}


def build(stage: Any, world: World) -> None:
    """A membership of the customer, approved by hanna, and a request of anna's (an exception) that waits for her."""
    stage.ids["vip.change:step"] = "suspend"
    anna, hanna = world.actor("anna"), world.actor("hanna")
    customer = stage.ids["customer_id"]
    with transaction():
        first = vip.apply(vip.ApplicationInput(customer, "single", "token-1"), anna).id
    with stage.app.test_request_context():
        shown = digest_of(db.session.get_one(ApprovalRequest, first))
        deciding.attempt(
            first, hanna, "approve", lambda: approvals.decide(first, hanna, vote=APPROVE, seen_digest=shown)
        )
    with transaction():
        other = vip.ApplicationInput(world.customer_id("wuliang"), "exception", "token-2", reason="重要客户")
        stage.ids["request_id"] = vip.apply(other, anna).id
        stage.ids["membership_id"] = db.session.scalars(select(VipMembership.id)).one()
        stage.ids["benefit_id"] = saved(VipBenefit(name="品鉴会", level="silver", cost=10))
        stage.ids["candidate_id"] = saved(
            VipCandidate(
                customer_id=customer, condition="single", state="open", found_on=clock.today(), seen_on=clock.today()
            )
        )
    with stage.app.test_request_context():
        membership = db.session.get_one(VipMembership, stage.ids["membership_id"])
        stage.ids["document_id"] = make_certificate(membership, [], anna).id
