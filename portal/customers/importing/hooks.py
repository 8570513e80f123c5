"""What the import offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint
from sqlalchemy import select

from portal.audit.labels import AuditFinder, AuditTerm, AuditWord, value_words
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.core.storage import FileStore
from portal.customers.importing import jobs, permissions
from portal.customers.importing.customers import CustomerTarget
from portal.customers.importing.listing import imports_listing
from portal.customers.importing.models import ImportBatch
from portal.customers.importing.services import KEEP_SETTING
from portal.customers.importing.targets import ImportTarget, import_targets
from portal.customers.importing.views import COUNTS, POLICY_LABELS, blueprint
from portal.hookspecs import hookimpl
from portal.i18n import _l


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
            "customers", "imports", _l("Import"), "customers_import.index", "upload", 80, permission=permissions.IMPORT
        )
    ]


@hookimpl
def register_import_targets() -> list[ImportTarget]:
    return [CustomerTarget()]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [
        AuditWord("field", "target", _l("What is imported")),
        AuditWord("field", "policy", _l("What happens to those that exist")),
        AuditWord("field", "defaults", _l("Values for empty cells")),
        AuditFinder("names", "customers:target", _target),
        *value_words("customers", (("counts", COUNTS), ("policy", {key: s[0] for key, s in POLICY_LABELS.items()}))),
    ]


def _target(key: Any, _entry: Any) -> Any:
    target = import_targets().get(key)
    return target.title if target is not None else None


@hookimpl
def register_listings() -> list[Listing]:
    return [imports_listing()]


@hookimpl
def register_file_stores() -> list[FileStore]:
    return [FileStore("imports", _l("Imports"), lambda: select(ImportBatch.storage_key))]


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def register_settings() -> list[Setting]:
    return [
        Setting(
            KEEP_SETTING,
            "int",
            30,
            _l("Keep imported files for"),
            _l("Afterwards the file and the values of its rows are deleted, and the import cannot be taken back."),
            minimum=1,
            maximum=365,
            unit=_l("days"),
        )
    ]
