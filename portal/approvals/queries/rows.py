"""A request as a line of a list, as the inbox and other pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, literal, select
from sqlalchemy.orm import aliased

from portal.approvals.dbtime import database_now
from portal.approvals.kinds import ApprovalKind, kinds
from portal.approvals.models import EXPIRED, OPEN, PENDING, ApprovalRequest, ApprovalSeat, ApprovalStep
from portal.extensions import db
from portal.org.models import Department, User


@dataclass(frozen=True)
class InboxRow:
    """One line of the inbox."""

    id: int
    number: str
    kind: ApprovalKind | None
    kind_key: str
    title: str
    applicant: str
    department: str
    state: str
    round: int
    step_title: str
    at: datetime
    due_at: datetime | None
    is_held: bool
    vote: str = ""
    for_name: str = ""
    waiting_for: tuple[str, ...] = ()

    @property
    def is_low_risk(self) -> bool:
        """Whether it may be approved together with others."""
        return self.kind is not None and self.kind.low_risk


def line_columns(applicant: Any) -> list[Any]:
    """What a line shows of each request, whatever list it stands in; `applicant` is an alias of the person."""
    return [
        ApprovalRequest.id,
        ApprovalRequest.kind,
        ApprovalRequest.title,
        ApprovalRequest.state,
        ApprovalRequest.round,
        ApprovalRequest.due_at,
        ApprovalRequest.held_since,
        (ApprovalRequest.expires_at <= database_now()).label("is_past"),
        applicant.name.label("applicant"),
        Department.name.label("department"),
        ApprovalStep.title.label("step_title"),
    ]


def with_names(statement: Select[Any], applicant: Any) -> Select[Any]:
    """Join what `line_columns` names."""
    return (
        statement.outerjoin(applicant, applicant.id == ApprovalRequest.applicant_id)
        .outerjoin(Department, Department.id == ApprovalRequest.applicant_department_id)
        .outerjoin(ApprovalStep, and_(ApprovalStep.request_id == ApprovalRequest.id, ApprovalStep.state == OPEN))
    )


def lines_of(moment: Any) -> Select[Any]:
    """Requests as lines without a vote; `moment` is the time that each of them shows."""
    applicant = aliased(User)
    vote, for_name = literal("").label("vote"), literal("").label("for_name")
    return with_names(select(*line_columns(applicant), moment.label("moment"), vote, for_name), applicant)


def inbox_row(row: Any, waiting: Mapping[int, list[str]], *, is_titled: bool = True) -> InboxRow:
    """The line of a row that was read.

    :param is_titled: without it the line names the kind only: whoever is just kept informed sees the status, not the
        content, and a title may tell of it.
    """
    kind = kinds().get(row.kind)
    state = EXPIRED if row.state == PENDING and row.is_past else row.state
    return InboxRow(
        id=row.id,
        number=f"SP{row.id:06d}",
        kind=kind,
        kind_key=row.kind,
        title=row.title if is_titled else (str(kind.title) if kind is not None else row.kind),
        applicant=row.applicant or "",
        department=row.department or "",
        state=state,
        round=row.round,
        step_title=row.step_title or "",
        at=row.moment,
        due_at=row.due_at if state == PENDING else None,
        is_held=row.held_since is not None and state == PENDING,
        vote=row.vote,
        for_name=row.for_name or "",
        waiting_for=tuple(waiting.get(row.id, ())),
    )


def names_waited_for(request_ids: Sequence[int]) -> dict[int, list[str]]:
    """Request → names of those whose turn it is; one statement."""
    found: dict[int, list[str]] = {}
    if not request_ids:
        return found
    rows = db.session.execute(
        select(ApprovalSeat.request_id, User.name)
        .join(User, User.id == ApprovalSeat.user_id)
        .where(ApprovalSeat.request_id.in_(request_ids), ApprovalSeat.state == OPEN)
        .order_by(ApprovalSeat.request_id, ApprovalSeat.slot, ApprovalSeat.id)
    )
    for row in rows:
        found.setdefault(row.request_id, []).append(row.name)
    return found
