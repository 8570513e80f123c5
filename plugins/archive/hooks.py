"""What this plugin offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint

from plugins.archive import demo, permissions, settings
from plugins.archive import models as models  # all tables are known once the plugin is
from plugins.archive.copies import documents as copy_documents
from plugins.archive.copies import endings
from plugins.archive.copies import jobs as copy_jobs
from plugins.archive.copies import listings as copy_listings
from plugins.archive.copies import views as copy_views
from plugins.archive.lookups import approvals as lookup_approvals
from plugins.archive.lookups import listings as lookup_listings
from plugins.archive.lookups import parts as lookup_parts
from plugins.archive.lookups import views as lookup_views
from plugins.archive.pack import jobs as pack_jobs
from plugins.archive.pack import services as pack_services
from plugins.archive.pack import views as pack_views
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavArea, NavItem
from portal.core.panels import Panel
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [
        lookup_views.blueprint,
        copy_views.blueprint,
        pack_views.blueprint,
    ]


@hookimpl
def register_navigation() -> list[NavArea | NavItem]:
    return [
        NavArea("archive", _l("Archive"), "archive", 35),
        *lookup_parts.NAVIGATION,
    ]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> Sequence[Rule]:
    return permissions.RULES


@hookimpl
def register_settings() -> Sequence[Setting]:
    return settings.SETTINGS


@hookimpl
def register_approval_kinds() -> Sequence[Any]:
    return [
        *lookup_approvals.KINDS,
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return [
        *copy_jobs.JOBS,
        *pack_jobs.JOBS,
    ]


@hookimpl
def register_notice_kinds() -> Sequence[NoticeKind]:
    return [
        *lookup_parts.NOTICES,
    ]


@hookimpl
def register_document_kinds() -> Sequence[Any]:
    return [
        *copy_documents.KINDS,
        *pack_services.KINDS,
    ]


@hookimpl
def register_listings() -> Sequence[Listing]:
    return [
        *lookup_listings.LISTINGS,
        *copy_listings.LISTINGS,
    ]


@hookimpl
def register_audit_words() -> Sequence[Any]:
    return [
        *lookup_parts.AUDIT_WORDS,
    ]


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> Sequence[Panel]:
    return [
        *lookup_parts.customer_panels(customer, actor),
    ]


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    endings.person_left(user.id, actor)


@hookimpl
def register_demo(actor: Actor) -> None:
    demo.load(actor)
