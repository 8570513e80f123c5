"""The other ends of a request: withdrawn, cancelled, expired."""

from __future__ import annotations

from sqlalchemy import select

from portal.approvals.actions import ApprovalAction
from portal.approvals.dbtime import database_now
from portal.approvals.models import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    PENDING,
    WITHDRAWN,
    ApprovalRequest,
)
from portal.approvals.services.base import (
    applicant_behind,
    lock_people,
    lock_request,
    move_request,
    note_event,
    require_applicant,
    too_late,
    trimmed,
    write_audit,
)
from portal.approvals.services.missed import reaction_to
from portal.approvals.services.voting import conclude, finish_steps
from portal.core import clock
from portal.extensions import db
from portal.org.actor import SYSTEM, Actor


def withdraw(request_id: int, actor: Actor, *, reason: str = "") -> ApprovalRequest:
    """The applicant takes a draft or a pending request back. Withdrawn already: returned as it is.

    :raises Conflict: decided or expired meanwhile. :raises NotAllowed: not the applicant.
    """
    lock_people(actor.user_id)
    request = lock_request(request_id)
    require_applicant(request, actor)
    if request.state == WITHDRAWN and request.closed_by_id == actor.user_id:
        return request
    if request.state not in (DRAFT, PENDING):
        raise too_late(request)
    now = clock.now()
    finish_steps(request, None, now)
    note = trimmed(reason)
    move_request(request, state=WITHDRAWN, closed_at=now, closed_by_id=actor.user_id, closing_note=note)
    note_event(request, "withdrawn", actor, for_id=applicant_behind(request, actor), note=note)
    write_audit(actor, ApprovalAction.WITHDRAW, request, reason=note)
    conclude(request, None, actor, reaction_to(request))
    return request


def cancel(request_id: int, actor: Actor, *, reason: str) -> ApprovalRequest:
    """End a draft or pending request because its subject is gone or the applicant left.

    For services of the subject's module, which have checked that the actor may do what causes it. Never an approval.
    Closed already: returned as it is.
    """
    request = lock_request(request_id)
    if request.state not in (DRAFT, PENDING):
        return request
    now = clock.now()
    finish_steps(request, None, now)
    note = trimmed(reason)
    move_request(request, state=CANCELLED, closed_at=now, closed_by_id=actor.user_id, closing_note=note)
    note_event(request, "cancelled", actor, note=note)
    write_audit(actor, ApprovalAction.CANCEL, request, reason=note)
    conclude(request, None, actor, reaction_to(request))
    return request


def expire(request_id: int, actor: Actor = SYSTEM) -> ApprovalRequest:
    """Close a pending request whose deadline has passed: a refusal. The deadline holds without this as well.

    :raises Conflict: not pending any more, or not past its deadline.
    """
    request = lock_request(request_id)
    if request.state != PENDING:
        raise too_late(request)
    now = clock.now()
    finish_steps(request, None, now)
    move_request(request, state=EXPIRED, closed_at=now, closed_by_id=actor.user_id)
    note_event(request, "expired", actor)
    write_audit(actor, ApprovalAction.EXPIRE, request)
    conclude(request, None, actor, reaction_to(request))
    return request


def overdue_ids(limit: int = 200, after_id: int = 0) -> list[int]:
    """Pending requests past their deadline on the database's time, for the job that calls `expire` on each."""
    return list(
        db.session.scalars(
            select(ApprovalRequest.id)
            .where(
                ApprovalRequest.state == PENDING,
                ApprovalRequest.expires_at <= database_now(),
                ApprovalRequest.id > after_id,
            )
            .order_by(ApprovalRequest.id)
            .limit(limit)
        )
    )
