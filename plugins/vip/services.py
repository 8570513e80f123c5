"""Applications and memberships: checks, changes, audit. Views and approvals call these; nothing here commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from plugins.vip import queries
from plugins.vip.actions import VipAction
from plugins.vip.conditions import EXCEPTION, RANK, Met, months_before
from plugins.vip.models import (
    ACTIVE,
    BY_COMPANY,
    BY_CUSTOMER,
    BY_RENEWAL,
    CANDIDATE_DISMISSED,
    CANDIDATE_OPEN,
    CANDIDATE_PROPOSED,
    LAPSED,
    SUSPENDED,
    WITHDRAWN,
    VipApplication,
    VipCandidate,
    VipEvidence,
    VipMembership,
    VipMembershipEvent,
)
from plugins.vip.points import level_for
from plugins.vip.settings import policy
from portal.approvals.models import ApprovalRequest
from portal.approvals.services import file_request, resubmit
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.paths import path_for
from portal.core.permissions import require
from portal.customers.models import Contact, Customer
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import SYSTEM, Actor

APPLICATION, PROPOSAL, RENEWAL = "vip.application", "vip.proposal", "vip.renewal"
NOTICE = "vip.membership"
REASON_LENGTH = 1000


@dataclass(frozen=True)
class ApplicationInput:
    """An application as chosen on the form: which of the conditions, never figures."""

    customer_id: int
    condition: str
    token: str
    contact_id: int | None = None
    reason: str = ""
    route: str = BY_CUSTOMER


def apply(data: ApplicationInput, actor: Actor) -> ApprovalRequest:
    """File a VIP application of a customer the actor may edit. The evidence is found here, not typed.

    :raises Invalid: a condition that is not met, no reason for an exception, a member already.
    """
    customer = db.session.get(Customer, data.customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token)).first()
    if repeated is not None:
        return repeated  # a double click: the first answer again
    met = _check_application(data)
    return _file(customer, data, met, actor, APPLICATION if data.route == BY_CUSTOMER else PROPOSAL)


def _check_application(data: ApplicationInput) -> Met:
    errors = ErrorList()
    found = queries.assess(data.customer_id, policy())
    reason = data.reason.strip()
    if len(reason) > REASON_LENGTH:
        errors.add("reason", _("At most %(n)s characters.", n=REASON_LENGTH))
    if data.contact_id is None and found.live is not None:
        errors.add("", _("This customer is a VIP customer already (%(number)s).", number=found.live.number))
    if queries.is_waiting(data.customer_id, data.contact_id if data.condition == RANK else None):
        errors.add("", _("A request about this customer waits for a decision already."))
    met: Met | None = None
    if data.condition == RANK:
        if data.contact_id not in {person.contact_id for person in found.people}:
            errors.add("contact_id", _("Choose a person whose rank lets him apply."))
        elif queries.current_membership(data.customer_id, data.contact_id) is not None:
            errors.add("contact_id", _("This person is a VIP customer already."))
        met = Met(RANK)
    elif data.condition == EXCEPTION:
        if not reason:
            errors.add("reason", _("An exception needs a reason."))
        met = Met(EXCEPTION)
    else:
        met = next((item for item in found.met if item.condition == data.condition), None)
        if met is None:
            errors.add("condition", _("This condition is not met at present."))
    errors.raise_if_any()
    assert met is not None  # an unmet condition was refused above
    return met


@dataclass(frozen=True)
class _Asked:
    """What a request of this plugin says."""

    kind: str
    title: str
    payload: dict[str, Any]
    token: str
    scope: str


def _ask(customer: Customer, asked: _Asked, actor: Actor, earlier: ApprovalRequest | None) -> ApprovalRequest:
    """File a request about a customer: anew, or as the next round of one that was returned."""
    if earlier is not None:
        return resubmit(
            earlier.id,
            actor,
            token=asked.token,
            title=asked.title,
            payload=asked.payload,
            department_id=customer.department_id,
        )
    return file_request(
        asked.kind,
        actor,
        subject_type="customer",
        subject_id=customer.id,
        title=asked.title,
        payload=asked.payload,
        department_id=customer.department_id,
        customer_id=customer.id,
        token=asked.token,
        scope=asked.scope,
    )


def _file(customer: Customer, data: ApplicationInput, met: Met, actor: Actor, kind: str) -> ApprovalRequest:
    contact_id = data.contact_id if met.condition == RANK else None
    application = _new_application(customer, contact_id, data.route, met, data.reason.strip(), actor)
    title = _("VIP application: %(customer)s", customer=customer.name)
    payload = {"application": application.id, "condition": met.condition, "route": data.route}
    scope = f"member:{contact_id or 0}"
    asked = _Asked(kind, title, payload, data.token, scope)
    request = _ask(customer, asked, actor, queries.earlier_round(kind, actor, customer.id, scope))
    record(
        actor,
        VipAction.APPLIED,
        object_type="vip_application",
        object_id=application.id,
        object_label=customer.name,
        customer_id=customer.id,
        new={"condition": met.condition, "amount": met.amount, "route": data.route, "request": request.id},
        reason=data.reason.strip(),
    )
    return request


def _new_application(
    customer: Customer, contact_id: int | None, route: str, met: Met, reason: str, actor: Actor
) -> VipApplication:
    application = VipApplication(
        customer_id=customer.id,
        contact_id=contact_id,
        route=route,
        condition=met.condition,
        amount=met.amount,
        period_first=met.first,
        period_last=met.last,
        reason=reason,
        level=_level(customer),
        created_at=clock.now(),
        created_by_id=actor.user_id,
    )
    rules = policy()
    application.evidence = [
        VipEvidence(
            purchase_id=bought.purchase_id,
            number=bought.number,
            purchased_on=bought.day,
            amount=bought.counted(rules),
        )
        for bought in met.purchases
    ]
    db.session.add(application)
    db.session.flush()
    return application


def _level(customer: Customer) -> str:
    return level_for(customer.total_12m, settings.get("vip.gold_minimum"), settings.get("vip.diamond_minimum"))


# ---- reactions of the approval engine ------------------------------------------------------------------------------


def grant(application: VipApplication, request: ApprovalRequest, actor: Actor) -> VipMembership:
    """Make the membership of an approved application: number, level, term; tells the applicant.

    :raises Conflict: when the customer (or the person) became a member meanwhile.
    """
    if queries.current_membership(application.customer_id, application.contact_id) is not None:
        raise Conflict(_("This customer became a VIP customer meanwhile."))
    over = queries.live_membership(application.customer_id, application.contact_id)
    if over is not None:
        lapse(over)  # its term has ended, and the nightly job has not come by yet
    today = clock.today()
    membership = VipMembership(
        number=take_number("VIP", today.year),
        customer_id=application.customer_id,
        contact_id=application.contact_id,
        level=application.level,
        valid_from=today,
        valid_until=term_end(today),
        condition=application.condition,
        request_id=request.id,
        created_at=clock.now(),
    )
    db.session.add(membership)
    db.session.flush()
    _event(membership, "granted", "", actor)
    _record(membership, VipAction.GRANTED, actor, new=_fields(membership))
    _tell(membership, request, actor)
    _close_candidate(application)
    return membership


def renew(application: VipApplication, request: ApprovalRequest, actor: Actor) -> VipMembership:
    """Prolong the membership of an approved renewal by one term; a gap begins a new term today."""
    membership = db.session.get(VipMembership, application.membership_id)
    if membership is None:
        raise NotFound()
    if membership.state not in (ACTIVE, LAPSED):
        raise Conflict(_("The membership was suspended or withdrawn meanwhile."))
    live = queries.live_membership(membership.customer_id, membership.contact_id)
    if live is not None and live.id != membership.id:
        raise Conflict(_("This customer became a VIP customer meanwhile."))
    before = _fields(membership)
    today = clock.today()
    begin = max(membership.valid_until + timedelta(days=1), today)
    membership.valid_until = term_end(begin)
    if membership.state == LAPSED:
        membership.state, membership.valid_from = ACTIVE, today
    membership.level, membership.condition = application.level, application.condition
    db.session.flush()
    _event(membership, "renewed", "", actor)
    _record(membership, VipAction.RENEWED, actor, old=before, new=_fields(membership))
    _tell(membership, request, actor)
    return membership


def term_end(begin: date) -> date:
    """The last day of a term that begins on a day: so many months later, less one day."""
    return months_before(begin, -settings.get("vip.term_months")) - timedelta(days=1)


def reopen_candidate(application: VipApplication) -> None:
    """An application that was refused or taken back: the candidate is open again."""
    for candidate in _candidates(application):
        if candidate.state == CANDIDATE_PROPOSED:
            candidate.state = CANDIDATE_OPEN
    db.session.flush()


def _close_candidate(application: VipApplication) -> None:
    for candidate in _candidates(application):
        db.session.delete(candidate)
    db.session.flush()


def _candidates(application: VipApplication) -> list[VipCandidate]:
    member = (
        VipCandidate.contact_id.is_(None)
        if application.contact_id is None
        else VipCandidate.contact_id == application.contact_id
    )
    return list(
        db.session.scalars(select(VipCandidate).where(VipCandidate.customer_id == application.customer_id, member))
    )


def _tell(membership: VipMembership, request: ApprovalRequest, actor: Actor) -> None:
    customer = db.session.get(Customer, membership.customer_id)
    people = {request.applicant_id, customer.account_manager_id if customer else None} - {None}
    notify(
        [person for person in people if person is not None],
        NOTICE,
        title=message(
            "%(customer)s is a VIP customer until %(until)s (%(number)s)",
            customer=customer.name if customer else "",
            until=membership.valid_until,
            number=membership.number,
        ),
        url=path_for("vip.show", membership_id=membership.id),
        actor=actor,
        about=f"vip_membership:{membership.id}",
    )


# ---- changes by hand -----------------------------------------------------------------------------------------------


def suspend(membership: VipMembership, reason: str, actor: Actor) -> None:
    """Stop the benefits for a while."""
    _change_state(membership, (ACTIVE,), SUSPENDED, "suspended", VipAction.SUSPENDED, reason, actor)


def reinstate(membership: VipMembership, reason: str, actor: Actor) -> None:
    """Let a suspended or withdrawn membership count again, within its term. :raises Invalid: when the term is over."""
    if membership.valid_until < clock.today():
        raise Invalid([("reason", _("The term is over; file a new application."))])
    live = queries.live_membership(membership.customer_id, membership.contact_id)
    if live is not None and live.id != membership.id:
        raise Invalid([("reason", _("There is another membership already (%(number)s).", number=live.number))])
    _change_state(membership, (SUSPENDED, WITHDRAWN), ACTIVE, "reinstated", VipAction.REINSTATED, reason, actor)


def withdraw(membership: VipMembership, reason: str, actor: Actor) -> None:
    """End a membership before its term."""
    _change_state(membership, (ACTIVE, SUSPENDED), WITHDRAWN, "withdrawn", VipAction.WITHDRAWN, reason, actor)


def _change_state(
    membership: VipMembership,
    allowed: tuple[str, ...],
    state: str,
    kind: str,
    action: VipAction,
    reason: str,
    actor: Actor,
) -> None:
    reason = reason.strip()
    if not reason:
        raise Invalid([("reason", _("Give a reason."))])
    if len(reason) > REASON_LENGTH:
        raise Invalid([("reason", _("At most %(n)s characters.", n=REASON_LENGTH))])
    require(actor, "customers.edit", membership.customer_id)
    if membership.state not in allowed:
        raise Conflict(_("The membership was changed meanwhile."))
    old, membership.state = membership.state, state
    db.session.flush()
    _event(membership, kind, reason, actor)
    _record(membership, action, actor, old={"state": old}, new={"state": state}, reason=reason)


def lapse(membership: VipMembership) -> None:
    """End a membership whose term is over."""
    old, membership.state = membership.state, LAPSED
    db.session.flush()
    _event(membership, "lapsed", "", SYSTEM)
    _record(membership, VipAction.LAPSED, SYSTEM, old={"state": old}, new={"state": LAPSED})


def dismiss_candidate(candidate_id: int, reason: str, actor: Actor) -> VipCandidate:
    """Take a candidate off the list, with a reason; the nightly search does not bring him back."""
    candidate = _candidate(candidate_id, actor)
    if not reason.strip():
        raise Invalid([("reason", _("Give a reason."))])
    candidate.state, candidate.dismissed_reason = CANDIDATE_DISMISSED, reason.strip()[:500]
    candidate.dismissed_by_id = actor.user_id
    db.session.flush()
    _record_candidate(candidate, VipAction.CANDIDATE_DISMISSED, reason.strip(), actor)
    return candidate


def bring_back_candidate(candidate_id: int, actor: Actor) -> VipCandidate:
    """Undo a dismissal."""
    candidate = _candidate(candidate_id, actor)
    if candidate.state != CANDIDATE_DISMISSED:
        raise Conflict(_("The candidate is on the list already."))
    candidate.state, candidate.dismissed_reason, candidate.dismissed_by_id = CANDIDATE_OPEN, "", None
    db.session.flush()
    _record_candidate(candidate, VipAction.CANDIDATE_REOPENED, "", actor)
    return candidate


def propose_candidate(candidate_id: int, token: str, actor: Actor) -> ApprovalRequest:
    """Propose a candidate to the leader in charge."""
    candidate = _candidate(candidate_id, actor)
    if candidate.state != CANDIDATE_OPEN:
        raise Conflict(_("This candidate was proposed or dismissed already."))
    data = ApplicationInput(
        customer_id=candidate.customer_id,
        condition=candidate.condition,
        token=token,
        contact_id=candidate.contact_id,
        route=BY_COMPANY,
    )
    request = apply(data, actor)
    candidate.state = CANDIDATE_PROPOSED
    db.session.flush()
    return request


def _candidate(candidate_id: int, actor: Actor) -> VipCandidate:
    candidate = db.session.get(VipCandidate, candidate_id)
    if candidate is None:
        raise NotFound()
    require(actor, "customers.edit", candidate.customer_id)
    return candidate


def propose_renewal(
    membership: VipMembership, met: Met | None, earlier: ApprovalRequest | None = None
) -> ApprovalRequest:
    """Ask the head whether a membership is renewed; the portal's re-check is the recommendation.

    :param earlier: the round that the head returned: the portal looks again and asks as the next round.
    """
    customer = db.session.get(Customer, membership.customer_id)
    if customer is None:
        raise NotFound()
    found = met or Met(EXCEPTION)
    reason = "" if met else _("The conditions were not met again during the term.")
    application = _new_application(customer, membership.contact_id, BY_RENEWAL, found, reason, SYSTEM)
    application.membership_id = membership.id
    db.session.flush()
    title = _("VIP renewal: %(customer)s", customer=customer.name)
    payload = {"application": application.id, "membership": membership.id, "recommended": met is not None}
    token = f"vip-renewal-{membership.id}-{membership.valid_until.isoformat()}"
    if earlier is not None:
        token = f"{token}-{earlier.round + 1}"
    return _ask(customer, _Asked(RENEWAL, title, payload, token, f"membership:{membership.id}"), SYSTEM, earlier)


def _event(membership: VipMembership, kind: str, reason: str, actor: Actor) -> None:
    db.session.add(
        VipMembershipEvent(membership_id=membership.id, kind=kind, reason=reason, at=clock.now(), by_id=actor.user_id)
    )
    db.session.flush()


def _fields(membership: VipMembership) -> dict[str, object]:
    return {
        "number": membership.number,
        "level": membership.level,
        "state": membership.state,
        "valid_from": membership.valid_from,
        "valid_until": membership.valid_until,
        "condition": membership.condition,
    }


def _record(membership: VipMembership, action: VipAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="vip_membership",
        object_id=membership.id,
        object_label=membership.number,
        customer_id=membership.customer_id,
        **details,
    )


def _record_candidate(candidate: VipCandidate, action: VipAction, reason: str, actor: Actor) -> None:
    record(
        actor,
        action,
        object_type="vip_candidate",
        object_id=candidate.id,
        object_label="",
        customer_id=candidate.customer_id,
        reason=reason,
    )


def contact_name(contact_id: int | None) -> str:
    """Name of the person who is the member, or ""."""
    contact = db.session.get(Contact, contact_id) if contact_id else None
    return contact.name if contact else ""
