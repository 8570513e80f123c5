"""What this plugin offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.archive import demo, permissions, settings
from plugins.archive import models as models  # all tables are known once the plugin is
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.hookspecs import hookimpl
from portal.org.actor import Actor


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
def register_demo(actor: Actor) -> None:
    demo.load(actor)
