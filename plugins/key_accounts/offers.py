"""What the areas measures, portfolio, tiers, scorecards, policies, whitespace and satisfaction offer through the hooks,
put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugins.key_accounts.measures import jobs as measure_jobs
from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures import settings as measure_settings
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Badge
from portal.core.settings import Setting
from portal.documents.kinds import DocumentKind
from portal.org.actor import Actor

SETTINGS: tuple[Setting, ...] = (*measure_settings.SETTINGS,)
JOBS: tuple[Job, ...] = (*measure_jobs.JOBS,)
LISTINGS: tuple[Listing, ...] = ()
NAVIGATION: tuple[NavItem, ...] = ()
DOCUMENTS: tuple[DocumentKind, ...] = ()
#: list's key → columns, filters and scenes
COLUMNS: dict[str, tuple[Any, ...]] = {}


def badges(customer_ids: Sequence[int]) -> dict[int, list[Badge]]:
    """Tier badges of the customers of a page; one statement."""
    return {}


def sums_changed(customer_ids: Sequence[int]) -> None:
    """Purchases or interactions of customers changed, or customers became one or two."""
    measures.refresh(customer_ids)
