"""What this plugin offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, url_for

from plugins.vip import approvals, certificate, jobs, ledger, listings, permissions, queries, settings, views
from plugins.vip import vocabulary as words
from portal.audit.labels import AuditWord
from portal.core import clock
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action, Badge, Panel, TimelineEntry
from portal.core.permissions import Permission, Rule, can
from portal.core.settings import Setting
from portal.core.together import Question
from portal.documents.kinds import DocumentKind
from portal.extensions import db
from portal.hookspecs import hookimpl
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> Sequence[Rule]:
    return permissions.RULES


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        NavItem("customers", "vip", _l("VIP customers"), "vip.index", "gem", 60, permissions.USE),
        NavItem("customers", "vip_candidates", _l("VIP candidates"), "vip.candidates", "stars", 61, permissions.USE),
        NavItem("customers", "vip_benefits", _l("VIP benefits"), "vip.benefits", "gift", 62, permissions.USE),
    ]


@hookimpl
def register_settings() -> Sequence[Setting]:
    return settings.SETTINGS


@hookimpl
def register_approval_kinds() -> Sequence[Any]:
    return approvals.KINDS


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.JOBS


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
        NoticeKind(
            "vip.membership",
            _l("VIP memberships"),
            _l("When a membership of one of my customers is granted or renewed."),
            default_mail=True,
        )
    ]


@hookimpl
def register_document_kinds() -> list[DocumentKind]:
    return [certificate.CERTIFICATE]


@hookimpl
def register_audit_words() -> Sequence[AuditWord]:
    return words.AUDIT_WORDS


@hookimpl
def register_listings() -> Sequence[Listing]:
    return listings.LISTINGS


@hookimpl
def register_demo(actor: Actor) -> None:
    from plugins.vip import demo  # needed once in a company's life

    demo.load(actor)


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    return queries.figures_of(customer_id)


@hookimpl
def customer_badges(customer_ids: Sequence[int], actor: Actor) -> dict[int, list[Badge]]:
    if len(customer_ids) == 1:
        level = customer_figure("vip.level", customer_ids[0], actor)
        levels = {customer_ids[0]: level} if level else {}
    else:
        parameters = {"customer_ids": list(customer_ids), "today": clock.today()}
        levels = {row.customer_id: row.level for row in db.session.execute(queries.badge_statement(), parameters)}
    return {
        customer_id: [Badge(_("VIP · %(level)s", level=words.word(words.LEVELS, level)), "accent", "gem")]
        for customer_id, level in levels.items()
    }


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> list[Panel]:
    if not can(actor, permissions.USE):
        return []
    some = customer_figure("vip.any", customer.id, actor)
    context = {
        "memberships": queries.memberships_of(customer.id) if some else [],
        "pending": customer_figure("vip.pending", customer.id, actor),
        "words": words,
        "customer": customer,
    }
    return [Panel("vip", _("VIP membership"), "vip/panel.html", context, order=40, icon="gem")]


@hookimpl
def customer_actions(customer: Any, actor: Actor) -> list[Action]:
    if not can(actor, permissions.USE) or not can(actor, "customers.edit", customer):
        return []
    if customer_figure("vip.pending", customer.id, actor) is not None:
        return []
    return [Action("vip_apply", _("Apply for VIP"), url_for("vip.apply", customer_id=customer.id), "gem", order=60)]


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    if not customer_figure("vip.any", customer.id, actor):
        return []
    parameters = {"customer_id": customer.id, "before": before, "limit": limit}
    return [
        TimelineEntry(
            when=row.at,
            kind="vip",
            icon="gem",
            title=_("VIP membership %(number)s: %(what)s", number=row.number, what=words.word(words.EVENTS, row.kind)),
            body=row.reason,
            actor=row.name or "",
            # A member of an account team sees the customer, but not the pages of memberships.
            url=url_for("vip.show", membership_id=row.id) if can(actor, permissions.USE) else None,
            tone="accent",
        )
        for row in db.session.execute(queries.events_statement(before is not None), parameters)
    ]


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    if not can(actor, permissions.USE):
        return []
    today = clock.today()
    rows = queries.ending(actor, today + timedelta(days=60), 6)
    if not rows:
        return []
    context = {"rows": rows, "words": words, "today": today}
    return [Panel("vip", _("VIP memberships that end soon"), "vip/home_panel.html", context, order=60, icon="gem")]


@hookimpl
def purchases_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    ledger.settle_purchases(customer_ids, actor)
