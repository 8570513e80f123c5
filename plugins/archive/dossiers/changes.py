"""Requests to change a dossier (R-ARC-3, R-ARC-4).

Filed by account managers and supervisors with the values wanted, checked by the supervisor, posted by an archive
maintainer. Before and after are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from plugins.archive.actions import ArchiveAction
from plugins.archive.dossiers import queries, services
from plugins.archive.dossiers.fields import FIELDS, ORGANISATION_ONLY, PERSON_ONLY, PROTECTED, input_with, values_of
from plugins.archive.dossiers.models import (
    CHANGE,
    NEW_CUSTOMER,
    OPEN,
    POSTED,
    REFUSED,
    SUPPLEMENT,
    ArchiveChange,
    ArchiveSupplement,
    Dossier,
)
from plugins.archive.dossiers.vocabulary import PHASES
from plugins.archive.permissions import FILE_CHANGE, FILE_NEW
from plugins.archive.permissions import SUPPLEMENT as MAY_SUPPLEMENT
from portal.approvals.models import PENDING, ApprovalRequest
from portal.approvals.services import file_request
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import ErrorList, NotFound
from portal.core.panels import HeldFields
from portal.core.paths import path_for
from portal.core.permissions import require
from portal.customers.inputs import CustomerInput
from portal.customers.models import Customer
from portal.customers.services import change_customer, create_customer
from portal.customers.services.customers import input_of
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, User, UserRole

CHANGE_KIND, SUPPLEMENT_KIND = "archive.change", "archive.supplement"
REASON_LENGTH, BODY_LENGTH = 1000, 4000


@dataclass(frozen=True)
class ChangeInput:
    """A request: field → value wanted, of `FIELDS`. `customer_id` None asks for a new customer."""

    values: Mapping[str, str]
    token: str
    customer_id: int | None = None
    party: str = "organisation"
    reason: str = ""


@dataclass(frozen=True)
class SupplementInput:
    """Dynamic information, condensed by the supervisor."""

    customer_id: int
    phase: str
    dated_on: date | None
    body: str
    token: str


def file_change(data: ChangeInput, actor: Actor) -> ApprovalRequest:
    """File a request to change the basic information of a customer, or to enter a new one.

    :raises Invalid: nothing differs, a needed value is missing. :raises Conflict: one by the same person is under way.
    """
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token)).first()
    if repeated is not None:
        return repeated  # a double click: the first answer again
    if data.customer_id is None:
        return _file_new(data, actor)
    customer = queries.customer_for(data.customer_id)
    require(actor, FILE_CHANGE, customer)
    present = values_of(customer)
    wanted = {field: value.strip() for field, value in data.values.items() if field in present}
    after = {field: value for field, value in wanted.items() if value != present[field]}
    errors = ErrorList()
    if not after:
        errors.add("", _("Nothing differs from what is kept."))
    if not wanted.get("name", present["name"]):
        errors.add("name", _("Enter the customer's name."))
    _check_reason(data.reason, errors, needed=True)
    errors.raise_if_any()
    _try_out(lambda poster: _change(customer, after, poster), actor)
    change = _new(CHANGE, customer.id, customer.department_id, actor, data.reason)
    change.before, change.after = {field: present[field] for field in after}, after
    return _file(change, CHANGE_KIND, _("Change of basic information: %(name)s", name=customer.name), data.token, actor)


def _file_new(data: ChangeInput, actor: Actor) -> ApprovalRequest:
    require(actor, FILE_NEW)
    after = {field: value.strip() for field, value in data.values.items() if field in FIELDS and value.strip()}
    foreign = ORGANISATION_ONLY if data.party == "person" else PERSON_ONLY
    after = {field: value for field, value in after.items() if field not in foreign}
    errors = ErrorList()
    if not after.get("name"):
        errors.add("name", _("Enter the customer's name."))
    if actor.department_id is None:
        errors.add("", _("Only people of a department can ask for a new customer."))
    _check_reason(data.reason, errors, needed=False)
    errors.raise_if_any()
    assert actor.department_id is not None  # checked above
    _try_out(lambda poster: _create({"party": data.party, **after}, None, actor.department_id, poster), actor)
    change = _new(NEW_CUSTOMER, None, actor.department_id, actor, data.reason)
    change.after = {"party": data.party, **after}
    return _file(change, CHANGE_KIND, _("New customer: %(name)s", name=after["name"]), data.token, actor)


def file_supplement(data: SupplementInput, actor: Actor) -> ApprovalRequest:
    """File a supplement; an archive maintainer posts it. :raises Invalid: text, day or phase is missing."""
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token)).first()
    if repeated is not None:
        return repeated
    customer = queries.customer_for(data.customer_id)
    require(actor, MAY_SUPPLEMENT, customer)
    errors = ErrorList()
    body = data.body.strip()
    if not body:
        errors.add("body", _("Write what is to be added."))
    if len(body) > BODY_LENGTH:
        errors.add("body", _("At most %(n)s characters.", n=BODY_LENGTH))
    if data.phase not in PHASES:
        errors.add("phase", _("Choose one of the list."))
    if data.dated_on is None or data.dated_on > clock.today():
        errors.add("dated_on", _("Enter a day that is not in the future."))
    errors.raise_if_any()
    assert data.dated_on is not None  # checked above
    change = _new(SUPPLEMENT, customer.id, customer.department_id, actor, "")
    change.after = {"phase": data.phase, "dated_on": data.dated_on.isoformat(), "body": body}
    title = _("Supplement: %(name)s", name=customer.name)
    return _file(change, SUPPLEMENT_KIND, title, data.token, actor)


def _check_reason(reason: str, errors: ErrorList, needed: bool) -> None:
    if needed and not reason.strip():
        errors.add("reason", _("Say why, and where you know it from."))
    if len(reason.strip()) > REASON_LENGTH:
        errors.add("reason", _("At most %(n)s characters.", n=REASON_LENGTH))


def _new(kind: str, customer_id: int | None, department_id: int, actor: Actor, reason: str) -> ArchiveChange:
    change = ArchiveChange(
        kind=kind,
        customer_id=customer_id,
        department_id=department_id,
        reason=reason.strip(),
        state=OPEN,
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(change)
    return change


def _file(change: ArchiveChange, kind: str, title: str, token: str, actor: Actor) -> ApprovalRequest:
    db.session.flush()
    request = file_request(
        kind,
        actor,
        subject_type="archive_change",
        subject_id=change.customer_id,
        title=title,
        payload={"change": change.id},
        department_id=change.department_id,
        customer_id=change.customer_id,
        token=token,
        scope=f"{change.kind}:{change.customer_id or change.id}:{change.id if change.kind == SUPPLEMENT else ''}",
    )
    record(
        actor,
        ArchiveAction.CHANGE_FILED,
        object_type="archive_change",
        object_id=change.id,
        object_label=title,
        customer_id=change.customer_id,
        new={"kind": change.kind, "fields": sorted(change.after), "request": request.id},
        reason=change.reason,
    )
    return request


# ---- reading -------------------------------------------------------------------------------------------------------


def load_change(change_id: int) -> ArchiveChange:
    """A request to change a dossier. :raises NotFound: when there is none."""
    change = db.session.get(ArchiveChange, change_id)
    if change is None:
        raise NotFound()
    return change


def present_before(change: ArchiveChange) -> dict[str, Any]:
    """What stands now in the fields that a request is about: the live record may have moved on since it was filed."""
    if change.state != OPEN or change.customer is None:
        return change.replaced or change.before
    present = values_of(change.customer)
    return {field: present.get(field, "") for field in change.before}


def waiting(limit: int = 100) -> list[ArchiveChange]:
    """Requests whose last step, the posting, is open: the maintainers' queue, oldest first."""
    statement = (
        select(ArchiveChange)
        .join(ApprovalRequest, ApprovalRequest.id == ArchiveChange.request_id)
        .where(ArchiveChange.state == OPEN, ApprovalRequest.state == PENDING)
        .options(joinedload(ArchiveChange.customer), joinedload(ArchiveChange.created_by))
        .order_by(ArchiveChange.created_at, ArchiveChange.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


# ---- reactions of the approval engine ------------------------------------------------------------------------------


def post(change: ArchiveChange, actor: Actor) -> None:
    """Do what was asked, through the customers' services; keep what it replaced.

    :raises Invalid: the values break a rule of customers (a taken credit code …): nothing is posted.
    """
    # The maintainer's right to post comes from the approval; the customers' own rules stay in force for the values.
    poster = replace(actor, is_system=True)
    if change.kind == NEW_CUSTOMER:
        change.customer_id = _post_new(change, poster)
    elif change.kind == CHANGE:
        _post_change(change, poster)
    else:
        _post_supplement(change, actor)
    change.state, change.ended_at, change.ended_by_id = POSTED, clock.now(), actor.user_id
    db.session.flush()
    assert change.customer_id is not None  # set above for new ones
    services.open_dossier(change.customer_id, actor).changed_at = clock.now()
    record(
        actor,
        ArchiveAction.CHANGE_POSTED,
        object_type="archive_change",
        object_id=change.id,
        customer_id=change.customer_id,
        new={"kind": change.kind, "fields": sorted(change.after)},
        private={"old": change.replaced, "new": change.after} if change.kind == CHANGE else None,
    )


def _try_out(what: Callable[[Actor], object], actor: Actor) -> None:
    """Do it and undo it: the customers' own rules are asked when the request is filed, not only when it is posted."""
    trial = db.session.begin_nested()
    try:
        what(replace(actor, is_system=True))
    finally:
        trial.rollback()


def _create(values: Mapping[str, Any], manager_id: int | None, department_id: int | None, poster: Actor) -> int:
    data = input_with(CustomerInput(name="", kind="end_user"), values)
    return create_customer(data, poster, account_manager_id=manager_id, department_id=department_id).id


def _change(customer: Customer, after: Mapping[str, Any], poster: Actor) -> None:
    change_customer(customer.id, input_with(input_of(customer), after), poster)


def _post_new(change: ArchiveChange, poster: Actor) -> int:
    return _create(change.after, _manager_for(change), change.department_id, poster)


def _manager_for(change: ArchiveChange) -> int | None:
    """Who asked becomes the account manager, when he is one and still there."""
    return db.session.scalar(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .where(User.id == change.created_by_id, User.is_active, UserRole.role == ACCOUNT_MANAGER)
    )


def _post_change(change: ArchiveChange, poster: Actor) -> None:
    customer = change.customer
    assert customer is not None  # a constraint of the table
    present = values_of(customer)
    change.replaced = {field: present[field] for field in change.after}
    _change(customer, change.after, poster)


def _post_supplement(change: ArchiveChange, actor: Actor) -> None:
    db.session.add(
        ArchiveSupplement(
            customer_id=change.customer_id,
            change_id=change.id,
            phase=change.after["phase"],
            dated_on=date.fromisoformat(change.after["dated_on"]),
            body=change.after["body"],
            written_by_id=change.created_by_id,
            posted_at=clock.now(),
            posted_by_id=actor.user_id,
        )
    )


def end(change: ArchiveChange, state: str, actor: Actor) -> None:
    """The request was refused (by supervisor or maintainer) or taken back; nothing changes in the dossier."""
    change.state, change.ended_at, change.ended_by_id = state, clock.now(), actor.user_id
    db.session.flush()
    if state == REFUSED:
        record(
            actor,
            ArchiveAction.CHANGE_REFUSED,
            object_type="archive_change",
            object_id=change.id,
            customer_id=change.customer_id,
            new={"kind": change.kind},
        )


def reopen(change: ArchiveChange, request: ApprovalRequest) -> None:
    """A further round of the request (returned, filed again)."""
    change.request_id, change.state, change.ended_at, change.ended_by_id = request.id, OPEN, None, None
    db.session.flush()


# ---- the live record -----------------------------------------------------------------------------------------------


def held_fields(customer_ids: Sequence[int]) -> dict[int, HeldFields]:
    """Hook customer_held_fields: basic information of customers with a dossier changes by request only (a setting).

    One statement. Posting is not held: it is done in the portal's name.
    """
    if not settings.get("archive.protect_basic"):
        return {}
    text = _("This customer has a dossier: ask for this change on the page “Dossier”.")
    found = db.session.scalars(select(Dossier.customer_id).where(Dossier.customer_id.in_(customer_ids)))
    return {
        customer_id: HeldFields(PROTECTED, text, path_for("archive.ask_change", customer_id=customer_id))
        for customer_id in found
    }
