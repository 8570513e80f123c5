"""Reads: who may see a request, what an approver is shown, the inbox, the history of a subject."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from portal.approvals.authority import PERSONAL_BASES, Organisation, authorities
from portal.approvals.dbtime import database_now
from portal.approvals.kinds import ApprovalKind, Description, kinds
from portal.approvals.models import (
    APPROVED,
    CANCELLED,
    EXPIRED,
    FINAL_STATES,
    OPEN,
    PENDING,
    REJECTED,
    RETURNED,
    WAITING,
    WITHDRAWN,
    ApprovalBeneficiary,
    ApprovalCopy,
    ApprovalDecision,
    ApprovalEvent,
    ApprovalOpinion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    dump_json,
)
from portal.approvals.permissions import OVERSEE, REASSIGN
from portal.core import clock, permissions
from portal.core.database import UTCDateTime
from portal.core.errors import NotFound
from portal.core.permissions import can
from portal.core.together import Question
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import Delegation, Department, User

PAGE_SIZE = 30

# ---- one request ---------------------------------------------------------------------------------------------------


def get_request(request_id: int, actor: Actor) -> ApprovalRequest:
    """A request whose content the actor may read. :raises NotFound: else."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None or not may_view(request, actor):
        raise NotFound()
    return request


def get_status(request_id: int, actor: Actor) -> tuple[ApprovalRequest, bool]:
    """A request whose status the actor may see, and whether he may read the content too. :raises NotFound: else."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None:
        raise NotFound()
    if may_view(request, actor):
        return request, True
    if has_copy(request, actor) or can(actor, OVERSEE) or can(actor, REASSIGN):
        return request, False
    raise NotFound()


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor may read the content: applicant, typist, who sits or sat in a seat or stands in for one who
    does, who was asked for an opinion, and whom the kind adds."""
    if actor.is_system:
        return True
    if actor.user_id is None:
        return False
    if actor.user_id in (request.applicant_id, request.typed_by_id):
        return True
    involved = db.session.scalar(
        select(
            or_(
                exists().where(ApprovalSeat.request_id == request.id, ApprovalSeat.user_id == actor.user_id),
                exists().where(ApprovalDecision.request_id == request.id, ApprovalDecision.by_id == actor.user_id),
                exists().where(ApprovalOpinion.request_id == request.id, ApprovalOpinion.user_id == actor.user_id),
            )
        )
    )
    if involved:
        return True
    kind = kinds().get(request.kind)
    if kind is not None and kind.may_view is not None and kind.may_view(request, actor):
        return True
    step = request.open_step if request.state == PENDING else None
    return step is not None and bool(authorities(request, step, actor, Organisation()))


