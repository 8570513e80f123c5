"""Reads of whitespace and of the driver tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import joinedload

from plugins.key_accounts.measures.models import CustomerMeasure, percent
from plugins.key_accounts.opportunities.models import Opportunity
from plugins.key_accounts.whitespace.models import NONE, OURS, CustomerUnit, DriverFigure, Whitespace
from plugins.key_accounts.whitespace.tree import Base
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.purchases.models import Product, Purchase, PurchaseLine
from portal.purchases.summaries import twelve_months_before

ZERO = Decimal("0.00")
#: Categories that the grid shows.
MOST = 40


@dataclass(frozen=True)
class Cell:
    """A category at a unit.

    :ivar bought: of us in twelve months, yuan; None: not known from purchases. :ivar is_pursued: the opportunity made
        of it is still open.
    """

    unit_id: int | None
    category: str
    state: str
    bought: Decimal | None
    noted: Whitespace | None
    is_pursued: bool = False

    @property
    def open_potential(self) -> Decimal | None:
        """What could still be bought of us: potential less what is bought; None when no potential is noted."""
        if self.noted is None or self.noted.potential is None:
            return None
        return still_open(self.noted.potential, self.bought)


def still_open(potential: Decimal, bought: Decimal | None) -> Decimal:
    """What a unit could still buy of us: its potential less what it bought, not below zero; yuan a year."""
    return max(ZERO, potential - (bought or ZERO))


@dataclass(frozen=True)
class Row:
    """A unit with its cells; unit None: the customer as a whole."""

    unit: CustomerUnit | None
    cells: list[Cell]


def categories() -> list[str]:
    """Categories of active products."""
    statement = (
        select(Product.category)
        .where(Product.category != "", Product.is_active)
        .group_by(Product.category)
        .order_by(Product.category)
        .limit(MOST)
    )
    return list(db.session.scalars(statement))


def units_of(customer_id: int) -> list[CustomerUnit]:
    """Active units of a customer."""
    statement = (
        select(CustomerUnit)
        .where(CustomerUnit.customer_id == customer_id, CustomerUnit.is_active)
        .options(joinedload(CustomerUnit.linked))
        .order_by(CustomerUnit.id)
    )
    return list(db.session.scalars(statement))


def _bought(customer_ids: Sequence[int], actor: Actor) -> dict[tuple[int, str], Decimal]:
    """(customer, category) → amount of twelve months, of the visible ones among these customers."""
    since = twelve_months_before(clock.today())
    rows = db.session.execute(
        select(Purchase.customer_id, Product.category, func.sum(PurchaseLine.amount))
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .join(Product, Product.id == PurchaseLine.product_id)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(
            Purchase.customer_id.in_(customer_ids),
            Purchase.purchased_on > since,
            Purchase.cancelled_at.is_(None),
            visible(actor, "customers.view"),
        )
        .group_by(Purchase.customer_id, Product.category)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def bought_by(owner_id: int | None, category: str, actor: Actor) -> Decimal:
    """What a customer bought of us of a category in twelve months, yuan; 0 for None and for who may not be seen."""
    return ZERO if owner_id is None else _bought([owner_id], actor).get((owner_id, category), ZERO)


def grid(customer_id: int, actor: Actor) -> tuple[list[str], list[Row]]:
    """Categories and, for the customer and each of his units, what is bought of us, of a rival or not at all.

    Purchases decide where there are some; else what was noted; else nothing is bought as far as we know. The purchases
    of a unit are known when it is a customer of its own that the actor may see. Products count under their present
    category, whatever it was when they were bought.
    """
    units = units_of(customer_id)
    linked = [unit.linked_id for unit in units if unit.linked_id is not None]
    bought = _bought([customer_id, *linked], actor)
    pursued = Opportunity.id.is_not(None) & Opportunity.closed_at.is_(None)
    noted = {
        (row.unit_key, row.category): (row, bool(is_pursued))
        for row, is_pursued in db.session.execute(
            select(Whitespace, pursued)
            .outerjoin(Opportunity, Opportunity.id == Whitespace.opportunity_id)
            .where(Whitespace.customer_id == customer_id)
        )
    }
    names = sorted(
        {*categories(), *(category for _unit, category in noted), *(category for _c, category in bought if category)}
    )
    rows = []
    for unit in (None, *units):
        owner = customer_id if unit is None else unit.linked_id
        cells = []
        for category in names:
            amount = bought.get((owner, category)) if owner is not None else None
            entry, is_pursued = noted.get((unit.id if unit else 0, category), (None, False))
            state = OURS if amount else entry.state if entry else NONE
            cells.append(Cell(unit.id if unit else None, category, state, amount, entry, is_pursued))
        rows.append(Row(unit, cells))
    return names, rows


def unit_of(unit_id: int | None, customer_id: int) -> CustomerUnit | None:
    """An active unit of the customer; None for the customer as a whole. :raises NotFound: another's unit."""
    if unit_id is None:
        return None
    unit = db.session.get(CustomerUnit, unit_id)
    if unit is None or unit.customer_id != customer_id or not unit.is_active:
        raise NotFound()
    return unit


def cell_of(customer_id: int, unit_id: int | None, category: str) -> Whitespace | None:
    """What was noted about a category at a unit."""
    statement = select(Whitespace).where(
        Whitespace.customer_id == customer_id, Whitespace.unit_key == (unit_id or 0), Whitespace.category == category
    )
    return db.session.scalars(statement).first()


@dataclass(frozen=True)
class DriverFigures:
    """What purchases and contacts tell about the drivers, and what people noted."""

    base: Base
    shown: dict[str, Any]
    noted: dict[str, DriverFigure]


def drivers_of(customer_id: int) -> DriverFigures:
    """Figures of the driver tree over twelve months; three statements."""
    measure = db.session.get(CustomerMeasure, customer_id)
    base = (
        Base(measure.sales, measure.goods_cost, measure.contact_cost) if measure is not None else Base(ZERO, ZERO, ZERO)
    )
    since = twelve_months_before(clock.today())
    listed, varieties = db.session.execute(
        select(
            func.sum(PurchaseLine.quantity * type_coerce(Product.list_price, BigInteger)),
            func.count(func.distinct(PurchaseLine.product_id)),
        )
        .join(Purchase, Purchase.id == PurchaseLine.purchase_id)
        .join(Product, Product.id == PurchaseLine.product_id)
        .where(Purchase.customer_id == customer_id, Purchase.purchased_on > since, Purchase.cancelled_at.is_(None))
    ).one()
    listed_yuan = Decimal(int(listed or 0)).scaleb(-2)
    shown: dict[str, Any] = {
        "profit": base.profit,
        "gross": base.sales - base.goods_cost,
        "sales": base.sales,
        "contact_cost": base.contact_cost,
        "realised": f"{percent(base.sales, listed_yuan)}%" if listed_yuan else None,
        "payment_days": measure.payment_days if measure else None,
        "varieties": int(varieties or 0),
        "margin": f"{measure.margin}%" if measure and measure.margin is not None else None,
    }
    rows = db.session.scalars(select(DriverFigure).where(DriverFigure.customer_id == customer_id))
    return DriverFigures(base, shown, {row.node: row for row in rows})
