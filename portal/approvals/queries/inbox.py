"""The inbox: its tabs, their numbers, what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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

from portal.approvals.authority import PERSONAL_BASES
from portal.approvals.dbtime import database_now
from portal.approvals.models import (
    OPEN,
    PENDING,
    ApprovalBeneficiary,
    ApprovalCopy,
    ApprovalDecision,
    ApprovalOpinion,
    ApprovalRequest,
    ApprovalSeat,
)
from portal.approvals.queries.rows import InboxRow, inbox_row, line_columns, names_waited_for, with_names
from portal.core import clock, permissions
from portal.core.database import UTCDateTime
from portal.core.together import Question
from portal.core.transaction import while_unchanged
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import Delegation, Department, User

PAGE_SIZE = 30

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
    if tab == DONE and not chosen.is_set:
        # Whoever decided thousands of requests: the page's keys first, so that only its own rows are joined and sorted.
        keys = select(key).where(_decided_by(_ME)).order_by(*order).limit(size + 1)
        if cursor is not None:
            keys = keys.where(pair > values if larger else pair < values)
        statement = statement.where(key.in_(keys))
    found = list(db.session.execute(statement.order_by(*order).limit(size + 1), _me(actor)))
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    waiting = names_waited_for([row.id for row in found if row.state == PENDING])
    rows = tuple(inbox_row(row, waiting, is_titled=tab != COPIED) for row in found)
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
    columns = [*line_columns(applicant), ApprovalRequest.created_at]
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
    return with_names(statement, applicant), moment, key


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
    return while_unchanged(filter_departments, lambda: [(row.id, row.name) for row in db.session.execute(statement)])
