"""What happened: events, seats and rounds of a request, requests about a subject or a customer, troubled ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from portal.approvals.models import (
    PENDING,
    ApprovalDecision,
    ApprovalEvent,
    ApprovalOpinion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
)
from portal.approvals.queries.rows import InboxRow, inbox_row, lines_of, names_waited_for
from portal.core import clock
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User


def events_of(request_ids: Sequence[int]) -> list[Any]:
    """The time line of requests, oldest first, with names; one statement."""
    who, for_whom, target = aliased(User), aliased(User), aliased(User)
    return list(
        db.session.execute(
            select(
                ApprovalEvent.id,
                ApprovalEvent.request_id,
                ApprovalEvent.what,
                ApprovalEvent.at,
                ApprovalEvent.note,
                ApprovalEvent.step_key,
                ApprovalEvent.actor_id,
                who.name.label("actor"),
                for_whom.name.label("for_name"),
                target.name.label("target"),
            )
            .outerjoin(who, who.id == ApprovalEvent.actor_id)
            .outerjoin(for_whom, for_whom.id == ApprovalEvent.for_id)
            .outerjoin(target, target.id == ApprovalEvent.target_id)
            .where(ApprovalEvent.request_id.in_(list(request_ids)))
            .order_by(ApprovalEvent.at, ApprovalEvent.id)
        )
    )


def seats_of(request_id: int) -> list[Any]:
    """The seats of a round with names and what was decided from them, by step; one statement."""
    decider = aliased(User)
    return list(
        db.session.execute(
            select(
                ApprovalSeat.id,
                ApprovalSeat.step_id,
                ApprovalSeat.slot,
                ApprovalSeat.user_id,
                ApprovalSeat.state,
                ApprovalSeat.basis,
                ApprovalSeat.is_added,
                ApprovalSeat.opened_at,
                User.name,
                decider.name.label("decided_by"),
                ApprovalDecision.vote,
                ApprovalDecision.decided_at,
                ApprovalDecision.for_id,
            )
            .join(User, User.id == ApprovalSeat.user_id)
            .outerjoin(ApprovalDecision, ApprovalDecision.seat_id == ApprovalSeat.id)
            .outerjoin(decider, decider.id == ApprovalDecision.by_id)
            .where(ApprovalSeat.request_id == request_id)
            .order_by(ApprovalSeat.step_id, ApprovalSeat.slot, ApprovalSeat.id)
        )
    )


def step_titles(request_id: int) -> dict[str, str]:
    """Key → title of the steps of a request, the title as the module marked it for translation."""
    statement = select(ApprovalStep.key, ApprovalStep.title).where(ApprovalStep.request_id == request_id)
    return {row.key: row.title for row in db.session.execute(statement)}


def opinions_of(request_id: int) -> list[ApprovalOpinion]:
    """Opinions that were asked for, oldest first."""
    return list(
        db.session.scalars(
            select(ApprovalOpinion).where(ApprovalOpinion.request_id == request_id).order_by(ApprovalOpinion.id)
        )
    )


def rounds_of(request: ApprovalRequest) -> list[Any]:
    """All rounds of a request, oldest first: (id, round, state, filed_at, closed_at).

    One statement that follows the links both ways.
    """
    columns = (
        ApprovalRequest.id,
        ApprovalRequest.previous_id,
        ApprovalRequest.round,
        ApprovalRequest.state,
        ApprovalRequest.filed_at,
        ApprovalRequest.closed_at,
    )
    chain = (
        select(ApprovalRequest.id, ApprovalRequest.previous_id)
        .where(ApprovalRequest.id == request.id)
        .cte("chain", recursive=True)
    )
    earlier = aliased(ApprovalRequest)
    chain = chain.union(
        select(earlier.id, earlier.previous_id).where(
            or_(earlier.id == chain.c.previous_id, earlier.previous_id == chain.c.id)
        )
    )
    return list(
        db.session.execute(
            select(*columns).where(ApprovalRequest.id.in_(select(chain.c.id))).order_by(ApprovalRequest.round)
        )
    )


def history(subject_type: str, subject_id: int, *, kind: str | None = None, limit: int = 20) -> list[InboxRow]:
    """Requests about a subject, newest first, for the macro `approvals.history` on other pages (status only)."""
    statement = (
        lines_of(func.coalesce(ApprovalRequest.filed_at, ApprovalRequest.created_at))
        .where(ApprovalRequest.subject_type == subject_type, ApprovalRequest.subject_id == subject_id)
        .order_by(ApprovalRequest.id.desc())
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(ApprovalRequest.kind == kind)
    found = list(db.session.execute(statement))
    waiting = names_waited_for([row.id for row in found if row.state == PENDING])
    return [inbox_row(row, waiting) for row in found]


def pending_request(kind: str, subject_type: str, subject_id: int, scope: str | None = None) -> int | None:
    """Id of a pending request about a subject, or None; for pages that offer to file one."""
    statement = select(ApprovalRequest.id).where(
        ApprovalRequest.state == PENDING,
        ApprovalRequest.kind == kind,
        ApprovalRequest.subject_type == subject_type,
        ApprovalRequest.subject_id == subject_id,
    )
    if scope is not None:
        statement = statement.where(ApprovalRequest.scope == scope)
    return db.session.scalar(statement.order_by(ApprovalRequest.id.desc()).limit(1))


def customer_events(customer_id: int, before: datetime | None, limit: int) -> list[Any]:
    """(id, kind, state, moment, applicant) of requests about a customer, newest first; one statement."""
    parameters = {"customer_id": customer_id, "before": before, "limit": limit}
    return list(db.session.execute(_customer_events_statement(before is not None), parameters))


@cache
def _customer_events_statement(older: bool) -> Select[int, str, str, datetime, str]:
    """Built once: every page of a customer asks it."""
    applicant = aliased(User)
    moment = func.coalesce(ApprovalRequest.closed_at, ApprovalRequest.filed_at)
    statement = (
        select(
            ApprovalRequest.id,
            ApprovalRequest.kind,
            ApprovalRequest.state,
            moment.label("moment"),
            applicant.name.label("applicant"),
        )
        .outerjoin(applicant, applicant.id == ApprovalRequest.applicant_id)
        .where(ApprovalRequest.customer_id == bindparam("customer_id"), ApprovalRequest.filed_at.is_not(None))
    )
    if older:
        statement = statement.where(moment < bindparam("before", type_=ApprovalRequest.filed_at.type))
    return statement.order_by(moment.desc(), ApprovalRequest.id.desc()).limit(bindparam("limit", type_=Integer))


def troubled(_actor: Actor, limit: int = 200) -> list[InboxRow]:
    """Pending requests that are held or overdue, held ones first; for administrators, status only. Two statements."""
    statement = (
        lines_of(ApprovalRequest.filed_at)
        .where(
            ApprovalRequest.state == PENDING,
            or_(ApprovalRequest.held_since.is_not(None), ApprovalRequest.due_at < clock.now()),
        )
        .order_by(ApprovalRequest.held_since.is_(None), ApprovalRequest.due_at, ApprovalRequest.id)
        .limit(limit)
    )
    found = list(db.session.execute(statement))
    waiting = names_waited_for([row.id for row in found])
    return [inbox_row(row, waiting, is_titled=False) for row in found]
