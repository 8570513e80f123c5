"""Purchases: recorded, corrected, paid, cancelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.money import allocate
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager
from portal.purchases import summaries
from portal.purchases.actions import PurchaseAction
from portal.purchases.models import ORDINARY, Product, Purchase, PurchaseLine
from portal.purchases.services.base import locked, refuse_stale, text_of
from portal.purchases.services.checking import check_purchase, price_of
from portal.purchases.services.inputs import ZERO, PurchaseInput

REASON_LENGTH = 500


def record_purchase(data: PurchaseInput, actor: Actor, import_batch_id: int | None = None) -> Purchase:
    """Enter a purchase of a customer the actor may edit.

    :raises Invalid: for what cannot be (negative amounts, number taken, unknown product, day in the future …); fields
        of lines are called "lines-0-quantity" and so on.
    """
    purchase = _enter(data, actor, import_batch_id)
    purchases_were_changed([purchase.customer_id], actor)
    return purchase


def record_purchases(inputs: Iterable[PurchaseInput], actor: Actor, import_batch_id: int | None = None) -> list[int]:
    """Enter many purchases; summaries and those who listen are told once. Returns the ids of the new purchases."""
    made = [_enter(data, actor, import_batch_id) for data in inputs]
    if made:
        purchases_were_changed(sorted({purchase.customer_id for purchase in made}), actor)
    return [purchase.id for purchase in made]


def _enter(data: PurchaseInput, actor: Actor, import_batch_id: int | None) -> Purchase:
    _check_customer(data.customer_id, actor)
    products = check_purchase(data, None, actor)
    purchase = Purchase(
        customer_id=data.customer_id,
        created_by_id=actor.user_id,
        created_at=clock.now(),
        import_batch_id=import_batch_id,
    )
    _fill_purchase(purchase, data, products, {})
    db.session.add(purchase)
    _flush_purchase()
    _audit(purchase, PurchaseAction.CREATED, actor, new=purchase_fields(purchase))
    return purchase


def change_purchase(purchase_id: int, data: PurchaseInput, version: int | None, actor: Actor) -> Purchase:
    """Change a purchase that is not cancelled. Products it had before keep the cost and grade of their day.

    :param version: what the actor saw; None does not ask (imports).
    :raises Conflict: when somebody changed it since `version` (details: mine, theirs, version, changed_by, changed_at),
        or when it was cancelled. :raises Invalid: as in `record_purchase`; the customer cannot be changed.
    """
    purchase = load_editable(purchase_id, actor)
    before = purchase_fields(purchase)
    refuse_stale(purchase, "purchase", version, mine=typed_fields(data), theirs=before)
    if data.customer_id != purchase.customer_id:
        raise Invalid([("customer_id", _("The customer of a purchase stays. Cancel it and record a new one."))])
    products = check_purchase(data, purchase, actor)
    kept = {line.product_id: (line.unit_cost, line.grade) for line in purchase.lines}
    purchase.lines.clear()
    db.session.flush()
    _fill_purchase(purchase, data, products, kept)
    # Lines alone may differ: the version counts for them, too.
    flag_modified(purchase, "remarks")
    _flush_purchase()
    after = purchase_fields(purchase)
    changed = [key for key in after if after[key] != before[key]]
    if changed:
        old, new = {key: before[key] for key in changed}, {key: after[key] for key in changed}
        _audit(purchase, PurchaseAction.CHANGED, actor, old=old, new=new)
        purchases_were_changed([purchase.customer_id], actor)
    return purchase


def mark_paid(purchase_id: int, paid_on: date | None, actor: Actor) -> Purchase:
    """Note the day of full payment. :raises Invalid: before the purchase or in the future. :raises Conflict: paid."""
    purchase = load_editable(purchase_id, actor)
    if purchase.paid_on is not None:
        raise Conflict(_("The purchase is paid already."))
    errors = ErrorList()
    if paid_on is None or not purchase.purchased_on <= paid_on <= clock.today():
        errors.add("paid_on", _("The payment lies between the purchase and today."))
    errors.raise_if_any()
    purchase.paid_on = paid_on
    db.session.flush()
    _audit(purchase, PurchaseAction.PAID, actor, old={"paid_on": None}, new={"paid_on": str(paid_on)})
    purchases_were_changed([purchase.customer_id], actor)
    return purchase


def cancel_purchase(purchase_id: int, reason: str, actor: Actor) -> Purchase:
    """Cancel a purchase: it stays readable and counts nowhere. :raises Invalid: without a reason."""
    purchase = load_editable(purchase_id, actor)
    reason = _checked_reason(reason)
    purchase.cancelled_at, purchase.cancelled_by_id = clock.now(), actor.user_id
    purchase.cancel_reason = reason
    db.session.flush()
    _audit(purchase, PurchaseAction.CANCELLED, actor, reason=reason)
    purchases_were_changed([purchase.customer_id], actor)
    return purchase


def restore_purchase(purchase_id: int, reason: str, actor: Actor) -> Purchase:
    """Take a cancellation back. :raises Invalid: without a reason. :raises Conflict: when it is not cancelled."""
    purchase = locked(Purchase, purchase_id)
    _check_customer(purchase.customer_id, actor)
    if purchase.cancelled_at is None:
        raise Conflict(_("The purchase is not cancelled."))
    reason = _checked_reason(reason)
    purchase.cancelled_at = purchase.cancelled_by_id = None
    purchase.cancel_reason = ""
    db.session.flush()
    _audit(purchase, PurchaseAction.RESTORED, actor, reason=reason)
    purchases_were_changed([purchase.customer_id], actor)
    return purchase


def purchases_were_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    """Bring the summaries of these customers up to date and tell whoever listens (hook purchases_changed)."""
    summaries.refresh(customer_ids)
    manager().hook.purchases_changed(customer_ids=list(customer_ids), actor=actor)


def load_editable(purchase_id: int, actor: Actor) -> Purchase:
    """A purchase that is not cancelled, of a customer the actor may edit, locked until the commit.

    :raises NotFound, NotAllowed: else. :raises Conflict: when it was cancelled.
    """
    purchase = locked(Purchase, purchase_id)
    _check_customer(purchase.customer_id, actor)
    if purchase.cancelled_at is not None:
        raise Conflict(_("The purchase was cancelled."))
    return purchase


def _check_customer(customer_id: int, actor: Actor) -> None:
    if db.session.get(Customer, customer_id) is None:
        raise NotFound()
    require(actor, "customers.edit", customer_id)


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Invalid([("reason", _("Give a reason."))])
    if len(reason) > REASON_LENGTH:
        raise Invalid([("reason", _("At most %(max)d characters.", max=REASON_LENGTH))])
    return reason


def _fill_purchase(
    purchase: Purchase,
    data: PurchaseInput,
    products: dict[int, Product],
    kept: dict[int, tuple[Decimal, str]],
) -> None:
    """Write fields and lines. `kept`: cost and grade of the products that the purchase had before."""
    purchase.number, purchase.paid_on = data.number, data.paid_on
    purchase.purchased_on = data.purchased_on  # type: ignore[assignment]  # checked before
    purchase.remarks = data.remarks
    prices = [price_of(line, products[line.product_id or 0]) for line in data.lines]
    amounts = [price * (line.quantity or 0) - line.discount for line, price in zip(data.lines, prices, strict=True)]
    shares = allocate(data.discount, amounts) if data.discount else [ZERO] * len(amounts)
    total = cost = better = ZERO
    for position, (line, price, share) in enumerate(zip(data.lines, prices, shares, strict=True), start=1):
        product = products[line.product_id or 0]
        quantity = line.quantity or 0
        unit_cost, grade = kept.get(product.id, (product.unit_cost, product.grade))
        discount = line.discount + share
        amount = price * quantity - discount
        purchase.lines.append(
            PurchaseLine(
                position=position,
                product=product,
                quantity=quantity,
                unit_price=price,
                discount=discount,
                amount=amount,
                unit_cost=unit_cost,
                grade=grade,
            )
        )
        total += amount
        cost += unit_cost * quantity
        if grade != ORDINARY:
            better += amount
    purchase.total, purchase.cost, purchase.total_high_middle = total, cost, better


def _flush_purchase() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        # Two people chose the same number at once; the check before saw neither.
        raise Invalid([("number", _("This order number is taken."))]) from error


def _line_text(code: str, quantity: int | None, price: Decimal | None, discount: Decimal) -> str:
    """A line for histories and comparisons: "MT-01 × 10 × 1499.00 − 5.00"."""
    text = f"{code} × {quantity if quantity is not None else '?'}"
    if price is not None:
        text += f" × {price}"
    return f"{text} − {discount}" if discount else text


def purchase_fields(purchase: Purchase) -> dict[str, Any]:
    """What the trail and the comparison of versions show of a purchase."""
    return {
        "number": purchase.number,
        "purchased_on": str(purchase.purchased_on),
        "paid_on": text_of(purchase.paid_on),
        "total": str(purchase.total),
        "remarks": purchase.remarks,
        "lines": [
            _line_text(line.product.code, line.quantity, line.unit_price, line.discount) for line in purchase.lines
        ],
    }


def typed_fields(data: PurchaseInput) -> dict[str, Any]:
    """The same of what was typed, as far as it can be told; `discount` off the whole order besides."""
    wanted = {line.product_id for line in data.lines if line.product_id is not None}
    codes: dict[int | None, str] = {}
    for key, code in db.session.execute(select(Product.id, Product.code).where(Product.id.in_(wanted))):
        codes[key] = code
    return {
        "number": data.number,
        "purchased_on": text_of(data.purchased_on),
        "paid_on": text_of(data.paid_on),
        "remarks": data.remarks,
        "lines": [
            _line_text(codes.get(line.product_id, "?"), line.quantity, line.unit_price, line.discount)
            for line in data.lines
        ],
    }


def _audit(purchase: Purchase, action: PurchaseAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="purchase",
        object_id=purchase.id,
        object_label=purchase.number,
        customer_id=purchase.customer_id,
        **details,
    )
