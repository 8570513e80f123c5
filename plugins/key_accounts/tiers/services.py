"""Decisions on tiers and the strategic roles of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, true

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.permissions import DECIDE_TIER
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.tiers.models import (
    ACCEPTED,
    BY_HAND,
    DECLINED,
    ORDINARY,
    OTHER,
    ROLES,
    TIERS,
    CustomerTier,
    TierDecision,
)
from portal.approvals.models import PENDING, ApprovalRequest
from portal.approvals.services import cancel
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList, NotFound
from portal.core.permissions import require, visible
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

REASON_LENGTH = 500
NOTE_LENGTH = 300
#: Requests for a tier (`tiers.approvals`).
REQUEST_KIND = "key_accounts.tier"
#: Customers decided on by one statement.
CHUNK = 500


@dataclass(frozen=True)
class TierInput:
    """A decision about one or more customers.

    :ivar tier: one of TIERS; "proposed": each as the portal proposes; "present": the proposal is declined.
    :ivar seen: customer → tier that was shown when the decision was made; a customer whose tier was changed meanwhile
        is left alone and reported. Customers that are missing here are not compared.
    """

    customer_ids: Sequence[int]
    tier: str
    reason: str = ""
    seen: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a decision about several customers.

    :ivar changed: names of customers whose tier another person changed meanwhile.
    :ivar foreign: how many were not the actor's to decide on.
    """

    decided: int
    unchanged: int
    changed: tuple[str, ...]
    foreign: int


def decide(data: TierInput, actor: Actor) -> Outcome:
    """Decide on tiers. Each customer is one decision with an entry of his own in history and audit trail.

    :raises Invalid: an unknown tier, a missing or too long reason. :raises NotAllowed: without the permission.
    """
    require(actor, DECIDE_TIER)
    reason = data.reason.strip()
    _check(data.tier, reason)
    ids = sorted(set(data.customer_ids))
    decided = unchanged = found = 0
    changed: list[str] = []
    touched: list[int] = []
    for start in range(0, len(ids), CHUNK):
        rows = _rows(ids[start : start + CHUNK], actor)
        found += len(rows)
        present = _present([row.id for row in rows])
        for row in rows:
            tier = present.get(row.id)
            if row.id in data.seen and data.seen[row.id] != (tier.tier if tier else ""):
                changed.append(row.name)
            elif _decide_one(row, tier, data.tier, reason, actor):
                decided += 1
                touched.append(row.id)
            else:
                unchanged += 1
        db.session.flush()
    _follow_up(touched, actor)
    return Outcome(decided, unchanged, tuple(changed), len(ids) - found)


def apply_request(customer_id: int, tier: str, reason: str, actor: Actor) -> None:
    """Give a customer the tier that was asked for; the approval engine has checked who decides."""
    [row] = _rows([customer_id], None)
    if _decide_one(row, _present([customer_id]).get(customer_id), tier, reason, actor):
        db.session.flush()
        _follow_up([customer_id], actor)


def _follow_up(customer_ids: Sequence[int], actor: Actor) -> None:
    """What a decided tier brings along; requests for a tier of these customers are answered by the decision."""
    measures.touch(customer_ids)
    health.refresh(customer_ids)
    for start in range(0, len(customer_ids), CHUNK):
        waiting = db.session.scalars(
            select(ApprovalRequest.id)
            .where(
                ApprovalRequest.kind == REQUEST_KIND,
                ApprovalRequest.state == PENDING,
                ApprovalRequest.subject_type == "customer",
                ApprovalRequest.subject_id.in_(customer_ids[start : start + CHUNK]),
            )
            .order_by(ApprovalRequest.id)
        )
        for request_id in list(waiting):
            cancel(request_id, actor, reason=_("The tier was decided otherwise meanwhile."))


def _check(tier: str, reason: str) -> None:
    errors = ErrorList()
    if tier not in (*TIERS, "proposed", "present"):
        errors.add("tier", _("Choose a tier."))
    if tier != "proposed" and not reason:
        errors.add("reason", _("Give a reason."))
    if len(reason) > REASON_LENGTH:
        errors.add("reason", _("At most %(n)s characters.", n=REASON_LENGTH))
    errors.raise_if_any()


