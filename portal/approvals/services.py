"""Everything that happens to a request. All functions run in the caller's transaction, flush and never commit.

One transition function (`_transition`) moves a request: one UPDATE on (id, expected state, expected version, not
expired on the database's time) that must change exactly one row. Whoever loses gets a `Conflict` that says who decided
and when. On PostgreSQL the row is locked first, so that two signers of one step follow each other instead of losing.

Order of locks, the same everywhere: people, request, (at the commit) audit trail.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Authority, Candidate, Organisation
from portal.approvals.dbtime import database_now
from portal.approvals.ddl import MESSAGES
from portal.approvals.kinds import ANY, SEQUENCE, ApprovalKind, Reaction, kinds, rule_from_dict, rule_to_dict
from portal.approvals.models import (
    APPROVE,
    APPROVED,
    CANCELLED,
    CLOSED,
    DRAFT,
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
from portal.approvals.notices import page_path, tell
from portal.approvals.permissions import REASSIGN
from portal.approvals.queries import closing_of, digest_of, had_seat, has_copy, may_view
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.calendar import WorkCalendar
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.org.actor import SYSTEM, Actor, users_with_role
from portal.org.models import ADMINISTRATOR, User
from portal.pluginmanager import manager

EXPIRE_AFTER = "approvals.expire_after_working_days"
#: A reminder by hand (催办) is possible once in so many hours.
URGE_HOURS = 4
#: So many low-risk requests at most are approved in one go.
BATCH_LIMIT = 20
OPINION_LENGTH = 2000
NOTE_LENGTH = 500
TITLE_LENGTH = 300

# ---- filing --------------------------------------------------------------------------------------------------------


def file_request(
    kind_key: str,
    actor: Actor,
    *,
    subject_type: str,
    subject_id: int | None,
    title: str,
    payload: Mapping[str, Any],
    department_id: int | None,
    token: str,
    scope: str = "",
    customer_id: int | None = None,
    beneficiary_ids: Iterable[int] = (),
    on_behalf_of: int | None = None,
) -> ApprovalRequest:
    """File a request: it becomes pending and its first step opens.

    :param kind_key: key of a registered `ApprovalKind`.
    :param actor: who files; the applicant, unless `on_behalf_of` names him. `SYSTEM` for the portal's own proposals.
    :param subject_type, subject_id: what it is about, in the module's own words ("customer", 12).
    :param title: one line for lists, at most 300 characters.
    :param payload: JSON values; cannot be changed once filed.
    :param department_id: the department whose head decides by `OwningHead`. When it is the customer's department, the
        request follows the customer into another one.
    :param token: from the form; filing again with the same token returns the first request and writes nothing.
    :param scope: with applicant, kind and subject: at most one of these is pending.
    :param beneficiary_ids: people who gain by it and therefore never decide.
    :param on_behalf_of: the applicant, when the actor only types it in.
    :raises Invalid: no such kind, no route. :raises Conflict: one like it is pending (`details["request_id"]`).
    """
    request, created = _insert_draft(
        kind_key,
        actor,
        subject_type=subject_type,
        subject_id=subject_id,
        title=title,
        payload=payload,
        department_id=department_id,
        token=token,
        scope=scope,
        customer_id=customer_id,
        beneficiary_ids=beneficiary_ids,
        on_behalf_of=on_behalf_of,
    )
    if not created and request.state != DRAFT:
        return request
    return _submit(request, actor)


def save_draft(
    kind_key: str,
    actor: Actor,
    *,
    subject_type: str,
    subject_id: int | None,
    title: str,
    payload: Mapping[str, Any],
    department_id: int | None,
    token: str,
    scope: str = "",
    customer_id: int | None = None,
    beneficiary_ids: Iterable[int] = (),
    on_behalf_of: int | None = None,
) -> ApprovalRequest:
    """Keep a request without filing it; the same arguments as `file_request`. File it with `submit_draft`."""
    request, created = _insert_draft(
        kind_key,
        actor,
        subject_type=subject_type,
        subject_id=subject_id,
        title=title,
        payload=payload,
        department_id=department_id,
        token=token,
        scope=scope,
        customer_id=customer_id,
        beneficiary_ids=beneficiary_ids,
        on_behalf_of=on_behalf_of,
    )
    if created:
        _audit(actor, ApprovalAction.DRAFT, request)
    return request


def update_draft(
    request_id: int, actor: Actor, *, title: str | None = None, payload: Mapping[str, Any] | None = None
) -> ApprovalRequest:
    """Change a draft's content. :raises Conflict: when it was filed already. :raises NotFound, NotAllowed."""
    request = _locked(request_id)
    _require_applicant(request, actor)
    values: dict[str, Any] = {}
    if title is not None:
        values["title"] = title[:TITLE_LENGTH]
    if payload is not None:
        values["payload_json"] = dump_json(dict(payload))
    if request.state != DRAFT:
        raise _closed(request)
    _transition(request, state=DRAFT, **values)
    return request


def submit_draft(request_id: int, actor: Actor) -> ApprovalRequest:
    """File a draft. Filed already: returned as it is. :raises Conflict, Invalid, NotAllowed: as `file_request`."""
    request = _locked(request_id)
    _require_applicant(request, actor)
    if request.state == PENDING:
        return request
    if request.state != DRAFT:
        raise _closed(request)
    return _submit(request, actor)


