"""Pages of the plugin key_accounts and what it puts on the stage."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.policies.models import Policy, ValueProposition
from plugins.key_accounts.portfolio import whatif
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.portfolio.queries import Portfolio, TierSums
from plugins.key_accounts.satisfaction.models import SatisfactionGrade
from plugins.key_accounts.scorecards.models import Violation
from plugins.key_accounts.tiers.models import TIERS
from plugins.key_accounts.whitespace.models import CustomerUnit
from portal.core import clock
from portal.core.transaction import transaction
from tests.access.letters import HEAD_OF, LEADERS, OWN_SALES, RECORD, SALES, VIP_RECORD
from tests.access.saving import saved
from tests.world import World

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {}
MATRIX: dict[str, str] = {
    "GET /key-accounts/customers/<int:customer_id>": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/tier": HEAD_OF,
    "POST /key-accounts/customers/<int:customer_id>/tier/ask": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/roles": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/roles": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/review": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/scorecards": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/scorecards/<any(qualification, selection, risk):card>": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/scorecards/<any(qualification, selection, risk):card>": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/violations": RECORD,
    "POST /key-accounts/violations/<int:violation_id>/settle": VIP_RECORD,
    "GET /key-accounts/customers/<int:customer_id>/policy": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/policy": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/whitespace": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/units": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/units/<int:unit_id>/remove": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/whitespace/cell": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/whitespace/cell": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/whitespace/opportunity": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/drivers": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/drivers": RECORD,
    "GET /key-accounts/customers/<int:customer_id>/satisfaction": RECORD,
    "POST /key-accounts/customers/<int:customer_id>/satisfaction": RECORD,
    "POST /key-accounts/satisfaction/<int:grade_id>/cancel": VIP_RECORD,
    "GET /key-accounts/satisfaction": SALES,
    "GET /key-accounts/customer-plan": SALES,
    "GET /key-accounts/": SALES,
    "GET /key-accounts/what-if": SALES,
    "POST /key-accounts/what-if": SALES,
    "GET /key-accounts/scenarios": SALES,
    "GET /key-accounts/scenarios/<int:scenario_id>": OWN_SALES,
    "POST /key-accounts/scenarios/<int:scenario_id>/delete": OWN_SALES,
    "POST /key-accounts/scenarios/<int:scenario_id>/pdf": OWN_SALES,
    "POST /key-accounts/portfolio/pdf": SALES,
    "GET /key-accounts/tiers": SALES,
    "POST /key-accounts/tiers/accept": LEADERS,
    "POST /key-accounts/tiers/decide": LEADERS,
    "POST /key-accounts/tiers/recompute": LEADERS,
    "GET /key-accounts/priorities": SALES,
    "GET /key-accounts/accounts": SALES,
    "GET /key-accounts/due": SALES,
    "GET /key-accounts/policies": SALES,
    "GET /key-accounts/policies/new": LEADERS,
    "POST /key-accounts/policies/new": LEADERS,
    "GET /key-accounts/policies/<int:policy_id>": LEADERS,
    "POST /key-accounts/policies/<int:policy_id>": LEADERS,
    "GET /key-accounts/propositions/new": LEADERS,
    "POST /key-accounts/propositions/new": LEADERS,
    "GET /key-accounts/propositions/<int:proposition_id>": LEADERS,
    "POST /key-accounts/propositions/<int:proposition_id>": LEADERS,
}


def build(stage: Any, world: World) -> None:
    """One object of every kind of the plugin."""
    _figures(stage, world)


def _figures(stage: Any, world: World) -> None:
    """A scenario of anna's, and of her customer a unit, a grade and a breach; a policy and a value proposition."""
    stage.ids["key_accounts.scorecard:card"] = "qualification"
    customer, anna = stage.ids["customer_id"], world.user("anna").id
    today, now = clock.today(), clock.now()
    with transaction():
        measures.refresh([customer])
        stage.ids["scenario_id"] = saved(
            Scenario(
                name="试算",
                owner_id=anna,
                content=whatif.to_json(
                    "decided",
                    Portfolio(tuple(TierSums(tier, 1, minutes=60) for tier in TIERS), 0),
                    whatif.Assumption(whatif.REBALANCED["hours"], whatif.RESPONSE),
                ),
                created_at=now,
            )
        )
        stage.ids["unit_id"] = saved(CustomerUnit(customer_id=customer, name="一分厂"))
        stage.ids["grade_id"] = saved(
            SatisfactionGrade(customer_id=customer, surveyed_on=today, phase="after", grade=4, recorded_at=now)
        )
        stage.ids["violation_id"] = saved(
            Violation(
                customer_id=customer, kind="diversion", happened_on=today, description="跨区销售", recorded_at=now
            )
        )
        stage.ids["policy_id"] = saved(Policy(name="关键客户政策", tier="key", valid_from=today, updated_at=now))
        stage.ids["proposition_id"] = saved(
            ValueProposition(name="快速响应", segment="responsive", valid_from=today, updated_at=now)
        )
