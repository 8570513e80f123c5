"""The company's customer plan in four steps (R-KA-13): what each step rests on, of the customers somebody may see."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from plugins.key_accounts.measures.models import hours_of
from plugins.key_accounts.opportunities.matrix import Gap
from plugins.key_accounts.opportunities.target_queries import PersonTarget, gap
from plugins.key_accounts.plans.models import AccountPlan
from plugins.key_accounts.policies import queries as policies
from plugins.key_accounts.policies.models import SEGMENTS, CustomerSegment, Policy, ValueProposition
from plugins.key_accounts.portfolio.queries import DECIDED, Portfolio, TierSums, by_manager, portfolio
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ORDINARY, TIERS, CustomerTier
from portal.core import clock
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

#: Account managers that the page lists, those with the largest sales.
MOST_PEOPLE = 100


@dataclass(frozen=True)
class Group:
    """Step 1: a tier with its sums, and the policies that hold for it today."""

    tier: str
    sums: TierSums
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Segment:
    """Step 3: a segment, how many visible customers are in it, and the promise in force; None: nothing is promised."""

    segment: str
    customers: int
    proposition: ValueProposition | None


@dataclass(frozen=True)
class Seller:
    """Step 4: an account manager, whom he looks after, what they bring in twelve months, and his target of the year."""

    user_id: int
    name: str
    customers: dict[str, int]
    sums: TierSums
    target: PersonTarget | None

    @property
    def hours(self) -> Decimal:
        """Contact hours of twelve months."""
        return hours_of(self.sums.minutes)

    @property
    def profit_per_hour(self) -> Decimal | None:
        """Efficiency: profit contribution per contact hour, yuan; None without hours."""
        minutes = self.sums.minutes
        return (self.sums.profit * 60 / minutes).quantize(Decimal("0.01")) if minutes else None

    @property
    def reached(self) -> int | None:
        """Effectiveness: per cent of the year's target that is sold; None without a target."""
        if self.target is None or not self.target.target:
            return None
        return int((self.target.sold * 100 / self.target.target).to_integral_value(rounding="ROUND_HALF_UP"))

    @property
    def is_mixed(self) -> bool:
        """Whether he holds key and ordinary customers together (R-KA-5 warns of it)."""
        return bool(self.customers.get(KEY)) and bool(self.customers.get(ORDINARY))


@dataclass(frozen=True)
class CompanyPlan:
    """The four steps. :ivar planned: key and important customers with a live account plan, of how many."""

    year: int
    portfolio: Portfolio
    groups: tuple[Group, ...]
    goals: Gap
    planned: tuple[int, int]
    segments: tuple[Segment, ...]
    sellers: tuple[Seller, ...]


def company_plan(actor: Actor) -> CompanyPlan:
    """The plan as far as the actor sees it: his customers, and the people whose targets he sees."""
    today = clock.today()
    found = portfolio(actor, DECIDED)
    rules = policies.in_force(today)
    goals, people = gap(actor, today.year)
    return CompanyPlan(
        today.year,
        found,
        tuple(Group(item.tier, item, _for_tier(rules, item.tier)) for item in found.tiers),
        goals,
        _planned(actor),
        _segments(actor),
        _sellers(actor, {person.user_id: person for person in people}),
    )


def _for_tier(rules: list[Policy], tier: str) -> tuple[Policy, ...]:
    return tuple(row for row in rules if row.tier in ("", tier))


def _planned(actor: Actor) -> tuple[int, int]:
    live = select(AccountPlan.id).where(AccountPlan.customer_id == CustomerTier.customer_id, AccountPlan.live == 1)
    rows = db.session.execute(
        select(live.exists(), func.count())
        .select_from(CustomerTier)
        .join(Customer, Customer.id == CustomerTier.customer_id)
        .where(CustomerTier.tier.in_((KEY, IMPORTANT)), visible(actor, "customers.view"))
        .group_by(live.exists())
    )
    counts = {bool(row[0]): int(row[1]) for row in rows}
    return counts.get(True, 0), sum(counts.values())


def _segments(actor: Actor) -> tuple[Segment, ...]:
    rows = db.session.execute(
        select(CustomerSegment.segment, func.count())
        .join(Customer, Customer.id == CustomerSegment.customer_id)
        .where(visible(actor, "customers.view"))
        .group_by(CustomerSegment.segment)
    )
    counts = {row[0]: int(row[1]) for row in rows}
    today = clock.today()
    promised: dict[str, ValueProposition] = {}
    for row in policies.all_propositions():
        if row.holds_on(today):
            promised.setdefault(row.segment, row)
    return tuple(Segment(key, counts.get(key, 0), promised.get(key)) for key in SEGMENTS)


def _sellers(actor: Actor, targets: dict[int, PersonTarget]) -> tuple[Seller, ...]:
    sums = by_manager(actor)
    ids = sorted({*sums, *targets})
    if not ids:
        return ()
    names = {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))}
    found = []
    for user_id in ids:
        tiers = sums.get(user_id, {})
        customers = {tier: tiers[tier].customers for tier in TIERS if tier in tiers}
        total = sum(tiers.values(), TierSums(""))
        found.append(Seller(user_id, names.get(user_id, ""), customers, total, targets.get(user_id)))
    found.sort(key=lambda item: (-item.sums.sales, item.name))
    return tuple(found[:MOST_PEOPLE])
