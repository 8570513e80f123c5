"""What this plugin offers through the hooks: each area's offers, gathered here with one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint

from plugins.sop import models, permissions, settings, views
from plugins.sop.export import documents as export_documents
from plugins.sop.export import jobs as export_jobs
from plugins.sop.manuals import approvals as manual_approvals
from plugins.sop.programme import permissions as programme_permissions
from plugins.sop.programme import settings as programme_settings
from plugins.sop.reading import jobs as reading_jobs
from plugins.sop.reading import offers as reading_offers
from plugins.sop.runs import jobs as run_jobs
from plugins.sop.runs import listings as run_listings
from plugins.sop.runs import offers as run_offers
from plugins.sop.runs import paper as run_paper
from plugins.sop.runs import permissions as run_permissions
from plugins.sop.runs import queries as run_queries
from plugins.sop.runs import scheduling as run_scheduling
from portal.audit.labels import AuditTerm
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action, Panel, TimelineEntry
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.core.together import Question
from portal.documents.kinds import DocumentKind
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor

__all__ = ["models"]


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return [
        *permissions.PERMISSIONS,
        *run_permissions.PERMISSIONS,
        *programme_permissions.PERMISSIONS,
    ]


@hookimpl
def register_rules() -> Sequence[Rule]:
    return [
        *permissions.RULES,
        *run_permissions.RULES,
        *programme_permissions.RULES,
    ]


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        *reading_offers.NAVIGATION,
        NavItem("knowledge", "sop_runs", _l("Checklists"), "sop.runs", "card-checklist", 30, permissions.USE),
        NavItem(
            "knowledge", "sop_steps", _l("My checklist steps"), "sop.my_steps", "person-check", 31, permissions.USE
        ),
        NavItem("reports", "sop_figures", _l("Figures of checklists"), "sop.figures", "graph-up", 40, permissions.USE),
        NavItem(
            "reports",
            "sop_reading_figures",
            _l("Figures of reading"),
            "sop.reading_figures",
            "people",
            41,
            permissions.OVERSEE,
        ),
        NavItem("knowledge", "sop_programmes", _l("Introduction programmes"), "sop.programmes", "signpost-split", 60),
    ]


@hookimpl
def register_settings() -> Sequence[Setting]:
    return [
        *settings.SETTINGS,
        *programme_settings.SETTINGS,
    ]


@hookimpl
def register_approval_kinds() -> Sequence[Any]:
    return [
        *manual_approvals.KINDS,
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return [
        *reading_jobs.JOBS,
        *export_jobs.JOBS,
        *run_jobs.JOBS,
    ]


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
        *run_offers.NOTICE_KINDS,
        NoticeKind(
            "sop.review",
            _l("Manuals in writing and review"),
            _l("Remarks on versions I write or review; when a manual of mine is to be looked through."),
            default_mail=True,
        ),
        NoticeKind(
            "sop.reading",
            _l("Procedures to read"),
            _l("When a manual that I must read takes effect, before and after the last day for it."),
            default_mail=True,
        ),
    ]


@hookimpl
def register_document_kinds() -> list[DocumentKind]:
    return [
        *run_paper.KINDS,
        *export_documents.KINDS,
    ]


@hookimpl
def register_listings() -> Sequence[Listing]:
    return [
        *run_listings.LISTINGS,
    ]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [
        *reading_offers.AUDIT_WORDS,
        *run_offers.AUDIT_WORDS,
    ]


@hookimpl
def register_file_stores() -> list[Any]:
    return [
        *reading_offers.FILE_STORES,
        *run_offers.FILE_STORES,
    ]


@hookimpl
def register_demo(actor: Actor) -> None:
    from plugins.sop import demo  # needed once in a company's life

    demo.load(actor)


@hookimpl
def customer_actions(customer: Any, actor: Actor) -> list[Action]:
    return [
        *run_offers.actions_of_customer(customer, actor),
    ]


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> list[Panel]:
    return [
        *run_offers.panels_of_customer(customer, actor),
    ]


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    return run_offers.figures(customer_id)


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    return [
        *run_offers.timeline_of_customer(customer, actor, before, limit),
    ]


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    return [
        *reading_offers.home_panels(actor),
        *run_offers.home(actor),
    ]


@hookimpl
def agenda_items(actor: Actor, until: Any) -> list[Any]:
    return [
        *run_offers.agenda(actor, until),
    ]


@hookimpl
def palette_items(actor: Actor, query: str) -> list[Any]:
    return [
        *reading_offers.palette_items(actor, query),
    ]


@hookimpl
def register_occasions() -> list[Any]:
    return [
        *run_offers.OCCASIONS,
    ]


@hookimpl
def customer_created(customer: Any, actor: Actor) -> None:
    run_offers.on_customer_created(customer, actor)


@hookimpl
def customer_changed(customer: Any, changes: dict[str, tuple[Any, Any]], actor: Actor) -> None:
    run_offers.on_customer_changed(customer, changes, actor)


@hookimpl
def customer_automatic_rows(customer_ids: Sequence[int]) -> list[tuple[str, int]]:
    return run_queries.automatic_rows(customer_ids)


@hookimpl
def customers_removed(customer_ids: Sequence[int], actor: Actor) -> None:
    run_scheduling.let_go_of(customer_ids, actor)


@hookimpl
def occasion_happened(occasion: str, subject: str, customer_id: int | None, actor: Actor) -> None:
    run_offers.on_occasion(occasion, subject, customer_id, actor)


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    run_offers.on_person_left(user, successor, actor)
