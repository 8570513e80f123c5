"""The points ledger (R-VIP-5): append-only entries, a balance that never becomes negative."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select, update

from plugins.vip.actions import VipAction
from plugins.vip.models import (
    ACTIVE,
    CORRECTED,
    EARNED,
    LEVELS,
    REDEEMED,
    REVERSED,
    VipBenefit,
    VipMembership,
    VipPointEntry,
)
from plugins.vip.points import points_for
from plugins.vip.settings import points_per_hundred
from portal.audit.services import record
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.purchases.models import Purchase, PurchaseLine

#: The most points one correction moves.
MAX_CORRECTION = 1_000_000


def post(
    membership_id: int,
    points: int,
    kind: str,
    actor: Actor,
    *,
    purchase_id: int | None = None,
    benefit_id: int | None = None,
    reason: str = "",
    token: str | None = None,
) -> VipPointEntry:
    """Write one entry and move the balance with it, in one conditional UPDATE.

    :raises Invalid: when the balance would become negative.
    """
    moved = db.session.execute(
        update(VipMembership)
        .where(VipMembership.id == membership_id, VipMembership.points + points >= 0)
        .values(points=VipMembership.points + points)
        .execution_options(synchronize_session=False)
    )
    if rows_changed(moved) != 1:
        raise Invalid([("points", _("The balance does not suffice."))])
    balance = db.session.scalar(select(VipMembership.points).where(VipMembership.id == membership_id)) or 0
    entry = VipPointEntry(
        membership_id=membership_id,
        at=clock.now(),
        kind=kind,
        points=points,
        balance=balance,
        purchase_id=purchase_id,
        benefit_id=benefit_id,
        reason=reason,
        token=token,
        by_id=actor.user_id,
    )
    db.session.add(entry)
    db.session.flush()
    membership = db.session.get(VipMembership, membership_id)
    if membership is not None:
        db.session.refresh(membership, ["points"])
    return entry


def settle_purchases(customer_ids: Sequence[int], actor: Actor) -> int:
    """Bring the points of these customers' members in line with their purchases. Returns how many entries were made.

    Purchases on or after the first day of the membership earn points; a changed or cancelled one is settled by the
    difference. When points that are taken back were spent already, the balance goes to zero and the entry says so.
    """
    rates = points_per_hundred()
    count = 0
    members = db.session.scalars(
        select(VipMembership).where(
            VipMembership.customer_id.in_(customer_ids),
            VipMembership.contact_id.is_(None),
            VipMembership.state == ACTIVE,
        )
    )
    for membership in list(members):
        due = _due(membership, rates)
        given = _given(membership.id)
        for purchase_id in sorted(set(due) | set(given)):
            difference = due.get(purchase_id, 0) - given.get(purchase_id, 0)
            count += _settle(membership, purchase_id, difference, actor)
    return count


def _due(membership: VipMembership, rates: dict[str, int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Purchase.id, PurchaseLine.grade, PurchaseLine.amount)
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .where(
            Purchase.customer_id == membership.customer_id,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on >= membership.valid_from,
            Purchase.purchased_on <= membership.valid_until,
        )
    )
    amounts: dict[int, list[tuple[str, object]]] = {}
    for row in rows:
        amounts.setdefault(row.id, []).append((row.grade, row.amount))
    return {purchase: points_for(parts, rates) for purchase, parts in amounts.items()}  # type: ignore[arg-type]


def _given(membership_id: int) -> dict[int, int]:
    rows = db.session.execute(
        select(VipPointEntry.purchase_id, func.sum(VipPointEntry.points).label("points"))
        .where(VipPointEntry.membership_id == membership_id, VipPointEntry.purchase_id.is_not(None))
        .group_by(VipPointEntry.purchase_id)
    )
    return {row.purchase_id: int(row.points) for row in rows}


def _settle(membership: VipMembership, purchase_id: int, difference: int, actor: Actor) -> int:
    if difference == 0:
        return 0
    if difference > 0:
        post(membership.id, difference, EARNED, actor, purchase_id=purchase_id)
        return 1
    available = min(-difference, membership.points)
    if available == 0:
        return 0
    reason = "" if available == -difference else _("%(n)s points had been spent already.", n=-difference - available)
    post(membership.id, -available, REVERSED, actor, purchase_id=purchase_id, reason=reason)
    return 1


def redeem(membership: VipMembership, benefit_id: int, token: str, actor: Actor) -> VipPointEntry:
    """Exchange points for a benefit; the same token redeems once.

    :raises Invalid: not enough points, a benefit of a higher level. :raises Conflict: the membership is not valid.
    """
    repeated = db.session.scalars(select(VipPointEntry).where(VipPointEntry.token == token)).first()
    if repeated is not None:
        return repeated
    require(actor, "customers.edit", membership.customer_id)
    if not membership.is_valid_on(clock.today()):
        raise Conflict(_("The membership is not valid today."))
    benefit = db.session.get(VipBenefit, benefit_id)
    if benefit is None or not benefit.is_active:
        raise Invalid([("benefit_id", _("Choose a benefit."))])
    if LEVELS.index(benefit.level) > LEVELS.index(membership.level):
        raise Invalid([("benefit_id", _("This benefit needs a higher level."))])
    if benefit.cost == 0:
        raise Invalid([("benefit_id", _("This benefit is included and needs no points."))])
    entry = post(membership.id, -benefit.cost, REDEEMED, actor, benefit_id=benefit.id, reason=benefit.name, token=token)
    _audit(membership, VipAction.REDEEMED, entry, actor)
    return entry


def correct(membership: VipMembership, points: int, reason: str, token: str, actor: Actor) -> VipPointEntry:
    """Add or take points by hand, with a reason. :raises Invalid: no reason, zero, or below zero."""
    repeated = db.session.scalars(select(VipPointEntry).where(VipPointEntry.token == token)).first()
    if repeated is not None:
        return repeated
    require(actor, "customers.edit", membership.customer_id)
    errors = ErrorList()
    if points == 0 or abs(points) > MAX_CORRECTION:
        errors.add("points", _("Enter a number of points other than zero."))
    if not reason.strip():
        errors.add("reason", _("Give a reason."))
    errors.raise_if_any()
    entry = post(membership.id, points, CORRECTED, actor, reason=reason.strip()[:500], token=token)
    _audit(membership, VipAction.CORRECTED, entry, actor)
    return entry


def _audit(membership: VipMembership, action: VipAction, entry: VipPointEntry, actor: Actor) -> None:
    record(
        actor,
        action,
        object_type="vip_membership",
        object_id=membership.id,
        object_label=membership.number,
        customer_id=membership.customer_id,
        new={"points": entry.points, "balance": entry.balance},
        reason=entry.reason,
    )


def save_benefit(
    benefit_id: int | None, name: str, description: str, level: str, cost: int, is_active: bool, actor: Actor
) -> VipBenefit:
    """Add or change a benefit. :raises Invalid: name missing or taken, unknown level, negative cost."""
    errors = ErrorList()
    taken = db.session.scalar(select(VipBenefit.id).where(VipBenefit.name == name))
    if not name:
        errors.add("name", _("Enter a name."))
    elif taken is not None and taken != benefit_id:
        errors.add("name", _("There is a benefit of this name."))
    if level not in LEVELS:
        errors.add("level", _("Choose a level."))
    if not 0 <= cost <= 10_000_000:
        errors.add("cost", _("Enter zero or a number of points."))
    errors.raise_if_any()
    benefit = VipBenefit() if benefit_id is None else db.session.get(VipBenefit, benefit_id)
    if benefit is None:
        raise NotFound()
    fields = {"name": name, "description": description, "level": level, "cost": cost, "is_active": is_active}
    old = None if benefit_id is None else {key: getattr(benefit, key) for key in fields}
    for key, value in fields.items():
        setattr(benefit, key, value)
    db.session.add(benefit)
    db.session.flush()
    record(
        actor,
        VipAction.BENEFIT_CREATED if old is None else VipAction.BENEFIT_CHANGED,
        object_type="vip_benefit",
        object_id=benefit.id,
        object_label=name,
        old=old,
        new=fields,
    )
    return benefit
