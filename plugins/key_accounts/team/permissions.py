"""Members of a customer's team see the customer while they are members (R-KA-5).

A condition with a subquery would stand in every statement about customers, for everybody. So the customers of the
person's teams are looked up with one statement on an index; who is in no team (nearly everybody) has no such rule at
all, and lists and sums stay what they were. What is remembered holds until anything is written, teams included; inside
a transaction nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from plugins.key_accounts.team.models import TeamMember
from portal.core import clock
from portal.core.permissions import Actor, Condition, Rule
from portal.core.transaction import while_unchanged
from portal.customers.models import Customer
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User


@cache
def _teams_statement() -> Select[Any]:
    day: Any = bindparam("day")
    return (
        select(TeamMember.customer_id)
        .where(
            TeamMember.user_id == bindparam("person"),
            TeamMember.valid_from <= day,
            TeamMember.valid_until >= day,
            TeamMember.ended_at.is_(None),
        )
        .distinct()
        .order_by(TeamMember.customer_id)
    )


def teams_of(user_id: int) -> tuple[int, ...]:
    """Customers whose team the person belongs to today."""
    today = clock.today()
    return while_unchanged(
        (teams_of, user_id, today),
        lambda: tuple(db.session.scalars(_teams_statement(), {"person": user_id, "day": today})),
    )


def _is_member(actor: Actor) -> bool:
    return actor.user_id is not None and bool(teams_of(actor.user_id))


def _team_customers(actor: Actor) -> Condition:
    return Customer.id.in_(teams_of(actor.user_id or 0))


def _branches(actor: Actor) -> Sequence[Condition]:
    return [_team_customers(actor)]


def members_of(obj: Customer | int) -> Collection[int]:
    """Active people who belong to the customer's team today."""
    customer_id = obj if isinstance(obj, int) else obj.id
    today = clock.today()
    statement = (
        select(TeamMember.user_id)
        .join(User, User.id == TeamMember.user_id)
        .where(
            TeamMember.customer_id == customer_id,
            TeamMember.valid_from <= today,
            TeamMember.valid_until >= today,
            TeamMember.ended_at.is_(None),
            User.is_active,
        )
    )
    return set(db.session.scalars(statement))


RULES = (
    Rule(
        VIEW,
        "account_team",
        _l("belongs to the customer’s account team"),
        _is_member,
        _team_customers,
        branches=_branches,
        holders=members_of,
    ),
)
