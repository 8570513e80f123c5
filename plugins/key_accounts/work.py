"""What the areas opportunities, team, stakeholders, plans and care offer through the hooks, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for

from plugins.key_accounts.opportunities import queries as opportunities
from plugins.key_accounts.opportunities import services as opportunity_services
from plugins.key_accounts.opportunities import vocabulary as opportunity_words
from plugins.key_accounts.opportunities.listings import OPPORTUNITIES
from plugins.key_accounts.opportunities.settings import SETTINGS as OPPORTUNITY_SETTINGS
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.plans import approvals as plan_approvals
from plugins.key_accounts.plans import documents as plan_documents
from plugins.key_accounts.plans import emergencies
from plugins.key_accounts.plans import services as plans
from plugins.key_accounts.team import permissions as team_permissions
from plugins.key_accounts.team import services as team
from portal.core import clock, settings
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Panel, TimelineEntry
from portal.core.permissions import Rule, can
from portal.core.settings import Setting
from portal.documents.kinds import DocumentKind
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor

SETTINGS: tuple[Setting, ...] = (*OPPORTUNITY_SETTINGS,)
RULES: tuple[Rule, ...] = (*team_permissions.RULES,)
NOTICE_KINDS: tuple[NoticeKind, ...] = (
    NoticeKind(
        team.NOTICE,
        _l("Account teams"),
        _l("When I become a member of an account team, or somebody leaves one of mine."),
        default_mail=True,
    ),
)
APPROVAL_KINDS: tuple[Any, ...] = (*plan_approvals.KINDS,)
DOCUMENT_KINDS: tuple[DocumentKind, ...] = (plan_documents.PLAN,)
LISTINGS: tuple[Listing, ...] = (OPPORTUNITIES,)
NAVIGATION: tuple[NavItem, ...] = (
    NavItem("customers", "experts", _l("Expert directory"), "key_accounts.experts", "mortarboard", 78),
    NavItem("sales", "opportunities", _l("Opportunities"), "key_accounts.board", "bullseye", 5, USE),
)


def hand_over(user: Any, successor: Any, actor: Actor) -> None:
    """Somebody left: what was his goes to the successor or is open, and whom it concerns is told."""
    team.hand_over(user, successor, actor)
    opportunity_services.hand_over(user, successor, actor)
    plans.hand_over(user, successor, actor)
    emergencies.hand_over(user, successor)


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
