"""The one transition, locks, and what every service does: event, audit, notice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Organisation
from portal.approvals.dbtime import database_now
from portal.approvals.kinds import ApprovalKind, kinds
from portal.approvals.models import (
    CANCELLED,
    EXPIRED,
    OPEN,
    PENDING,
    ApprovalEvent,
    ApprovalRequest,
    ApprovalStep,
)
from portal.approvals.notices import tell
from portal.approvals.queries import closing_of, has_copy, may_view
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.org.actor import Actor
from portal.org.models import User

EXPIRE_AFTER = "approvals.expire_after_working_days"
#: A reminder by hand (催办) is possible once in so many hours.
URGE_HOURS = 4
#: So many low-risk requests at most are approved in one go.
BATCH_LIMIT = 20
OPINION_LENGTH = 2000
NOTE_LENGTH = 500
TITLE_LENGTH = 300


def move_request(request: ApprovalRequest, *, state: str, **values: Any) -> None:
    """Move a request by one conditional UPDATE that must change exactly one row.

    Expected are the state and the version that the caller has seen. A pending request moves only before its deadline
    (to "expired" only after it), on the database's time; "cancelled" at any time.

    :raises Conflict: somebody else was faster; says who decided and when.
    """
    session = db.session
    session.flush()
    conditions = [
        ApprovalRequest.id == request.id,
        ApprovalRequest.state == request.state,
        ApprovalRequest.version == request.version,
    ]
    if request.state == PENDING and state == EXPIRED:
        conditions.append(ApprovalRequest.expires_at <= database_now())
    elif request.state == PENDING and state != CANCELLED:
        conditions.append(ApprovalRequest.expires_at > database_now())
    changed: Any = session.execute(
        update(ApprovalRequest)
        .where(*conditions)
        .values(state=state, version=request.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        raise too_late(request)
    session.expire(request)


def lock_request(request_id: int) -> ApprovalRequest:
    """The request as it is now; on PostgreSQL nobody else moves it until the transaction ends."""
    request = db.session.scalar(
        select(ApprovalRequest)
        .where(ApprovalRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound()
    for name in ("steps", "beneficiaries"):
        db.session.expire(request, [name])
    return request


def lock_people(*user_ids: int | None) -> None:
    """Keep people as they are (active, their account) until the transaction ends; before the request is locked."""
    wanted = sorted({i for i in user_ids if i is not None})
    if wanted and db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(User.id).where(User.id.in_(wanted)).order_by(User.id).with_for_update(read=True))


def too_late(request: ApprovalRequest) -> Conflict:
    """The calm answer to whoever was too late."""
    closing = closing_of(request.id)
    return Conflict(closing.sentence(), **closing.details())


def is_past(request: ApprovalRequest) -> bool:
    """Whether the deadline has passed on the database's time."""
    passed = db.session.scalar(
        select(ApprovalRequest.id).where(ApprovalRequest.id == request.id, ApprovalRequest.expires_at <= database_now())
    )
    return passed is not None


def require_kind(key: str) -> ApprovalKind:
    """The registered kind. :raises Invalid: its plugin is switched off."""
    kind = kinds().get(key)
    if kind is None:
        raise Invalid([("", _("This kind of request is switched off."))])
    return kind


def is_applicant(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor is the applicant or typed the request for him; the portal itself for its own proposals."""
    if actor.is_system:
        return request.applicant_id is None
    return actor.user_id is not None and actor.user_id in (request.applicant_id, request.typed_by_id)


def require_applicant(request: ApprovalRequest, actor: Actor) -> None:
    """Only applicant and typist pass. :raises NotAllowed: others who may see it. :raises NotFound: else."""
    if is_applicant(request, actor):
        return
    if not (may_view(request, actor) or has_copy(request, actor)):
        raise NotFound()
    raise NotAllowed(_("Only the applicant can do this."), request_id=request.id, rule="applicant")


def applicant_behind(request: ApprovalRequest, actor: Actor) -> int | None:
    """The applicant, when the one who typed the request acts for him."""
    return request.applicant_id if actor.user_id is not None and actor.user_id == request.typed_by_id else None


def has_seat(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor may decide the open step just now."""
    step = request.open_step
    if step is None or request.state != PENDING:
        return False
    return bool(authorities.authorities(request, step, actor, Organisation()))


def trimmed(text: str, length: int = NOTE_LENGTH) -> str:
    """A note without outer blanks, at most so long."""
    return text.strip()[:length]


def required_reason(text: str) -> str:
    """A reason that must not be empty. :raises Invalid: it is."""
    found = trimmed(text)
    if not found:
        raise Invalid([("reason", _("Say why."))])
    return found


def note_event(
    request: ApprovalRequest,
    what: str,
    actor: Actor,
    *,
    for_id: int | None = None,
    target_id: int | None = None,
    note: str = "",
    step: ApprovalStep | None = None,
) -> None:
    """Add an entry to the time line."""
    db.session.add(
        ApprovalEvent(
            request_id=request.id,
            what=what,
            at=clock.now(),
            actor_id=actor.user_id,
            for_id=for_id,
            target_id=target_id,
            note=note,
            step_key=step.key if step is not None else "",
        )
    )


def write_audit(actor: Actor, action: ApprovalAction, request: ApprovalRequest, **details: Any) -> None:
    """Add an entry to the audit trail, with kind and state of the request."""
    new = {"kind": request.kind, "state": request.state, **(details.pop("new", None) or {})}
    record(
        actor,
        action,
        object_type="approval_request",
        object_id=request.id,
        object_label=f"{request.number} {request.title}",
        customer_id=request.customer_id,
        new=new,
        **details,
    )


def tell_approvers(
    request: ApprovalRequest,
    actor: Actor,
    organisation: Organisation,
    *,
    kind: str = "approvals.to_decide",
    only: set[int] | None = None,
) -> None:
    """Tell those whose turn it is, and who stands in for them today."""
    step = request.open_step
    if step is None or request.state != PENDING:
        return
    open_seats = [seat for seat in step.seats if seat.state == OPEN]
    holders = {seat.user_id for seat in open_seats}
    if only is not None:
        holders &= only
    excluded = authorities.excluded_ids(request, organisation)
    personal = {seat.user_id for seat in open_seats if seat.basis in authorities.PERSONAL_BASES}
    delegates = {
        row.delegate_id
        for row in organisation.covering(request)
        if row.delegator_id in holders - personal and row.delegate_id not in excluded
    }
    if kind == "approvals.reminder":
        title = message("Please decide: %(title)s", title=request.title)
    else:
        title = message("Waiting for your decision: %(title)s", title=request.title)
    tell((holders | delegates) - {actor.user_id or 0}, kind, request, title, actor=actor)
