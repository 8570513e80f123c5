"""What the export offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint
from sqlalchemy import select

from portal.approvals.kinds import ApprovalKind
from portal.audit.labels import AuditFinder, AuditTerm
from portal.core.jobs import Job
from portal.core.registry import registry
from portal.core.settings import Setting
from portal.core.storage import FileStore
from portal.customers.exporting import approval, jobs
from portal.customers.exporting.models import DataExport
from portal.customers.exporting.services import KEEP_SETTING, LIMIT_SETTING
from portal.customers.exporting.views import blueprint
from portal.hookspecs import hookimpl
from portal.i18n import _l


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [blueprint]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [AuditFinder("names", "customers:listing", _listing)]


def _listing(key: Any, _entry: Any) -> Any:
    listing = registry("listings").get(key)
    return listing.title if listing is not None else None


@hookimpl
def register_approval_kinds() -> Sequence[ApprovalKind]:
    return approval.KINDS


@hookimpl
def register_file_stores() -> list[FileStore]:
    return [FileStore("exports", _l("Exports"), lambda: select(DataExport.storage_key))]


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def register_settings() -> list[Setting]:
    return [
        Setting(
            KEEP_SETTING,
            "int",
            7,
            _l("Keep exported files for"),
            _l("So long the person who asked for an export can fetch its file."),
            minimum=1,
            maximum=90,
            unit=_l("days"),
        ),
        Setting(
            LIMIT_SETTING,
            "int",
            20,
            _l("Exports of lists in an hour, at most"),
            _l("For each person."),
            minimum=1,
            maximum=1000,
        ),
    ]
