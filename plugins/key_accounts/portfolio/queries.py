"""The portfolio of the customers that somebody may see: from the few rows of sums where possible."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from plugins.key_accounts.measures.models import CustomerMeasure, PortfolioGroup
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.tiers.models import ORDINARY, TIERS
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.groups import asked_of_groups
from portal.customers.models import Customer
from portal.customers.remembered import remembered
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE

ZERO = Decimal("0.00")
#: By which tier customers are put together.
DECIDED, PROPOSED = "decided", "proposed"


@dataclass(frozen=True)
class TierSums:
    """Sums of a tier over twelve months; money in yuan."""

    tier: str
    customers: int = 0
    sales: Decimal = ZERO
    goods_cost: Decimal = ZERO
    contact_cost: Decimal = ZERO
    profit: Decimal = ZERO
    minutes: int = 0

    def __add__(self, other: TierSums) -> TierSums:
        return TierSums(
            self.tier,
            self.customers + other.customers,
            self.sales + other.sales,
            self.goods_cost + other.goods_cost,
            self.contact_cost + other.contact_cost,
            self.profit + other.profit,
            self.minutes + other.minutes,
        )


@dataclass(frozen=True)
class Portfolio:
    """Sums by tier from the top down. :ivar undecided: customers that nobody decided on, among the ordinary ones."""

    tiers: tuple[TierSums, ...]
    undecided: int

    @property
    def total(self) -> TierSums:
        """All tiers together."""
        return sum(self.tiers, TierSums(""))


_SUMS = ("sales", "goods_cost", "contact_cost", "profit", "minutes")


def _rows(actor: Actor, by: str) -> list[Any]:
    """(tier, proposal or account manager, customers, sums …) of the visible customers; one statement.

    :param by: "proposal" or "account_manager_id".
    """
    sight = visible(actor, "customers.view")
    grouped = asked_of_groups(sight, PortfolioGroup)
    key: tuple[Any, ...]
    sums: tuple[Any, ...]
    if grouped is not None:
        group = PortfolioGroup
        key = (group.tier, getattr(group, by))
        sums = (func.sum(group.customers), *(func.sum(getattr(group, name)) for name in _SUMS))
        statement = select(*key, *sums).where(grouped)
    else:
        measure = CustomerMeasure
        key = (measure.tier, measure.proposal if by == "proposal" else Customer.account_manager_id)
        sums = (func.count(), *(func.sum(getattr(measure, name)) for name in _SUMS))
        statement = select(*key, *sums).join(Customer, Customer.id == measure.customer_id).where(sight)
    return [tuple(row) for row in db.session.execute(statement.group_by(*key))]


def portfolio(actor: Actor, by: str) -> Portfolio:
    """The portfolio of the visible customers; one statement at most.

    :param by: DECIDED: customers nobody decided on count as ordinary; PROPOSED: as the portal proposes.
    """
    rows = remembered(actor, "key_accounts.portfolio", (), lambda: _rows(actor, "proposal")).value
    sums = {tier: TierSums(tier) for tier in TIERS}
    undecided = 0
    for tier, proposal, customers, sales, goods_cost, contact_cost, profit, minutes in rows:
        key = proposal if by == PROPOSED else tier or ORDINARY
        sums[key] += TierSums(key, int(customers), sales, goods_cost, contact_cost, profit, int(minutes))
        if not tier:
            undecided += int(customers)
    return Portfolio(tuple(sums[tier] for tier in TIERS), undecided)


def by_manager(actor: Actor) -> dict[int, dict[str, TierSums]]:
    """Account manager → decided tier → sums of the visible customers that he looks after; one statement.

    Customers nobody decided on count as ordinary; those without an account manager are left out.
    """
    found: dict[int, dict[str, TierSums]] = {}
    for tier, manager, customers, sales, goods_cost, contact_cost, profit, minutes in _rows(
        actor, "account_manager_id"
    ):
        if manager is None or not customers:
            continue
        key = tier or ORDINARY
        tiers = found.setdefault(int(manager), {})
        more = TierSums(key, int(customers), sales, goods_cost, contact_cost, profit, int(minutes))
        tiers[key] = tiers.get(key, TierSums(key)) + more
    return found


def sees_all(actor: Actor) -> bool:
    """Whether the actor's portfolio is the company's: for the label, decides nothing."""
    return EXECUTIVE in actor.roles


def scenarios(actor: Actor) -> list[Scenario]:
    """One's own scenarios and those that others share, the newest first."""
    statement = (
        select(Scenario)
        .where((Scenario.owner_id == actor.user_id) | Scenario.is_shared)
        .order_by(Scenario.created_at.desc(), Scenario.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(statement))


def scenario(scenario_id: int, actor: Actor) -> Scenario:
    """A scenario one may open. :raises NotFound: for all others."""
    found = db.session.get(Scenario, scenario_id)
    if found is None or (found.owner_id != actor.user_id and not found.is_shared):
        raise NotFound()
    return found
