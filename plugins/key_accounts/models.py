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
from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from plugins.key_accounts.team.models import AccountTeam, Channel, ExpertSkill, TeamMember
from plugins.key_accounts.tiers.models import CustomerTier, TierDecision
from portal.extensions import db

__all__ = [
    "AccountPlan",
    "AccountTeam",
    "CalendarFeed",
    "CareDuty",
    "Channel",
    "CustomerTier",
    "DemandForecast",
    "DutyRecord",
    "EmergencyPlan",
    "ExecutiveVisit",
    "ExpertSkill",
    "Incentive",
    "IncidentEntry",
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
    "SalesTarget",
    "Stakeholder",
    "StakeholderChange",
    "TeamMember",
    "TierDecision",
]

for _name in ddl.TABLES:
    event.listen(db.metadata.tables[_name], "after_create", ddl.protect)
