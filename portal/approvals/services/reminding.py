"""Reminders by hand and by the clock, escalation."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Organisation
from portal.approvals.dbtime import database_now
from portal.approvals.models import (
    OPEN,
    PENDING,
    ApprovalCopy,
    ApprovalRequest,
    ApprovalStep,
)
from portal.approvals.notices import tell
from portal.approvals.services.base import (
    URGE_HOURS,
    is_past,
    lock_request,
    note_event,
    require_applicant,
    tell_approvers,
    too_late,
    write_audit,
)
from portal.core import clock
from portal.core.calendar import WorkCalendar
from portal.core.errors import Invalid
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.org.actor import SYSTEM, Actor, users_with_role
from portal.org.models import ADMINISTRATOR


def remind(request_id: int, actor: Actor) -> ApprovalRequest:
    """The applicant reminds whoever is next (催办): at most once in `URGE_HOURS` hours.

    :raises Invalid: too early (the message says when). :raises Conflict: closed meanwhile.
    """
    request = lock_request(request_id)
    require_applicant(request, actor)
    if request.state != PENDING or is_past(request):
        raise too_late(request)
    now = clock.now()
    changed: Any = db.session.execute(
        update(ApprovalRequest)
        .where(
            ApprovalRequest.id == request.id,
            ApprovalRequest.state == PENDING,
            or_(
                ApprovalRequest.urged_at.is_(None),
                ApprovalRequest.urged_at <= now - timedelta(hours=URGE_HOURS),
            ),
        )
        .values(urged_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        again = clock.local((request.urged_at or now) + timedelta(hours=URGE_HOURS)).strftime("%m-%d %H:%M")
        raise Invalid([("", _("You reminded them already; again possible from %(time)s.", time=again))])
    db.session.expire(request)
    note_event(request, "urged", actor)
    write_audit(actor, ApprovalAction.URGE, request)
    tell_approvers(request, actor, Organisation(), kind="approvals.reminder")
    return request


#: Reminders of a step in working days relative to the day it is due, and the escalation. The highest one reached is
#: sent and all below count as sent: after an outage there is one reminder, not ten.
STAGES = ((1, -1), (2, 0), (3, 1))


def due_for_reminder(now: datetime) -> list[tuple[int, int]]:
    """(request id, stage) of pending requests whose next reminder is reached; stage 3 is the escalation."""
    calendar = WorkCalendar()
    today = clock.local(now).date()
    rows = db.session.execute(
        select(ApprovalRequest.id, ApprovalRequest.due_at, ApprovalRequest.reminder_stage, ApprovalStep.opened_at)
        .join(ApprovalStep, (ApprovalStep.request_id == ApprovalRequest.id) & (ApprovalStep.state == OPEN))
        .where(
            ApprovalRequest.state == PENDING,
            ApprovalRequest.reminder_stage < STAGES[-1][0],
            ApprovalRequest.expires_at > database_now(),
            ApprovalRequest.due_at <= now + timedelta(days=30),
        )
        .order_by(ApprovalRequest.id)
    )
    found = []
    for row in rows:
        due = clock.local(row.due_at).date()
        opened = clock.local(row.opened_at).date()
        # Not on the day it arrived: the first notice is enough.
        reached = [
            stage for stage, days in STAGES if opened < today and today >= calendar.add_working_days(due, days or 0)
        ]
        if reached and reached[-1] > row.reminder_stage:
            found.append((row.id, reached[-1]))
    return found


def send_reminder(request_id: int, stage: int) -> bool:
    """Send one stage once, whoever else tries at the same time. Returns whether this call sent it."""
    changed: Any = db.session.execute(
        update(ApprovalRequest)
        .where(
            ApprovalRequest.id == request_id,
            ApprovalRequest.state == PENDING,
            ApprovalRequest.reminder_stage < stage,
            ApprovalRequest.expires_at > database_now(),
        )
        .values(reminder_stage=stage)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        return False
    request = db.session.scalars(
        select(ApprovalRequest).where(ApprovalRequest.id == request_id).execution_options(populate_existing=True)
    ).one()
    organisation = Organisation()
    if stage == STAGES[-1][0]:
        _escalate(request, organisation)
    else:
        note_event(request, "reminded", SYSTEM)
        tell_approvers(request, SYSTEM, organisation, kind="approvals.reminder")
    return True


def _escalate(request: ApprovalRequest, organisation: Organisation) -> None:
    """Tell the level above that a decision is late. It sees the status; it does not decide."""
    step = request.open_step
    holders = [seat.user_id for seat in step.seats if seat.state == OPEN] if step is not None else []
    superiors = sorted(
        authorities.superiors_of(holders, organisation) - set(holders) - authorities.excluded_ids(request, organisation)
    )
    present = set(db.session.scalars(select(ApprovalCopy.user_id).where(ApprovalCopy.request_id == request.id)))
    for user_id in superiors:
        if user_id not in present:
            db.session.add(ApprovalCopy(request_id=request.id, user_id=user_id, by_id=None, created_at=clock.now()))
        note_event(request, "escalated", SYSTEM, target_id=user_id, step=step)
    if not superiors:
        note_event(request, "escalated", SYSTEM, step=step)
    write_audit(SYSTEM, ApprovalAction.ESCALATE, request, new={"to": superiors})
    tell(
        superiors or users_with_role(ADMINISTRATOR),
        "approvals.escalated",
        request,
        message("Overdue: request %(number)s still waits for a decision", number=request.number),
    )
    tell_approvers(request, SYSTEM, organisation, kind="approvals.reminder")
