"""Votes: whose, by what authority, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Authority, Organisation
from portal.approvals.ddl import MESSAGES
from portal.approvals.kinds import ANY, SEQUENCE, ApprovalKind, Reaction
from portal.approvals.models import (
    APPROVE,
    APPROVED,
    CANCELLED,
    CLOSED,
    EXPIRED,
    OPEN,
    OUTCOMES,
    PENDING,
    REJECTED,
    RETURN,
    RETURNED,
    VOTES,
    WAITING,
    WITHDRAWN,
    ApprovalCopy,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    dump_json,
)
from portal.approvals.notices import tell
from portal.approvals.queries import digest_of, had_seat, may_view
from portal.approvals.services.base import (
    NOTE_LENGTH,
    OPINION_LENGTH,
    is_past,
    lock_people,
    lock_request,
    move_request,
    note_event,
    require_kind,
    tell_approvers,
    too_late,
    write_audit,
)
from portal.approvals.services.filing import next_round
from portal.approvals.services.steps import advance_sequence, is_approved, lacks_seats, open_next_step
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.org.actor import Actor
from portal.pluginmanager import manager


def decide(
    request_id: int,
    actor: Actor,
    *,
    vote: str,
    seen_digest: str,
    opinion: str = "",
    conditions: Mapping[str, Any] | None = None,
    on_behalf_of: int | None = None,
) -> ApprovalDecision:
    """Vote on a request; the last vote needed decides it.

    :param vote: "approve", "reject" or "return" (back to the applicant, who may change it and file it again).
    :param seen_digest: of what the approver was shown (`queries.digest_of`).
    :param opinion: needed to reject and to return.
    :param conditions: what is granted instead of what was asked, for kinds that know conditions.
    :param on_behalf_of: whose seat is meant, when the actor has several; None takes his own, else the first one.
    :returns: the decision. The same decision again returns the first one and writes nothing.
    :raises Conflict: decided, withdrawn or expired meanwhile (says by whom and when), or the request changed
        (`details["changed"]`). :raises NotAllowed: no authority at this moment. :raises Invalid: opinion or conditions.
    """
    if vote not in VOTES:
        raise Invalid([("vote", _("Choose approve, reject or return."))])
    opinion = opinion.strip()
    lock_people(actor.user_id, on_behalf_of)
    request = lock_request(request_id)
    kind = require_kind(request.kind)
    before = _same_decision(request, actor, vote, seen_digest, opinion, conditions, on_behalf_of)
    if before is not None:
        return before
    if request.state != PENDING or is_past(request):
        if not may_view(request, actor):
            raise NotFound()
        raise too_late(request)
    organisation = Organisation()
    step = request.open_step
    if step is None:
        raise too_late(request)
    chosen = require_authority(request, step, actor, organisation, on_behalf_of)
    if seen_digest != digest_of(request):
        raise Conflict(
            _("The request changed since you opened it. Look at it again before you decide."),
            request_id=request.id,
            changed=True,
        )
    _check_vote(kind, request, vote, opinion, conditions)
    decision = _insert_decision(request, step, chosen, actor, vote, opinion, conditions, seen_digest)
    _apply_vote(request, step, chosen.seat, decision, actor, organisation, kind)
    return decision


def _check_vote(
    kind: ApprovalKind, request: ApprovalRequest, vote: str, opinion: str, conditions: Mapping[str, Any] | None
) -> None:
    if vote != APPROVE and not opinion:
        raise Invalid([("opinion", _("Say why: an opinion is needed to reject or to return."))])
    if len(opinion) > OPINION_LENGTH:
        raise Invalid([("opinion", _("At most %(count)s characters.", count=OPINION_LENGTH))])
    if conditions is not None:
        if vote != APPROVE or kind.conditions_form is None:
            raise Invalid([("", _("This kind of request is approved as asked or not at all."))])
        if kind.check_conditions is not None:
            kind.check_conditions(request, conditions)


def _same_decision(
    request: ApprovalRequest,
    actor: Actor,
    vote: str,
    seen_digest: str,
    opinion: str,
    conditions: Mapping[str, Any] | None,
    on_behalf_of: int | None,
) -> ApprovalDecision | None:
    """The actor's decision on the very thing that he was shown. A different one than before is a conflict."""
    found = db.session.scalar(
        select(ApprovalDecision).where(
            ApprovalDecision.request_id == request.id,
            ApprovalDecision.by_id == actor.user_id,
            ApprovalDecision.digest == seen_digest,
        )
    )
    if found is None:
        return None
    same = (found.vote, found.opinion) == (vote, opinion) and (on_behalf_of in (None, found.for_id, actor.user_id))
    if same and found.conditions_json == (None if conditions is None else dump_json(dict(conditions))):
        return found
    raise Conflict(
        _("You decided this already, in another way."),
        request_id=request.id,
        outcome=found.vote,
        decided_by=actor.name,
        decided_at=found.decided_at,
    )


