"""What this plugin offers through the hooks. Areas keep their own lists; here they are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, url_for

from plugins.key_accounts import offers, permissions, settings, views, vocabulary, work
from portal.audit.labels import AuditTerm
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import AgendaItem, Badge, Panel, Tab, TimelineEntry
from portal.core.permissions import Permission, Rule, can
from portal.core.settings import Setting
from portal.core.together import Question
from portal.documents.kinds import DocumentKind
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return [
        *permissions.PERMISSIONS,
    ]


@hookimpl
def register_rules() -> Sequence[Rule]:
    return [
        *permissions.RULES,
        *work.RULES,
    ]


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        *offers.NAVIGATION,
        *work.NAVIGATION,
    ]


@hookimpl
def register_settings() -> Sequence[Setting]:
    return [
        *settings.SETTINGS,
        *offers.SETTINGS,
        *work.SETTINGS,
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return [
        *offers.JOBS,
        *work.JOBS,
    ]


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
        *work.NOTICE_KINDS,
    ]


@hookimpl
def register_document_kinds() -> list[DocumentKind]:
    return [
        *offers.DOCUMENTS,
        *work.DOCUMENT_KINDS,
    ]


@hookimpl
def register_audit_words() -> Sequence[AuditTerm]:
    return vocabulary.AUDIT_WORDS


@hookimpl
def register_listings() -> Sequence[Listing]:
    return [
        *offers.LISTINGS,
        *work.LISTINGS,
    ]


@hookimpl
def register_listing_columns(listing: str) -> Sequence[Any]:
    return offers.COLUMNS.get(listing, ())


@hookimpl
def register_demo(actor: Actor) -> None:
    from plugins.key_accounts import demo  # needed once in a company's life

    demo.load(actor)


@hookimpl
def customer_tabs(customer: Any, actor: Actor) -> list[Tab]:
    # A member of the account team without the permission reads about the team's work alone.
    first = "key_accounts.account" if can(actor, permissions.USE) else "key_accounts.team"
    url = url_for(first, customer_id=customer.id)
    return [Tab("key_accounts", _l("Key account"), url, order=35)]


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    return offers.figures(customer_id)


@hookimpl
def customer_badges(customer_ids: Sequence[int], actor: Actor) -> dict[int, list[Badge]]:
    return offers.badges(customer_ids, actor)


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    return [
        *work.timeline(customer, actor, before, limit),
    ]


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    return [
        *work.home_panels(actor),
    ]


@hookimpl
def agenda_items(actor: Actor, until: Any) -> list[AgendaItem]:
    return [
        *work.agenda_items(actor, until),
    ]


@hookimpl
def purchases_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    offers.sums_changed(customer_ids)


@hookimpl
def interactions_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    offers.sums_changed(customer_ids)


@hookimpl
def customers_merged(kept: Any, merged: Any, actor: Actor) -> None:
    offers.sums_changed([kept.id, merged.id])


@hookimpl
def customers_unmerged(kept: Any, restored: Any, actor: Actor) -> None:
    offers.sums_changed([kept.id, restored.id])


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    work.hand_over(user, successor, actor)


@hookimpl
def register_approval_kinds() -> Sequence[Any]:
    return work.APPROVAL_KINDS
