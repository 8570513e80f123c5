"""Tables of requests, steps, seats and decisions. Decisions and events are append-only (`portal.approvals.ddl`)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.approvals import ddl
from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import Department, User

DRAFT, PENDING = "draft", "pending"
APPROVED, REJECTED, RETURNED = "approved", "rejected", "returned"
WITHDRAWN, EXPIRED, CANCELLED = "withdrawn", "expired", "cancelled"
#: Final states are final: a request filed again is a new row, the next round.
FINAL_STATES = (APPROVED, REJECTED, RETURNED, WITHDRAWN, EXPIRED, CANCELLED)
STATES = (DRAFT, PENDING, *FINAL_STATES)

#: Votes.
APPROVE, REJECT, RETURN = "approve", "reject", "return"
VOTES = (APPROVE, REJECT, RETURN)
OUTCOMES = {APPROVE: APPROVED, REJECT: REJECTED, RETURN: RETURNED}

#: States of steps and seats.
WAITING, OPEN, CLOSED = "waiting", "open", "closed"
SEAT_STATES = (WAITING, OPEN, "approved", "rejected", "returned", "handed_on", CLOSED)


def dump_json(value: Any) -> str:
    """JSON with sorted keys, so that equal content is equal text. :raises TypeError: for what JSON cannot hold."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class ApprovalRequest(db.Model):
    """One round of a request (审批单). Once filed, its content cannot be edited; see `portal.approvals.ddl`."""

    __tablename__ = "approval_request"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: key of the `ApprovalKind`
    kind: Mapped[str] = mapped_column(String(60))
    #: which rules the route came from
    policy_version: Mapped[str] = mapped_column(String(40), default="")
    round: Mapped[int] = mapped_column(Integer, default=1)
    #: the round before
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), unique=True)
    #: what it is about, in the words of its module: table-like name and id
    subject_type: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int | None] = mapped_column(BigId)
    #: at most one pending request per applicant, subject and scope
    scope: Mapped[str] = mapped_column(String(200), default="")
    #: snapshot for lists, in the words of the applicant's language
    title: Mapped[str] = mapped_column(String(300))
    #: JSON of the kind
    payload_json: Mapped[str] = mapped_column("payload", Text, default="{}")
    #: None: the portal itself proposed it
    applicant_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: who typed it in, when that was somebody else
    typed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: department whose head decides (`OwningHead`)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: the applicant's department (`ApplicantHead`)
    applicant_department_id: Mapped[int | None] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: whether `department_id` is the customer's department and moves with him
    follows_customer: Mapped[bool] = mapped_column(Boolean, default=False)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True, info={"merge": "move"})
    #: from the form: a double click files one
    token: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default=DRAFT)
    #: counted up by every transition
    version: Mapped[int] = mapped_column(Integer, default=1)
    #: number of the open step, from 1; 0 before filing
    step_position: Mapped[int] = mapped_column(Integer, default=0)
    #: JSON of what was granted in the end (less than asked), or None
    conditions_json: Mapped[str | None] = mapped_column("conditions", Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    filed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: when the open step should be decided
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: from then on no decision is possible, on the database's time
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: how many of the step's reminders were sent: first, second, escalation
    reminder_stage: Mapped[int] = mapped_column(Integer, default=0)
    #: last reminder by hand (催办)
    urged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: nobody may decide the open step: administrators were alarmed
    held_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: who closed it (None: the portal, by time-out)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: reason of a withdrawal or cancellation
    closing_note: Mapped[str] = mapped_column(String(500), default="")

    applicant: Mapped[User | None] = relationship(foreign_keys=[applicant_id])
    typed_by: Mapped[User | None] = relationship(foreign_keys=[typed_by_id])
    closed_by: Mapped[User | None] = relationship(foreign_keys=[closed_by_id])
    department: Mapped[Department | None] = relationship(foreign_keys=[department_id])
    previous: Mapped[ApprovalRequest | None] = relationship(remote_side=[id], foreign_keys=[previous_id])
    steps: Mapped[list[ApprovalStep]] = relationship(order_by="ApprovalStep.position", back_populates="request")
    beneficiaries: Mapped[list[ApprovalBeneficiary]] = relationship()

    __table_args__ = (
        UniqueConstraint("token", name="uq_approval_request_token"),
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        CheckConstraint(
            "state <> 'pending' OR (filed_at IS NOT NULL AND expires_at IS NOT NULL)", name="pending_dates"
        ),
        Index(
            "uq_approval_request_one_pending",
            func.coalesce(text("applicant_id"), 0),
            "kind",
            "subject_type",
            func.coalesce(text("subject_id"), 0),
            "scope",
            unique=True,
            postgresql_where=text("state = 'pending'"),
            sqlite_where=text("state = 'pending'"),
        ),
        Index("ix_approval_request_state_expires", "state", "expires_at"),
        Index("ix_approval_request_subject", "subject_type", "subject_id"),
        Index("ix_approval_request_mine", "applicant_id", "created_at", "id"),
    )

    @property
    def number(self) -> str:
        """The number people quote: "SP000123"."""
        return f"SP{self.id:06d}"

    @property
    def payload(self) -> dict[str, Any]:
        """The kind's own content."""
        return json.loads(self.payload_json)

    @property
    def conditions(self) -> dict[str, Any] | None:
        """What was granted instead of what was asked; None: as asked."""
        return json.loads(self.conditions_json) if self.conditions_json else None

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to this round any more."""
        return self.state in FINAL_STATES

    @property
    def open_step(self) -> ApprovalStep | None:
        """The step that waits for a decision."""
        return next((step for step in self.steps if step.state == OPEN), None)


class ApprovalBeneficiary(db.Model):
    """A person who gains by an approval, besides the applicant; he never decides."""

    __tablename__ = "approval_beneficiary"

    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True)


class ApprovalStep(db.Model):
    """One step of a round, with the rules of its seats as they were when it was filed."""

    __tablename__ = "approval_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"))
    position: Mapped[int] = mapped_column(Integer)
    key: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    mode: Mapped[str] = mapped_column(String(10))
    #: JSON list of `SeatRule`s
    rules_json: Mapped[str] = mapped_column("rules", Text)
    deadline_working_days: Mapped[int] = mapped_column(Integer)
    #: slots (numbers, space-separated) whose person sits in another slot of the step already: one vote serves both
    merged_slots: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(8), default=WAITING)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    request: Mapped[ApprovalRequest] = relationship(back_populates="steps")
    seats: Mapped[list[ApprovalSeat]] = relationship(
        order_by="(ApprovalSeat.slot, ApprovalSeat.id)", back_populates="step"
    )

    __table_args__ = (UniqueConstraint("request_id", "position"), UniqueConstraint("request_id", "key"))

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The seats' rules as `portal.approvals.kinds.rule_to_dict` wrote them."""
        return json.loads(self.rules_json)


class ApprovalSeat(db.Model):
    """A person who may decide in a step. Several people with the same slot stand for one seat: the first decides."""

    __tablename__ = "approval_seat"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), index=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("approval_step.id"), index=True)
    #: place in the step, from 0; equal for those who stand for the same seat
    slot: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: why he sits here: "head:7", "deputy:7", "role:executive", "superior:12", "person", "fallback", or by hand:
    #: "transfer", "signer", "reassigned"
    basis: Mapped[str] = mapped_column(String(60))
    #: added by somebody (加签): has to approve besides the seats of the route
    is_added: Mapped[bool] = mapped_column(Boolean, default=False)
    #: who handed it over, added or assigned it
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    step: Mapped[ApprovalStep] = relationship(back_populates="seats")
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    given_by: Mapped[User | None] = relationship(foreign_keys=[given_by_id])

    __table_args__ = (
        CheckConstraint(f"state IN {SEAT_STATES!r}", name="state"),
        Index("ix_approval_seat_user_state", "user_id", "state"),
        Index(
            "uq_approval_seat_one_live",
            "step_id",
            "user_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'waiting')"),
            sqlite_where=text("state IN ('open', 'waiting')"),
        ),
    )


