"""What this module offers through the hooks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.permissions import Permission, Rule
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.notifications import jobs, permissions, queries, services, views
from portal.notifications.kinds import NoticeKind, message
from portal.notifications.listing import LISTING

JOB_ENDED = "jobs.ended"


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
        NavItem("work", "notices", _l("Notices"), "notifications.index", "bell", 80, count=queries.unread_count),
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
def register_notice_kinds() -> list[NoticeKind]:
    return [
        NoticeKind(JOB_ENDED, _l("Background job ended"), _l("An import or export that you started is done or failed."))
    ]


@hookimpl
def register_jobs() -> list[Job]:
    return jobs.JOBS


@hookimpl
def job_finished(run: Any, job: Any) -> None:
    if run.owner_id is None or run.state == "cancelled" or not (job.tell_owner or run.state == "failed"):
        return
    name = run.title or str(job.title)
    title = message("Failed: %(name)s", name=name) if run.state == "failed" else message("Done: %(name)s", name=name)
    services.notify(
        [run.owner_id], JOB_ENDED, title=title, body=run.error, url=f"/jobs/{run.id}", about=f"job:{run.id}"
    )