def require_authority(
    request: ApprovalRequest,
    step: ApprovalStep,
    actor: Actor,
    organisation: Organisation,
    on_behalf_of: int | None = None,
) -> Authority:
    """The seat that the actor decides from. Raises what tells him why there is none."""
    found = authorities.authorities(request, step, actor, organisation)
    if on_behalf_of is not None and on_behalf_of != actor.user_id:
        found = [item for item in found if item.for_id == on_behalf_of]
    elif on_behalf_of is not None:
        found = [item for item in found if item.for_id is None]
    if found:
        return found[0]
    if not may_view(request, actor):
        raise NotFound()
    if actor.user_id in authorities.excluded_ids(request, organisation):
        raise NotAllowed(
            _("Nobody decides on his own request, nor does anybody who gains by it or stands in for the applicant."),
            request_id=request.id,
            rule="party",
        )
    if had_seat(request, actor):
        raise too_late(request)
    raise NotAllowed(_("You have no authority to decide this request now."), request_id=request.id, rule="no_authority")


def _insert_decision(
    request: ApprovalRequest,
    step: ApprovalStep,
    chosen: Authority,
    actor: Actor,
    vote: str,
    opinion: str,
    conditions: Mapping[str, Any] | None,
    digest: str,
) -> ApprovalDecision:
    assert actor.user_id is not None
    request_id = request.id
    decision = ApprovalDecision(
        request_id=request.id,
        step_id=step.id,
        seat_id=chosen.seat.id,
        vote=vote,
        outcome=_outcome(request, step, chosen.seat, vote),
        by_id=actor.user_id,
        for_id=chosen.for_id,
        person=authorities.person_name(actor.user_id, actor.person_key),
        authority=chosen.text,
        opinion=opinion,
        conditions_json=None if conditions is None else dump_json(dict(conditions)),
        policy_version=request.policy_version,
        digest=digest,
        decided_at=clock.now(),
    )
    db.session.add(decision)
    try:
        db.session.flush()
    except IntegrityError as error:
        text = str(error.orig)
        if MESSAGES["party"] in text or MESSAGES["delegate"] in text:
            raise NotAllowed(_("Nobody decides on his own request."), rule="party") from error
        raise Conflict(_("This vote was given already."), request_id=request_id) from error
    return decision


def _outcome(request: ApprovalRequest, step: ApprovalStep, seat: ApprovalSeat, vote: str) -> str:
    """The final state that this vote leads to, or "" while others still have to vote."""
    if vote != APPROVE:
        return OUTCOMES[vote]
    # Looked at as if the seat had approved already; the seat itself changes after the decision is written.
    state, others = seat.state, _others_of_slot(step, seat)
    with db.session.no_autoflush:
        seat.state = "approved"
        closed = [(other, other.state) for other in others]
        for other, _state in closed:
            other.state = CLOSED
        done = is_approved(step)
        seat.state = state
        for other, before in closed:
            other.state = before
    last = step.position == max(item.position for item in request.steps)
    return APPROVED if done and last else ""


def _others_of_slot(step: ApprovalStep, seat: ApprovalSeat) -> list[ApprovalSeat]:
    return [
        other
        for other in step.seats
        if other.slot == seat.slot and other.id != seat.id and other.state in (OPEN, WAITING)
    ]


