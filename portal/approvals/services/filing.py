"""Drafts, filing, filing again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Organisation
from portal.approvals.kinds import rule_to_dict
from portal.approvals.models import (
    DRAFT,
    EXPIRED,
    PENDING,
    REJECTED,
    RETURNED,
    WAITING,
    WITHDRAWN,
    ApprovalBeneficiary,
    ApprovalRequest,
    ApprovalStep,
    dump_json,
)
from portal.approvals.services.base import (
    TITLE_LENGTH,
    applicant_behind,
    lock_request,
    move_request,
    note_event,
    require_applicant,
    require_kind,
    tell_approvers,
    too_late,
    write_audit,
)
from portal.approvals.services.missed import catch_up
from portal.approvals.services.steps import open_next_step
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


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
        write_audit(actor, ApprovalAction.DRAFT, request)
    return request


def update_draft(
    request_id: int, actor: Actor, *, title: str | None = None, payload: Mapping[str, Any] | None = None
) -> ApprovalRequest:
    """Change a draft's content. :raises Conflict: when it was filed already. :raises NotFound, NotAllowed."""
    request = lock_request(request_id)
    require_applicant(request, actor)
    values: dict[str, Any] = {}
    if title is not None:
        values["title"] = title[:TITLE_LENGTH]
    if payload is not None:
        values["payload_json"] = dump_json(dict(payload))
    if request.state != DRAFT:
        raise too_late(request)
    move_request(request, state=DRAFT, **values)
    return request


def submit_draft(request_id: int, actor: Actor) -> ApprovalRequest:
    """File a draft. Filed already: returned as it is. :raises Conflict, Invalid, NotAllowed: as `file_request`."""
    request = lock_request(request_id)
    require_applicant(request, actor)
    if request.state == PENDING:
        return request
    if request.state != DRAFT:
        raise too_late(request)
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
    old = lock_request(request_id)
    require_applicant(old, actor)
    if old.state not in (RETURNED, REJECTED, WITHDRAWN, EXPIRED):
        raise Conflict(
            _("Only a request that was returned, rejected, withdrawn or has expired can be filed again."),
            request_id=old.id,
        )
    catch_up(old.id)
    following = db.session.scalar(select(ApprovalRequest).where(ApprovalRequest.previous_id == old.id))
    if following is None:
        following = next_round(old)
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
    move_request(following, state=DRAFT, **values)
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
    kind = require_kind(kind_key)
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


def next_round(old: ApprovalRequest) -> ApprovalRequest:
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
    kind = require_kind(request.kind)
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
    move_request(request, state=DRAFT, **values)
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
    note_event(request, "filed", actor, for_id=applicant_behind(request, actor))
    opened = open_next_step(request, request.steps[0], organisation)
    try:
        move_request(request, state=PENDING, filed_at=clock.now(), **opened)
    except IntegrityError as error:  # the partial unique index: two forms at the same moment
        if "one_pending" in str(error) or "UNIQUE" in str(error):
            raise _duplicate(None) from error
        raise
    write_audit(actor, ApprovalAction.FILE, request, new={"title": request.title, "round": request.round})
    if kind.on_filed is not None:
        kind.on_filed(request, None, actor)
    tell_approvers(request, actor, organisation)
    return request


def _duplicate(request_id: int | None) -> Conflict:
    return Conflict(_("A request like this is already waiting for a decision."), request_id=request_id)
