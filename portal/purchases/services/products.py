"""Products: added, changed, offered or not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList, Invalid
from portal.core.permissions import require
from portal.core.text import sort_key
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.purchases.actions import PurchaseAction
from portal.purchases.models import GRADES, Product, search_text_of
from portal.purchases.permissions import MANAGE_PRODUCTS
from portal.purchases.services.base import is_amount, locked, refuse_stale, text_of
from portal.purchases.services.inputs import ProductInput

MAX_DAYS_PER_UNIT = 3650
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
    product = locked(Product, product_id)
    before = _product_fields(product)
    refuse_stale(product, "product", version, mine=_typed_product(data), theirs=before)
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
    product = locked(Product, product_id)
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
        if not is_amount(getattr(data, field)):
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
    amounts = {name: text_of(getattr(data, name)) for name in ("list_price", "unit_cost")}
    return {name: getattr(data, name) for name in names} | amounts
