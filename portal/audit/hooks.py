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
        for entry in queries.timeline_items(customer.id, before, limit)
    ]
