"""What this module offers through the hooks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal.audit.labels import AuditFinder, AuditTerm
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.permissions import Permission, Rule
from portal.core.registry import registry
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.notifications import endings, jobs, permissions, queries, views
from portal.notifications.kinds import NoticeKind
from portal.notifications.listing import LISTING


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
        NavItem("work", "notices", _l("Notices"), "notifications.index", "bell", 80, count=queries.unread_question),
        NavItem(
            "administration",
            "outbox",
            _l("Outgoing mail"),
            "notifications.outbox",
            "send",
            75,
            permission=permissions.ADMINISTER,
        ),
    ]


@hookimpl
def register_listings() -> list[Listing]:
    return [LISTING]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return [
        AuditFinder("fields", "notifications", _kind_title),
        AuditFinder("names", "notifications:*", lambda value, _entry: views.channel_labels().get(value)),
    ]


def _kind_title(key: str) -> Any:
    kind = registry("notice_kinds").get(key)
    return kind.title if kind is not None else None


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [
        NoticeKind(
            endings.JOB_ENDED,
            _l("Background job ended"),
            _l("An import or export that you started is done or failed."),
        ),
        NoticeKind(
            endings.JOB_ALARM,
            _l("Scheduled job failed"),
            _l("For administrators, and for auditors when the audit trail is broken."),
            default_mail=True,
        ),
        NoticeKind(
            jobs.AUDIT_HEAD,
            _l("Head of the audit trail"),
            _l("For auditors, every Monday: the last number and hash."),
            default_mail=True,
        ),
    ]


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def job_finished(run: Any, job: Any) -> None:
    endings.tell_of_end(run, job)
