"""Reads of policies, and what is due by the service standard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, or_, select

from plugins.key_accounts.policies.models import BuyingEmphasis, Policy, ValueProposition
from plugins.key_accounts.tiers.models import ORDINARY, CustomerTier
from portal.core import clock
from portal.core.permissions import visible
from portal.customers.models import Customer, Interaction
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

#: Customers that the list of what is due looks at.
MOST = 500


def all_policies() -> list[Policy]:
    """All policies, those in force first."""
    rows = list(db.session.scalars(select(Policy).order_by(Policy.valid_from.desc(), Policy.id.desc())))
    today = clock.today()
    return sorted(rows, key=lambda row: not row.holds_on(today))


def all_propositions() -> list[ValueProposition]:
    """All value propositions, those in force first."""
    statement = select(ValueProposition).order_by(ValueProposition.valid_from.desc(), ValueProposition.id.desc())
    today = clock.today()
    return sorted(db.session.scalars(statement), key=lambda row: not row.holds_on(today))


def in_force(today: date) -> list[Policy]:
    """Policies that hold on a day."""
    statement = select(Policy).where(
        Policy.valid_from <= today, or_(Policy.valid_until.is_(None), Policy.valid_until >= today)
    )
    return list(db.session.scalars(statement))


def applying(policies: Sequence[Policy], tier: str, kind: str) -> list[Policy]:
    """Those of the policies that are for a customer, the most specific first: tier and kind, tier, kind, all; of two
    alike the later one. Customers nobody decided on are treated as ordinary."""
    tier = tier or ORDINARY
    found = [row for row in policies if row.tier in ("", tier) and row.kind in ("", kind)]
    return sorted(found, key=lambda row: (row.tier != "", row.kind != "", row.valid_from, row.id), reverse=True)


def standard(policies: Sequence[Policy], name: str) -> int | None:
    """The service standard ("visit_days", "contact_days") of the most specific policy that states one."""
    return next((value for row in policies if (value := getattr(row, name)) is not None), None)


@dataclass(frozen=True)
class Due:
    """What is due by the service standard. A customer never visited is due since the standard's time ago: now."""

    visit_on: date | None
    contact_on: date | None

    @property
    def first(self) -> date | None:
        """The earlier of both."""
        days = [day for day in (self.visit_on, self.contact_on) if day is not None]
        return min(days) if days else None


def due_of(policies: Sequence[Policy], last_visit: date | None, last_contact: date | None, today: date) -> Due:
    """When the next visit and the next contact are due; None where no standard is promised."""

    def following(last: date | None, days: int | None) -> date | None:
        if days is None:
            return None
        return today if last is None else last + timedelta(days=days)

    return Due(
        following(last_visit, standard(policies, "visit_days")),
        following(last_contact, standard(policies, "contact_days")),
    )


def last_visit_of(customer_id: int) -> date | None:
    """Day of the last visit that took place."""
    at = db.session.scalar(
        select(func.max(Interaction.at)).where(
            Interaction.customer_id == customer_id, Interaction.kind == "visit", Interaction.cancelled_at.is_(None)
        )
    )
    return clock.local(at).date() if at is not None else None


def emphases_of(customer_id: int) -> list[BuyingEmphasis]:
    """What a customer buys by, in his order."""
    statement = select(BuyingEmphasis).where(BuyingEmphasis.customer_id == customer_id)
    return list(db.session.scalars(statement.order_by(BuyingEmphasis.position, BuyingEmphasis.id)))


def proposition_for(segment: str, today: date) -> ValueProposition | None:
    """The promise in force for a segment, the latest one."""
    statement = (
        select(ValueProposition)
        .where(
            ValueProposition.segment == segment,
            ValueProposition.valid_from <= today,
            or_(ValueProposition.valid_until.is_(None), ValueProposition.valid_until >= today),
        )
        .order_by(ValueProposition.valid_from.desc(), ValueProposition.id.desc())
    )
    return db.session.scalars(statement).first() if segment else None


@dataclass(frozen=True)
class DueRow:
    """A customer and what is due."""

    customer_id: int
    name: str
    tier: str
    manager: str
    last_contact: date | None
    due: Due


def due_list(actor: Actor) -> list[DueRow]:
    """Key and important customers one may see, by what is due first; those longest without contact are looked at."""
    today = clock.today()
    policies = in_force(today)
    visit = (
        select(func.max(Interaction.at))
        .where(Interaction.customer_id == Customer.id, Interaction.kind == "visit", Interaction.cancelled_at.is_(None))
        .correlate(Customer)
        .scalar_subquery()
    )
    rows: Sequence[Any] = db.session.execute(
        select(
            Customer.id,
            Customer.name,
            Customer.kind,
            Customer.last_contact_at,
            CustomerTier.tier,
            visit.label("visited"),
            func.coalesce(User.name, "").label("manager"),
        )
        .join(CustomerTier, CustomerTier.customer_id == Customer.id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .where(CustomerTier.tier.in_(("key", "important")), visible(actor, "customers.view"))
        .order_by(Customer.last_contact_sort, Customer.id)
        .limit(MOST)
    ).all()
    found = []
    for row in rows:
        last = clock.local(row.last_contact_at).date() if row.last_contact_at else None
        visited = _moment_day(row.visited)
        due = due_of(applying(policies, row.tier, row.kind), visited, last, today)
        if due.first is not None:
            found.append(DueRow(row.id, row.name, row.tier, row.manager, last, due))
    return sorted(found, key=lambda item: (item.due.first or date.max, item.name))


def _moment_day(at: Any) -> date | None:
    return clock.local(at).date() if at is not None else None
