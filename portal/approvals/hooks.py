"""What this module offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint

from portal.approvals import jobs, notices, permissions, presenting, queries, services, views
from portal.approvals.authority import FALLBACK_LOGINS, FALLBACK_ROLE
from portal.audit.labels import AuditFinder, AuditTerm, value_words
from portal.core.navigation import NavItem
from portal.core.panels import Panel, TimelineEntry
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.jobs.registry import Job
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE


@hookimpl
def register_blueprints() -> Sequence[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> Sequence[Rule]:
    return permissions.RULES


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return [
        NavItem(
            "work",
            "approvals",
            _l("My approvals"),
            "approvals.inbox",
            "check2-square",
            order=20,
            count=queries.inbox_question,
        ),
        NavItem(
            "administration",
            "approvals-held",
            _l("Requests without approver"),
            "approvals.held",
            "exclamation-diamond",
            order=60,
            permission=permissions.REASSIGN,
        ),
    ]


@hookimpl
def register_settings() -> Sequence[Setting]:
    return [
        Setting(
            services.EXPIRE_AFTER,
            "int",
            3,
            _l("A request expires after"),
            _l("Working days after it was due. An expired request counts as refused; the applicant may file it again."),
            minimum=1,
            maximum=60,
            unit=_l("working days"),
        ),
        Setting(
            FALLBACK_LOGINS,
            "text",
            "",
            _l("Who decides when no approver is found"),
            _l("Log-in names, separated by spaces. Empty: the role below."),
        ),
        Setting(
            FALLBACK_ROLE,
            "choice",
            EXECUTIVE,
            _l("Role that decides when no approver is found"),
            _l("Without anybody the request is held and the administrators are told."),
            choices=((EXECUTIVE, _l("Executive")), ("", _l("Nobody: hold the request"))),
        ),
    ]


@hookimpl
def register_audit_words() -> Sequence[AuditTerm]:
    states = {key: said[0] for key, said in presenting.STATES.items()}
    tables = (("state", states), ("outcome", states), ("vote", presenting.VOTES), ("attempt", presenting.ATTEMPTS))
    return [
        *value_words("approvals", (*tables, ("why", presenting.REFUSALS))),
        AuditFinder("names", "approvals:step", presenting.step_named),
        AuditFinder("names", "approvals:authority", presenting.authority_named),
        AuditFinder("names", "approvals:conditions", presenting.conditions_named),
        *(AuditFinder("names", code, presenting.kinds_named) for code in ("approvals:kind", "org:kinds")),
        *(AuditFinder("names", f"*:{field}", presenting.number_named) for field in ("request", "request_id")),
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.JOBS


@hookimpl
def register_notice_kinds() -> Sequence[NoticeKind]:
    return notices.KINDS


@hookimpl
def home_panels(actor: Actor) -> Sequence[Panel]:
    return presenting.home_panels(actor)


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    return presenting.customer_timeline(customer.id, actor, before, limit)


@hookimpl
def customer_changed(customer: Any, changes: dict[str, tuple[Any, Any]], actor: Actor) -> None:
    if "department_id" in changes:
        services.follow_customer(customer.id, actor)


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    services.hand_over(user.id, actor)