def _apply_vote(
    request: ApprovalRequest,
    step: ApprovalStep,
    seat: ApprovalSeat,
    decision: ApprovalDecision,
    actor: Actor,
    organisation: Organisation,
    kind: ApprovalKind,
) -> None:
    now = decision.decided_at
    seat.state, seat.closed_at = {APPROVE: "approved", RETURN: "returned"}.get(decision.vote, "rejected"), now
    closing = _others_of_slot(step, seat)
    if step.mode == ANY and not seat.is_added:
        closing += [other for other in step.seats if not other.is_added and other.state in (OPEN, WAITING)]
    for other in closing:
        close_seat(other, now)
    note_event(request, decision.vote, actor, for_id=decision.for_id, note=decision.opinion, step=step)
    values: dict[str, Any] = {}
    if decision.conditions_json is not None:
        values["conditions_json"] = decision.conditions_json
    done = is_approved(step) if decision.vote == APPROVE else False
    if decision.outcome:
        finish_steps(request, step, now)
        move_request(request, state=decision.outcome, closed_at=now, closed_by_id=actor.user_id, **values)
    elif done:
        step.state, step.closed_at = CLOSED, now
        following = next(item for item in request.steps if item.position == step.position + 1)
        values |= open_next_step(request, following, organisation)
        move_request(request, state=PENDING, **values)
    else:
        if step.mode == SEQUENCE:
            advance_sequence(step)
        held = request.held_since or (now if lacks_seats(step) else None)
        move_request(request, state=PENDING, held_since=held, **values)
    action = {
        APPROVE: ApprovalAction.APPROVE if decision.outcome else ApprovalAction.VOTE,
        RETURN: ApprovalAction.RETURN,
    }.get(decision.vote, ApprovalAction.REJECT)
    write_audit(
        actor,
        action,
        request,
        on_behalf_of_id=decision.for_id,
        new={
            "vote": decision.vote,
            "outcome": decision.outcome,
            "step": step.key,
            "authority": decision.authority,
            "conditions": decision.conditions,
            "policy_version": decision.policy_version,
            "digest": decision.digest,
        },
        reason=decision.opinion,
    )
    if decision.outcome:
        if decision.outcome == RETURNED:
            next_round(request)
        reaction = {APPROVED: kind.on_approved, REJECTED: kind.on_rejected}.get(decision.outcome, kind.on_returned)
        conclude(request, decision, actor, reaction)
    else:
        tell_approvers(request, actor, organisation)


def conclude(
    request: ApprovalRequest, decision: ApprovalDecision | None, actor: Actor, reaction: Reaction | None
) -> None:
    """What follows a final state, in the same transaction: the kind's reaction, the hook, the notices."""
    outcome = request.state
    if reaction is not None:
        reaction(request, decision, actor)
    if outcome != RETURNED:
        manager().hook.request_decided(request=request, outcome=outcome, actor=actor)
    db.session.flush()
    sentences = {
        APPROVED: message("Approved: %(title)s", title=request.title),
        REJECTED: message("Rejected: %(title)s", title=request.title),
        RETURNED: message("Returned to you for changes: %(title)s", title=request.title),
        WITHDRAWN: message("Withdrawn: %(title)s", title=request.title),
        EXPIRED: message("Expired without a decision: %(title)s", title=request.title),
        CANCELLED: message("Cancelled: %(title)s", title=request.title),
    }
    told = {i for i in (request.applicant_id, request.typed_by_id) if i is not None and i != actor.user_id}
    note = decision.opinion if decision is not None else request.closing_note
    tell(told, "approvals.decided", request, sentences[outcome], body=note, actor=actor)
    copied = set(db.session.scalars(select(ApprovalCopy.user_id).where(ApprovalCopy.request_id == request.id)))
    status = {
        APPROVED: message("Request %(number)s was approved", number=request.number),
        REJECTED: message("Request %(number)s was rejected", number=request.number),
        RETURNED: message("Request %(number)s was returned to the applicant", number=request.number),
        WITHDRAWN: message("Request %(number)s was withdrawn", number=request.number),
        EXPIRED: message("Request %(number)s has expired", number=request.number),
        CANCELLED: message("Request %(number)s was cancelled", number=request.number),
    }
    tell(copied - told - {actor.user_id or 0}, "approvals.copied", request, status[outcome])


def finish_steps(request: ApprovalRequest, current: ApprovalStep | None, now: datetime) -> None:
    """Close the open step and every seat that still waits; steps that never opened stay as they are."""
    for step in request.steps:
        if step.state == OPEN:
            step.state, step.closed_at = CLOSED, now
            for seat in step.seats:
                if seat.state in (OPEN, WAITING):
                    close_seat(seat, now)
    if current is not None:
        current.closed_at = now


def close_seat(seat: ApprovalSeat, now: datetime, state: str = CLOSED) -> None:
    """Close a seat."""
    seat.state, seat.closed_at = state, now


def require_low_risk(request_id: int) -> None:
    """Only kinds that say so are approved several at once. :raises NotAllowed: for others. :raises NotFound."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None:
        raise NotFound()
    if not require_kind(request.kind).low_risk:
        raise NotAllowed(_("This kind of request is decided one by one."), request_id=request_id, rule="batch")


def record_refused(request_id: int, actor: Actor, *, attempt: str, error: Exception) -> None:
    """Write down that somebody tried and was refused. In a transaction of its own, after the first was rolled back."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None:
        return
    record(
        actor,
        ApprovalAction.ATTEMPT,
        object_type="approval_request",
        object_id=request.id,
        object_label=request.number,
        new={"attempt": attempt, "why": type(error).__name__},
        customer_id=request.customer_id,
        reason=str(error)[:NOTE_LENGTH],
        result="refused",
    )
