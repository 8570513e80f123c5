"""What this module offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from flask import Blueprint

from portal.audit import commands, jobs, permissions, queries, views
from portal.audit.listing import LISTING
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import TimelineEntry
from portal.core.permissions import Actor, Permission, Rule
from portal.hookspecs import hookimpl
from portal.i18n import _, _l

#: Changes that another kind of time line entry already tells better, by the middle part of the action.
TOLD_ELSEWHERE = frozenset({"interaction", "purchase", "request", "document", "log", "entry"})
#: Customers tell their own changes, with words for values and without personal data.
TELLS_ITSELF = "customers:"


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> list[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> list[Rule]:
    return permissions.RULES


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        NavItem(
            "administration", "audit", _l("Audit trail"), "audit.index", "shield-check", 60, permission=permissions.READ
        )
    ]


@hookimpl
def register_listings() -> list[Listing]:
    return [LISTING]


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.audit]


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    entries = queries.customer_history(customer.id, before_at=before, limit=limit)
    return [
        TimelineEntry(
            when=entry.at,
            kind="change",
            icon="pencil" if entry.result == "ok" else "shield-exclamation",
            title=entry.text,
            body=" · ".join(name + _(": ") + f"{old or '—'} → {new or '—'}" for name, old, new in entry.changes[:4]),
            actor=entry.actor_name,
            tone="neutral" if entry.result == "ok" else "warning",
        )
        for entry in entries
        if entry.action.split(":")[1] not in TOLD_ELSEWHERE and not entry.action.startswith(TELLS_ITSELF)
    ]
