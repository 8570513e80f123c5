"""First words of a plan's sections, from what the portal knows (R-KA-6)."""

from __future__ import annotations

from sqlalchemy import select

from plugins.key_accounts.opportunities.models import Opportunity
from plugins.key_accounts.opportunities.vocabulary import SOURCES, word
from plugins.key_accounts.team import queries as team
from plugins.key_accounts.team.vocabulary import ROLES
from portal.core import clock
from portal.core.money import format_yuan
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.purchases.queries import favourites_of, years_of


def first_words(customer: Customer) -> dict[str, str]:
    """Section → text; "" where nothing is known."""
    opportunities = list(
        db.session.scalars(
            select(Opportunity)
            .where(Opportunity.customer_id == customer.id, Opportunity.closed_at.is_(None))
            .order_by(Opportunity.amount.desc(), Opportunity.id)
            .limit(10)
        )
    )
    members = team.in_force(team.members_of(customer.id), clock.today())
    return {
        "business": _business(customer),
        "worth": _worth(customer),
        "competitors": "\n".join(
            dict.fromkeys(
                line.strip() for row in opportunities for line in row.competitors.splitlines() if line.strip()
            )
        ),
        "opportunities": "\n".join(
            _(
                "%(title)s: %(amount)s, %(probability)s%%, %(source)s",
                title=row.title,
                amount=format_yuan(row.amount, symbol=True),
                probability=row.probability,
                source=word(SOURCES, row.source),
            )
            for row in opportunities
        ),
        "team": "\n".join(row.name + _(": ") + str(row.task or ROLES.get(row.role, row.role)) for row in members),
    }


def _business(customer: Customer) -> str:
    parts = []
    if customer.industry:
        parts.append(_("Industry: %(industry)s", industry=customer.industry))
    if customer.demand:
        parts.append(customer.demand)
    return "\n".join(parts)


def _worth(customer: Customer) -> str:
    lines = [
        _(
            "%(year)s: %(total)s in %(count)s orders",
            year=row.year,
            total=format_yuan(row.total, symbol=True),
            count=row.count,
        )
        for row in years_of(customer.id)[:3]
    ]
    since = clock.today().replace(year=clock.today().year - 1, day=1)
    bought = favourites_of(customer.id, since, 5)
    if bought:
        lines.append(_("Buys most: %(names)s", names=_(", ").join(row.name for row in bought)))
    return "\n".join(lines)