def has_copy(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor is kept informed (status, not content)."""
    return actor.user_id is not None and db.session.get(ApprovalCopy, (request.id, actor.user_id)) is not None


def had_seat(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor, or somebody for whom he stands in, had a seat of this round that is closed now, or voted."""
    if actor.user_id is None:
        return False
    principals = {actor.user_id} | {row.delegator_id for row in Organisation().covering(request, actor.user_id)}
    closed = select(ApprovalSeat.id).where(
        ApprovalSeat.request_id == request.id,
        ApprovalSeat.user_id.in_(sorted(principals)),
        ApprovalSeat.state.not_in((OPEN, WAITING)),
    )
    voted = select(ApprovalDecision.id).where(
        ApprovalDecision.request_id == request.id, ApprovalDecision.by_id == actor.user_id
    )
    return bool(db.session.scalar(select(or_(closed.exists(), voted.exists()))))


def description_of(request: ApprovalRequest) -> Description:
    """What is asked; only the title when the plugin of the kind is switched off."""
    kind = kinds().get(request.kind)
    return kind.describe(request) if kind is not None else Description(request.title)


def digest_of(request: ApprovalRequest, description: Description | None = None) -> str:
    """SHA-256 over what an approver is shown: the round, the open step, content, facts and conditions so far.

    A decision carries it; when it is another one by then, the request changed and is shown again.
    """
    description = description or description_of(request)
    step = request.open_step
    data = [
        request.id,
        request.round,
        step.id if step is not None else None,
        request.payload_json,
        request.conditions_json,
        str(description.title),
        str(description.warning),
        [[str(fact.label), str(fact.value)] for fact in description.facts],
    ]
    return hashlib.sha256(dump_json(data).encode()).hexdigest()


@dataclass(frozen=True)
class Closing:
    """How a request ended, or what happened to it last, for whoever came too late."""

    request_id: int
    outcome: str
    by: str
    for_name: str
    at: datetime | None

    @property
    def who(self) -> str:
        """The decider, "B for A" when he stood in for somebody."""
        return person_label(self.by, self.for_name)

    def sentence(self) -> str:
        """One calm sentence."""
        when = clock.local(self.at).strftime("%Y-%m-%d %H:%M") if self.at else ""
        values = {"name": self.who, "time": when}
        if self.outcome == APPROVED:
            return _("%(name)s approved this request on %(time)s.", **values)
        if self.outcome == REJECTED:
            return _("%(name)s rejected this request on %(time)s.", **values)
        if self.outcome == RETURNED:
            return _("%(name)s returned this request to the applicant on %(time)s.", **values)
        if self.outcome == WITHDRAWN:
            return _("%(name)s withdrew this request on %(time)s.", **values)
        if self.outcome == CANCELLED:
            return _("This request was cancelled on %(time)s.", time=when)
        if self.outcome == EXPIRED:
            return _("The deadline of this request passed on %(time)s; it counts as refused.", time=when)
        if self.by:
            return _("%(name)s decided this step on %(time)s.", **values)
        return _("In the meantime this request was changed.")

    def details(self) -> dict[str, Any]:
        """For the details of a `Conflict`."""
        return {
            "request_id": self.request_id,
            "outcome": self.outcome,
            "decided_by": self.who,
            "decided_at": self.at,
        }


def closing_of(request_id: int) -> Closing:
    """How a request ended, read afresh; one statement."""
    decider, stood_in_for, closer = aliased(User), aliased(User), aliased(User)
    row = db.session.execute(
        select(
            ApprovalRequest.state,
            ApprovalRequest.closed_at,
            ApprovalRequest.expires_at,
            (ApprovalRequest.expires_at <= database_now()).label("is_past"),
            closer.name.label("closer"),
            decider.name.label("decider"),
            stood_in_for.name.label("stood_in_for"),
            ApprovalDecision.decided_at,
        )
        .outerjoin(closer, closer.id == ApprovalRequest.closed_by_id)
        .outerjoin(ApprovalDecision, ApprovalDecision.request_id == ApprovalRequest.id)
        .outerjoin(decider, decider.id == ApprovalDecision.by_id)
        .outerjoin(stood_in_for, stood_in_for.id == ApprovalDecision.for_id)
        .where(ApprovalRequest.id == request_id)
        .order_by(ApprovalDecision.decided_at.desc(), ApprovalDecision.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return Closing(request_id, "", "", "", None)
    if row.state == PENDING and row.is_past:
        return Closing(request_id, EXPIRED, "", "", row.expires_at)
    if row.state == EXPIRED:
        return Closing(request_id, EXPIRED, "", "", row.expires_at)
    if row.state in (APPROVED, REJECTED, RETURNED):
        return Closing(request_id, row.state, row.decider or "", row.stood_in_for or "", row.decided_at)
    if row.state in FINAL_STATES:
        return Closing(request_id, row.state, row.closer or "", "", row.closed_at)
    return Closing(request_id, "", row.decider or "", row.stood_in_for or "", row.decided_at)


def person_label(name: str, for_name: str | None) -> str:
    """ "李四", or "李四代张三" when he stood in for somebody."""
    return _("%(delegate)s for %(delegator)s", delegate=name, delegator=for_name) if for_name else name


# ---- the inbox -----------------------------------------------------------------------------------------------------

TO_DECIDE, DONE, MINE, COPIED = "todo", "done", "mine", "copied"
TABS = (TO_DECIDE, DONE, MINE, COPIED)


def _delegation_covers(me: Any, now: Any, request: Any, seat: Any) -> ColumnElement[bool]:
    """A delegation in force by which a person may fill the seat."""
    return exists().where(
        Delegation.delegate_id == me,
        Delegation.delegator_id == seat.user_id,
        Delegation.revoked_at.is_(None),
        Delegation.begins_at <= now,
        Delegation.ends_at > now,
        seat.basis.not_in(PERSONAL_BASES),
        or_(Delegation.kinds == "", _word_in(Delegation.kinds, request.kind)),
        or_(Delegation.departments == "", _word_in(Delegation.departments, cast(request.department_id, String))),
    )


def _word_in(words: Any, word: Any) -> ColumnElement[bool]:
    """Whether a word is among space-separated words."""
    # house: like, because the words are keys and numbers of our own, a kind's name or a department's id
    return (literal(" ") + words + literal(" ")).like(literal("% ") + word + literal(" %"))


def waiting_condition(actor: Actor) -> ColumnElement[bool]:
    """Requests that wait for the actor's decision: his own seats and those he stands in for."""
    return ~true() if actor.user_id is None else _waiting(actor.user_id, clock.now())


def _waiting(me: Any, now: Any) -> ColumnElement[bool]:
    """The condition of `waiting_condition` for a person and a moment, or for parameters that stand for them."""
    seat = aliased(ApprovalSeat)
    own = select(seat.request_id).where(seat.state == OPEN, seat.user_id == me)
    ref = aliased(ApprovalRequest)
    stands_in = (
        select(seat.request_id)
        .join(ref, ref.id == seat.request_id)
        .where(seat.state == OPEN, ref.state == PENDING)
        .where(
            seat.user_id.in_(
                select(Delegation.delegator_id).where(Delegation.delegate_id == me, Delegation.revoked_at.is_(None))
            ),
            _delegation_covers(me, now, ref, seat),
        )
    )
    return and_(
        ApprovalRequest.state == PENDING,
        ApprovalRequest.expires_at > database_now(),
        or_(ApprovalRequest.id.in_(own), ApprovalRequest.id.in_(stands_in)),
        func.coalesce(ApprovalRequest.applicant_id, 0) != me,
        func.coalesce(ApprovalRequest.typed_by_id, 0) != me,
        ~exists().where(ApprovalBeneficiary.request_id == ApprovalRequest.id, ApprovalBeneficiary.user_id == me),
    )


def inbox_count(actor: permissions.Actor) -> int:
    """How many requests wait for the actor, opinions he was asked for included; one statement."""
    if actor.user_id is None:
        return 0
    return int(db.session.scalar(_inbox_statement(_stopped_at()), _me(actor)) or 0)


def inbox_question(actor: permissions.Actor) -> Question:
    """The same for the menu, which asks it together with others."""
    return Question(_inbox_statement(_stopped_at()), _me(actor))


#: Stand for the person and the moment in statements that are built once: building them takes ten times as long as the
#: database takes for the answer.
_ME = bindparam("me", type_=Integer)
_NOW = bindparam("now", type_=UTCDateTime)


def _me(actor: permissions.Actor) -> dict[str, Any]:
    return {"me": actor.user_id, "now": clock.now()}


def _stopped_at() -> datetime | None:
    """The moment of a stopped clock: it stands in the statement itself, so each needs one of its own."""
    return clock.now() if clock.is_frozen() else None


@lru_cache(maxsize=4)
def _inbox_statement(_stopped: datetime | None) -> Select[int]:
    deciding = select(func.count()).select_from(ApprovalRequest).where(_waiting(_ME, _NOW)).scalar_subquery()
    asked = (
        select(func.count())
        .select_from(ApprovalOpinion)
        .join(ApprovalRequest, ApprovalRequest.id == ApprovalOpinion.request_id)
        .where(ApprovalOpinion.user_id == _ME, ApprovalOpinion.answered_at.is_(None), ApprovalRequest.state == PENDING)
        .scalar_subquery()
    )
    return select(deciding + asked)


def tab_counts(actor: Actor) -> dict[str, int]:
    """The numbers on the four tabs; one statement."""
    if actor.user_id is None:
        return dict.fromkeys(TABS, 0)
    row = db.session.execute(_counts_statement(_stopped_at()), _me(actor)).one()
    return {tab: int(getattr(row, tab)) for tab in TABS}


@lru_cache(maxsize=4)
def _counts_statement(_stopped: datetime | None) -> Select[Any]:
    todo = select(func.count()).select_from(ApprovalRequest).where(_waiting(_ME, _NOW))
    done = select(func.count()).select_from(ApprovalDecision).where(_decided_by(_ME))
    mine = select(func.count()).select_from(ApprovalRequest).where(_applied_by(_ME))
    copied = select(func.count()).select_from(ApprovalCopy).where(ApprovalCopy.user_id == _ME)
    return select(
        todo.scalar_subquery().label(TO_DECIDE),
        done.scalar_subquery().label(DONE),
        mine.scalar_subquery().label(MINE),
        copied.scalar_subquery().label(COPIED),
    )


def _decided_by(me: Any) -> ColumnElement[bool]:
    return or_(ApprovalDecision.by_id == me, ApprovalDecision.for_id == me)


def _applied_by(me: Any) -> ColumnElement[bool]:
    return or_(ApprovalRequest.applicant_id == me, ApprovalRequest.typed_by_id == me)


@dataclass(frozen=True)
class InboxFilter:
    """What the inbox is narrowed down to; "" and None mean everything."""

    kind: str = ""
    applicant: str = ""
    department_id: int | None = None
    overdue: bool = False

    @property
    def is_set(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.kind or self.applicant or self.department_id or self.overdue)


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


@dataclass(frozen=True)
class InboxPage:
    """A page of the inbox. Cursors are texts for the URL: "" means that there is nothing further."""

    rows: tuple[InboxRow, ...]
    next_cursor: str
    previous_cursor: str


def inbox_page(
    actor: Actor, tab: str, chosen: InboxFilter, *, after: str = "", before: str = "", size: int = PAGE_SIZE
) -> InboxPage:
    """One page of a tab, by key: what waits with the oldest due first, everything else with the newest first.

    Two statements, whatever the number of rows.
    """
    statement, moment, key = _tab_statement(tab, _stopped_at())
    statement = _filtered(statement, chosen)
    ascending = tab == TO_DECIDE
    cursor = _read_cursor(after or before)
    backwards = bool(before) and cursor is not None
    if cursor is not None:
        larger = ascending != backwards
        pair = tuple_(moment, key)
        values = tuple_(literal(cursor[0], moment.type), literal(cursor[1]))
        statement = statement.where(pair > values if larger else pair < values)
    upward = ascending != backwards
    order = (moment.asc(), key.asc()) if upward else (moment.desc(), key.desc())
    found = list(db.session.execute(statement.order_by(*order).limit(size + 1), _me(actor)))
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    waiting = _waiting_for([row.id for row in found if row.state == PENDING])
    rows = tuple(_inbox_row(row, tab, waiting) for row in found)
    has_next = bool(rows) and (more if not backwards else True)
    has_previous = bool(rows) and ((cursor is not None) if not backwards else more)
    return InboxPage(
        rows,
        _write_cursor(found[-1]) if has_next else "",
        _write_cursor(found[0]) if has_previous else "",
    )


@lru_cache(maxsize=16)
def _tab_statement(tab: str, _stopped: datetime | None) -> tuple[Select[Any], Any, Any]:
    """(statement with the parameters of `_me`, the moment it is ordered by, the key that breaks ties)."""
    applicant, stood_for = aliased(User, name="applicant"), aliased(User, name="stood_for")
    columns = [
        ApprovalRequest.id,
        ApprovalRequest.kind,
        ApprovalRequest.title,
        ApprovalRequest.state,
        ApprovalRequest.round,
        ApprovalRequest.due_at,
        ApprovalRequest.held_since,
        ApprovalRequest.created_at,
        (ApprovalRequest.expires_at <= database_now()).label("is_past"),
        applicant.name.label("applicant"),
        Department.name.label("department"),
        ApprovalStep.title.label("step_title"),
    ]
    moment: Any
    key: Any
    statement: Any
    if tab == DONE:
        moment, key = ApprovalDecision.decided_at, ApprovalDecision.id
        statement = select(
            *columns,
            ApprovalDecision.vote.label("vote"),
            stood_for.name.label("for_name"),
            moment.label("moment"),
            key.label("key"),
        ).join(ApprovalDecision, ApprovalDecision.request_id == ApprovalRequest.id)
        statement = statement.outerjoin(stood_for, stood_for.id == ApprovalDecision.for_id).where(_decided_by(_ME))
    elif tab == COPIED:
        moment, key = ApprovalCopy.created_at, ApprovalCopy.request_id
        statement = (
            select(*columns, literal("").label("vote"), literal("").label("for_name"), moment.label("moment"))
            .add_columns(key.label("key"))
            .join(ApprovalCopy, ApprovalCopy.request_id == ApprovalRequest.id)
            .where(ApprovalCopy.user_id == _ME)
        )
    else:
        moment = ApprovalRequest.due_at if tab == TO_DECIDE else ApprovalRequest.created_at
        key = ApprovalRequest.id
        statement = select(
            *columns,
            literal("").label("vote"),
            literal("").label("for_name"),
            moment.label("moment"),
            key.label("key"),
        ).where(_waiting(_ME, _NOW) if tab == TO_DECIDE else _applied_by(_ME))
    statement = (
        statement.outerjoin(applicant, applicant.id == ApprovalRequest.applicant_id)
        .outerjoin(Department, Department.id == ApprovalRequest.applicant_department_id)
        .outerjoin(ApprovalStep, and_(ApprovalStep.request_id == ApprovalRequest.id, ApprovalStep.state == OPEN))
    )
    return statement, moment, key


def _filtered(statement: Select[Any], chosen: InboxFilter) -> Select[Any]:
    if chosen.kind:
        statement = statement.where(ApprovalRequest.kind == chosen.kind)
    if chosen.department_id:
        statement = statement.where(ApprovalRequest.applicant_department_id == chosen.department_id)
    if chosen.applicant:
        named = select(User.id).where(
            or_(
                User.name.contains(chosen.applicant, autoescape=True),
                User.name_sort.startswith(chosen.applicant.lower(), autoescape=True),
                User.login == chosen.applicant.lower(),
            )
        )
        statement = statement.where(ApprovalRequest.applicant_id.in_(named))
    if chosen.overdue:
        statement = statement.where(ApprovalRequest.state == PENDING, ApprovalRequest.due_at < clock.now())
    return statement


def _inbox_row(row: Any, tab: str, waiting: Mapping[int, list[str]]) -> InboxRow:
    kind = kinds().get(row.kind)
    state = EXPIRED if row.state == PENDING and row.is_past else row.state
    return InboxRow(
        id=row.id,
        number=f"SP{row.id:06d}",
        kind=kind,
        kind_key=row.kind,
        # Whoever is only kept informed sees the status, not the content; a title may tell of it.
        title=row.title if tab != COPIED else (str(kind.title) if kind is not None else row.kind),
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


def _waiting_for(request_ids: Sequence[int]) -> dict[int, list[str]]:
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


def _write_cursor(row: Any) -> str:
    return f"{row.moment.isoformat()}~{row.key}"


def _read_cursor(text: str) -> tuple[datetime, int] | None:
    moment, _tilde, key = text.partition("~")
    try:
        found = datetime.fromisoformat(moment.replace(" ", "+"))
        number = int(key)
    except ValueError:
        return None
    return (found, number) if found.tzinfo is not None and 0 <= number < 2**62 else None


def next_waiting(actor: Actor, after: ApprovalRequest | None = None) -> int | None:
    """The next request that waits for the actor, after a given one; the first one when that was the last."""
    statement = select(ApprovalRequest.id).where(waiting_condition(actor))
    order = (ApprovalRequest.due_at, ApprovalRequest.id)
    if after is not None and after.due_at is not None:
        pair = tuple_(ApprovalRequest.due_at, ApprovalRequest.id)
        later = statement.where(pair > tuple_(literal(after.due_at, ApprovalRequest.due_at.type), literal(after.id)))
        found = db.session.scalar(later.order_by(*order).limit(1))
        if found is not None:
            return found
        statement = statement.where(ApprovalRequest.id != after.id)
    return db.session.scalar(statement.order_by(*order).limit(1))


def asked_opinions(actor: Actor) -> list[Any]:
    """Opinions that the actor was asked for and still owes: (request_id, title, question, asked_at, asked_by)."""
    return [] if actor.user_id is None else list(db.session.execute(_opinions_statement(), _me(actor)))


@lru_cache(maxsize=1)
def _opinions_statement() -> Select[*tuple[Any, ...]]:
    asker = aliased(User)
    return (
        select(
            ApprovalOpinion.request_id,
            ApprovalRequest.title,
            ApprovalOpinion.question,
            ApprovalOpinion.asked_at,
            asker.name.label("asked_by"),
        )
        .join(ApprovalRequest, ApprovalRequest.id == ApprovalOpinion.request_id)
        .join(asker, asker.id == ApprovalOpinion.asked_by_id)
        .where(ApprovalOpinion.user_id == _ME, ApprovalOpinion.answered_at.is_(None), ApprovalRequest.state == PENDING)
        .order_by(ApprovalOpinion.asked_at)
        .limit(20)
    )


# ---- for the pages of a request ------------------------------------------------------------------------------------


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
    applicant = aliased(User)
    statement = (
        select(
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
            func.coalesce(ApprovalRequest.filed_at, ApprovalRequest.created_at).label("moment"),
            literal("").label("vote"),
            literal("").label("for_name"),
        )
        .outerjoin(applicant, applicant.id == ApprovalRequest.applicant_id)
        .outerjoin(Department, Department.id == ApprovalRequest.applicant_department_id)
        .outerjoin(ApprovalStep, and_(ApprovalStep.request_id == ApprovalRequest.id, ApprovalStep.state == OPEN))
        .where(ApprovalRequest.subject_type == subject_type, ApprovalRequest.subject_id == subject_id)
        .order_by(ApprovalRequest.id.desc())
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(ApprovalRequest.kind == kind)
    found = list(db.session.execute(statement))
    waiting = _waiting_for([row.id for row in found if row.state == PENDING])
    return [_inbox_row(row, MINE, waiting) for row in found]


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
    applicant = aliased(User)
    found = list(
        db.session.execute(
            select(
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
                ApprovalRequest.filed_at.label("moment"),
                literal("").label("vote"),
                literal("").label("for_name"),
            )
            .outerjoin(applicant, applicant.id == ApprovalRequest.applicant_id)
            .outerjoin(Department, Department.id == ApprovalRequest.applicant_department_id)
            .outerjoin(ApprovalStep, and_(ApprovalStep.request_id == ApprovalRequest.id, ApprovalStep.state == OPEN))
            .where(
                ApprovalRequest.state == PENDING,
                or_(ApprovalRequest.held_since.is_not(None), ApprovalRequest.due_at < clock.now()),
            )
            .order_by(ApprovalRequest.held_since.is_(None), ApprovalRequest.due_at, ApprovalRequest.id)
            .limit(limit)
        )
    )
    waiting = _waiting_for([row.id for row in found])
    return [_inbox_row(row, COPIED, waiting) for row in found]


def titles_of(request_ids: Sequence[int], actor: Actor) -> dict[int, str]:
    """Titles of requests that the actor decided; one statement."""
    if not request_ids:
        return {}
    rows = db.session.execute(
        select(ApprovalRequest.id, ApprovalRequest.title)
        .join(ApprovalDecision, ApprovalDecision.request_id == ApprovalRequest.id)
        .where(ApprovalRequest.id.in_(list(request_ids)), ApprovalDecision.by_id == actor.user_id)
    )
    return {row.id: row.title for row in rows}


def filter_departments() -> list[tuple[int, str]]:
    """Departments for the filter of the inbox."""
    statement = select(Department.id, Department.name).where(Department.is_active).order_by(Department.path)
    return [(row.id, row.name) for row in db.session.execute(statement)]


__all__ = [
    "COPIED", "DONE", "MINE", "PAGE_SIZE", "TABS", "TO_DECIDE", "Closing", "InboxFilter", "InboxPage", "InboxRow",
    "asked_opinions", "closing_of", "customer_events", "description_of", "digest_of", "events_of",
    "filter_departments", "get_request", "get_status", "had_seat", "has_copy", "history",
    "inbox_count", "inbox_page", "inbox_question", "may_view", "next_waiting", "opinions_of", "pending_request",
    "person_label",
    "rounds_of", "seats_of", "tab_counts", "titles_of", "troubled", "waiting_condition",
]  # fmt: skip
