"""What this module offers through the hooks."""

from __future__ import annotations

import click
from flask import Blueprint

from portal.audit.labels import AuditWord
from portal.backups import commands, jobs, labels, permissions, queries, settings, views
from portal.core.jobs import Job
from portal.core.navigation import NavItem
from portal.core.panels import Panel
from portal.core.permissions import Permission, Rule, can
from portal.core.settings import Setting
from portal.hookspecs import hookimpl
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor


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
            "backups",
            _l("Backups"),
            "backups.index",
            "shield-check",
            75,
            permission=permissions.ADMINISTER,
        )
    ]


@hookimpl
def register_settings() -> list[Setting]:
    return list(settings.SETTINGS)


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
        NoticeKind(
            "backups.trouble",
            _l("Trouble with backups"),
            _l("When a backup failed, was missed or is broken, or files are damaged. For administrators."),
            default_mail=True,
        )
    ]


@hookimpl
def register_audit_words() -> list[AuditWord]:
    return labels.AUDIT_WORDS


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.backup, commands.storage]


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    if not can(actor, permissions.ADMINISTER):
        return []
    return [
        Panel(
            "backups", _("Backups"), "backups/panel.html", {"health": queries.health()}, order=15, icon="shield-check"
        )
    ]
