"""What this plugin offers through the hooks: an implementation of every hook there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from flask import Blueprint, url_for
from sqlalchemy import select

from portal.audit.labels import AuditWord
from portal.core import clock
from portal.core.jobs import Job
from portal.core.listing import Column, Listing
from portal.core.navigation import NavItem
from portal.core.occasions import Occasion
from portal.core.panels import Action, AgendaItem, Badge, HealthCheck, HeldFields, Panel, Tab, TimelineEntry
from portal.core.paths import path_for
from portal.core.permissions import Permission, Rule, can
from portal.core.settings import Setting
from portal.core.storage import FileStore
from portal.core.together import Question
from portal.customers.card import CardSection
from portal.documents.kinds import DocumentKind, anyone_listed
from portal.home.palette import PaletteItem
from portal.hookspecs import hookimpl
from portal.i18n import _, _l, _n
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.pluginmanager import customer_figure
from portal_sample_plugin import approvals, commands, importing, jobs, listings, permissions, queries, services, views
from portal_sample_plugin.models import SampleDelivery


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [views.blueprint]


@hookimpl
def register_permissions() -> Sequence[Permission]:
    return permissions.PERMISSIONS


@hookimpl
def register_rules() -> Sequence[Rule]:
    return permissions.RULES


@hookimpl
def register_navigation() -> list[NavItem]:
    return [NavItem("sales", "sample", _l("Product samples"), "sample.index", "box", 70, permissions.USE)]


@hookimpl
def register_settings() -> list[Setting]:
    return [Setting(services.MOST_OPEN, "int", 3, _l("Samples that may wait per customer"), minimum=1, maximum=100)]


@hookimpl
def register_approval_kinds() -> list[Any]:
    return [approvals.KIND]


@hookimpl
def register_jobs() -> list[Job]:
    return [jobs.COUNT]


@hookimpl
def register_notice_kinds() -> list[NoticeKind]:
    return [NoticeKind(services.NOTICE, _l("Sample may be sent"), _l("When a sample that you asked for was approved."))]


@hookimpl
def register_document_kinds() -> list[DocumentKind]:
    return [DocumentKind("sample.slip", _l("Delivery slip of a sample"), "SLIP", "sample/slip.html", anyone_listed)]


@hookimpl
def register_listings() -> list[Listing]:
    return [listings.DELIVERIES]


@hookimpl
def register_listing_columns(listing: str) -> list[Column]:
    return [listings.customer_column()] if listing == "customers" else []


@hookimpl
def register_import_targets() -> list[Any]:
    return [importing.SampleTarget()]


@hookimpl
def register_file_stores() -> list[FileStore]:
    return [FileStore("sample", _l("Photographs of samples"), lambda: select(SampleDelivery.photo_key))]


@hookimpl
def register_audit_words() -> list[AuditWord]:
    return [
        AuditWord("object", "sample_delivery", _l("Product sample")),
        AuditWord("subject", "delivery", _l("Product sample")),
        AuditWord("verb", "ask", _l("asked for")),
    ]


@hookimpl
def register_occasions() -> list[Occasion]:
    return [Occasion(services.SENT_OCCASION, _l("each sample that is sent"))]


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.samples]


@hookimpl
def register_health_checks() -> list[HealthCheck]:
    return [HealthCheck("sample", lambda: "")]


@hookimpl
def register_demo(actor: Actor) -> None:
    services.note("register_demo", actor.name)


@hookimpl
def customer_figures(customer_id: int) -> dict[str, Question]:
    return {"sample.open": queries.open_question(customer_id)}


@hookimpl
def customer_badges(customer_ids: Sequence[int]) -> dict[int, list[Badge]]:
    return {key: [Badge(_("Sample sent"), "info", "box")] for key in queries.sent_to(customer_ids)}


@hookimpl
def customer_tabs(customer: Any, actor: Actor) -> list[Tab]:
    if not can(actor, permissions.USE):
        return []
    url = url_for("sample.of_customer", customer_id=customer.id)
    return [Tab("sample", _("Samples"), url, customer_figure("sample.open", customer.id, actor), order=80)]


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> list[Panel]:
    count = len(queries.deliveries_of(customer.id))
    return [Panel("sample", _("Product samples"), "sample/panel.html", {"count": count}, order=90, icon="box")]


@hookimpl
def customer_actions(customer: Any, actor: Actor) -> list[Action]:
    if not can(actor, permissions.USE) or not can(actor, "customers.edit", customer):
        return []
    return [Action("sample", _("Ask for a sample"), url_for("sample.new", customer_id=customer.id), "box", order=90)]


@hookimpl
def customer_hidden_actions(customer_id: int, actor: Actor) -> list[Action]:
    if not can(actor, permissions.USE):
        return []
    return [Action("sample", _("Product samples"), path_for("sample.index"), "box", order=90)]


@hookimpl
def customer_held_fields(customer_ids: Sequence[int]) -> dict[int, HeldFields]:
    held = HeldFields(frozenset({"address"}), _("Product samples"), path_for("sample.index"))
    return dict.fromkeys(queries.with_open_samples(customer_ids), held)


@hookimpl
def customer_merge_notes(merged_id: int) -> list[str]:
    return [_("Product samples")] if queries.with_open_samples([merged_id]) else []


@hookimpl
def customer_automatic_rows(customer_ids: Sequence[int]) -> list[tuple[str, int]]:
    return [("sample_delivery", key) for key in queries.unasked(customer_ids)]


@hookimpl
def customer_timeline(customer: Any, before: Any, limit: int) -> list[TimelineEntry]:
    return [
        TimelineEntry(row.asked_at, "sample", "box", _("Sample: %(product)s", product=row.product), row.state)
        for row in queries.deliveries_of(customer.id)[:limit]
        if before is None or row.asked_at < before
    ]


@hookimpl
def customer_card_sections(customer: Any) -> list[CardSection]:
    count = len(queries.deliveries_of(customer.id))
    text = _n("%(num)s sample for this customer", "%(num)s samples for this customer", count)
    return [CardSection("sample", _("Product samples"), facts=((_("Samples"), text),), order=90)]


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    count = len(queries.waiting_for(actor))
    return [Panel("sample", _("Product samples"), "sample/panel.html", {"count": count}, order=95)] if count else []


@hookimpl
def agenda_items(actor: Actor, until: Any) -> list[AgendaItem]:
    return [
        AgendaItem(clock.today(), _("Sample"), product, url_for("sample.of_customer", customer_id=key), "box", name)
        for key, name, product in queries.waiting_for(actor)
    ]


@hookimpl
def palette_items(actor: Actor, query: str) -> list[PaletteItem]:
    if not can(actor, permissions.USE) or not query.lower().startswith("sampl"):
        return []
    return [PaletteItem(str(_("Product samples")), url_for("sample.index"), _("Pages"))]


@hookimpl
def customer_created(customer: Any) -> None:
    services.note("customer_created", customer.name)


@hookimpl
def customer_changed(customer: Any, changes: dict[str, tuple[Any, Any]]) -> None:
    services.note("customer_changed", ",".join(sorted(changes)))


@hookimpl
def customers_merged(kept: Any, merged: Any) -> None:
    services.note("customers_merged", f"{kept.id}<{merged.id}")


@hookimpl
def customers_unmerged(kept: Any, restored: Any) -> None:
    services.note("customers_unmerged", f"{kept.id}>{restored.id}")


@hookimpl
def customers_removed(customer_ids: Sequence[int]) -> None:
    services.forget_unasked(customer_ids)
    services.note("customers_removed", str(len(customer_ids)))


@hookimpl
def purchases_changed(customer_ids: Sequence[int]) -> None:
    services.note("purchases_changed", ",".join(str(key) for key in customer_ids))


@hookimpl
def interactions_changed(customer_ids: Sequence[int]) -> None:
    services.note("interactions_changed", ",".join(str(key) for key in customer_ids))


@hookimpl
def occasion_happened(occasion: str, subject: str) -> None:
    services.note("occasion_happened", f"{occasion} {subject}")


@hookimpl
def user_deactivated(user: Any, successor: Any) -> None:
    services.note("user_deactivated", f"{user.login}>{successor.login if successor else ''}")


@hookimpl
def request_decided(request: Any, outcome: str) -> None:
    services.note("request_decided", f"{request.kind}:{outcome}")


@hookimpl
def job_finished(run: Any, job: Any) -> None:
    services.note("job_finished", job.key)