class ApprovalDecision(db.Model):
    """One vote: who, for whom, by what authority, opinion, policy version, digest, time. Append-only."""

    __tablename__ = "approval_decision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"))
    step_id: Mapped[int] = mapped_column(ForeignKey("approval_step.id"))
    seat_id: Mapped[int] = mapped_column(ForeignKey("approval_seat.id"), unique=True)
    vote: Mapped[str] = mapped_column(String(8))
    #: state that the request reached by this vote; "" while others still have to vote
    outcome: Mapped[str] = mapped_column(String(12), default="")
    by_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    #: whose seat it was, when a delegate decided (B for A)
    for_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: the natural person, so that a second account has no second vote
    person: Mapped[str] = mapped_column(String(64))
    #: basis of the seat, and the delegation: "head:7", "head:7 delegation:3"
    authority: Mapped[str] = mapped_column(String(120))
    opinion: Mapped[str] = mapped_column(String(2000), default="")
    conditions_json: Mapped[str | None] = mapped_column("conditions", Text)
    policy_version: Mapped[str] = mapped_column(String(40), default="")
    #: of what the approver saw (`portal.approvals.queries.digest_of`)
    digest: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)

    by: Mapped[User] = relationship(foreign_keys=[by_id])
    for_user: Mapped[User | None] = relationship(foreign_keys=[for_id])

    __table_args__ = (
        CheckConstraint(f"vote IN {VOTES!r}", name="vote"),
        CheckConstraint("for_id IS NULL OR for_id <> by_id", name="for_somebody_else"),
        CheckConstraint("vote = 'approve' OR opinion <> ''", name="opinion_needed"),
        UniqueConstraint("step_id", "person", name="uq_approval_decision_one_vote"),
        Index(
            "uq_approval_decision_one_final",
            "request_id",
            unique=True,
            postgresql_where=text("outcome <> ''"),
            sqlite_where=text("outcome <> ''"),
        ),
        Index("ix_approval_decision_by_time", "by_id", "decided_at", "id"),
    )

    @property
    def is_final(self) -> bool:
        """Whether this vote decided the round."""
        return bool(self.outcome)

    @property
    def conditions(self) -> dict[str, Any] | None:
        """What the approver granted instead of what was asked; None: as asked."""
        return json.loads(self.conditions_json) if self.conditions_json else None