def resubmit(
    request_id: int,
    actor: Actor,
    *,
    token: str,
    title: str | None = None,
    payload: Mapping[str, Any] | None = None,
    department_id: int | None = None,
) -> ApprovalRequest:
    """File a returned, rejected, withdrawn or expired request again: round n + 1, linked, without the old votes.

    :param token: as for `file_request`. :param title, payload, department_id: None keeps what it was.
    :returns: the new round. :raises Conflict: when it was filed again already, or is not closed.
    """
    repeated = db.session.scalar(select(ApprovalRequest).where(ApprovalRequest.token == token))
    if repeated is not None and repeated.state != DRAFT:
        if repeated.previous_id != request_id:
            raise Conflict(_("This form was used already."))
        return repeated
    old = _locked(request_id)
    _require_applicant(old, actor)
    if old.state not in (RETURNED, REJECTED, WITHDRAWN, EXPIRED):
        raise Conflict(
            _("Only a request that was returned, rejected, withdrawn or has expired can be filed again."),
            request_id=old.id,
        )
    following = db.session.scalar(select(ApprovalRequest).where(ApprovalRequest.previous_id == old.id))
    if following is None:
        following = _next_round(old)
    elif following.state != DRAFT:
        raise Conflict(_("This request was filed again already."), request_id=following.id)
    values: dict[str, Any] = {"token": token}
    if title is not None:
        values["title"] = title[:TITLE_LENGTH]
    if payload is not None:
        values["payload_json"] = dump_json(dict(payload))
    if department_id is not None:
        values["department_id"] = department_id
        values["follows_customer"] = _follows(old.customer_id, department_id)
    _transition(following, state=DRAFT, **values)
    return _submit(following, actor)


def _insert_draft(
    kind_key: str,
    actor: Actor,
    *,
    subject_type: str,
    subject_id: int | None,
    title: str,
    payload: Mapping[str, Any],
    department_id: int | None,
    token: str,
    scope: str,
    customer_id: int | None,
    beneficiary_ids: Iterable[int],
    on_behalf_of: int | None,
) -> tuple[ApprovalRequest, bool]:
    kind = _kind(kind_key)
    if not token:
        raise Invalid([("", _("The form has no token; open it again."))])
    applicant_id = on_behalf_of if on_behalf_of is not None else actor.user_id
    applicant = db.session.get(User, applicant_id) if applicant_id is not None else None
    if applicant_id is not None and (applicant is None or not applicant.is_active):
        raise Invalid([("", _("The applicant is not an active member of staff."))])
    values = {
        "kind": kind.key,
        "policy_version": kind.policy_version,
        "round": 1,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "scope": scope,
        "title": title[:TITLE_LENGTH],
        "payload_json": dump_json(dict(payload)),
        "applicant_id": applicant_id,
        "typed_by_id": actor.user_id if actor.user_id != applicant_id else None,
        "department_id": department_id,
        "applicant_department_id": applicant.department_id if applicant is not None else department_id,
        "follows_customer": _follows(customer_id, department_id),
        "customer_id": customer_id,
        "token": token[:64],
        "state": DRAFT,
        "version": 1,
        "step_position": 0,
        "created_at": clock.now(),
        "reminder_stage": 0,
        "closing_note": "",
    }
    table: Any = ApprovalRequest.__table__
    dialect = db.session.get_bind().dialect.name
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    columns = {ApprovalRequest.__mapper__.attrs[name].columns[0].name: value for name, value in values.items()}
    # One statement, so that two clicks at the same moment meet in the unique index and not between two reads.
    new_id = db.session.scalar(
        insert.values(**columns).on_conflict_do_nothing(index_elements=["token"]).returning(table.c.id)
    )
    if new_id is None:
        existing = db.session.scalars(
            select(ApprovalRequest).where(ApprovalRequest.token == token[:64]).execution_options(populate_existing=True)
        ).one()
        mine = actor.user_id in (existing.applicant_id, existing.typed_by_id)
        if not mine or existing.kind != kind.key or existing.subject_id != subject_id:
            raise Conflict(_("This form was used already."))
        return existing, False
    for user_id in sorted(set(beneficiary_ids)):
        db.session.add(ApprovalBeneficiary(request_id=new_id, user_id=user_id))
    db.session.flush()
    return db.session.get_one(ApprovalRequest, new_id), True


def _next_round(old: ApprovalRequest) -> ApprovalRequest:
    """The draft of the round after a closed one, with the same content."""
    draft = ApprovalRequest(
        kind=old.kind,
        policy_version=old.policy_version,
        round=old.round + 1,
        previous_id=old.id,
        subject_type=old.subject_type,
        subject_id=old.subject_id,
        scope=old.scope,
        title=old.title,
        payload_json=old.payload_json,
        applicant_id=old.applicant_id,
        typed_by_id=old.typed_by_id,
        department_id=old.department_id,
        applicant_department_id=old.applicant_department_id,
        follows_customer=old.follows_customer,
        customer_id=old.customer_id,
        token=secrets.token_hex(16),
        created_at=clock.now(),
    )
    db.session.add(draft)
    db.session.flush()
    for row in db.session.scalars(
        select(ApprovalBeneficiary.user_id).where(ApprovalBeneficiary.request_id == old.id)
    ).all():
        db.session.add(ApprovalBeneficiary(request_id=draft.id, user_id=row))
    db.session.flush()
    return draft


def _follows(customer_id: int | None, department_id: int | None) -> bool:
    if customer_id is None or department_id is None:
        return False
    return authorities.customer_department(customer_id) == department_id


