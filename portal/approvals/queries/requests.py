"""One request: who may see it, what an approver is shown, how it was closed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased

from portal.approvals.authority import Organisation, authorities
from portal.approvals.dbtime import database_now
from portal.approvals.kinds import Description, kinds
from portal.approvals.models import (
    APPROVED,
    CANCELLED,
    EXPIRED,
    FINAL_STATES,
    OPEN,
    PENDING,
    REJECTED,
    RETURNED,
    WAITING,
    WITHDRAWN,
    ApprovalCopy,
    ApprovalDecision,
    ApprovalOpinion,
    ApprovalRequest,
    ApprovalSeat,
    dump_json,
)
from portal.approvals.permissions import OVERSEE, REASSIGN
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


def get_request(request_id: int, actor: Actor) -> ApprovalRequest:
    """A request whose content the actor may read. :raises NotFound: else."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None or not may_view(request, actor):
        raise NotFound()
    return request


def get_status(request_id: int, actor: Actor) -> tuple[ApprovalRequest, bool]:
    """A request whose status the actor may see, and whether he may read the content too. :raises NotFound: else."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None:
        raise NotFound()
    if may_view(request, actor):
        return request, True
    if has_copy(request, actor) or can(actor, OVERSEE) or can(actor, REASSIGN):
        return request, False
    raise NotFound()


def request_of(request_id: int) -> ApprovalRequest | None:
    """A request for whoever reads the trail: what he sees of it is the trail's matter."""
    return db.session.get(ApprovalRequest, request_id)


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor may read the content: applicant, typist, who sits or sat in a seat or stands in for one who
    does, who was asked for an opinion, and whom the kind adds."""
    if actor.is_system:
        return True
    if actor.user_id is None:
        return False
    if actor.user_id in (request.applicant_id, request.typed_by_id):
        return True
    involved = db.session.scalar(
        select(
            or_(
                exists().where(ApprovalSeat.request_id == request.id, ApprovalSeat.user_id == actor.user_id),
                exists().where(ApprovalDecision.request_id == request.id, ApprovalDecision.by_id == actor.user_id),
                exists().where(ApprovalOpinion.request_id == request.id, ApprovalOpinion.user_id == actor.user_id),
            )
        )
    )
    if involved:
        return True
    kind = kinds().get(request.kind)
    if kind is not None and kind.may_view is not None and kind.may_view(request, actor):
        return True
    step = request.open_step if request.state == PENDING else None
    return step is not None and bool(authorities(request, step, actor, Organisation()))


def has_copy(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor is kept informed (status, not content)."""
    return actor.user_id is not None and db.session.get(ApprovalCopy, (request.id, actor.user_id)) is not None


