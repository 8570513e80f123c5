"""What this module offers through the hooks."""

from __future__ import annotations

import click
from flask import Blueprint

from portal.audit.labels import AuditFinder, AuditTerm
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import HealthCheck
from portal.core.permissions import Permission, Rule
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.jobs import commands, health, listing, permissions, queries, upkeep, views


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
            "administration",
            "jobs",
            _l("Background jobs"),
            "jobs.administration",
            "gear",
            70,
            permission=permissions.ADMINISTER,
        )
    ]


@hookimpl
def register_listings() -> list[Listing]:
    return [listing.MINE, listing.ALL]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [AuditFinder("label", kind, queries.job_title, queries.job_keys) for kind in ("job", "job_run")]


@hookimpl
def register_jobs() -> list[Job]:
    return upkeep.JOBS


@hookimpl
def register_health_checks() -> list[HealthCheck]:
    return health.CHECKS


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.jobs]
