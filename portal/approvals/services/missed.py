"""Requests that ended while the plugin of their kind was switched off: what the kind does then is made up for.

Nobody can vote without the plugin, but a request can expire, be withdrawn or be cancelled. The end is noted as missed;
once the plugin is on again, its reaction runs: by the job, or before the request is filed again.
"""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.approvals.actions import ApprovalAction
from portal.approvals.kinds import ApprovalKind, Reaction, kinds
from portal.approvals.models import CANCELLED, DRAFT, EXPIRED, WITHDRAWN, ApprovalEvent, ApprovalRequest
from portal.approvals.services.base import lock_request, note_event, write_audit
from portal.extensions import db
from portal.org.actor import SYSTEM, Actor

#: Events of a request's time line.
MISSED, CAUGHT_UP = "missed", "caught_up"
_STATES = (WITHDRAWN, EXPIRED, CANCELLED)


def reaction_to(request: ApprovalRequest) -> Reaction | None:
    """What the kind does about the end of a request on which nobody voted; noted as missed without the kind."""
    kind = kinds().get(request.kind)
    if kind is None:
        note_event(request, MISSED, SYSTEM)
        return None
    return _reaction_of(kind, request.state)


def _reaction_of(kind: ApprovalKind, state: str) -> Reaction | None:
    return {WITHDRAWN: kind.on_withdrawn, EXPIRED: kind.on_expired, CANCELLED: kind.on_cancelled}[state]


def missed_ids() -> list[int]:
    """Requests that ended while their plugin was switched off, and whose plugin is on again."""
    event, later = aliased(ApprovalEvent), aliased(ApprovalEvent)
    return list(
        db.session.scalars(
            select(ApprovalRequest.id)
            .where(
                ApprovalRequest.state.in_(_STATES),
                ApprovalRequest.kind.in_([kind.key for kind in kinds()]),
                exists().where(event.request_id == ApprovalRequest.id, event.what == MISSED),
                ~exists().where(later.request_id == ApprovalRequest.id, later.what == CAUGHT_UP),
            )
            .order_by(ApprovalRequest.id)
        )
    )


def catch_up(request_id: int, actor: Actor = SYSTEM) -> bool:
    """Let the kind react to the end that it missed, once; whether it had missed one.

    What was asked for anew meanwhile is left alone: the newer request says how its subject stands.
    """
    request = lock_request(request_id)
    kind = kinds().get(request.kind)
    if kind is None or request.state not in _STATES or not _is_missed(request):
        return False
    note_event(request, CAUGHT_UP, actor)
    write_audit(actor, ApprovalAction.CATCH_UP, request, new={"state": request.state})
    reaction = _reaction_of(kind, request.state)
    if reaction is not None and not _is_asked_anew(request):
        reaction(request, None, actor)
    db.session.flush()
    return True


def _is_missed(request: ApprovalRequest) -> bool:
    happened = set(
        db.session.scalars(
            select(ApprovalEvent.what).where(
                ApprovalEvent.request_id == request.id, ApprovalEvent.what.in_((MISSED, CAUGHT_UP))
            )
        )
    )
    return happened == {MISSED}


def _is_asked_anew(request: ApprovalRequest) -> bool:
    following = select(ApprovalRequest.id).where(
        ApprovalRequest.id > request.id,
        ApprovalRequest.state != DRAFT,
        ApprovalRequest.kind == request.kind,
        ApprovalRequest.subject_type == request.subject_type,
        ApprovalRequest.subject_id == request.subject_id,
        ApprovalRequest.scope == request.scope,
    )
    return db.session.scalar(following.limit(1)) is not None
