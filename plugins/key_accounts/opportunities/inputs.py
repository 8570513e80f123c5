"""What is said of an opportunity, and the check of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.opportunities.models import IDENTIFIED, OPEN_STAGES, SOURCES, Opportunity
from plugins.key_accounts.opportunities.settings import usual_probability
from portal.core import clock
from portal.core.money import LIMIT
from portal.customers.inputs import NextStepInput
from portal.customers.models import Customer
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Product

MOST_PRODUCTS = 30


@dataclass(frozen=True)
class OpportunityInput:
    """What is known of an opportunity.

    :ivar amount: yuan a year. :ivar probability: per cent; None: what is usual for the stage.
    :ivar close_on: None: in 90 days. :ivar owner_id: None: the account manager, else who creates it.
    :ivar next_step: None: "talk about it" within a week is planned, so that none is without a next step.
    """

    customer_id: int
    title: str
    source: str
    amount: Decimal
    probability: int | None = None
    stage: str = IDENTIFIED
    close_on: date | None = None
    owner_id: int | None = None
    product_ids: Sequence[int] = field(default_factory=tuple)
    unit: str = ""
    category: str = ""
    competitors: str = ""
    notes: str = ""
    next_step: NextStepInput | None = None


def check_opportunity(
    data: OpportunityInput, customer: Customer, actor: Actor, present: Opportunity | None
) -> dict[str, Any]:
    """The values to be kept, checked against the customer and the people. :raises Invalid: with all that is wrong."""
    checker = Checker()
    stage = present.stage if present else data.stage
    if stage not in OPEN_STAGES:
        checker.add("stage", _("Choose one of the list."))
        stage = IDENTIFIED
    if data.source not in SOURCES:
        checker.add("source", _("Choose one of the list."))
    amount = data.amount
    if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("0.01")):
        checker.add("amount", _("Enter an amount in yuan, such as 1,234.50."))
    elif amount > LIMIT:
        checker.add("amount", _("The amount is too large."))
    probability = usual_probability(stage) if data.probability is None else data.probability
    if not 0 <= probability <= 100:
        checker.add("probability", _("Enter per cent from 0 to 100."))
    close_on = data.close_on or clock.today() + timedelta(days=90)
    if close_on < clock.today() and (present is None or present.close_on != close_on):
        checker.add("close_on", _("The expected day lies ahead: choose today or later."))
    owner_id = data.owner_id or (present.owner_id if present else None) or customer.account_manager_id or actor.user_id
    if owner_id is not None and (present is None or owner_id != present.owner_id):
        owner = db.session.get(User, owner_id)
        if owner is None or not owner.is_active:
            checker.add("owner_id", _("Choose somebody who works here."))
    products = set(data.product_ids)
    if len(products) > MOST_PRODUCTS:
        checker.add("product_ids", _("At most %(n)s products.", n=MOST_PRODUCTS))
    elif products:
        known = set(db.session.scalars(select(Product.id).where(Product.id.in_(sorted(products)))))
        if known != products:
            checker.add("product_ids", _("Choose one of the list."))
    values = {
        "title": checker.line("title", data.title, 200, required=_("Say what the opportunity is.")),
        "source": data.source,
        "amount": amount,
        "probability": probability,
        "close_on": checker.day("close_on", close_on),
        "owner_id": owner_id,
        "unit": checker.line("unit", data.unit, 120),
        "category": checker.line("category", data.category, 100),
        "competitors": checker.text("competitors", data.competitors, 500),
        "notes": checker.text("notes", data.notes, 5000),
    }
    checker.done()
    return values
