"""What this module offers through the hooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, url_for
from sqlalchemy import select

from portal.audit.labels import AuditFinder, AuditTerm
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Tab, TimelineEntry
from portal.core.permissions import Actor
from portal.core.registry import registry
from portal.core.settings import Setting
from portal.core.storage import FileStore
from portal.core.together import Question
from portal.documents import queries, services
from portal.documents.listings import documents_listing
from portal.documents.models import Document
from portal.documents.views import blueprint
from portal.hookspecs import hookimpl
from portal.i18n import _l
from portal.pluginmanager import customer_figure


@hookimpl
def register_blueprints() -> list[Blueprint]:
    """Pages of documents."""
    return [blueprint]


@hookimpl
def register_navigation() -> list[NavItem]:
    """The list of documents, among what one works with."""
    return [NavItem("work", "documents", _l("Documents"), "documents.index", "file-earmark-pdf", order=80)]


@hookimpl
def register_listings() -> list[Listing]:
    """The list of documents."""
    return [documents_listing()]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    """Kinds of document by their titles."""
    return [AuditFinder("names", "documents:kind", _kind_title)]


def _kind_title(key: Any, _entry: Any) -> Any:
    kind = registry("document_kinds").get(key)
    return kind.title if kind is not None else None


@hookimpl
def register_settings() -> list[Setting]:
    """How many documents somebody may make."""
    return [
        Setting(
            services.LIMIT_SETTING,
            "int",
            200,
            _l("Documents that a person makes in an hour, at most"),
            _l("A document that is there already and has not changed is not made again and does not count."),
            minimum=5,
            maximum=10_000,
        )
    ]


@hookimpl
def register_file_stores() -> list[FileStore]:
    """The PDFs."""
    return [FileStore("documents", _l("Documents"), lambda: select(Document.storage_key))]


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    """How many documents there are about the customer."""
    return {"documents.count": queries.count_question(actor, customer_id)}


@hookimpl
def customer_tabs(customer: Any, actor: Actor) -> list[Tab]:
    """Documents about the customer."""
    return [
        Tab(
            "documents",
            _l("Documents"),
            url_for("documents.of_customer", customer_id=customer.id),
            count=int(customer_figure("documents.count", customer.id, actor)),
            order=70,
        )
    ]


@hookimpl
def customer_timeline(customer: Any, actor: Actor, before: datetime | None, limit: int) -> list[TimelineEntry]:
    """Documents that were made about the customer."""
    if not customer_figure("documents.count", customer.id, actor):
        return []
    titles = {kind.key: kind.title for kind in queries.kinds()}
    return [
        TimelineEntry(
            when=row.made_at,
            kind="document",
            icon="file-earmark-pdf",
            title=row.title,
            body=f"{titles.get(row.kind, row.kind)} · {row.number}",
            actor=row.made_by or "",
            url=url_for("documents.show", document_id=row.id),
        )
        for row in queries.recent_for_customer(actor, customer.id, before, limit)
    ]
