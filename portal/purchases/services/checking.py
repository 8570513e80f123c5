"""The rules for a purchase as typed in."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from portal.core import clock
from portal.core.errors import ErrorList
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.purchases.models import Product, Purchase
from portal.purchases.services.base import MAX_AMOUNT, is_amount
from portal.purchases.services.inputs import ZERO, LineInput, PurchaseInput

MAX_LINES = 200
MAX_QUANTITY = 10_000_000
FIRST_DAY = date(1980, 1, 1)
NUMBER_LENGTH = 60
REMARKS_LENGTH = 1000


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
    if not is_amount(data.discount):
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
    price = price_of(line, product)
    if not is_amount(price):
        # Without a product there is no list price either: one message is enough.
        if line.unit_price is not None or product is not None:
            errors.add(prefix + "unit_price", _("Enter an amount of zero or more."))
        return ZERO
    gross = price * line.quantity
    if gross > MAX_AMOUNT:
        errors.add(prefix + "quantity", _("The amount is too large."))
        return ZERO
    if not is_amount(line.discount) or line.discount > gross:
        errors.add(prefix + "discount", _("The discount lies between zero and the line's amount."))
        return ZERO
    return gross - line.discount


def price_of(line: LineInput, product: Product | None) -> Decimal:
    """The price of one: as typed, else the list price."""
    if line.unit_price is not None:
        return line.unit_price
    return product.list_price if product is not None else Decimal("NaN")
