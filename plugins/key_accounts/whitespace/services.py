"""Units, whitespace and figures of the driver tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.opportunities.inputs import OpportunityInput
from plugins.key_accounts.opportunities.models import CROSS_SELLING, Opportunity
from plugins.key_accounts.opportunities.services import create_opportunity
from plugins.key_accounts.whitespace import queries
from plugins.key_accounts.whitespace.models import NONE, STATES, CustomerUnit, DriverFigure, Whitespace
from plugins.key_accounts.whitespace.tree import JUDGED
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def _customer(customer_id: int, actor: Actor) -> Customer:
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    return customer


def save_unit(customer_id: int, name: str, linked_id: int | None, actor: Actor) -> CustomerUnit:
    """Add a unit of a customer. :param linked_id: the customer that the unit is in our records; the actor must see it.

    :raises Invalid: no name, a name that is there, a customer linked to himself.
    """
    customer = _customer(customer_id, actor)
    errors = ErrorList()
    name = name.strip()
    if not name:
        errors.add("name", _("Enter a name."))
    if len(name) > 100:
        errors.add("name", _("At most %(n)s characters.", n=100))
    if any(unit.name == name for unit in queries.units_of(customer_id)):
        errors.add("name", _("There is a unit of this name already."))
    if linked_id == customer_id:
        errors.add("linked_id", _("Choose another customer than this one."))
    errors.raise_if_any()
    if linked_id is not None:
        require(actor, "customers.view", linked_id)
    unit = CustomerUnit(customer_id=customer_id, name=name, linked_id=linked_id)
    db.session.add(unit)
    db.session.flush()
    _record(customer, KeyAccountAction.UNIT_SAVED, {"unit": name, "linked": linked_id}, actor)
    return unit


def remove_unit(unit_id: int, actor: Actor) -> int:
    """Close a unit; what was noted about it stays. Returns the customer's id."""
    unit = db.session.get(CustomerUnit, unit_id)
    if unit is None:
        raise NotFound()
    customer = _customer(unit.customer_id, actor)
    unit.is_active = False
    db.session.flush()
    _record(customer, KeyAccountAction.UNIT_SAVED, {"unit": unit.name, "active": False}, actor)
    return customer.id


@dataclass(frozen=True)
class CellInput:
    """What is known of a category at a unit. :ivar unit_id: None: the customer as a whole."""

    unit_id: int | None
    category: str
    state: str
    rival: str = ""
    potential: Decimal | None = None
    note: str = ""


def save_cell(customer_id: int, data: CellInput, actor: Actor) -> Whitespace:
    """Note what a unit buys. :raises Invalid: no category, an unknown state, a negative potential."""
    customer = _customer(customer_id, actor)
    queries.unit_of(data.unit_id, customer_id)
    errors = ErrorList()
    category = data.category.strip()
    if not category or len(category) > 100:
        errors.add("category", _("Choose from the list."))
    if data.state not in STATES:
        errors.add("state", _("Choose from the list."))
    if data.potential is not None and data.potential < 0:
        errors.add("potential", _("Enter an amount that is not negative."))
    for name, text, most in (("rival", data.rival, 100), ("note", data.note, 300)):
        if len(text.strip()) > most:
            errors.add(name, _("At most %(n)s characters.", n=most))
    errors.raise_if_any()
    row = _cell(customer_id, data.unit_id, category)
    row.state, row.rival = data.state, data.rival.strip()
    row.potential, row.note = data.potential, data.note.strip()
    row.updated_at, row.updated_by_id = clock.now(), actor.user_id
    db.session.flush()
    _record(
        customer,
        KeyAccountAction.WHITESPACE_CHANGED,
        {"category": category, "state": row.state, "rival": row.rival, "potential": row.potential},
        actor,
    )
    return row


def _cell(customer_id: int, unit_id: int | None, category: str) -> Whitespace:
    row = queries.cell_of(customer_id, unit_id, category)
    if row is None:
        row = Whitespace(
            customer_id=customer_id,
            unit_id=unit_id,
            unit_key=unit_id or 0,
            category=category,
            state=NONE,
            updated_at=clock.now(),
        )
        db.session.add(row)
    return row


def make_opportunity(customer_id: int, unit_id: int | None, category: str, actor: Actor) -> Opportunity:
    """Turn a cell into an opportunity of cross-selling; its amount is the open potential, or 0 to be estimated.

    :raises Conflict: it was turned into one that is still open.
    """
    customer = _customer(customer_id, actor)
    unit = queries.unit_of(unit_id, customer_id)
    category = category.strip()
    known = queries.cell_of(customer_id, unit_id, category) is not None or category in queries.categories()
    if not category or not known:
        raise Invalid([("category", _("Choose from the list."))])
    row = _cell(customer_id, unit_id, category)
    before = db.session.get(Opportunity, row.opportunity_id) if row.opportunity_id is not None else None
    if before is not None and before.is_open:
        raise Conflict(_("There is an opportunity for this already."))
    owner_id = customer_id if unit is None else unit.linked_id
    amount = Decimal("0")
    if row.potential is not None:
        amount = queries.still_open(row.potential, queries.bought_by(owner_id, row.category, actor))
    where = unit.name if unit else customer.name
    made = create_opportunity(
        OpportunityInput(
            customer_id=customer_id,
            title=_("%(category)s for %(unit)s", category=row.category, unit=where)[:200],
            source=CROSS_SELLING,
            amount=amount,
            unit=unit.name if unit else "",
            category=row.category,
            competitors=row.rival or "",
            notes=row.note or "",
        ),
        actor,
    )
    row.opportunity_id = made.id
    db.session.flush()
    return made


def save_drivers(customer_id: int, figures: Mapping[str, tuple[Decimal | None, str]], actor: Actor) -> None:
    """Note figures of drivers that purchases do not know: node → (yuan a year, note); empty ones are removed."""
    customer = _customer(customer_id, actor)
    errors = ErrorList()
    for node, (_amount, note) in figures.items():
        if node not in JUDGED:
            raise NotFound()
        if len(note.strip()) > 300:
            errors.add(f"note_{node}", _("At most %(n)s characters.", n=300))
    errors.raise_if_any()
    present = {
        row.node: row for row in db.session.scalars(select(DriverFigure).where(DriverFigure.customer_id == customer_id))
    }
    changed = {}
    for node, (amount, note) in figures.items():
        row, text = present.get(node), note.strip()
        if amount is None and not text:
            if row is not None:
                db.session.delete(row)
                changed[node] = ""
            continue
        if row is None:
            row = DriverFigure(customer_id=customer_id, node=node)
            db.session.add(row)
        elif (row.amount, row.note) == (amount, text):
            continue
        row.amount, row.note, row.updated_at, row.updated_by_id = amount, text, clock.now(), actor.user_id
        changed[node] = str(amount) if amount is not None else text
    db.session.flush()
    if changed:
        _record(customer, KeyAccountAction.DRIVERS_CHANGED, changed, actor)


def _record(customer: Customer, action: KeyAccountAction, new: Mapping[str, object], actor: Actor) -> None:
    record(
        actor,
        action,
        object_type="customer",
        object_id=customer.id,
        object_label=customer.name,
        customer_id=customer.id,
        new=dict(new),
    )
