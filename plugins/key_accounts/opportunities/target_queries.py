"""Reads of sales targets: of the people the actor oversees, and the gap that is left."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import SQLColumnExpression, and_, case, func, or_, select

from plugins.key_accounts.opportunities.matrix import Gap, GapLine, weighted_yuan
from plugins.key_accounts.opportunities.models import SOURCES, WON, Opportunity, SalesTarget
from plugins.key_accounts.opportunities.queries import WEIGHT, ZERO, from_customers, is_open
from portal.core import clock
from portal.core.permissions import visible
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, User
from portal.purchases.periods import LAST_YEAR, THIS_YEAR, period
from portal.purchases.queries import sales_cube


def target_people(actor: Actor) -> SQLColumnExpression[bool]:
    """Condition on people: whose targets the actor sees (his own, those he oversees, all for executives)."""
    if EXECUTIVE in actor.roles or actor.is_system:
        return User.is_active
    own = User.id == actor.user_id
    return or_(own, and_(User.department_id.in_(sorted(actor.oversees)), User.is_active)) if actor.oversees else own


@dataclass(frozen=True)
class PersonTarget:
    """What a person is to sell in a year and what his customers bought in it, yuan."""

    user_id: int
    name: str
    target: Decimal
    sold: Decimal


def gap(actor: Actor, year: int) -> tuple[Gap, list[PersonTarget]]:
    """Targets of the people the actor sees against the sales of their customers and their opportunities of a year.

    :returns: the gap, and each person with a target of that year.
    """
    people = db.session.execute(
        select(User.id, User.name, SalesTarget.source, SalesTarget.amount)
        .join(SalesTarget, SalesTarget.user_id == User.id)
        .where(SalesTarget.year == year, target_people(actor))
        .order_by(User.name_sort, User.id)
    ).all()
    today = clock.today()
    span = period(THIS_YEAR if year == today.year else LAST_YEAR, today)
    sold: dict[int | None, Decimal] = {}
    if span.first[0] == year:
        sold = {key: sums.total for key, sums in sales_cube(actor, span).value.by_manager().items()}
    by_source: dict[str, Decimal] = defaultdict(lambda: ZERO)
    names: dict[int, tuple[str, Decimal]] = {}
    for row in people:
        if row.source:
            by_source[row.source] += row.amount
        else:
            names[row.id] = (row.name, row.amount)
    ids = sorted({row.id for row in people})
    begin, end = date(year, 1, 1), date(year, 12, 31)
    # With targets: the opportunities of those people; without any, all that the actor sees.
    whose = [Opportunity.owner_id.in_(ids)] if ids else []
    rows = db.session.execute(
        from_customers(
            select(
                Opportunity.source,
                func.sum(case((Opportunity.stage == WON, Opportunity.amount), else_=None)),
                func.sum(case((is_open(), WEIGHT), else_=0)),
            )
        )
        .where(Opportunity.close_on.between(begin, end), visible(actor, VIEW), *whose)
        .group_by(Opportunity.source)
    )
    found = {row[0]: (row[1] if row[1] is not None else ZERO, weighted_yuan(row[2])) for row in rows}
    lines = tuple(GapLine(source, by_source[source], *found.get(source, (ZERO, ZERO))) for source in SOURCES)
    listed = [PersonTarget(user_id, name, target, sold.get(user_id, ZERO)) for user_id, (name, target) in names.items()]
    total_sold = sum((sold.get(user_id, ZERO) for user_id in ids), ZERO) if ids else sum(sold.values(), ZERO)
    return Gap(sum((person.target for person in listed), ZERO), total_sold, lines), listed


def targets_of(user_id: int, year: int) -> dict[str, Decimal]:
    """Source ("" for the whole year) → target in yuan."""
    rows = db.session.execute(
        select(SalesTarget.source, SalesTarget.amount).where(SalesTarget.user_id == user_id, SalesTarget.year == year)
    )
    return {row.source: row.amount for row in rows}


def people_with_targets(actor: Actor) -> list[tuple[int, str]]:
    """People whose targets the actor may set."""
    if EXECUTIVE in actor.roles:
        where: SQLColumnExpression[bool] = User.is_active
    else:
        where = and_(User.department_id.in_(sorted(actor.oversees)), User.is_active)
    rows = db.session.execute(select(User.id, User.name).where(where).order_by(User.name_sort, User.id).limit(500))
    return [(row.id, row.name) for row in rows]
