"""Single purchases and products."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, or_, select
from sqlalchemy.orm import joinedload, selectinload

from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.core.text import LIKE_ESCAPE, fold, like_literal
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.purchases.models import Product, Purchase, PurchaseLine


def purchase_for(purchase_id: int, actor: Actor) -> Purchase:
    """A purchase of a visible customer, with its lines. :raises NotFound: for all others: that somebody else's customer
    bought at all is not told."""
    purchase = db.session.scalars(
        select(Purchase)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(Purchase.id == purchase_id, visible(actor, VIEW))
        .options(
            selectinload(Purchase.lines).joinedload(PurchaseLine.product),
            joinedload(Purchase.created_by),
            joinedload(Purchase.cancelled_by),
        )
    ).first()
    if purchase is None:
        raise NotFound()
    return purchase


def product_for(product_id: int) -> Product:
    """A product. :raises NotFound: when there is none."""
    product = db.session.get(Product, product_id)
    if product is None:
        raise NotFound()
    return product


def product_matches(text: str) -> ColumnElement[bool]:
    """Condition: article number, name, pinyin or initials contain the text."""
    return Product.search_text.contains(fold(text), autoescape=True)


def find_products(text: str, limit: int = 20, only_active: bool = True) -> list[Product]:
    """Products by article number, name, pinyin or initials; those that begin with the text first."""
    wanted = fold(text)
    parameters = {"wanted": like_literal(wanted), "line": "\n" + like_literal(wanted)} if wanted else {}
    return list(db.session.scalars(_products_statement(bool(wanted), only_active, limit), parameters))


@cache
def _products_statement(wanted: bool, only_active: bool, limit: int) -> Select[Product]:
    """Products, those whose `search_text` begins with `wanted` first; every search of the portal asks it."""
    statement = select(Product)
    if only_active:
        statement = statement.where(Product.is_active)
    if wanted:
        text, line = bindparam("wanted", type_=String), bindparam("line", type_=String)
        begins = or_(
            Product.search_text.startswith(text, escape=LIKE_ESCAPE),
            Product.search_text.contains(line, escape=LIKE_ESCAPE),
        )
        statement = statement.where(Product.search_text.contains(text, escape=LIKE_ESCAPE)).order_by(begins.desc())
    return statement.order_by(Product.name_sort, Product.id).limit(limit)


def product_named(text: str) -> Product | None:
    """The product that a text names: by its article number, its name, or because it is the only one found."""
    text = text.strip()
    exact = db.session.scalars(select(Product).where(or_(Product.code == text, Product.name == text)).limit(2)).all()
    if len(exact) == 1:
        return exact[0]
    found = find_products(text, limit=2) if fold(text) else []
    return found[0] if len(found) == 1 else None


def product_labels(ids: Sequence[int]) -> dict[int, str]:
    """Texts of products for pickers: article number and name."""
    rows = db.session.execute(select(Product.id, Product.code, Product.name).where(Product.id.in_(ids)))
    return {row.id: product_label(row.code, row.name) for row in rows}


def product_label(code: str, name: str) -> str:
    """ "MT-01 name"."""
    return f"{code} {name}"


def categories() -> list[str]:
    """All categories in use, for suggestions."""
    statement = select(Product.category).where(Product.category != "").distinct().order_by(Product.category).limit(200)
    return list(db.session.scalars(statement))


def number_begins(text: str) -> ColumnElement[bool]:
    """Condition: the order number begins with what was typed, in the case as typed or in capitals."""
    beginnings = dict.fromkeys((text, text.upper()))
    return or_(*(and_(Purchase.number >= start, Purchase.number < start + "\U0010ffff") for start in beginnings))


def purchases_numbered(actor: Actor, text: str, limit: int = 6) -> list[Any]:
    """Visible purchases whose number begins with a text."""
    return list(
        db.session.execute(
            select(Purchase.id, Purchase.number, Purchase.purchased_on, Customer.name.label("customer"))
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(number_begins(text), visible(actor, VIEW))
            .order_by(Purchase.number)
            .limit(limit)
        )
    )