class ApprovalOpinion(db.Model):
    """An opinion asked for (征询); the owner of the seat still decides."""

    __tablename__ = "approval_opinion"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), index=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), index=True)
    question: Mapped[str] = mapped_column(String(1000), default="")
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str] = mapped_column(String(2000), default="")
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])
    user: Mapped[User] = relationship(foreign_keys=[user_id])

    __table_args__ = (
        Index(
            "uq_approval_opinion_one_open",
            "request_id",
            "user_id",
            unique=True,
            postgresql_where=text("answered_at IS NULL"),
            sqlite_where=text("answered_at IS NULL"),
        ),
    )


class ApprovalCopy(db.Model):
    """Somebody who is kept informed (抄送): he sees the status, not the content."""

    __tablename__ = "approval_copy"

    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_approval_copy_user_time", "user_id", "created_at", "request_id"),)


class ApprovalEvent(db.Model):
    """One entry of a request's time line. Append-only."""

    __tablename__ = "approval_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("approval_request.id"), index=True)
    #: filed, opened, approve, reject, return, transferred, signer_added, asked, answered, copied, urged, reminded,
    #: escalated, rerouted, reassigned, held, released, withdrawn, expired, cancelled, missed, caught_up
    what: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: None: the portal itself
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: for whom a delegate acted
    for_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: to whom it went
    target_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    note: Mapped[str] = mapped_column(String(2000), default="")
    #: key of the step concerned
    step_key: Mapped[str] = mapped_column(String(60), default="")

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])
    for_user: Mapped[User | None] = relationship(foreign_keys=[for_id])
    target: Mapped[User | None] = relationship(foreign_keys=[target_id])


@event.listens_for(db.metadata, "after_create")
def _create_triggers(_target: Any, connection: Any, tables: Any = None, **_options: Any) -> None:
    """The triggers look at several tables, so they come when all of them are there."""
    if tables is None or ApprovalDecision.__table__ in tables:
        for statement in ddl.statements(connection.dialect.name):
            connection.exec_driver_sql(statement)
