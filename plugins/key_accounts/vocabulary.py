"""What the audit trail calls this plugin's things; the words of its pages are in the areas."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.care import vocabulary as care
from plugins.key_accounts.opportunities import vocabulary as opportunities
from plugins.key_accounts.plans import vocabulary as plans
from plugins.key_accounts.policies.forms import EMPHASIS_WORDS, SEGMENT_WORDS
from plugins.key_accounts.satisfaction import vocabulary as satisfaction
from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards.forms import VIOLATION_WORDS
from plugins.key_accounts.stakeholders import vocabulary as stakeholders
from plugins.key_accounts.team import vocabulary as team
from plugins.key_accounts.tiers import vocabulary as tiers
from plugins.key_accounts.whitespace import tree
from plugins.key_accounts.whitespace.views import STATE_WORDS
from portal.audit.labels import AuditFinder, AuditWord, told_words, value_words
from portal.customers.vocabulary import LABELS, CustomerKind
from portal.i18n import _l
from portal.org.audit_words import people

_OBJECTS: dict[str, Any] = {
    "key_accounts_care": _l("Care of a key account"),
    "key_accounts_channel": _l("Contact channel"),
    "key_accounts_emergency": _l("Emergency plan"),
    "key_accounts_feed": _l("Calendar subscription"),
    "key_accounts_measures": _l("Figures of customers"),
    "key_accounts_meeting": _l("Meeting with key accounts"),
    "key_accounts_member": _l("Member of an account team"),
    "key_accounts_opportunity": _l("Sales opportunity"),
    "key_accounts_plan": _l("Account plan"),
    "key_accounts_policy": _l("Policy"),
    "key_accounts_proposition": _l("Value proposition"),
    "key_accounts_satisfaction": _l("Satisfaction survey"),
    "key_accounts_scenario": _l("Saved what-if"),
    "key_accounts_scorecard": _l("Scorecard of a customer"),
    "key_accounts_team": _l("Account team"),
    "key_accounts_violation": _l("Breach by a customer"),
    "key_accounts_visit": _l("Executive visit"),
}
#: The middle parts of the actions. "target" is not among them: the archive, which has targets too, registers it.
_SUBJECTS: dict[str, Any] = {
    "buying": _l("Buying habits"),
    "channel": _l("Contact channel"),
    "drivers": _l("Driver tree"),
    "duty": _l("Care duty"),
    "emergency": _l("Emergency plan"),
    "feed": _l("Calendar subscription"),
    "forecast": _l("Demand forecast of the customer"),
    "incentive": _l("Incentive"),
    "measures": _l("Figures of customers"),
    "meeting": _l("Meeting"),
    "member": _l("Member of an account team"),
    "opportunity": _l("Sales opportunity"),
    "plan": _l("Account plan"),
    "policy": _l("Policy"),
    "proposition": _l("Value proposition"),
    "satisfaction": _l("Satisfaction survey"),
    "scenario": _l("Saved what-if"),
    "scorecard": _l("Scorecard of a customer"),
    "skill": _l("Skills"),
    "stakeholder": _l("Role of a contact in decisions"),
    "team": _l("Account team"),
    "tier": _l("Tier"),
    "unit": _l("Unit of the customer"),
    "violation": _l("Breach by a customer"),
    "visit": _l("Executive visit"),
    "whitespace": _l("Whitespace"),
}
_VERBS: dict[str, Any] = {
    "action": _l("action noted"),
    "archive": _l("archived"),
    "decide": _l("decided"),
    "decline": _l("proposal declined"),
    "delete": _l("deleted"),
    "invite": _l("guests changed"),
    "keep": _l("version kept"),
    "move": _l("moved to another stage"),
    "note": _l("incident noted"),
    "phase": _l("phase changed"),
    "recompute": _l("computed anew"),
    "review": _l("review recorded"),
    "roles": _l("strategic roles changed"),
    "save": _l("saved"),
    "section": _l("section written"),
    "set": _l("numbers set"),
    "settle": _l("settled"),
    "targets": _l("targets changed"),
}
_FIELDS: dict[str, Any] = {
    "active": _l("Still used"),
    "advantages": _l("Our advantages"),
    "answer": _l("Answer"),
    "appraisal": _l("Appraisal"),
    "attitude": _l("Attitude"),
    "card": _l("Kind of scorecard"),
    "close_on": _l("Expected close"),
    "close_reason": _l("Reason for the outcome"),
    "competitors": _l("Competitors"),
    "complaint_id": _l("Complaints go to"),
    "contact": _l("Contact"),
    "contact_days": _l("A contact at least every"),
    "credit_days": _l("Days of credit"),
    "credit_limit": _l("Credit limit"),
    "delivery": _l("Delivery"),
    "discount": _l("Discount off the list price"),
    "done_on": _l("Done on"),
    "due_on": _l("Due on"),
    "duty": _l("Care duty"),
    "ease": _l("Ease of development"),
    "ended": _l("Was ended"),
    "executive": _l("Executive"),
    "factors": _l("What counts when buying"),
    "first_year": _l("First year"),
    "happened_on": _l("Day of the event"),
    "held_on": _l("Held on"),
    "hours": _l("Hours until an answer"),
    "incident": _l("What may happen"),
    "influence": _l("Influence on the decision"),
    "invested": _l("Invested in the account"),
    "invited": _l("Invited"),
    "is_needed": _l("Is needed"),
    "length": _l("Length of the text"),
    "linked": _l("Customer record of the unit"),
    "measure": _l("Measure taken"),
    "finance": _l("Finance: credit and terms"),
    "minimum_order": _l("Minimum order"),
    "notes": _l("Notes"),
    "outlets": _l("Outlets"),
    "owner_id": _l("Owner"),
    "payment": _l("Payment"),
    "phase": _l("Phase"),
    "potential": _l("Possible sales"),
    "price": _l("Price"),
    "price_position": _l("Price position"),
    "pricing": _l("Pricing"),
    "probability": _l("Probability"),
    "promotion": _l("Advertising and promotion"),
    "proposed": _l("Proposed tier"),
    "quality": _l("Quality"),
    "reports_to_id": _l("Reports to"),
    "request": _l("Approval request"),
    "rhythm_months": _l("Rhythm in months"),
    "risk": _l("Risk control"),
    "rival": _l("Rival"),
    "role": _l("Part"),
    "score": _l("Total score"),
    "section": _l("Section of the plan"),
    "segment": _l("Segment"),
    "service": _l("Service"),
    "set_up": _l("Duties set up"),
    "shared": _l("Shown to others"),
    "skills": _l("Skills"),
    "source": _l("Source"),
    "sponsor_id": _l("Executive sponsor"),
    "starts_at": _l("Beginning"),
    "surveyed_on": _l("Day of the survey"),
    "task": _l("Task"),
    "tier": _l("Tier"),
    "told_on": _l("Customer was told on"),
    "trading": _l("Trading mode"),
    "user": _l("Person"),
    "user_id": _l("Person"),
    "verdict": _l("Verdict of the scorecard"),
    "visit_days": _l("A visit at least every"),
    "years": _l("Number of years"),
}

_VALUES: tuple[tuple[str, dict[Any, Any]], ...] = (
    ("tier", tiers.TIERS),
    ("proposed", tiers.TIERS),
    ("answer", tiers.ANSWERS),
    ("answer", care.ANSWERS),
    ("role", tiers.ROLES),
    ("role", team.ROLES),
    ("roles", tiers.ROLES),
    ("stage", opportunities.STAGES),
    ("source", opportunities.SOURCES),
    ("close_reason", opportunities.WIN_REASONS),
    ("close_reason", opportunities.LOSS_REASONS),
    ("phase", plans.PHASES),
    ("phase", team.PHASES),
    ("state", plans.STATES),
    ("state", plans.ACTION_STATES),
    ("state", care.VISIT_STATES),
    ("influence", stakeholders.INFLUENCES),
    ("attitude", stakeholders.ATTITUDES),
    ("ease", tiers.EASE),
    ("verdict", criteria.VERDICTS),
    ("card", criteria.TITLES),
    ("kind", VIOLATION_WORDS),
    ("kind", care.INCENTIVES),
    ("kind", plans.ENTRIES),
    ("kind", LABELS[CustomerKind]),
    ("duty", {key: said[0] for key, said in care.DUTIES.items()}),
    ("set_up", {key: said[0] for key, said in care.DUTIES.items()}),
    ("section", {key: said[0] for key, said in plans.SECTIONS.items()}),
    ("phase", satisfaction.PHASES),
    ("grade", satisfaction.GRADES),
    ("level", team.LEVELS),
    ("state", STATE_WORDS),
    ("factors", EMPHASIS_WORDS),
    ("segment", SEGMENT_WORDS),
)


def _field(name: str) -> str | None:
    """Names of fields that are keys of something else: branches of the driver tree, "2026 more_use" of targets."""
    branches = {node.key: node.label for node in tree.nodes()}
    if name in branches and name not in _FIELDS:
        return str(branches[name])
    year, _space, source = name.partition(" ")
    return f"{year} {opportunities.SOURCES[source]}" if source in opportunities.SOURCES else None


AUDIT_WORDS = (
    *(
        AuditWord(kind, code, label)
        for kind, words in (("object", _OBJECTS), ("subject", _SUBJECTS), ("verb", _VERBS), ("field", _FIELDS))
        for code, label in words.items()
    ),
    *value_words("key_accounts", _VALUES),
    *told_words(
        _l("Sales opportunity"),
        KeyAccountAction.OPPORTUNITY_CREATED,
        KeyAccountAction.OPPORTUNITY_MOVED,
        KeyAccountAction.OPPORTUNITY_CLOSED,
        KeyAccountAction.OPPORTUNITY_REOPENED,
    ),
    *people("key_accounts", "complaint_id", "executive_id", "sponsor_id"),
    AuditFinder("fields", "key_accounts", _field),
)
