"""What this plugin offers through the hooks: each area's offers, gathered here with one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint

from plugins.sop import demo, models, permissions, settings, views
from plugins.sop.manuals import approvals as manual_approvals
from plugins.sop.reading import jobs as reading_jobs
from portal.audit.labels import AuditWord
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action, Panel, TimelineEntry
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
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
    ]


@hookimpl
def register_rules() -> Sequence[Rule]:
    return [
        *permissions.RULES,
    ]


@hookimpl
def register_navigation() -> list[NavItem]:
    return []


@hookimpl
def register_settings() -> Sequence[Setting]:
    return [
        *settings.SETTINGS,
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
    ]


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
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
    return []


@hookimpl
def register_listings() -> Sequence[Listing]:
    return []


@hookimpl
def register_audit_words() -> list[AuditWord]:
    return []


@hookimpl
def register_demo(actor: Actor) -> None:
    demo.load(actor)


@hookimpl
def customer_actions(customer: Any, actor: Actor) -> list[Action]:
    return []


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> list[Panel]:
    return []


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: Any, limit: int) -> list[TimelineEntry]:
    return []


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    return []


@hookimpl
def agenda_items(actor: Actor, until: Any) -> list[Any]:
    return []


@hookimpl
def palette_items(actor: Actor, query: str) -> list[Any]:
    return []


@hookimpl
def customer_created(customer: Any, actor: Actor) -> None:
    """A new customer; recurring runs that begin with one."""
