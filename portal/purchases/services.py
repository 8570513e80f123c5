"""Changes to products and purchases. Amounts are exact to the fen; totals are computed here, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from portal.audit.queries import history_of
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.money import FEN, allocate
from portal.core.permissions import require
from portal.core.text import sort_key
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager
from portal.purchases import summaries
from portal.purchases.actions import PurchaseAction
from portal.purchases.models import GRADES, ORDINARY, Product, Purchase, PurchaseLine, search_text_of
from portal.purchases.permissions import MANAGE_PRODUCTS

MAX_LINES = 200
MAX_QUANTITY = 10_000_000
#: The largest price, discount, total and cost: thousands of such sums can be added up in 64 bits of fen.
MAX_AMOUNT = Decimal("9999999999.99")
FIRST_DAY = date(1980, 1, 1)
NUMBER_LENGTH = 60
REMARKS_LENGTH = 1000
REASON_LENGTH = 500
MAX_DAYS_PER_UNIT = 3650

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class ProductInput:
    """A product as entered. Amounts in yuan; None: nothing was entered."""

    code: str
    name: str
    category: str
    grade: str
    list_price: Decimal | None
    unit_cost: Decimal | None
    unit: str = ""
    days_per_unit: int | None = None
    is_active: bool = True


@dataclass(frozen=True)
class LineInput:
    """A line as entered: quantity in units of the product, price and discount in yuan; no price: the list price."""

    product_id: int | None
    quantity: int | None
    unit_price: Decimal | None = None
    discount: Decimal = ZERO


@dataclass(frozen=True)
class PurchaseInput:
    """A purchase as entered.

    :ivar discount: in yuan, off the whole order; spread over the lines in proportion to their amounts, to the fen.
    """

    customer_id: int
    number: str
    purchased_on: date | None
    lines: tuple[LineInput, ...]
    paid_on: date | None = None
    remarks: str = ""
    discount: Decimal = ZERO


# ---- products ------------------------------------------------------------------------------------------------------

_PRODUCT_TEXTS = {"code": 40, "name": 200, "category": 100, "unit": 20}


def create_product(data: ProductInput, actor: Actor) -> Product:
    """Add a product. :raises Invalid: code taken, unknown grade, negative price …"""
    require(actor, MANAGE_PRODUCTS)
    _check_product(data, None)
    product = Product(created_at=clock.now())
    _fill_product(product, data)
    db.session.add(product)
    _flush_product()
    record(
        actor,
        PurchaseAction.PRODUCT_CREATED,
        object_type="product",
        object_id=product.id,
        object_label=product.name,
        new=_product_fields(product),
    )
    return product


def change_product(product_id: int, data: ProductInput, version: int | None, actor: Actor) -> Product:
    """Change a product. Earlier purchases keep the price, cost and grade of their day.

    :param version: what the actor saw; None does not ask (imports).
    :raises Conflict: when somebody changed it since `version`; details: mine, theirs, version, changed_by, changed_at.
    """
    require(actor, MANAGE_PRODUCTS)
    product = _locked(Product, product_id)
    before = _product_fields(product)
    _refuse_stale(product, "product", version, mine=_typed_product(data), theirs=before)
    _check_product(data, product)
    _fill_product(product, data)
    _flush_product()
    after = _product_fields(product)
    changed = {key for key in after if after[key] != before[key]}
    if changed:
        record(
            actor,
            PurchaseAction.PRODUCT_CHANGED,
            object_type="product",
            object_id=product.id,
            object_label=product.name,
            old={key: before[key] for key in changed},
            new={key: after[key] for key in changed},
        )
    return product


def offer_product(product_id: int, is_active: bool, actor: Actor) -> Product:
    """Withdraw a product from sale, or offer it again. Withdrawn ones stay on the purchases that have them."""
    require(actor, MANAGE_PRODUCTS)
    product = _locked(Product, product_id)
    if product.is_active == is_active:
        return product
    product.is_active = is_active
    db.session.flush()
    record(
        actor,
        PurchaseAction.PRODUCT_OFFERED if is_active else PurchaseAction.PRODUCT_WITHDRAWN,
        object_type="product",
        object_id=product.id,
        object_label=product.name,
        old={"is_active": not is_active},
        new={"is_active": is_active},
    )
    return product


def _check_product(data: ProductInput, product: Product | None) -> None:
    errors = ErrorList()
    for field, limit in _PRODUCT_TEXTS.items():
        if len(getattr(data, field)) > limit:
            errors.add(field, _("At most %(max)d characters.", max=limit))
    if not data.code:
        errors.add("code", _("Enter an article number."))
    else:
        taken = db.session.scalar(select(Product.id).where(Product.code == data.code))
        if taken is not None and (product is None or taken != product.id):
            errors.add("code", _("This article number is taken."))
    if not data.name:
        errors.add("name", _("Enter a name."))
    if data.grade not in GRADES:
        errors.add("grade", _("Choose a grade."))
    for field in ("list_price", "unit_cost"):
        if not _is_amount(getattr(data, field)):
            errors.add(field, _("Enter an amount of zero or more."))
    if data.days_per_unit is not None and not 1 <= data.days_per_unit <= MAX_DAYS_PER_UNIT:
        errors.add("days_per_unit", _("Enter a number of days from 1 to 3650."))
    errors.raise_if_any()


def _flush_product() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        # Two people chose the same number at once; the check above saw neither.
        raise Invalid([("code", _("This article number is taken."))]) from error


def _fill_product(product: Product, data: ProductInput) -> None:
    for field in ("code", "name", "category", "grade", "unit", "list_price", "unit_cost", "days_per_unit", "is_active"):
        setattr(product, field, getattr(data, field))
    product.name_sort = sort_key(data.name)[:200]
    product.search_text = search_text_of(data.code, data.name)


def _product_fields(product: Product) -> dict[str, Any]:
    names = ("code", "name", "category", "grade", "unit", "days_per_unit", "is_active")
    fields: dict[str, Any] = {name: getattr(product, name) for name in names}
    return fields | {"list_price": str(product.list_price), "unit_cost": str(product.unit_cost)}


def _typed_product(data: ProductInput) -> dict[str, Any]:
    names = ("code", "name", "category", "grade", "unit", "days_per_unit", "is_active")
    amounts = {name: _text(getattr(data, name)) for name in ("list_price", "unit_cost")}
    return {name: getattr(data, name) for name in names} | amounts


# ---- purchases -----------------------------------------------------------------------------------------------------


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
    _refuse_stale(purchase, "purchase", version, mine=typed_fields(data), theirs=before)
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
    purchase = _locked(Purchase, purchase_id)
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
    purchase = _locked(Purchase, purchase_id)
    _check_customer(purchase.customer_id, actor)
    if purchase.cancelled_at is not None:
        raise Conflict(_("The purchase was cancelled."))
    return purchase


# ---- rules ---------------------------------------------------------------------------------------------------------


def _locked(model: type[Any], key: int) -> Any:
    row = db.session.get(model, key, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound()
    return row


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


def _is_amount(amount: Decimal | None) -> bool:
    return amount is not None and amount.is_finite() and 0 <= amount <= MAX_AMOUNT and amount == amount.quantize(FEN)


def check_purchase(data: PurchaseInput, purchase: Purchase | None, actor: Actor) -> dict[int, Product]:
    """The products of a purchase as typed in. :raises Invalid: with all that is wrong."""
    errors = ErrorList()
    if not data.number:
        errors.add("number", _("Enter the order's number."))
    elif len(data.number) > NUMBER_LENGTH:
        errors.add("number", _("At most %(max)d characters.", max=NUMBER_LENGTH))
    else:
        taken = db.session.scalar(select(Purchase.id).where(Purchase.number == data.number))
        if taken is not None and (purchase is None or taken != purchase.id):
            errors.add("number", _("This order number is taken."))
    today = clock.today()
    if data.purchased_on is None or not FIRST_DAY <= data.purchased_on <= today:
        errors.add("purchased_on", _("The day lies between 1980 and today."))
    elif data.paid_on is not None and not data.purchased_on <= data.paid_on <= today:
        errors.add("paid_on", _("The payment lies between the purchase and today."))
    if len(data.remarks) > REMARKS_LENGTH:
        errors.add("remarks", _("At most %(max)d characters.", max=REMARKS_LENGTH))
    if not data.lines:
        errors.add("lines", _("Enter at least one line."))
    if len(data.lines) > MAX_LINES:
        errors.add("lines", _("At most %(n)s lines.", n=MAX_LINES))
        errors.raise_if_any()
    products = _check_lines(data, purchase, actor, errors)
    errors.raise_if_any()
    return products


def _check_lines(data: PurchaseInput, purchase: Purchase | None, actor: Actor, errors: ErrorList) -> dict[int, Product]:
    wanted = {line.product_id for line in data.lines if line.product_id is not None}
    products = {product.id: product for product in db.session.scalars(select(Product).where(Product.id.in_(wanted)))}
    known = {line.product_id for line in purchase.lines} if purchase else set()
    well = True
    total = cost = ZERO
    for index, line in enumerate(data.lines):
        before = len(errors.pairs)
        product = products.get(line.product_id) if line.product_id is not None else None
        prefix = f"lines-{index}-"
        if product is None:
            errors.add(prefix + "product_id", _("Choose a product."))
        elif not product.is_active and product.id not in known and not actor.is_system:
            errors.add(prefix + "product_id", _("“%(name)s” is not sold any more.", name=product.name))
        amount = _check_line(prefix, line, product, errors)
        well = well and len(errors.pairs) == before
        total += amount
        cost += product.unit_cost * (line.quantity or 0) if product else ZERO
    if not _is_amount(data.discount):
        errors.add("discount", _("Enter an amount of zero or more."))
    elif well and data.discount > total:
        errors.add("discount", _("The discount is larger than the order."))
    if well and (total > MAX_AMOUNT or cost > MAX_AMOUNT):
        errors.add("lines", _("The amount is too large."))
    return products


def _check_line(prefix: str, line: LineInput, product: Product | None, errors: ErrorList) -> Decimal:
    """Checks quantity, price and discount; returns the line's amount, 0 when something is wrong."""
    if line.quantity is None or not 1 <= line.quantity <= MAX_QUANTITY:
        errors.add(prefix + "quantity", _("Enter a quantity of 1 or more."))
        return ZERO
    price = _price(line, product)
    if not _is_amount(price):
        # Without a product there is no list price either: one message is enough.
        if line.unit_price is not None or product is not None:
            errors.add(prefix + "unit_price", _("Enter an amount of zero or more."))
        return ZERO
    gross = price * line.quantity
    if gross > MAX_AMOUNT:
        errors.add(prefix + "quantity", _("The amount is too large."))
        return ZERO
    if not _is_amount(line.discount) or line.discount > gross:
        errors.add(prefix + "discount", _("The discount lies between zero and the line's amount."))
        return ZERO
    return gross - line.discount


def _price(line: LineInput, product: Product | None) -> Decimal:
    if line.unit_price is not None:
        return line.unit_price
    return product.list_price if product is not None else Decimal("NaN")


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
    prices = [_price(line, products[line.product_id or 0]) for line in data.lines]
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


def _refuse_stale(row: Any, kind: str, version: int | None, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    if version is None or row.version == version:
        return
    last = history_of(kind, row.id, limit=1)
    raise Conflict(
        _("Somebody else changed this in the meantime."),
        mine=mine,
        theirs=theirs,
        version=row.version,
        changed_by=last[0].actor_name if last else "",
        changed_at=last[0].at if last else row.created_at,
    )


# ---- audit ---------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


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
        "paid_on": _text(purchase.paid_on),
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
        "purchased_on": _text(data.purchased_on),
        "paid_on": _text(data.paid_on),
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
