"""The organisation changes: requests follow, seats pass on, administrators assign."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Organisation
from portal.approvals.kinds import ANY, SEQUENCE, rule_from_dict
from portal.approvals.models import (
    DRAFT,
    OPEN,
    PENDING,
    WAITING,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
)
from portal.approvals.permissions import REASSIGN
from portal.approvals.services.base import (
    is_past,
    lock_people,
    lock_request,
    move_request,
    note_event,
    required_reason,
    tell_approvers,
    too_late,
    write_audit,
)
from portal.approvals.services.ending import cancel
from portal.approvals.services.involving import check_newcomer
from portal.approvals.services.steps import (
    advance_sequence,
    deadlines,
    empty_slots,
    lacks_seats,
    merged_slots_of,
    raise_alarm,
    route_slots,
    seat_candidates,
)
from portal.approvals.services.voting import close_seat
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def follow_changes(request_id: int, actor: Actor, *, leaving: int | None = None) -> bool:
    """Bring the open step in line with the organisation: departments that changed, approvers who are none any more.

    Votes given stay; seats of those who lost their authority go to whoever has it now; a request that was held goes on
    when there is somebody. Every change is recorded. Returns whether anything changed.

    :param leaving: a person who leaves just now.
    """
    request = lock_request(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or is_past(request):
        return False
    organisation = Organisation()
    moved = authorities.is_drifted(request, organisation)
    rules = [rule_from_dict(rule) for rule in step.rules]
    slots = route_slots(step)
    excluded = authorities.excluded_ids(request, organisation) | ({leaving} if leaving is not None else set())
    affected: set[int] = set()
    for slot, seats in slots.items():
        if any(seat.state == "approved" for seat in seats):
            continue
        live = [seat for seat in seats if seat.state in (OPEN, WAITING)]
        # Whoever stands in for the applicant since the step opened decides no more than the applicant himself.
        valid = [s for s in live if s.user_id not in excluded and authorities.basis_holds(s, organisation)]
        is_moved = moved is not None and authorities.routes_by(rules[slot], request, moved)
        is_empty = not valid and (live or slot not in merged_slots_of(step)) and not (step.mode == ANY and not live)
        if is_moved or is_empty:
            affected.add(slot)
        elif len(valid) < len(live):
            for seat in live:
                if seat not in valid:
                    close_seat(seat, clock.now())
    lost_signers = [
        seat
        for seat in step.seats
        if seat.is_added and seat.state == OPEN
        and (seat.user_id in excluded or not organisation.is_active(seat.user_id))
    ]  # fmt: skip
    if not affected and moved is None and not lost_signers:
        return False
    before = {seat.user_id for seat in step.seats if seat.state in (OPEN, WAITING)}
    values: dict[str, Any] = {}
    if moved is not None:
        values["department_id"], values["applicant_department_id"] = moved
        request_view = _Moved(request, moved)
    else:
        request_view = request
    _reseat(request_view, step, affected, organisation, frozenset(excluded))
    for seat in lost_signers:
        _replace_signer(request_view, step, seat, organisation, frozenset(excluded))
    db.session.flush()
    db.session.expire(step, ["seats"])
    if step.mode == SEQUENCE:
        _advance_sequence_if_idle(step)
    now_seated = {seat.user_id for seat in step.seats if seat.state in (OPEN, WAITING)}
    held = lacks_seats(step)
    was_held = request.held_since is not None
    if now_seated == before and moved is None and held == was_held:
        return False
    if now_seated - before:
        values |= deadlines(step, clock.now())
    values["held_since"] = (request.held_since or clock.now()) if held else None
    move_request(request, state=PENDING, **values)
    note_event(request, "released" if was_held and not held else "rerouted", actor, step=step)
    write_audit(
        actor,
        ApprovalAction.REROUTE,
        request,
        old={"approvers": sorted(before)},
        new={
            "approvers": sorted(now_seated),
            "department_id": request.department_id,
            "applicant_department_id": request.applicant_department_id,
        },
    )
    if held and not was_held:
        raise_alarm(request, step)
    tell_approvers(request, actor, organisation, only=now_seated - before)
    return True


class _Moved:
    """The request as it will be after its departments changed, for the rules to look at."""

    def __init__(self, request: ApprovalRequest, moved: tuple[int | None, int | None]) -> None:
        self._request = request
        self.department_id, self.applicant_department_id = moved

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _reseat(
    request: Any, step: ApprovalStep, affected: set[int], organisation: Organisation, excluded: frozenset[int]
) -> None:
    """Fill slots anew. Whoever sits in another slot of the step, or voted in it, is not seated twice."""
    now = clock.now()
    slots = route_slots(step)
    for slot in affected:
        for seat in slots[slot]:
            if seat.state in (OPEN, WAITING):
                close_seat(seat, now)
    db.session.flush()
    merged = merged_slots_of(step)
    taken = {seat.user_id for seat in step.seats if seat.state in (OPEN, WAITING, "approved")}
    started = any(seat.state in (OPEN, "approved") for seats in slots.values() for seat in seats)
    for slot in sorted(affected | merged):
        if any(seat.state == "approved" for seat in slots[slot]):
            continue
        found = authorities.resolve(rule_from_dict(step.rules[slot]), request, organisation, excluded)
        free = [candidate for candidate in found if candidate.user_id not in taken]
        merged = merged | {slot} if found and not free else merged - {slot}
        state = WAITING if step.mode == SEQUENCE and (started or slot > 0) else OPEN
        seat_candidates(step, slot, free, state)
        taken |= {candidate.user_id for candidate in free}
    step.merged_slots = " ".join(str(slot) for slot in sorted(merged))


def _advance_sequence_if_idle(step: ApprovalStep) -> None:
    if not any(seat.state == OPEN and not seat.is_added for seat in step.seats):
        advance_sequence(step)


def _replace_signer(
    request: Any, step: ApprovalStep, seat: ApprovalSeat, organisation: Organisation, excluded: frozenset[int]
) -> None:
    """An added signer left: his signature was asked for, so the head above him signs; with nobody it is held."""
    close_seat(seat, clock.now())
    db.session.flush()
    row = organisation.user(seat.user_id)
    taken = {other.user_id for other in step.seats if other.state in (OPEN, WAITING, "approved")}
    found = authorities.head_of(row.department_id if row else None, organisation, excluded)
    chosen = next((candidate.user_id for candidate in found if candidate.user_id not in taken), None)
    if chosen is None:
        return
    db.session.add(
        ApprovalSeat(
            request_id=step.request_id,
            step_id=step.id,
            slot=seat.slot,
            user_id=chosen,
            basis="signer",
            is_added=True,
            given_by_id=seat.given_by_id,
            state=OPEN,
            opened_at=clock.now(),
        )
    )


def reassign(request_id: int, actor: Actor, *, to_user_id: int, reason: str, from_user_id: int | None = None) -> None:
    """An administrator gives a seat to somebody else: one that nobody may fill, or that of an absent approver.

    :param from_user_id: whose seat; None: the first seat without anybody.
    :raises Invalid: the new one is a party, has voted, is an administrator, or is the one who assigns.
    """
    require(actor, REASSIGN)
    lock_people(actor.user_id, to_user_id, from_user_id)
    request = lock_request(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or is_past(request):
        raise too_late(request)
    reason = required_reason(reason)
    organisation = Organisation()
    if authorities.persons_of([to_user_id]) & authorities.persons_of([actor.user_id] if actor.user_id else []):
        raise Invalid([("user", _("Administrators assign requests, they do not decide them."))])
    check_newcomer(request, step, to_user_id, organisation)
    now = clock.now()
    is_added, slot = False, 0
    if from_user_id is not None:
        old = next((s for s in step.seats if s.user_id == from_user_id and s.state in (OPEN, WAITING)), None)
        if old is None:
            raise Conflict(_("This person does not decide here any more."), request_id=request.id)
        slot, is_added, state = old.slot, old.is_added, old.state
        close_seat(old, now, "handed_on")
    else:
        empty = empty_slots(step)
        if not empty:
            raise Invalid([("from_user", _("Every seat is filled: choose whose seat it is."))])
        slot, state = empty[0], OPEN
        is_added = slot >= len(step.rules)
    db.session.flush()
    db.session.add(
        ApprovalSeat(
            request_id=request.id,
            step_id=step.id,
            slot=slot,
            user_id=to_user_id,
            basis="reassigned",
            is_added=is_added,
            given_by_id=actor.user_id,
            state=state,
            opened_at=now if state == OPEN else None,
        )
    )
    db.session.flush()
    db.session.expire(step, ["seats"])
    values = deadlines(step, now)
    move_request(request, state=PENDING, held_since=now if lacks_seats(step) else None, **values)
    note_event(request, "reassigned", actor, for_id=from_user_id, target_id=to_user_id, note=reason, step=step)
    write_audit(
        actor,
        ApprovalAction.REASSIGN,
        request,
        old={"approver": from_user_id},
        new={"approver": to_user_id, "step": step.key},
        reason=reason,
    )
    tell_approvers(request, actor, organisation, only={to_user_id})


def requests_to_follow(limit: int = 500) -> list[int]:
    """Pending requests whose seats may be out of date, for the job: all of them; there are few."""
    return list(
        db.session.scalars(
            select(ApprovalRequest.id).where(ApprovalRequest.state == PENDING).order_by(ApprovalRequest.id).limit(limit)
        )
    )


def follow_customer(customer_id: int, actor: Actor) -> None:
    """A customer changed department: reroute his pending requests."""
    for request_id in db.session.scalars(
        select(ApprovalRequest.id)
        .where(
            ApprovalRequest.state == PENDING,
            ApprovalRequest.customer_id == customer_id,
            ApprovalRequest.follows_customer,
        )
        .order_by(ApprovalRequest.id)
    ).all():
        follow_changes(request_id, actor)


def hand_over(user_id: int, actor: Actor) -> None:
    """A person left: his own requests end, what he had to decide goes to whoever is next by the rules."""
    own = db.session.scalars(
        select(ApprovalRequest.id)
        .where(ApprovalRequest.state.in_((DRAFT, PENDING)), ApprovalRequest.applicant_id == user_id)
        .order_by(ApprovalRequest.id)
    ).all()
    for request_id in own:
        cancel(request_id, actor, reason=_("The applicant has left."))
    for request_id in _requests_of(user_id):
        follow_changes(request_id, actor, leaving=user_id)


def _requests_of(user_id: int) -> list[int]:
    seated = select(ApprovalSeat.request_id).where(
        ApprovalSeat.user_id == user_id, ApprovalSeat.state.in_((OPEN, WAITING))
    )
    return list(
        db.session.scalars(
            select(ApprovalRequest.id)
            .where(
                ApprovalRequest.state == PENDING,
                or_(ApprovalRequest.applicant_id == user_id, ApprovalRequest.id.in_(seated)),
            )
            .order_by(ApprovalRequest.id)
        )
    )
