"""Changes to products and purchases. Amounts are exact to the fen; totals are computed here, never typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, NotFound
from portal.core.permissions import require
from portal.core.text import sort_key
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager
from portal.purchases import summaries
from portal.purchases.actions import PurchaseAction
from portal.purchases.models import GRADES, ORDINARY, Product, Purchase, PurchaseLine

MAX_LINES = 200
MAX_QUANTITY = 10_000_000
MAX_AMOUNT = Decimal("9999999999999.99")
FIRST_DAY = date(1980, 1, 1)


@dataclass(frozen=True)
class ProductInput:
    """A product as entered."""

    code: str
    name: str
    category: str
    grade: str
    list_price: Decimal
    unit_cost: Decimal
    unit: str = ""
    days_per_unit: int | None = None
    is_active: bool = True


@dataclass(frozen=True)
class LineInput:
    """A line as entered: quantity in units of the product, price and discount in yuan."""

    product_id: int
    quantity: int
    unit_price: Decimal
    discount: Decimal = Decimal("0")


@dataclass(frozen=True)
class PurchaseInput:
    """A purchase as entered."""

    customer_id: int
    number: str
    purchased_on: date
    lines: tuple[LineInput, ...]
    paid_on: date | None = None
    remarks: str = ""


def create_product(data: ProductInput, actor: Actor) -> Product:
    """Add a product. :raises Invalid: code taken, unknown grade, negative price …"""
    _check_product(data, None)
    product = Product(created_at=clock.now())
    _fill_product(product, data)
    db.session.add(product)
    db.session.flush()
    record(
        actor,
        PurchaseAction.PRODUCT_CREATED,
        object_type="product",
        object_id=product.id,
        object_label=product.name,
        new=_product_fields(product),
    )
    return product


def change_product(product_id: int, data: ProductInput, version: int, actor: Actor) -> Product:
    """Change a product. Earlier purchases keep the price, cost and grade of their day.

    :raises Conflict: when somebody changed it since `version`.
    """
    product = db.session.get(Product, product_id)
    if product is None:
        raise NotFound()
    if product.version != version:
        raise Conflict(_("The product was changed by somebody else meanwhile."), current=_product_fields(product))
    _check_product(data, product)
    before = _product_fields(product)
    _fill_product(product, data)
    db.session.flush()
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


def _check_product(data: ProductInput, product: Product | None) -> None:
    errors = ErrorList()
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
        amount: Decimal = getattr(data, field)
        if amount is None or amount < 0 or amount > MAX_AMOUNT:
            errors.add(field, _("Enter an amount of zero or more."))
    if data.days_per_unit is not None and not 1 <= data.days_per_unit <= 3650:
        errors.add("days_per_unit", _("Enter a number of days from 1 to 3650."))
    errors.raise_if_any()


def _fill_product(product: Product, data: ProductInput) -> None:
    for field in ("code", "name", "category", "grade", "unit", "list_price", "unit_cost", "days_per_unit", "is_active"):
        setattr(product, field, getattr(data, field))
    product.name_sort = sort_key(data.name)[:400]


def _product_fields(product: Product) -> dict[str, Any]:
    names = ("code", "name", "category", "grade", "unit", "days_per_unit", "is_active")
    fields: dict[str, Any] = {name: getattr(product, name) for name in names}
    return fields | {"list_price": str(product.list_price), "unit_cost": str(product.unit_cost)}


def record_purchase(data: PurchaseInput, actor: Actor) -> Purchase:
    """Enter a purchase of a customer the actor may edit.

    :raises Invalid: for what cannot be (negative amounts, number taken, unknown product, day in the future …).
    """
    _check_customer(data.customer_id, actor)
    products = _check_purchase(data, None)
    purchase = Purchase(customer_id=data.customer_id, created_by_id=actor.user_id, created_at=clock.now())
    _fill_purchase(purchase, data, products)
    db.session.add(purchase)
    db.session.flush()
    record(
        actor,
        PurchaseAction.CREATED,
        object_type="purchase",
        object_id=purchase.id,
        object_label=purchase.number,
        customer_id=purchase.customer_id,
        new=_purchase_fields(purchase),
    )
    _after_change([purchase.customer_id], actor)
    return purchase


def change_purchase(purchase_id: int, data: PurchaseInput, version: int, actor: Actor) -> Purchase:
    """Change a purchase that is not cancelled. :raises Conflict: when somebody changed it since `version`."""
    purchase = load_editable(purchase_id, actor)
    if purchase.version != version:
        raise Conflict(_("The purchase was changed by somebody else meanwhile."), current=_purchase_fields(purchase))
    products = _check_purchase(data, purchase)
    before = _purchase_fields(purchase)
    purchase.lines.clear()
    db.session.flush()
    _fill_purchase(purchase, data, products)
    db.session.flush()
    record(
        actor,
        PurchaseAction.CHANGED,
        object_type="purchase",
        object_id=purchase.id,
        object_label=purchase.number,
        customer_id=purchase.customer_id,
        old=before,
        new=_purchase_fields(purchase),
    )
    _after_change([purchase.customer_id], actor)
    return purchase


def mark_paid(purchase_id: int, paid_on: date, actor: Actor) -> Purchase:
    """Note the day of full payment. :raises Invalid: before the purchase or in the future."""
    purchase = load_editable(purchase_id, actor)
    errors = ErrorList()
    if not purchase.purchased_on <= paid_on <= clock.today():
        errors.add("paid_on", _("The payment lies between the purchase and today."))
    errors.raise_if_any()
    old, purchase.paid_on = purchase.paid_on, paid_on
    db.session.flush()
    record(
        actor,
        PurchaseAction.PAID,
        object_type="purchase",
        object_id=purchase.id,
        object_label=purchase.number,
        customer_id=purchase.customer_id,
        old={"paid_on": str(old) if old else None},
        new={"paid_on": str(paid_on)},
    )
    _after_change([purchase.customer_id], actor)
    return purchase


def cancel_purchase(purchase_id: int, reason: str, actor: Actor) -> Purchase:
    """Cancel a purchase: it stays readable and counts nowhere. :raises Invalid: without a reason."""
    purchase = load_editable(purchase_id, actor)
    errors = ErrorList()
    if not reason:
        errors.add("reason", _("Give a reason."))
    errors.raise_if_any()
    purchase.cancelled_at = clock.now()
    db.session.flush()
    record(
        actor,
        PurchaseAction.CANCELLED,
        object_type="purchase",
        object_id=purchase.id,
        object_label=purchase.number,
        customer_id=purchase.customer_id,
        reason=reason,
    )
    _after_change([purchase.customer_id], actor)
    return purchase


def load_editable(purchase_id: int, actor: Actor) -> Purchase:
    """A purchase that is not cancelled, of a customer the actor may edit."""
    purchase = db.session.get(Purchase, purchase_id)
    if purchase is None:
        raise NotFound()
    _check_customer(purchase.customer_id, actor)
    if purchase.cancelled_at is not None:
        raise Conflict(_("The purchase was cancelled."))
    return purchase


def _check_customer(customer_id: int, actor: Actor) -> None:
    if db.session.get(Customer, customer_id) is None:
        raise NotFound()
    if not actor.is_system:
        require(actor, "customers.edit", customer_id)


def _check_purchase(data: PurchaseInput, purchase: Purchase | None) -> dict[int, Product]:
    errors = ErrorList()
    if not data.number:
        errors.add("number", _("Enter the order's number."))
    else:
        taken = db.session.scalar(select(Purchase.id).where(Purchase.number == data.number))
        if taken is not None and (purchase is None or taken != purchase.id):
            errors.add("number", _("This order number is taken."))
    if not FIRST_DAY <= data.purchased_on <= clock.today():
        errors.add("purchased_on", _("The day lies between 1980 and today."))
    if data.paid_on is not None and not data.purchased_on <= data.paid_on <= clock.today():
        errors.add("paid_on", _("The payment lies between the purchase and today."))
    if not data.lines:
        errors.add("lines", _("Enter at least one line."))
    if len(data.lines) > MAX_LINES:
        errors.add("lines", _("At most %(n)s lines.", n=MAX_LINES))
    wanted = {line.product_id for line in data.lines}
    products = {product.id: product for product in db.session.scalars(select(Product).where(Product.id.in_(wanted)))}
    for index, line in enumerate(data.lines):
        _check_line(index, line, products, errors)
    errors.raise_if_any()
    return products


def _check_line(index: int, line: LineInput, products: dict[int, Product], errors: ErrorList) -> None:
    prefix = f"lines-{index}-"
    if line.product_id not in products:
        errors.add(prefix + "product_id", _("Choose a product."))
    if not 1 <= line.quantity <= MAX_QUANTITY:
        errors.add(prefix + "quantity", _("Enter a quantity of 1 or more."))
    if not 0 <= line.unit_price <= MAX_AMOUNT:
        errors.add(prefix + "unit_price", _("Enter an amount of zero or more."))
    elif not 0 <= line.discount <= line.unit_price * line.quantity:
        errors.add(prefix + "discount", _("The discount lies between zero and the line's amount."))
    elif line.unit_price * line.quantity > MAX_AMOUNT:
        errors.add(prefix + "quantity", _("The amount is too large."))


def _fill_purchase(purchase: Purchase, data: PurchaseInput, products: dict[int, Product]) -> None:
    purchase.number, purchase.purchased_on, purchase.paid_on = data.number, data.purchased_on, data.paid_on
    purchase.remarks = data.remarks
    total = cost = better = Decimal("0")
    for position, line in enumerate(data.lines, start=1):
        product = products[line.product_id]
        amount = line.unit_price * line.quantity - line.discount
        purchase.lines.append(
            PurchaseLine(
                position=position,
                product_id=product.id,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount=line.discount,
                amount=amount,
                unit_cost=product.unit_cost,
                grade=product.grade,
            )
        )
        total += amount
        cost += product.unit_cost * line.quantity
        if product.grade != ORDINARY:
            better += amount
    purchase.total, purchase.cost, purchase.total_high_middle = total, cost, better


def _purchase_fields(purchase: Purchase) -> dict[str, Any]:
    return {
        "number": purchase.number,
        "purchased_on": str(purchase.purchased_on),
        "paid_on": str(purchase.paid_on) if purchase.paid_on else None,
        "total": str(purchase.total),
        "remarks": purchase.remarks,
        "lines": [
            [line.product_id, line.quantity, str(line.unit_price), str(line.discount)] for line in purchase.lines
        ],
    }


def _after_change(customer_ids: list[int], actor: Actor) -> None:
    summaries.refresh(customer_ids)
    manager().hook.purchases_changed(customer_ids=customer_ids, actor=actor)
