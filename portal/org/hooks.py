"""What this module offers through the hooks."""

from __future__ import annotations

from flask import Blueprint

from portal.audit.labels import AuditTerm
from portal.core.listing import Listing
from portal.core.navigation import NavArea, NavItem
from portal.core.permissions import Permission, Rule
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.org import listings, permissions, views
from portal.org.audit_words import AUDIT_WORDS


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return AUDIT_WORDS


@hookimpl
def register_permissions() -> list[Permission]:
    return list(permissions.PERMISSIONS)


@hookimpl
def register_rules() -> list[Rule]:
    return list(permissions.RULES)


@hookimpl
def register_listings() -> list[Listing]:
    return [listings.PEOPLE, listings.DIRECTORY]


@hookimpl
def register_navigation() -> list[NavArea | NavItem]:
    return [
        NavItem("work", "staff", _l("Staff directory"), "org.directory", "telephone", 70, permissions.DIRECTORY),
        NavItem("work", "chart", _l("Organisation chart"), "org.chart", "diagram-3", 75, permissions.DIRECTORY),
        NavItem("administration", "people", _l("People"), "org.people", "people", 10, permissions.MANAGE),
        NavItem(
            "administration", "departments", _l("Departments"), "org.departments", "building", 20, permissions.MANAGE
        ),
    ]
