"""What the areas opportunities, team, stakeholders, plans and care offer through the hooks, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for

from plugins.key_accounts.opportunities import queries as opportunities
from plugins.key_accounts.opportunities import vocabulary as opportunity_words
from plugins.key_accounts.opportunities.listings import OPPORTUNITIES
from plugins.key_accounts.opportunities.settings import SETTINGS as OPPORTUNITY_SETTINGS
from plugins.key_accounts.permissions import USE
from portal.core import clock, settings
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Panel, TimelineEntry
from portal.core.permissions import can
from portal.core.settings import Setting
from portal.i18n import _, _l
from portal.org.actor import Actor

SETTINGS: tuple[Setting, ...] = (*OPPORTUNITY_SETTINGS,)
LISTINGS: tuple[Listing, ...] = (OPPORTUNITIES,)
NAVIGATION: tuple[NavItem, ...] = (
    NavItem("sales", "opportunities", _l("Opportunities"), "key_accounts.board", "bullseye", 5, USE),
)


def timeline(customer: Any, before: Any, limit: int) -> list[TimelineEntry]:
    """Entries of the customer's time line; one statement."""
    return [
        TimelineEntry(
            when=row.at,
            kind="opportunity",
            icon="bullseye",
            title=_("Opportunity “%(title)s”: %(what)s", title=row.title, what=_event_word(row)),
            body=row.note,
            actor=row.name or "",
            url=url_for("key_accounts.opportunity", opportunity_id=row.id),
            tone=opportunity_words.STAGE_TONES[row.to_stage],
        )
        for row in opportunities.timeline(customer.id, before, limit)
    ]


def _event_word(row: Any) -> str:
    if row.kind in ("moved", "closed"):
        return opportunity_words.word(opportunity_words.STAGES, row.to_stage)
    return opportunity_words.word(opportunity_words.EVENTS, row.kind)


def home_panels(actor: Actor) -> list[Panel]:
    """Opportunities of the actor that close soon or have no next step; one statement."""
    if not can(actor, USE):
        return []
    today = clock.today()
    rows = opportunities.pending(actor, today + timedelta(days=settings.get("key_accounts.opportunity_soon_days")))
    if not rows:
        return []
    context = {"rows": rows, "today": today}
    title = _("Opportunities that need me")
    return [Panel("opportunities", title, "key_accounts/opportunities/_home.html", context, order=45, icon="bullseye")]
