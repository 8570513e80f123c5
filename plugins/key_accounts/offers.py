"""What the areas measures, portfolio, tiers, scorecards, policies, whitespace and satisfaction offer through the hooks,
put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugins.key_accounts.measures import jobs as measure_jobs
from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures import settings as measure_settings
from plugins.key_accounts.opportunities import queries as opportunity_queries
from plugins.key_accounts.overview.documents import REVIEW
from plugins.key_accounts.overview.listings import ACCOUNTS
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.portfolio.documents import PORTFOLIO
from plugins.key_accounts.satisfaction import jobs as satisfaction_jobs
from plugins.key_accounts.satisfaction import settings as satisfaction_settings
from plugins.key_accounts.scorecards import settings as scorecard_settings
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import vocabulary as tier_words
from plugins.key_accounts.tiers.listings import CUSTOMER_COLUMNS, TIER_LIST
from plugins.key_accounts.tiers.models import ORDINARY
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Badge
from portal.core.settings import Setting
from portal.core.together import Question
from portal.documents.kinds import DocumentKind
from portal.i18n import _l
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure

SETTINGS: tuple[Setting, ...] = (
    *measure_settings.SETTINGS,
    *scorecard_settings.SETTINGS,
    *satisfaction_settings.SETTINGS,
)
JOBS: tuple[Job, ...] = (*measure_jobs.JOBS, *satisfaction_jobs.JOBS)
LISTINGS: tuple[Listing, ...] = (TIER_LIST, ACCOUNTS)
_ROOT = "/key-accounts"
#: Pages of a single account whose address does not name the customer.
_ACCOUNT_PAGES = tuple(f"{_ROOT}/{part}" for part in ("plans", "emergencies", "team", "stakeholders", "violations"))
NAVIGATION: tuple[NavItem, ...] = (
    NavItem(
        "sales",
        "key_accounts",
        _l("Key accounts"),
        "key_accounts.accounts",
        "star",
        1,
        USE,
        also=(*_ACCOUNT_PAGES, f"{_ROOT}/customer-plan"),
    ),
    NavItem("sales", "key_portfolio", _l("Customer portfolio"), "key_accounts.portfolio", "pie-chart", 2, USE),
    NavItem(
        "sales",
        "key_tiers",
        _l("Tiers of customers"),
        "key_accounts.tiers",
        "layers",
        3,
        USE,
        also=(f"{_ROOT}/priorities",),
    ),
    NavItem(
        "sales",
        "key_policies",
        _l("Policies for customers"),
        "key_accounts.policies",
        "journal-check",
        7,
        USE,
        also=(f"{_ROOT}/propositions", f"{_ROOT}/due"),
    ),
    NavItem("sales", "key_satisfaction", _l("Satisfaction"), "key_accounts.satisfaction", "emoji-smile", 8, USE),
)
DOCUMENTS: tuple[DocumentKind, ...] = (PORTFOLIO, REVIEW)
#: list's key → columns, filters and scenes
COLUMNS: dict[str, tuple[Any, ...]] = {"customers": CUSTOMER_COLUMNS}


def figures(customer_id: int) -> dict[str, Question]:
    """The decided tier, the request for another one that waits, any opportunity: for the customer's page."""
    return {
        "key_accounts.opportunities": opportunity_queries.any_question(customer_id),
        "key_accounts.tier": tiers.tier_question(customer_id),
        "key_accounts.tier_request": tiers.request_question(customer_id),
    }


def badges(customer_ids: Sequence[int], actor: Actor) -> dict[int, list[Badge]]:
    """Tier badges of the customers of a page; one statement, on the page of one customer none of its own."""
    if len(customer_ids) == 1:
        found = {customer_ids[0]: customer_figure("key_accounts.tier", customer_ids[0], actor) or ORDINARY}
    else:
        found = tiers.tier_of(customer_ids)
    return {
        customer_id: [Badge(tier_words.tier_word(tier), tier_words.TONES[tier], "star-fill")]
        for customer_id, tier in found.items()
        if tier != ORDINARY
    }


def sums_changed(customer_ids: Sequence[int]) -> None:
    """Purchases or interactions of customers changed, or customers became one or two."""
    measures.refresh(customer_ids)
