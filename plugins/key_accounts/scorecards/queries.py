"""Reads of scorecards and violations, for customers that may be shown already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from plugins.key_accounts.scorecards.models import Scorecard, Violation
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

VERSIONS = 20


def versions(customer_id: int, card: str) -> list[Scorecard]:
    """The versions of a scorecard, the newest first."""
    statement = (
        select(Scorecard)
        .where(Scorecard.customer_id == customer_id, Scorecard.card == card)
        .options(joinedload(Scorecard.made_by).lazyload(User.roles))
        .order_by(Scorecard.id.desc())
        .limit(VERSIONS)
    )
    return list(db.session.scalars(statement))


def latest(customer_id: int) -> dict[str, Scorecard]:
    """Card → latest version; one statement for the cards, one for their answers."""
    newest = select(func.max(Scorecard.id)).where(Scorecard.customer_id == customer_id).group_by(Scorecard.card)
    rows = db.session.scalars(
        select(Scorecard).where(Scorecard.id.in_(newest)).options(joinedload(Scorecard.made_by).lazyload(User.roles))
    )
    return {row.card: row for row in rows}


def violations_of(customer_id: int) -> list[Violation]:
    """The register of a customer, the newest first."""
    statement = (
        select(Violation)
        .where(Violation.customer_id == customer_id)
        .options(joinedload(Violation.recorded_by).lazyload(User.roles))
        .order_by(Violation.happened_on.desc(), Violation.id.desc())
        .limit(100)
    )
    return list(db.session.scalars(statement))


def violation(violation_id: int, actor: Actor) -> Violation:
    """An entry about a visible customer. :raises NotFound: for all others."""
    row = db.session.scalars(
        select(Violation)
        .join(Customer, Customer.id == Violation.customer_id)
        .where(Violation.id == violation_id, visible(actor, "customers.view"))
    ).first()
    if row is None:
        raise NotFound()
    return row


def glance(customer_id: int) -> dict[str, Any]:
    """Card → (score, verdict) of the latest versions, without their answers; one statement."""
    newest = select(func.max(Scorecard.id)).where(Scorecard.customer_id == customer_id).group_by(Scorecard.card)
    rows = db.session.execute(
        select(Scorecard.card, Scorecard.score, Scorecard.verdict).where(Scorecard.id.in_(newest))
    )
    return {row.card: row for row in rows}
