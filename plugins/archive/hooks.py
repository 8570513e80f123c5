"""What this plugin offers through the hooks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click
from flask import Blueprint

from plugins.archive import blueprint as pages
from plugins.archive import checking, commands, merging, permissions, settings, vault
from plugins.archive import models as models  # all tables are known once the plugin is
from plugins.archive.copies import documents as copy_documents
from plugins.archive.copies import endings
from plugins.archive.copies import jobs as copy_jobs
from plugins.archive.copies import listings as copy_listings
from plugins.archive.copies import views as copy_views
from plugins.archive.copies import vocabulary as copy_words
from plugins.archive.dossiers import approvals as dossier_approvals
from plugins.archive.dossiers import change_views as change_views  # its pages are on the blueprint
from plugins.archive.dossiers import changes as dossier_changes
from plugins.archive.dossiers import listings as dossier_listings
from plugins.archive.dossiers import producing
from plugins.archive.dossiers import views as dossier_views  # noqa: F401
from plugins.archive.dossiers import vocabulary as dossier_words
from plugins.archive.dossiers.fields import FIELDS
from plugins.archive.lookups import approvals as lookup_approvals
from plugins.archive.lookups import listings as lookup_listings
from plugins.archive.lookups import parts as lookup_parts
from plugins.archive.lookups import views as lookup_views
from plugins.archive.lookups import vocabulary as lookup_words
from plugins.archive.pack import jobs as pack_jobs
from plugins.archive.pack import services as pack_services
from plugins.archive.pack import views as pack_views
from plugins.archive.reports import approvals as report_approvals
from plugins.archive.reports import figure_views as figure_views
from plugins.archive.reports import jobs as report_jobs
from plugins.archive.reports import listings as report_listings
from plugins.archive.reports import offers, stock
from plugins.archive.reports import views as report_views  # noqa: F401
from plugins.archive.reports import vocabulary as report_words
from portal.audit.labels import AuditFinder, value_words
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavArea, NavItem
from portal.core.panels import Action, AgendaItem, HeldFields, Panel, Tab
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.core.storage import FileStore
from portal.core.together import Question
from portal.core.uploads.problems import MESSAGES
from portal.hookspecs import hookimpl
from portal.i18n import _, _l
from portal.notifications.kinds import NoticeKind
from portal.org.actor import Actor
from portal.org.audit_words import people


@hookimpl
def register_blueprints() -> list[Blueprint]:
    return [
        pages.blueprint,
        lookup_views.blueprint,
        copy_views.blueprint,
        pack_views.blueprint,
    ]


@hookimpl
def register_navigation() -> list[NavArea | NavItem]:
    return [
        NavArea("archive", _l("Archive"), "archive", 35),
        *offers.NAVIGATION,
        *lookup_parts.NAVIGATION,
    ]


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
def register_approval_kinds() -> Sequence[Any]:
    return [
        *dossier_approvals.KINDS,
        *report_approvals.KINDS,
        *lookup_approvals.KINDS,
    ]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return [
        *report_jobs.JOBS,
        *copy_jobs.JOBS,
        *pack_jobs.JOBS,
    ]


@hookimpl
def register_notice_kinds() -> Sequence[NoticeKind]:
    return [
        *offers.NOTICES,
        *lookup_parts.NOTICES,
    ]


@hookimpl
def register_document_kinds() -> Sequence[Any]:
    return [
        *producing.KINDS.values(),
        *copy_documents.KINDS,
        *pack_services.KINDS,
    ]


@hookimpl
def register_listings() -> Sequence[Listing]:
    return [
        *dossier_listings.LISTINGS,
        *report_listings.LISTINGS,
        *lookup_listings.LISTINGS,
        *copy_listings.LISTINGS,
    ]


@hookimpl
def register_audit_words() -> Sequence[Any]:
    return [
        *offers.AUDIT_WORDS,
        *lookup_parts.AUDIT_WORDS,
        *value_words(
            "archive",
            (
                ("part", dossier_words.PARTS),
                ("kind", dossier_words.CHANGE_KINDS),
                ("fields", FIELDS),
                ("state", dossier_words.CHANGE_STATES),
                ("state", dossier_words.STATES),
                ("state", report_words.STATES),
                ("state", {key: said[0] for key, said in copy_words.STATES.items()}),
                *((field, {key: said[0] for key, said in copy_words.STATES.items()}) for field in ("from", "to")),
                ("mode", lookup_words.MODES),
                ("period", report_words.PERIODS),
            ),
        ),
        AuditFinder("fields", "archive", {"to": _l("To (state)")}.get),
        AuditFinder("names", "archive:parts", _parts),
        AuditFinder("names", "archive:problem", _problem),
        *people("archive", "holder", "witness"),
    ]


#: A placeholder of a message: what stood there was not kept.
_PLACE = re.compile(r"%\(\w+\)[a-z]")


def _parts(value: Any, _entry: Any) -> str | None:
    """Parts of the dossier that stand in one text."""
    return lookup_words.part_names(str(value).split()) or None


def _problem(code: str, _entry: Any) -> str | None:
    """Why an upload was refused."""
    return _PLACE.sub("…", _(MESSAGES[code])) if code in MESSAGES else None


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    return {**offers.figures(customer_id), **lookup_parts.figures(customer_id)}


@hookimpl
def customer_panels(customer: Any, actor: Actor) -> Sequence[Panel]:
    return [
        *offers.customer_panels(customer, actor),
        *lookup_parts.customer_panels(customer, actor),
    ]


@hookimpl
def register_file_stores() -> list[FileStore]:
    return [replace(vault.STORE, examine=checking.examine)]


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.archive]


@hookimpl
def customer_tabs(customer: Any, actor: Actor) -> Sequence[Tab]:
    return offers.customer_tabs(customer, actor)


@hookimpl
def customer_actions(customer: Any, actor: Actor) -> Sequence[Action]:
    return offers.customer_actions(customer, actor)


@hookimpl
def home_panels(actor: Actor) -> Sequence[Panel]:
    return offers.home_panels(actor)


@hookimpl
def agenda_items(actor: Actor, until: Any) -> Sequence[AgendaItem]:
    return offers.agenda_items(actor, until)


@hookimpl
def customer_held_fields(customer_ids: Sequence[int], actor: Actor) -> dict[int, HeldFields]:
    return dossier_changes.held_fields(customer_ids)


@hookimpl
def customer_merge_notes(kept_id: int, merged_id: int) -> Sequence[str]:
    return merging.notes(kept_id, merged_id)


@hookimpl
def customer_hidden_actions(customer_id: int, actor: Actor) -> Sequence[Action]:
    return lookup_parts.hidden_actions(customer_id, actor)


@hookimpl
def purchases_changed(customer_ids: Sequence[int], actor: Actor) -> None:
    stock.refresh_some(customer_ids)


@hookimpl
def customers_merged(kept: Any, merged: Any, actor: Actor) -> None:
    stock.refresh([kept.id, merged.id])
    merging.after_merge(kept.id, merged.id, actor)


@hookimpl
def customers_unmerged(kept: Any, restored: Any, actor: Actor) -> None:
    stock.refresh([kept.id, restored.id])
    merging.after_undo(kept.id, restored.id, actor)


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Actor) -> None:
    endings.person_left(user.id, actor)


@hookimpl
def register_demo(actor: Actor) -> None:
    from plugins.archive import demo  # needed once in a company's life

    demo.load(actor)
