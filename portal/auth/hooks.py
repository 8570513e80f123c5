"""What this module offers through the hooks."""

from __future__ import annotations

from typing import Any

import click
from flask import Blueprint

from portal.audit.labels import AuditTerm
from portal.auth import commands, permissions, services, settings_views, uploads, views
from portal.auth.audit_words import AUDIT_WORDS
from portal.core.navigation import NavArea, NavItem
from portal.core.permissions import Actor, Permission, Rule
from portal.core.settings import Setting
from portal.hookspecs import hookimpl
from portal.i18n import _l


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint, settings_views.blueprint]


@hookimpl
def register_permissions() -> list[Permission]:
    return list(permissions.PERMISSIONS)


@hookimpl
def register_rules() -> list[Rule]:
    return list(permissions.RULES)


@hookimpl
def register_navigation() -> list[NavArea | NavItem]:
    return [
        NavItem("administration", "sessions", _l("Sessions"), "auth.all_sessions", "laptop", 40, permissions.MANAGE),
        NavItem("administration", "settings", _l("Settings"), "admin.settings", "sliders", 80, permissions.SETTINGS),
        NavItem("administration", "plugins", _l("Plugins"), "admin.plugins", "puzzle", 85, permissions.PLUGINS),
    ]


@hookimpl
def register_settings() -> list[Setting]:
    return [uploads.FILES, uploads.MIB]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return AUDIT_WORDS


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.init, commands.plugins]


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    services.end_sessions_of(user.id)
