"""The purchases' section of the customer information card."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.core.money import format_yuan
from portal.customers.card import CardSection
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.purchases.models import Purchase

#: Purchases listed on the card.
SHOWN = 8


def sections(customer: Customer) -> list[CardSection]:
    """The latest purchases and the sum of twelve months; nothing for a customer who never bought."""
    rows = db.session.execute(
        select(Purchase.number, Purchase.purchased_on, Purchase.total, Purchase.paid_on)
        .where(Purchase.customer_id == customer.id, Purchase.cancelled_at.is_(None))
        .order_by(Purchase.purchased_on.desc(), Purchase.id.desc())
        .limit(SHOWN)
    ).all()
    if not rows:
        return []
    return [
        CardSection(
            key="purchases",
            title=_("Purchases"),
            stats=(
                (_("Purchases of twelve months"), format_yuan(customer.total_12m, symbol=True)),
                (_("Number of purchases"), str(customer.purchase_count)),
                (_("Last purchase"), _day(customer.last_purchase_on)),
            ),
            headers=(_("Order number"), _("Date"), _("Amount"), _("Paid on")),
            rows=tuple(
                (row.number, _day(row.purchased_on), format_yuan(row.total, symbol=True), _day(row.paid_on))
                for row in rows
            ),
            amounts=(2,),
        )
    ]


def _day(value: Any) -> str:
    return value.isoformat() if value else ""
