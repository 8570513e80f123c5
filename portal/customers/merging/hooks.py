"""What merging and the collision check offer through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, url_for

from portal.audit.labels import AuditFinder, AuditTerm, AuditWord
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action
from portal.core.permissions import Actor, Permission, Rule, can
from portal.customers import duplicates
from portal.customers.merging import permissions
from portal.customers.merging.fields import table_label
from portal.customers.merging.listing import merges_listing
from portal.customers.merging.views import blueprint
from portal.customers.models import Customer
from portal.customers.permissions import EDIT
from portal.hookspecs import hookimpl
from portal.i18n import _l

__all__ = ["duplicates"]


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> Sequence[Rule]:
    return permissions.RULES


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        NavItem(
            "customers",
            "merges",
            _l("Merge duplicates"),
            "customers_merge.index",
            "intersect",
            90,
            permission=permissions.MERGE,
        )
    ]


@hookimpl
def register_listings() -> list[Listing]:
    return [merges_listing()]


@hookimpl
def customer_actions(customer: Customer, actor: Actor) -> list[Action]:
    if not (can(actor, permissions.MERGE) and can(actor, EDIT, customer)):
        return []
    url = url_for("customers_merge.start", a=customer.id)
    return [Action("merge", _l("Merge with another customer"), url, "intersect", order=80)]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [
        AuditWord("verb", "lookup", _l("looked up")),
        AuditWord("field", "merged_id", _l("Merged record")),
        AuditWord("field", "restored_id", _l("Restored record")),
        *(AuditFinder("names", f"customers:{field}", _table) for field in ("moved", "stayed")),
    ]


def _table(name: Any, _entry: Any) -> str | None:
    return table_label(name) if isinstance(name, str) else None
