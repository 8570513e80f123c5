"""What the areas opportunities, team, stakeholders, plans and care offer through the hooks, put together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import url_for

from plugins.key_accounts.care import documents as care_documents
from plugins.key_accounts.care import invitations, meetings, visits
from plugins.key_accounts.care import jobs as care_jobs
from plugins.key_accounts.care import queries as care
from plugins.key_accounts.care import services as duties
from plugins.key_accounts.care.settings import SETTINGS as CARE_SETTINGS
from plugins.key_accounts.care.vocabulary import DUTIES
from plugins.key_accounts.opportunities import queries as opportunities
from plugins.key_accounts.opportunities import services as opportunity_services
from plugins.key_accounts.opportunities import vocabulary as opportunity_words
from plugins.key_accounts.opportunities.listings import OPPORTUNITIES
from plugins.key_accounts.opportunities.settings import SETTINGS as OPPORTUNITY_SETTINGS
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.plans import approvals as plan_approvals
from plugins.key_accounts.plans import documents as plan_documents
from plugins.key_accounts.plans import emergencies
from plugins.key_accounts.plans import follow_up as plans
from plugins.key_accounts.team import permissions as team_permissions
from plugins.key_accounts.team import services as team
from plugins.key_accounts.tiers import approvals as tier_approvals
from portal.core import clock, settings
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import AgendaItem, Panel, TimelineEntry
from portal.core.permissions import Rule, can
from portal.core.settings import Setting
from portal.documents.kinds import DocumentKind
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure

SETTINGS: tuple[Setting, ...] = (*OPPORTUNITY_SETTINGS, *CARE_SETTINGS)
RULES: tuple[Rule, ...] = (*team_permissions.RULES,)
NOTICE_KINDS: tuple[NoticeKind, ...] = (
    NoticeKind(
        team.NOTICE,
        _l("Account teams"),
        _l("When I become a member of an account team, or somebody leaves one of mine."),
        default_mail=True,
    ),
    NoticeKind(
        visits.NOTICE,
        _l("Executive visits"),
        _l("When a visit is planned for me, or one to my customers falls away."),
        default_mail=True,
    ),
    NoticeKind(
        invitations.NOTICE,
        _l("Meetings with key accounts"),
        _l("When a meeting that I organise, or with people of my customers, is planned, changed or called off."),
        default_mail=True,
    ),
    NoticeKind(
        care_jobs.NOTICE,
        _l("Overdue in key accounts"),
        _l("When an action, a review or a care duty of mine is overdue."),
    ),
)
APPROVAL_KINDS: tuple[Any, ...] = (*plan_approvals.KINDS, *tier_approvals.KINDS)
DOCUMENT_KINDS: tuple[DocumentKind, ...] = (plan_documents.PLAN, *care_documents.KINDS)
JOBS: tuple[Job, ...] = (*care_jobs.JOBS,)
LISTINGS: tuple[Listing, ...] = (OPPORTUNITIES,)
NAVIGATION: tuple[NavItem, ...] = (
    NavItem("customers", "experts", _l("Expert directory"), "key_accounts.experts", "mortarboard", 78),
    NavItem("customers", "care", _l("Care of key accounts"), "key_accounts.care_board", "heart", 74, USE),
    NavItem(
        "customers",
        "visits",
        _l("Calendar of visits"),
        "key_accounts.visit_calendar",
        "calendar3",
        76,
        USE,
        also=("/key-accounts/visits", "/key-accounts/meetings"),
    ),
    NavItem("sales", "opportunities", _l("Opportunities"), "key_accounts.opportunities", "bullseye", 5, USE),
)


def hand_over(user: Any, successor: Any, actor: Actor) -> None:
    """Somebody left: what was his goes to the successor or is open, and whom it concerns is told."""
    team.hand_over(user, successor, actor)
    opportunity_services.hand_over(user, successor, actor)
    plans.hand_over(user, successor, actor)
    emergencies.hand_over(user, successor)
    duties.hand_over(user, successor, actor)
    visits.hand_over(user, successor, actor)
    meetings.hand_over(user, successor)


def timeline(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    """Entries of the customer's time line; one statement, none for a customer without opportunities."""
    if not customer_figure("key_accounts.opportunities", customer.id, actor):
        return []
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


def agenda_items(actor: Actor, until: date) -> list[AgendaItem]:
    """Plan actions, reviews, duties, agreed actions and executive visits of the actor; two statements."""
    if actor.user_id is None:
        return []
    kinds = {
        "action": (_("Plan action"), "check2-square", "key_accounts.plan", "customer_id"),
        "review": (_("Plan review"), "calendar-check", "key_accounts.plan", "customer_id"),
        "duty": (_("Care duty"), "heart", "key_accounts.care", "customer_id"),
        "meeting": (_("Agreed action"), "people-fill", "key_accounts.meeting", "meeting_id"),
    }
    found = []
    for row in care.agenda(actor, until):
        kind, icon, endpoint, argument = kinds[row.what]
        title = str(DUTIES[row.text][0]) if row.what == "duty" else row.text
        found.append(AgendaItem(row.due, kind, title, url_for(endpoint, **{argument: row.key}), icon, row.about))
    begin, end = clock.day_bounds(clock.today())[0], clock.day_bounds(until)[1]
    for row in care.coming_visits(actor, begin, end):
        day = clock.local(row.starts_at)
        title = f"{day.strftime('%H:%M')} {row.purpose}"
        url = url_for("key_accounts.visit", visit_id=row.id)
        found.append(AgendaItem(day.date(), _("Executive visit"), title, url, "briefcase", row.customer))
    return found