def _submit(request: ApprovalRequest, actor: Actor) -> ApprovalRequest:
    kind = _kind(request.kind)
    pending = db.session.scalar(
        select(ApprovalRequest.id).where(
            ApprovalRequest.state == PENDING,
            ApprovalRequest.applicant_id == request.applicant_id
            if request.applicant_id is not None
            else ApprovalRequest.applicant_id.is_(None),
            ApprovalRequest.kind == request.kind,
            ApprovalRequest.subject_type == request.subject_type,
            ApprovalRequest.subject_id == request.subject_id
            if request.subject_id is not None
            else ApprovalRequest.subject_id.is_(None),
            ApprovalRequest.scope == request.scope,
            ApprovalRequest.id != request.id,
        )
    )
    if pending is not None:
        raise _duplicate(pending)
    organisation = Organisation()
    applicant = organisation.user(request.applicant_id)
    moved = authorities.is_drifted(request, organisation)
    values: dict[str, Any] = {"policy_version": kind.policy_version}
    if moved is not None:  # a draft may be older than a change of department
        values["department_id"], values["applicant_department_id"] = moved
    if applicant is not None and not applicant.is_active:
        raise Invalid([("", _("The applicant is not an active member of staff."))])
    _transition(request, state=DRAFT, **values)
    steps = list(kind.route(request))
    if not steps:
        raise Invalid([("", _("No approver is defined for this kind of request."))])
    for position, spec in enumerate(steps, start=1):
        days = spec.deadline_working_days if spec.deadline_working_days is not None else kind.working_days()
        db.session.add(
            ApprovalStep(
                request_id=request.id,
                position=position,
                key=spec.key,
                title=spec.title,
                mode=spec.mode,
                rules_json=dump_json([rule_to_dict(rule) for rule in spec.seats]),
                deadline_working_days=days,
                state=WAITING,
            )
        )
    db.session.flush()
    db.session.expire(request, ["steps"])
    _event(request, "filed", actor, for_id=_applicant_behind(request, actor))
    opened = _open_step(request, request.steps[0], organisation)
    try:
        _transition(request, state=PENDING, filed_at=clock.now(), **opened)
    except IntegrityError as error:  # the partial unique index: two forms at the same moment
        if "one_pending" in str(error) or "UNIQUE" in str(error):
            raise _duplicate(None) from error
        raise
    _audit(actor, ApprovalAction.FILE, request, new={"title": request.title, "round": request.round})
    if kind.on_filed is not None:
        kind.on_filed(request, None, actor)
    _tell_approvers(request, actor, organisation)
    return request


def _duplicate(request_id: int | None) -> Conflict:
    return Conflict(_("A request like this is already waiting for a decision."), request_id=request_id)


# ---- the one transition --------------------------------------------------------------------------------------------