def had_seat(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor, or somebody for whom he stands in, had a seat of this round that is closed now, or voted."""
    if actor.user_id is None:
        return False
    principals = {actor.user_id} | {row.delegator_id for row in Organisation().covering(request, actor.user_id)}
    closed = select(ApprovalSeat.id).where(
        ApprovalSeat.request_id == request.id,
        ApprovalSeat.user_id.in_(sorted(principals)),
        ApprovalSeat.state.not_in((OPEN, WAITING)),
    )
    voted = select(ApprovalDecision.id).where(
        ApprovalDecision.request_id == request.id, ApprovalDecision.by_id == actor.user_id
    )
    return bool(db.session.scalar(select(or_(closed.exists(), voted.exists()))))


def description_of(request: ApprovalRequest) -> Description:
    """What is asked; only the title when the plugin of the kind is switched off."""
    kind = kinds().get(request.kind)
    return kind.describe(request) if kind is not None else Description(request.title)


def digest_of(request: ApprovalRequest, description: Description | None = None) -> str:
    """SHA-256 over what an approver is shown: the round, the open step, content, facts and conditions so far.

    A decision carries it; when it is another one by then, the request changed and is shown again.
    """
    description = description or description_of(request)
    step = request.open_step
    data = [
        request.id,
        request.round,
        step.id if step is not None else None,
        request.payload_json,
        request.conditions_json,
        str(description.title),
        str(description.warning),
        [[str(fact.label), str(fact.value)] for fact in description.facts],
    ]
    return hashlib.sha256(dump_json(data).encode()).hexdigest()


@dataclass(frozen=True)
class Closing:
    """How a request ended, or what happened to it last, for whoever came too late."""

    request_id: int
    outcome: str
    by: str
    for_name: str
    at: datetime | None

    @property
    def who(self) -> str:
        """The decider, "B for A" when he stood in for somebody."""
        return person_label(self.by, self.for_name)

    def sentence(self) -> str:
        """One calm sentence."""
        when = clock.local(self.at).strftime("%Y-%m-%d %H:%M") if self.at else ""
        values = {"name": self.who, "time": when}
        if self.outcome == APPROVED:
            return _("%(name)s approved this request on %(time)s.", **values)
        if self.outcome == REJECTED:
            return _("%(name)s rejected this request on %(time)s.", **values)
        if self.outcome == RETURNED:
            return _("%(name)s returned this request to the applicant on %(time)s.", **values)
        if self.outcome == WITHDRAWN:
            return _("%(name)s withdrew this request on %(time)s.", **values)
        if self.outcome == CANCELLED:
            return _("This request was cancelled on %(time)s.", time=when)
        if self.outcome == EXPIRED:
            return _("The deadline of this request passed on %(time)s; it counts as refused.", time=when)
        if self.by:
            return _("%(name)s decided this step on %(time)s.", **values)
        return _("In the meantime this request was changed.")

    def details(self) -> dict[str, Any]:
        """For the details of a `Conflict`."""
        return {
            "request_id": self.request_id,
            "outcome": self.outcome,
            "decided_by": self.who,
            "decided_at": self.at,
        }


def closing_of(request_id: int) -> Closing:
    """How a request ended, read afresh; one statement."""
    decider, stood_in_for, closer = aliased(User), aliased(User), aliased(User)
    row = db.session.execute(
        select(
            ApprovalRequest.state,
            ApprovalRequest.closed_at,
            ApprovalRequest.expires_at,
            (ApprovalRequest.expires_at <= database_now()).label("is_past"),
            closer.name.label("closer"),
            decider.name.label("decider"),
            stood_in_for.name.label("stood_in_for"),
            ApprovalDecision.decided_at,
        )
        .outerjoin(closer, closer.id == ApprovalRequest.closed_by_id)
        .outerjoin(ApprovalDecision, ApprovalDecision.request_id == ApprovalRequest.id)
        .outerjoin(decider, decider.id == ApprovalDecision.by_id)
        .outerjoin(stood_in_for, stood_in_for.id == ApprovalDecision.for_id)
        .where(ApprovalRequest.id == request_id)
        .order_by(ApprovalDecision.decided_at.desc(), ApprovalDecision.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return Closing(request_id, "", "", "", None)
    if row.state == PENDING and row.is_past:
        return Closing(request_id, EXPIRED, "", "", row.expires_at)
    if row.state == EXPIRED:
        return Closing(request_id, EXPIRED, "", "", row.expires_at)
    if row.state in (APPROVED, REJECTED, RETURNED):
        return Closing(request_id, row.state, row.decider or "", row.stood_in_for or "", row.decided_at)
    if row.state in FINAL_STATES:
        return Closing(request_id, row.state, row.closer or "", "", row.closed_at)
    return Closing(request_id, "", row.decider or "", row.stood_in_for or "", row.decided_at)


def person_label(name: str, for_name: str | None) -> str:
    """ "李四", or "李四代张三" when he stood in for somebody."""
    return _("%(delegate)s for %(delegator)s", delegate=name, delegator=for_name) if for_name else name