def _rows(ids: Sequence[int], actor: Actor | None) -> list[Any]:
    """Customers among these whose head the actor is (or an executive; None: all), locked, with what is proposed."""
    statement = (
        select(
            Customer.id,
            Customer.name,
            CustomerMeasure.proposal,
            CustomerMeasure.sales,
            CustomerMeasure.profit,
        )
        .outerjoin(CustomerMeasure, CustomerMeasure.customer_id == Customer.id)
        .where(Customer.id.in_(ids), visible(actor, "customers.assign") if actor is not None else true())
        .order_by(Customer.id)
        .with_for_update(key_share=True, of=Customer)
    )
    return list(db.session.execute(statement))


def _present(ids: Sequence[int]) -> dict[int, CustomerTier]:
    rows = db.session.scalars(select(CustomerTier).where(CustomerTier.customer_id.in_(ids)))
    return {row.customer_id: row for row in rows}


def _decide_one(row: Any, tier: CustomerTier | None, wanted: str, reason: str, actor: Actor) -> bool:
    """Decide on one customer; False when there is nothing to decide."""
    before = tier.tier if tier else ""
    proposal = row.proposal or ORDINARY
    target = {"proposed": proposal, "present": before or ORDINARY}.get(wanted, wanted)
    if wanted == "present":
        if before == proposal:
            return False
        answer = DECLINED
    elif target == before:
        return False
    else:
        answer = ACCEPTED if target == proposal else OTHER if before != proposal else BY_HAND
    now = clock.now()
    if tier is None:
        tier = CustomerTier(customer_id=row.id, tier="", updated_at=now)
        db.session.add(tier)
    if target != before:
        tier.tier, tier.since, tier.decided_by_id = target, clock.today(), actor.user_id
    tier.updated_at = now
    db.session.add(
        TierDecision(
            customer_id=row.id,
            from_tier=before,
            to_tier=target,
            proposed=proposal,
            answer=answer,
            reason=reason,
            sales=row.sales or 0,
            profit=row.profit or 0,
            at=now,
            by_id=actor.user_id,
        )
    )
    record(
        actor,
        KeyAccountAction.TIER_DECLINED if answer == DECLINED else KeyAccountAction.TIER_DECIDED,
        object_type="customer",
        object_id=row.id,
        object_label=row.name,
        customer_id=row.id,
        old={"tier": before},
        new={"tier": target, "proposed": proposal, "answer": answer},
        reason=reason,
    )
    return True


@dataclass(frozen=True)
class RolesInput:
    """Strategic roles and the ease of development, as judged."""

    roles: frozenset[str]
    ease: int | None = None
    note: str = ""


def set_roles(customer_id: int, data: RolesInput, actor: Actor) -> CustomerTier:
    """Note strategic roles and ease of development of a customer the actor may edit.

    :raises Invalid: an unknown role, an ease outside 1 … 5, an ease without a note.
    """
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    errors = ErrorList()
    if not data.roles <= set(ROLES):
        errors.add("roles", _("Choose from the list."))
    note = data.note.strip()
    if data.ease is not None and data.ease not in range(1, 6):
        errors.add("ease", _("Choose from the list."))
    if data.ease is not None and not note:
        errors.add("note", _("Say why you judge so."))
    if len(note) > NOTE_LENGTH:
        errors.add("note", _("At most %(n)s characters.", n=NOTE_LENGTH))
    errors.raise_if_any()
    tier = _present([customer_id]).get(customer_id)
    if tier is None:
        tier = CustomerTier(customer_id=customer_id, tier="", updated_at=clock.now())
        db.session.add(tier)
    old = {"roles": list(tier.roles) if tier.id else [], "ease": tier.ease, "note": tier.ease_note or ""}
    for name in ROLES:
        setattr(tier, name, name in data.roles)
    tier.ease, tier.ease_note, tier.updated_at = data.ease, note if data.ease is not None else "", clock.now()
    db.session.flush()
    new = {"roles": list(tier.roles), "ease": tier.ease, "note": tier.ease_note}
    if old != new:
        record(
            actor,
            KeyAccountAction.ROLES_CHANGED,
            object_type="customer",
            object_id=customer_id,
            object_label=customer.name,
            customer_id=customer_id,
            old=old,
            new=new,
        )
        measures.touch([customer_id])
    return tier
