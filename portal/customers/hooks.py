"""What this module offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, url_for

from portal.audit.labels import AuditTerm
from portal.core import clock
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action, AgendaItem, PaletteItem, Panel, Tab, TimelineEntry
from portal.core.permissions import Permission, Rule
from portal.core.settings import Setting
from portal.core.together import Question
from portal.customers import card, limits, listings, page, palette, permissions, queries, services
from portal.customers import vocabulary as words
from portal.customers.models import Customer
from portal.customers.views import blueprint
from portal.documents.kinds import DocumentKind
from portal.hookspecs import hookimpl
from portal.i18n import _, _l
from portal.org.actor import Actor

#: Days that birthdays are shown ahead.
BIRTHDAY_DAYS = 7


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
def register_listings() -> list[Listing]:
    return [listings.customers_listing(), listings.contacts_listing(), listings.interactions_listing()]


@hookimpl
def register_document_kinds() -> list[DocumentKind]:
    return [card.CARD]


@hookimpl
def register_settings() -> list[Setting]:
    return [
        Setting(
            listings.IDLE_SETTING,
            "int",
            30,
            _l("Customers count as not contacted for long after"),
            _l("For the view “Not contacted for … days” and the home page."),
            minimum=1,
            maximum=3650,
            unit=_l("days"),
        ),
        limits.SEARCHES,
    ]


@hookimpl
def register_navigation() -> list[NavItem]:
    works = permissions.works_with_customers
    return [
        NavItem("customers", "customers", _l("Customers"), "customers.index", "people", 10, when=works),
        NavItem("customers", "contacts", _l("Contacts"), "customers.contacts", "person-lines-fill", 20, when=works),
        NavItem("customers", "interactions", _l("Interactions"), "customers.interactions", "chat-dots", 30, when=works),
    ]


@hookimpl
def register_audit_words() -> list[AuditTerm]:
    return page.audit_words()


@hookimpl
def customer_figures(customer_id: int, actor: Actor) -> dict[str, Question]:
    return queries.figures_of(customer_id, actor)


@hookimpl
def customer_tabs(customer: Customer, actor: Actor) -> list[Tab]:
    counts = page.counts(customer, actor)
    here: dict[str, Any] = {"customer_id": customer.id}
    return [
        Tab("overview", _l("Overview"), url_for("customers.show", **here), order=10),
        Tab("contacts", _l("Contacts"), url_for("customers.contacts_of", **here), counts.contacts, order=20),
        Tab("interactions", _l("Interactions"), url_for("customers.interactions_of", **here), counts.interactions, 40),
        Tab("history", _l("Whole history"), url_for("customers.history", **here), order=90),
    ]


@hookimpl
def customer_actions(customer: Customer, actor: Actor) -> list[Action]:
    here: dict[str, Any] = {"customer_id": customer.id}
    found = []
    if permissions.EDIT in page.abilities(customer, actor):
        found += [
            Action(
                "record",
                _l("Record an interaction"),
                url_for("customers.add_interaction", **here),
                "plus-lg",
                kind="primary",
                order=10,
            ),
            Action("contact", _l("Add a contact"), url_for("customers.add_contact", **here), "person-plus", order=20),
            Action("step", _l("Plan a next step"), url_for("customers.plan_step", **here), "calendar-plus", order=30),
            Action("stage", _l("Change stage"), url_for("customers.stage", **here), "signpost-2", order=40),
            Action("edit", _l("Edit"), url_for("customers.edit", **here), "pencil", order=50),
        ]
    if permissions.REVEAL in page.abilities(customer, actor):
        found.append(
            Action(
                "card",
                _l("Customer information card"),
                url_for("customers.make_card", **here),
                "file-earmark-pdf",
                method="post",
                order=55,
            )
        )
    if permissions.ASSIGN in page.abilities(customer, actor):
        found.append(
            Action("assign", _l("Assign customer"), url_for("customers.assign", **here), "person-check", order=60)
        )
    return found


@hookimpl
def customer_timeline(customer: Customer, actor: Actor, before: datetime | None, limit: int) -> list[TimelineEntry]:
    return page.own_entries(customer, actor, before, limit)


@hookimpl
def agenda_items(actor: Actor, until: date) -> list[AgendaItem]:
    items = [
        AgendaItem(
            due=step.due_on,
            kind=words.label(words.InteractionKind, step.kind),
            title=step.task,
            url=url_for("customers.finish_step", step_id=step.id),
            icon=page.INTERACTION_ICONS.get(words.InteractionKind(step.kind), "dot"),
            about=step.customer,
        )
        for step in queries.due_steps(actor, until)
    ]
    today = clock.today()
    last = min(until, today + timedelta(days=BIRTHDAY_DAYS))
    items += [
        AgendaItem(
            due=row.day,
            kind=_("Birthday"),
            title=_("Birthday of %(name)s", name=row.name),
            url=url_for("customers.contact", contact_id=row.contact_id),
            icon="gift",
            about=row.customer,
        )
        for row in queries.upcoming_birthdays(actor, today, last)
    ]
    return items


@hookimpl(tryfirst=True)  # a search is most often for a customer
def palette_items(actor: Actor, query: str) -> list[PaletteItem]:
    return palette.items(actor, query)


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    if not permissions.works_with_customers(actor):
        return []
    days = listings.idle_days()
    workload = queries.workload_of(actor, days)
    if not workload.customers and not permissions.manages_customers(actor):
        return []  # who leads others has no customers of his own to look after
    return [
        Panel(
            "customers.workload",
            _l("My customers"),
            "customers/_workload.html",
            {"workload": workload, "days": days},
            order=10,
            icon="people",
        )
    ]


@hookimpl
def user_deactivated(user: Any, successor: Any, actor: Any) -> None:
    services.hand_over_customers(user, successor, actor)
