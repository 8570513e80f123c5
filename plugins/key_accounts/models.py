"""All tables of this plugin; each area has its own module."""

from __future__ import annotations

from sqlalchemy import event

from plugins.key_accounts import ddl
from plugins.key_accounts.care.models import (
    CalendarFeed,
    CareDuty,
    DemandForecast,
    DutyRecord,
    ExecutiveVisit,
    Incentive,
    Meeting,
    MeetingAction,
    MeetingGuest,
)
from plugins.key_accounts.measures.models import CustomerMeasure, MeasureState, PortfolioGroup
from plugins.key_accounts.opportunities.models import (
    Opportunity,
    OpportunityEvent,
    OpportunityProduct,
    SalesTarget,
)
from plugins.key_accounts.plans.models import (
    AccountPlan,
    EmergencyPlan,
    IncidentEntry,
    PlanAction,
    PlanReview,
    PlanSection,
    PlanTarget,
    PlanVersion,
)
from plugins.key_accounts.policies.models import BuyingEmphasis, CustomerSegment, Policy, ValueProposition
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.satisfaction.models import AccountHealth, SatisfactionGrade
from plugins.key_accounts.scorecards.models import Scorecard, ScorecardAnswer, Violation
from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from plugins.key_accounts.team.models import AccountTeam, Channel, ExpertSkill, TeamMember
from plugins.key_accounts.tiers.models import CustomerTier, TierDecision
from plugins.key_accounts.whitespace.models import CustomerUnit, DriverFigure, Whitespace
from portal.extensions import db

__all__ = [
    "AccountHealth",
    "AccountPlan",
    "AccountTeam",
    "BuyingEmphasis",
    "CalendarFeed",
    "CareDuty",
    "Channel",
    "CustomerMeasure",
    "CustomerSegment",
    "CustomerTier",
    "CustomerUnit",
    "DemandForecast",
    "DriverFigure",
    "DutyRecord",
    "EmergencyPlan",
    "ExecutiveVisit",
    "ExpertSkill",
    "Incentive",
    "IncidentEntry",
    "MeasureState",
    "Meeting",
    "MeetingAction",
    "MeetingGuest",
    "Opportunity",
    "OpportunityEvent",
    "OpportunityProduct",
    "PlanAction",
    "PlanReview",
    "PlanSection",
    "PlanTarget",
    "PlanVersion",
    "Policy",
    "PortfolioGroup",
    "SalesTarget",
    "SatisfactionGrade",
    "Scenario",
    "Scorecard",
    "ScorecardAnswer",
    "Stakeholder",
    "StakeholderChange",
    "TeamMember",
    "TierDecision",
    "ValueProposition",
    "Violation",
    "Whitespace",
]

# The triggers name these tables, too.
PortfolioGroup.__table__.add_is_dependent_on(CustomerMeasure.__table__)

for _name in ddl.TABLES:
    event.listen(db.metadata.tables[_name], "after_create", ddl.protect)