def _transition(request: ApprovalRequest, *, state: str, **values: Any) -> None:
    """Move a request by one conditional UPDATE that must change exactly one row.

    Expected are the state and the version that the caller has seen. A pending request moves only before its deadline
    (to "expired" only after it), on the database's time; "cancelled" at any time.

    :raises Conflict: somebody else was faster; says who decided and when.
    """
    session = db.session
    session.flush()
    conditions = [
        ApprovalRequest.id == request.id,
        ApprovalRequest.state == request.state,
        ApprovalRequest.version == request.version,
    ]
    if request.state == PENDING and state == EXPIRED:
        conditions.append(ApprovalRequest.expires_at <= database_now())
    elif request.state == PENDING and state != CANCELLED:
        conditions.append(ApprovalRequest.expires_at > database_now())
    changed = session.execute(
        update(ApprovalRequest)
        .where(*conditions)
        .values(state=state, version=request.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        raise _closed(request)
    session.expire(request)


def _locked(request_id: int) -> ApprovalRequest:
    """The request as it is now; on PostgreSQL nobody else moves it until the transaction ends."""
    request = db.session.scalar(
        select(ApprovalRequest)
        .where(ApprovalRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotFound()
    for name in ("steps", "beneficiaries"):
        db.session.expire(request, [name])
    return request


def _lock_people(*user_ids: int | None) -> None:
    """Keep people as they are (active, their account) until the transaction ends; before the request is locked."""
    wanted = sorted({i for i in user_ids if i is not None})
    if wanted and db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(User.id).where(User.id.in_(wanted)).order_by(User.id).with_for_update(read=True))


def _closed(request: ApprovalRequest) -> Conflict:
    """The calm answer to whoever was too late."""
    closing = closing_of(request.id)
    return Conflict(closing.sentence(), **closing.details())


# ---- opening steps and seats ---------------------------------------------------------------------------------------


def _open_step(request: ApprovalRequest, step: ApprovalStep, organisation: Organisation) -> dict[str, Any]:
    """Freeze the seats of a step and open it. Returns the columns of the request that the transition has to write."""
    now = clock.now()
    excluded = authorities.excluded_ids(request, organisation)
    slots = [authorities.resolve(rule_from_dict(rule), request, organisation, excluded) for rule in step.rules]
    seated = _without_doubles(slots)
    step.merged_slots = " ".join(str(slot) for slot, found in enumerate(slots) if found and not seated[slot])
    for slot, candidates in enumerate(seated):
        state = WAITING if step.mode == SEQUENCE and slot > 0 else OPEN
        _seat_candidates(step, slot, candidates, state)
    step.state, step.opened_at = OPEN, now
    db.session.flush()
    db.session.expire(step, ["seats"])
    if step.mode == SEQUENCE:
        _advance_sequence(step)
    values = _deadlines(step, now)
    values["step_position"] = step.position
    values["held_since"] = now if _lacks_seats(step) else None
    _event(request, "opened", SYSTEM, step=step)
    if values["held_since"] is not None:
        _alarm(request, step)
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


def _seat_candidates(
    step: ApprovalStep, slot: int, candidates: Iterable[Candidate], state: str, given_by_id: int | None = None
) -> None:
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


def _deadlines(step: ApprovalStep, now: datetime) -> dict[str, Any]:
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


def _slots(step: ApprovalStep) -> dict[int, list[ApprovalSeat]]:
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


def _is_approved(step: ApprovalStep) -> bool:
    """Whether every signature that the step needs is there."""
    if any(all(seat.state != "approved" for seat in seats) for seats in _added_slots(step).values()):
        return False
    slots = _slots(step)
    done = {slot: any(seat.state == "approved" for seat in seats) for slot, seats in slots.items()}
    if step.mode == ANY:
        return any(done.values())
    return any(done.values()) and all(done[slot] or slot in _merged_slots(step) for slot in slots)


def _merged_slots(step: ApprovalStep) -> set[int]:
    """Slots whose rule led to somebody who sits in another slot already when the step opened."""
    return {int(slot) for slot in step.merged_slots.split()}


def _empty_slots(step: ApprovalStep) -> list[int]:
    """Slots whose signature is missing and that nobody can fill."""
    merged = _merged_slots(step)

    def is_filled(seats: list[ApprovalSeat]) -> bool:
        return any(seat.state in (OPEN, WAITING, "approved") for seat in seats)

    slots = _slots(step)
    empty = [slot for slot, seats in sorted(slots.items()) if not is_filled(seats) and slot not in merged]
    if step.mode == ANY and len(empty) < len(slots):
        empty = []
    return empty + [slot for slot, seats in sorted(_added_slots(step).items()) if not is_filled(seats)]


def _lacks_seats(step: ApprovalStep) -> bool:
    """Whether a signature is missing that nobody can give."""
    return bool(_empty_slots(step))


def _advance_sequence(step: ApprovalStep) -> list[ApprovalSeat]:
    """Open the next seat of a step in order. Returns the seats that were opened."""
    for slot, seats in sorted(_slots(step).items()):
        if slot in _merged_slots(step) or any(seat.state == "approved" for seat in seats):
            continue
        opened = [seat for seat in seats if seat.state == WAITING]
        for seat in opened:
            seat.state, seat.opened_at = OPEN, clock.now()
        return opened
    return []


def _alarm(request: ApprovalRequest, step: ApprovalStep) -> None:
    """Nobody may decide: said aloud, never approved by default."""
    _event(request, "held", SYSTEM, step=step)
    _audit(SYSTEM, ApprovalAction.HOLD, request, new={"step": step.key})
    tell(
        users_with_role(ADMINISTRATOR),
        "approvals.alarm",
        request,
        message("Nobody may decide request %(number)s: assign an approver", number=request.number),
    )


# ---- deciding ------------------------------------------------------------------------------------------------------


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
    _lock_people(actor.user_id, on_behalf_of)
    request = _locked(request_id)
    kind = _kind(request.kind)
    before = _same_decision(request, actor, vote, seen_digest, opinion, conditions, on_behalf_of)
    if before is not None:
        return before
    if request.state != PENDING or _is_past(request):
        if not may_view(request, actor):
            raise NotFound()
        raise _closed(request)
    organisation = Organisation()
    step = request.open_step
    if step is None:
        raise _closed(request)
    chosen = _authority(request, step, actor, organisation, on_behalf_of)
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


def _authority(
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
        raise _closed(request)
    raise NotAllowed(
        _("You have no authority to decide this request now."), request_id=request.id, rule="no_authority"
    )


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
        done = _is_approved(step)
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
        _close_seat(other, now)
    _event(request, decision.vote, actor, for_id=decision.for_id, note=decision.opinion, step=step)
    values: dict[str, Any] = {}
    if decision.conditions_json is not None:
        values["conditions_json"] = decision.conditions_json
    done = _is_approved(step) if decision.vote == APPROVE else False
    if decision.outcome:
        _finish_steps(request, step, now)
        _transition(request, state=decision.outcome, closed_at=now, closed_by_id=actor.user_id, **values)
    elif done:
        step.state, step.closed_at = CLOSED, now
        following = next(item for item in request.steps if item.position == step.position + 1)
        values |= _open_step(request, following, organisation)
        _transition(request, state=PENDING, **values)
    else:
        if step.mode == SEQUENCE:
            _advance_sequence(step)
        held = request.held_since or (now if _lacks_seats(step) else None)
        _transition(request, state=PENDING, held_since=held, **values)
    action = {
        APPROVE: ApprovalAction.APPROVE if decision.outcome else ApprovalAction.VOTE,
        RETURN: ApprovalAction.RETURN,
    }.get(decision.vote, ApprovalAction.REJECT)
    _audit(
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
            _next_round(request)
        reaction = {APPROVED: kind.on_approved, REJECTED: kind.on_rejected}.get(decision.outcome, kind.on_returned)
        _conclude(request, decision, actor, reaction)
    else:
        _tell_approvers(request, actor, organisation)


def _conclude(
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


def _finish_steps(request: ApprovalRequest, current: ApprovalStep | None, now: datetime) -> None:
    """Close the open step and every seat that still waits; steps that never opened stay as they are."""
    for step in request.steps:
        if step.state == OPEN:
            step.state, step.closed_at = CLOSED, now
            for seat in step.seats:
                if seat.state in (OPEN, WAITING):
                    _close_seat(seat, now)
    if current is not None:
        current.closed_at = now


def _close_seat(seat: ApprovalSeat, now: datetime, state: str = CLOSED) -> None:
    seat.state, seat.closed_at = state, now


def _is_past(request: ApprovalRequest) -> bool:
    """Whether the deadline has passed on the database's time."""
    passed = db.session.scalar(
        select(ApprovalRequest.id).where(ApprovalRequest.id == request.id, ApprovalRequest.expires_at <= database_now())
    )
    return passed is not None


# ---- other ends ----------------------------------------------------------------------------------------------------


def withdraw(request_id: int, actor: Actor, *, reason: str = "") -> ApprovalRequest:
    """The applicant takes a draft or a pending request back. Withdrawn already: returned as it is.

    :raises Conflict: decided or expired meanwhile. :raises NotAllowed: not the applicant.
    """
    _lock_people(actor.user_id)
    request = _locked(request_id)
    _require_applicant(request, actor)
    if request.state == WITHDRAWN and request.closed_by_id == actor.user_id:
        return request
    if request.state not in (DRAFT, PENDING):
        raise _closed(request)
    now = clock.now()
    _finish_steps(request, None, now)
    note = _note(reason)
    _transition(request, state=WITHDRAWN, closed_at=now, closed_by_id=actor.user_id, closing_note=note)
    _event(request, "withdrawn", actor, for_id=_applicant_behind(request, actor), note=note)
    _audit(actor, ApprovalAction.WITHDRAW, request, reason=note)
    kind = kinds().get(request.kind)
    _conclude(request, None, actor, kind.on_withdrawn if kind else None)
    return request


def cancel(request_id: int, actor: Actor, *, reason: str) -> ApprovalRequest:
    """End a draft or pending request because its subject is gone or the applicant left.

    For services of the subject's module, which have checked that the actor may do what causes it. Never an approval.
    Closed already: returned as it is.
    """
    request = _locked(request_id)
    if request.state not in (DRAFT, PENDING):
        return request
    now = clock.now()
    _finish_steps(request, None, now)
    note = _note(reason)
    _transition(request, state=CANCELLED, closed_at=now, closed_by_id=actor.user_id, closing_note=note)
    _event(request, "cancelled", actor, note=note)
    _audit(actor, ApprovalAction.CANCEL, request, reason=note)
    kind = kinds().get(request.kind)
    _conclude(request, None, actor, kind.on_cancelled if kind else None)
    return request


def expire(request_id: int, actor: Actor = SYSTEM) -> ApprovalRequest:
    """Close a pending request whose deadline has passed: a refusal. The deadline holds without this as well.

    :raises Conflict: not pending any more, or not past its deadline.
    """
    request = _locked(request_id)
    if request.state != PENDING:
        raise _closed(request)
    now = clock.now()
    _finish_steps(request, None, now)
    _transition(request, state=EXPIRED, closed_at=now, closed_by_id=actor.user_id)
    _event(request, "expired", actor)
    _audit(actor, ApprovalAction.EXPIRE, request)
    kind = kinds().get(request.kind)
    _conclude(request, None, actor, kind.on_expired if kind else None)
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


# ---- others take part ----------------------------------------------------------------------------------------------


def transfer(
    request_id: int, actor: Actor, *, to_user_id: int, reason: str, on_behalf_of: int | None = None
) -> ApprovalRequest:
    """Hand one's own seat to somebody else for good (转办). A delegate cannot hand on what he only stands in for.

    :raises Invalid: the other one is a party, has voted, has a seat here or is not active.
    """
    request, step, chosen, organisation = _at_seat(request_id, actor, to_user_id, on_behalf_of)
    if chosen.for_id is not None:
        raise NotAllowed(_("Who stands in for somebody cannot hand the request on."), rule="delegate")
    reason = _reason(reason)
    _check_newcomer(request, step, to_user_id, organisation)
    now = clock.now()
    _close_seat(chosen.seat, now, "handed_on")
    db.session.flush()
    seat = ApprovalSeat(
        request_id=request.id,
        step_id=step.id,
        slot=chosen.seat.slot,
        user_id=to_user_id,
        basis="transfer",
        is_added=chosen.seat.is_added,
        given_by_id=actor.user_id,
        state=OPEN,
        opened_at=now,
    )
    db.session.add(seat)
    _transition(request, state=PENDING)
    _event(request, "transferred", actor, target_id=to_user_id, note=reason, step=step)
    _audit(actor, ApprovalAction.TRANSFER, request, new={"to": to_user_id, "step": step.key}, reason=reason)
    _tell_approvers(request, actor, organisation, only={to_user_id})
    return request


def add_signer(
    request_id: int, actor: Actor, *, user_id: int, reason: str, on_behalf_of: int | None = None
) -> ApprovalRequest:
    """Let somebody sign besides (加签): the step ends only when he has approved too; his rejection rejects.

    :raises Invalid: he is a party, has voted, has a seat here or is not active.
    """
    request, step, chosen, organisation = _at_seat(request_id, actor, user_id, on_behalf_of)
    reason = _reason(reason)
    _check_newcomer(request, step, user_id, organisation)
    slot = max([len(step.rules) - 1, *(seat.slot for seat in step.seats)]) + 1
    db.session.add(
        ApprovalSeat(
            request_id=request.id,
            step_id=step.id,
            slot=slot,
            user_id=user_id,
            basis="signer",
            is_added=True,
            given_by_id=actor.user_id,
            state=OPEN,
            opened_at=clock.now(),
        )
    )
    _transition(request, state=PENDING)
    _event(request, "signer_added", actor, for_id=chosen.for_id, target_id=user_id, note=reason, step=step)
    _audit(
        actor,
        ApprovalAction.ADD_SIGNER,
        request,
        on_behalf_of_id=chosen.for_id,
        new={"signer": user_id, "step": step.key},
        reason=reason,
    )
    _tell_approvers(request, actor, organisation, only={user_id})
    return request


def ask_opinion(
    request_id: int, actor: Actor, *, user_id: int, question: str, on_behalf_of: int | None = None
) -> ApprovalOpinion:
    """Ask somebody for his opinion (征询). He may read the request; the owner of the seat still decides.

    :raises Invalid: he is a party, or was asked and has not answered yet.
    """
    request, _step, chosen, organisation = _at_seat(request_id, actor, user_id, on_behalf_of)
    question = _note(question, 1000)
    if not question:
        raise Invalid([("reason", _("Say what you want to know."))])
    if not organisation.is_active(user_id) or user_id in authorities.excluded_ids(request, organisation):
        raise Invalid([("user", _("This person cannot be asked: a party to the request, or not active."))])
    if user_id == actor.user_id:
        raise Invalid([("user", _("Choose somebody else."))])
    asked = db.session.scalar(
        select(ApprovalOpinion.id).where(
            ApprovalOpinion.request_id == request.id,
            ApprovalOpinion.user_id == user_id,
            ApprovalOpinion.answered_at.is_(None),
        )
    )
    if asked is not None:
        raise Invalid([("user", _("This person was asked already and has not answered yet."))])
    assert actor.user_id is not None
    opinion = ApprovalOpinion(
        request_id=request.id, asked_by_id=actor.user_id, user_id=user_id, question=question, asked_at=clock.now()
    )
    db.session.add(opinion)
    _transition(request, state=PENDING)
    _event(request, "asked", actor, for_id=chosen.for_id, target_id=user_id, note=question)
    _audit(actor, ApprovalAction.ASK, request, on_behalf_of_id=chosen.for_id, new={"asked": user_id})
    tell(
        [user_id],
        "approvals.opinion",
        request,
        message("%(name)s asks for your opinion: %(title)s", name=actor.name, title=request.title),
        body=question,
        actor=actor,
    )
    return opinion


def give_opinion(request_id: int, actor: Actor, *, answer: str) -> ApprovalOpinion:
    """Answer what one was asked. :raises NotFound: not asked. :raises Conflict: closed meanwhile, or answered."""
    request = _locked(request_id)
    opinion = db.session.scalar(
        select(ApprovalOpinion)
        .where(ApprovalOpinion.request_id == request_id, ApprovalOpinion.user_id == actor.user_id)
        .order_by(ApprovalOpinion.answered_at.is_(None).desc(), ApprovalOpinion.id.desc())
        .limit(1)
    )
    if opinion is None:
        raise NotFound()
    answer = answer.strip()[:OPINION_LENGTH]
    if opinion.answered_at is not None:
        if opinion.answer == answer:
            return opinion
        raise Conflict(_("You answered already."), request_id=request.id)
    if not answer:
        raise Invalid([("answer", _("Write your opinion."))])
    if request.state != PENDING:
        raise _closed(request)
    opinion.answer, opinion.answered_at = answer, clock.now()
    _transition(request, state=PENDING)
    _event(request, "answered", actor, note=answer)
    _audit(actor, ApprovalAction.ANSWER, request)
    tell(
        [opinion.asked_by_id],
        "approvals.opinion",
        request,
        message("%(name)s gave an opinion: %(title)s", name=actor.name, title=request.title),
        body=answer,
        actor=actor,
    )
    return opinion


def copy_to(request_id: int, actor: Actor, *, user_ids: Iterable[int]) -> list[int]:
    """Keep people informed (抄送): they see the status, not the content. Possible after the decision as well.

    For the applicant, for approvers and for those who voted. Returns the ids that were added.
    """
    request = _locked(request_id)
    if not may_view(request, actor):
        raise NotFound()
    if not (_is_applicant(request, actor) or had_seat(request, actor) or _has_seat(request, actor)):
        raise NotAllowed(_("Only the applicant and the approvers can keep others informed."), rule="copy")
    present = set(db.session.scalars(select(ApprovalCopy.user_id).where(ApprovalCopy.request_id == request.id)))
    parties = {request.applicant_id, request.typed_by_id, actor.user_id}
    active = set(db.session.scalars(select(User.id).where(User.id.in_(sorted(set(user_ids))), User.is_active)))
    added = sorted(active - present - parties)
    for user_id in added:
        db.session.add(
            ApprovalCopy(request_id=request.id, user_id=user_id, by_id=actor.user_id, created_at=clock.now())
        )
        _event(request, "copied", actor, target_id=user_id)
    if not added:
        return []
    db.session.flush()
    _audit(actor, ApprovalAction.COPY, request, new={"to": added})
    tell(
        added,
        "approvals.copied",
        request,
        message("%(name)s keeps you informed about request %(number)s", name=actor.name, number=request.number),
        actor=actor,
    )
    return added


def _at_seat(
    request_id: int, actor: Actor, other_id: int, on_behalf_of: int | None
) -> tuple[ApprovalRequest, ApprovalStep, Authority, Organisation]:
    """Lock people and request, and check that the actor may decide it just now."""
    _lock_people(actor.user_id, other_id, on_behalf_of)
    request = _locked(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or _is_past(request):
        if not may_view(request, actor):
            raise NotFound()
        raise _closed(request)
    organisation = Organisation()
    return request, step, _authority(request, step, actor, organisation, on_behalf_of), organisation


def _check_newcomer(
    request: ApprovalRequest, step: ApprovalStep, user_id: int, organisation: Organisation
) -> None:
    voted = list(
        db.session.scalars(select(ApprovalDecision.by_id).where(ApprovalDecision.request_id == request.id))
    )
    sentences = {
        "inactive": _("This person does not work here any more."),
        "party": _("Never to the applicant, to somebody who gains by the request or stands in for the applicant."),
        "voted": _("This person has voted on the request already."),
        "administrator": _("Administrators assign requests, they do not decide them."),
    }
    why = authorities.unfit_for_seat(request, user_id, voted, organisation)
    if why is not None:
        raise Invalid([("user", sentences[why])])
    if any(seat.user_id == user_id and seat.state in (OPEN, WAITING) for seat in step.seats):
        raise Invalid([("user", _("This person decides in this step already."))])


# ---- reminders -----------------------------------------------------------------------------------------------------


def remind(request_id: int, actor: Actor) -> ApprovalRequest:
    """The applicant reminds whoever is next (催办): at most once in `URGE_HOURS` hours.

    :raises Invalid: too early (the message says when). :raises Conflict: closed meanwhile.
    """
    request = _locked(request_id)
    _require_applicant(request, actor)
    if request.state != PENDING or _is_past(request):
        raise _closed(request)
    now = clock.now()
    changed = db.session.execute(
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
    _event(request, "urged", actor)
    _audit(actor, ApprovalAction.URGE, request)
    _tell_approvers(request, actor, Organisation(), kind="approvals.reminder")
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
    changed = db.session.execute(
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
        _event(request, "reminded", SYSTEM)
        _tell_approvers(request, SYSTEM, organisation, kind="approvals.reminder")
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
            db.session.add(
                ApprovalCopy(request_id=request.id, user_id=user_id, by_id=None, created_at=clock.now())
            )
        _event(request, "escalated", SYSTEM, target_id=user_id, step=step)
    if not superiors:
        _event(request, "escalated", SYSTEM, step=step)
    _audit(SYSTEM, ApprovalAction.ESCALATE, request, new={"to": superiors})
    tell(
        superiors or users_with_role(ADMINISTRATOR),
        "approvals.escalated",
        request,
        message("Overdue: request %(number)s still waits for a decision", number=request.number),
    )
    _tell_approvers(request, SYSTEM, organisation, kind="approvals.reminder")


# ---- the organisation changes --------------------------------------------------------------------------------------


def follow_changes(request_id: int, actor: Actor, *, leaving: int | None = None) -> bool:
    """Bring the open step in line with the organisation: departments that changed, approvers who are none any more.

    Votes given stay; seats of those who lost their authority go to whoever has it now; a request that was held goes on
    when there is somebody. Every change is recorded. Returns whether anything changed.

    :param leaving: a person who leaves just now.
    """
    request = _locked(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or _is_past(request):
        return False
    organisation = Organisation()
    moved = authorities.is_drifted(request, organisation)
    rules = [rule_from_dict(rule) for rule in step.rules]
    slots = _slots(step)
    affected: set[int] = set()
    for slot, seats in slots.items():
        if any(seat.state == "approved" for seat in seats):
            continue
        live = [seat for seat in seats if seat.state in (OPEN, WAITING)]
        valid = [seat for seat in live if seat.user_id != leaving and authorities.basis_holds(seat, organisation)]
        is_moved = moved is not None and authorities.routes_by(rules[slot], request, moved)
        is_empty = not valid and (live or slot not in _merged_slots(step)) and not (step.mode == ANY and not live)
        if is_moved or is_empty:
            affected.add(slot)
        elif len(valid) < len(live):
            for seat in live:
                if seat not in valid:
                    _close_seat(seat, clock.now())
    lost_signers = [
        seat
        for seat in step.seats
        if seat.is_added and seat.state == OPEN
        and (seat.user_id == leaving or not organisation.is_active(seat.user_id))
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
    excluded = authorities.excluded_ids(request, organisation) | ({leaving} if leaving is not None else set())
    _reseat(request_view, step, affected, organisation, frozenset(excluded))
    for seat in lost_signers:
        _replace_signer(request_view, step, seat, organisation, frozenset(excluded))
    db.session.flush()
    db.session.expire(step, ["seats"])
    if step.mode == SEQUENCE:
        _advance_sequence_if_idle(step)
    now_seated = {seat.user_id for seat in step.seats if seat.state in (OPEN, WAITING)}
    held = _lacks_seats(step)
    was_held = request.held_since is not None
    if now_seated == before and moved is None and held == was_held:
        return False
    if now_seated - before:
        values |= _deadlines(step, clock.now())
    values["held_since"] = (request.held_since or clock.now()) if held else None
    _transition(request, state=PENDING, **values)
    _event(request, "released" if was_held and not held else "rerouted", actor, step=step)
    _audit(
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
        _alarm(request, step)
    _tell_approvers(request, actor, organisation, only=now_seated - before)
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
    slots = _slots(step)
    for slot in affected:
        for seat in slots[slot]:
            if seat.state in (OPEN, WAITING):
                _close_seat(seat, now)
    db.session.flush()
    merged = _merged_slots(step)
    taken = {seat.user_id for seat in step.seats if seat.state in (OPEN, WAITING, "approved")}
    started = any(seat.state in (OPEN, "approved") for seats in slots.values() for seat in seats)
    for slot in sorted(affected | merged):
        if any(seat.state == "approved" for seat in slots[slot]):
            continue
        found = authorities.resolve(rule_from_dict(step.rules[slot]), request, organisation, excluded)
        free = [candidate for candidate in found if candidate.user_id not in taken]
        merged = merged | {slot} if found and not free else merged - {slot}
        state = WAITING if step.mode == SEQUENCE and (started or slot > 0) else OPEN
        _seat_candidates(step, slot, free, state)
        taken |= {candidate.user_id for candidate in free}
    step.merged_slots = " ".join(str(slot) for slot in sorted(merged))


def _advance_sequence_if_idle(step: ApprovalStep) -> None:
    if not any(seat.state == OPEN and not seat.is_added for seat in step.seats):
        _advance_sequence(step)


def _replace_signer(
    request: Any, step: ApprovalStep, seat: ApprovalSeat, organisation: Organisation, excluded: frozenset[int]
) -> None:
    """An added signer left: his signature was asked for, so the head above him signs; with nobody it is held."""
    _close_seat(seat, clock.now())
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
    _lock_people(actor.user_id, to_user_id, from_user_id)
    request = _locked(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or _is_past(request):
        raise _closed(request)
    reason = _reason(reason)
    organisation = Organisation()
    if authorities.persons_of([to_user_id]) & authorities.persons_of([actor.user_id] if actor.user_id else []):
        raise Invalid([("user", _("Administrators assign requests, they do not decide them."))])
    _check_newcomer(request, step, to_user_id, organisation)
    now = clock.now()
    is_added, slot = False, 0
    if from_user_id is not None:
        old = next((s for s in step.seats if s.user_id == from_user_id and s.state in (OPEN, WAITING)), None)
        if old is None:
            raise Conflict(_("This person does not decide here any more."), request_id=request.id)
        slot, is_added, state = old.slot, old.is_added, old.state
        _close_seat(old, now, "handed_on")
    else:
        empty = _empty_slots(step)
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
    values = _deadlines(step, now)
    _transition(request, state=PENDING, held_since=now if _lacks_seats(step) else None, **values)
    _event(request, "reassigned", actor, for_id=from_user_id, target_id=to_user_id, note=reason, step=step)
    _audit(
        actor,
        ApprovalAction.REASSIGN,
        request,
        old={"approver": from_user_id},
        new={"approver": to_user_id, "step": step.key},
        reason=reason,
    )
    _tell_approvers(request, actor, organisation, only={to_user_id})


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


def follow_person(user_id: int, actor: Actor) -> None:
    """A person changed department, superior or office: reroute what he applied for and what he had to decide."""
    for request_id in _requests_of(user_id):
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


def require_low_risk(request_id: int) -> None:
    """Only kinds that say so are approved several at once. :raises NotAllowed: for others. :raises NotFound."""
    request = db.session.get(ApprovalRequest, request_id)
    if request is None:
        raise NotFound()
    if not _kind(request.kind).low_risk:
        raise NotAllowed(_("This kind of request is decided one by one."), request_id=request_id, rule="batch")


# ---- refused attempts ----------------------------------------------------------------------------------------------


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


# ---- small helpers -------------------------------------------------------------------------------------------------


def _kind(key: str) -> ApprovalKind:
    kind = kinds().get(key)
    if kind is None:
        raise Invalid([("", _("This kind of request is switched off."))])
    return kind


def _is_applicant(request: ApprovalRequest, actor: Actor) -> bool:
    if actor.is_system:
        return request.applicant_id is None
    return actor.user_id is not None and actor.user_id in (request.applicant_id, request.typed_by_id)


def _require_applicant(request: ApprovalRequest, actor: Actor) -> None:
    if _is_applicant(request, actor):
        return
    if not (may_view(request, actor) or has_copy(request, actor)):
        raise NotFound()
    raise NotAllowed(_("Only the applicant can do this."), request_id=request.id, rule="applicant")


def _applicant_behind(request: ApprovalRequest, actor: Actor) -> int | None:
    """The applicant, when the one who typed the request acts for him."""
    return request.applicant_id if actor.user_id is not None and actor.user_id == request.typed_by_id else None


def _has_seat(request: ApprovalRequest, actor: Actor) -> bool:
    step = request.open_step
    if step is None or request.state != PENDING:
        return False
    return bool(authorities.authorities(request, step, actor, Organisation()))


def _note(text: str, length: int = NOTE_LENGTH) -> str:
    return text.strip()[:length]


def _reason(text: str) -> str:
    found = _note(text)
    if not found:
        raise Invalid([("reason", _("Say why."))])
    return found


def _event(
    request: ApprovalRequest,
    what: str,
    actor: Actor,
    *,
    for_id: int | None = None,
    target_id: int | None = None,
    note: str = "",
    step: ApprovalStep | None = None,
) -> None:
    db.session.add(
        ApprovalEvent(
            request_id=request.id,
            what=what,
            at=clock.now(),
            actor_id=actor.user_id,
            for_id=for_id,
            target_id=target_id,
            note=note,
            step_key=step.key if step is not None else "",
        )
    )


def _audit(actor: Actor, action: ApprovalAction, request: ApprovalRequest, **details: Any) -> None:
    new = {"kind": request.kind, "state": request.state, **(details.pop("new", None) or {})}
    record(
        actor,
        action,
        object_type="approval_request",
        object_id=request.id,
        object_label=f"{request.number} {request.title}",
        customer_id=request.customer_id,
        new=new,
        **details,
    )


def _tell_approvers(
    request: ApprovalRequest,
    actor: Actor,
    organisation: Organisation,
    *,
    kind: str = "approvals.to_decide",
    only: set[int] | None = None,
) -> None:
    """Tell those whose turn it is, and who stands in for them today."""
    step = request.open_step
    if step is None or request.state != PENDING:
        return
    open_seats = [seat for seat in step.seats if seat.state == OPEN]
    holders = {seat.user_id for seat in open_seats}
    if only is not None:
        holders &= only
    excluded = authorities.excluded_ids(request, organisation)
    personal = {seat.user_id for seat in open_seats if seat.basis in authorities.PERSONAL_BASES}
    delegates = {
        row.delegate_id
        for row in organisation.covering(request)
        if row.delegator_id in holders - personal and row.delegate_id not in excluded
    }
    if kind == "approvals.reminder":
        title = message("Please decide: %(title)s", title=request.title)
    else:
        title = message("Waiting for your decision: %(title)s", title=request.title)
    tell((holders | delegates) - {actor.user_id or 0}, kind, request, title, actor=actor)


__all__ = [
    "BATCH_LIMIT", "EXPIRE_AFTER", "SYSTEM", "URGE_HOURS", "add_signer", "ask_opinion", "cancel", "copy_to", "decide",
    "due_for_reminder", "expire", "file_request", "follow_changes", "follow_customer", "follow_person", "give_opinion",
    "hand_over", "overdue_ids", "page_path", "reassign", "record_refused", "remind", "requests_to_follow",
    "require_low_risk", "resubmit",
    "save_draft", "send_reminder", "submit_draft", "transfer", "update_draft", "withdraw",
]  # fmt: skip
