"""Opening steps: rules become seats, seats are frozen; what a step still lacks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Candidate, Organisation
from portal.approvals.kinds import ANY, SEQUENCE, rule_from_dict
from portal.approvals.models import (
    OPEN,
    WAITING,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
)
from portal.approvals.notices import tell
from portal.approvals.services.base import EXPIRE_AFTER, note_event, write_audit
from portal.core import clock, settings
from portal.core.calendar import WorkCalendar
from portal.extensions import db
from portal.notifications.kinds import message
from portal.org.actor import SYSTEM, users_with_role
from portal.org.models import ADMINISTRATOR


def open_next_step(request: ApprovalRequest, step: ApprovalStep, organisation: Organisation) -> dict[str, Any]:
    """Freeze the seats of a step and open it. Returns the columns of the request that the transition has to write."""
    now = clock.now()
    excluded = authorities.excluded_ids(request, organisation)
    slots = [authorities.resolve(rule_from_dict(rule), request, organisation, excluded) for rule in step.rules]
    seated = _without_doubles(slots)
    step.merged_slots = " ".join(str(slot) for slot, found in enumerate(slots) if found and not seated[slot])
    for slot, candidates in enumerate(seated):
        state = WAITING if step.mode == SEQUENCE and slot > 0 else OPEN
        seat_candidates(step, slot, candidates, state)
    step.state, step.opened_at = OPEN, now
    db.session.flush()
    db.session.expire(step, ["seats"])
    if step.mode == SEQUENCE:
        advance_sequence(step)
    values = deadlines(step, now)
    values["step_position"] = step.position
    values["held_since"] = now if lacks_seats(step) else None
    note_event(request, "opened", SYSTEM, step=step)
    if values["held_since"] is not None:
        raise_alarm(request, step)
    return values


def _without_doubles(slots: list[list[Candidate]]) -> list[list[Candidate]]:
    """One vote per person and step: whoever has a seat of his own does not stand for another one as well."""
    taken: set[int] = set()
    found: list[list[Candidate]] = [[] for _slot in slots]
    for index, candidates in sorted(enumerate(slots), key=lambda pair: (len(pair[1]), pair[0])):
        free = [candidate for candidate in candidates if candidate.user_id not in taken]
        found[index] = free
        taken |= {candidate.user_id for candidate in free}
    return found


def seat_candidates(
    step: ApprovalStep, slot: int, candidates: Iterable[Candidate], state: str, given_by_id: int | None = None
) -> None:
    """Give people a seat in a slot of a step."""
    now = clock.now()
    for candidate in candidates:
        db.session.add(
            ApprovalSeat(
                request_id=step.request_id,
                step_id=step.id,
                slot=slot,
                user_id=candidate.user_id,
                basis=candidate.basis,
                given_by_id=given_by_id,
                state=state,
                opened_at=now if state == OPEN else None,
            )
        )


def deadlines(step: ApprovalStep, now: datetime) -> dict[str, Any]:
    """When a step is due and when it expires: ends of working days in the organisation's zone."""
    calendar = WorkCalendar()
    today = clock.local(now).date()
    due = calendar.add_working_days(today, step.deadline_working_days)
    expiry = calendar.add_working_days(due, int(settings.get(EXPIRE_AFTER)))
    return {
        "due_at": clock.day_bounds(due)[1] - timedelta(seconds=1),
        "expires_at": clock.day_bounds(expiry)[1],
        "reminder_stage": 0,
    }


def route_slots(step: ApprovalStep) -> dict[int, list[ApprovalSeat]]:
    """The route's seats of a step, by slot; those added by hand are left out."""
    found: dict[int, list[ApprovalSeat]] = {slot: [] for slot in range(len(step.rules))}
    for seat in step.seats:
        if not seat.is_added:
            found[seat.slot].append(seat)
    return found


def _added_slots(step: ApprovalStep) -> dict[int, list[ApprovalSeat]]:
    """Seats that somebody added (加签), by slot."""
    found: dict[int, list[ApprovalSeat]] = {}
    for seat in step.seats:
        if seat.is_added:
            found.setdefault(seat.slot, []).append(seat)
    return found


def is_approved(step: ApprovalStep) -> bool:
    """Whether every signature that the step needs is there."""
    if any(all(seat.state != "approved" for seat in seats) for seats in _added_slots(step).values()):
        return False
    slots = route_slots(step)
    done = {slot: any(seat.state == "approved" for seat in seats) for slot, seats in slots.items()}
    if step.mode == ANY:
        return any(done.values())
    return any(done.values()) and all(done[slot] or slot in merged_slots_of(step) for slot in slots)


def merged_slots_of(step: ApprovalStep) -> set[int]:
    """Slots whose rule led to somebody who sits in another slot already when the step opened."""
    return {int(slot) for slot in step.merged_slots.split()}


def empty_slots(step: ApprovalStep) -> list[int]:
    """Slots whose signature is missing and that nobody can fill."""
    merged = merged_slots_of(step)

    def is_filled(seats: list[ApprovalSeat]) -> bool:
        return any(seat.state in (OPEN, WAITING, "approved") for seat in seats)

    slots = route_slots(step)
    empty = [slot for slot, seats in sorted(slots.items()) if not is_filled(seats) and slot not in merged]
    if step.mode == ANY and len(empty) < len(slots):
        empty = []
    return empty + [slot for slot, seats in sorted(_added_slots(step).items()) if not is_filled(seats)]


def lacks_seats(step: ApprovalStep) -> bool:
    """Whether a signature is missing that nobody can give."""
    return bool(empty_slots(step))


def advance_sequence(step: ApprovalStep) -> list[ApprovalSeat]:
    """Open the next seat of a step in order. Returns the seats that were opened."""
    for slot, seats in sorted(route_slots(step).items()):
        if slot in merged_slots_of(step) or any(seat.state == "approved" for seat in seats):
            continue
        opened = [seat for seat in seats if seat.state == WAITING]
        for seat in opened:
            seat.state, seat.opened_at = OPEN, clock.now()
        return opened
    return []


def raise_alarm(request: ApprovalRequest, step: ApprovalStep) -> None:
    """Nobody may decide: said aloud, never approved by default."""
    note_event(request, "held", SYSTEM, step=step)
    write_audit(SYSTEM, ApprovalAction.HOLD, request, new={"step": step.key})
    tell(
        users_with_role(ADMINISTRATOR),
        "approvals.alarm",
        request,
        message("Nobody may decide request %(number)s: assign an approver", number=request.number),
    )
