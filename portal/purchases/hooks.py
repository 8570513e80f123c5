"""What this module offers through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from flask import Blueprint, url_for

from portal.audit.labels import AuditWord
from portal.core import clock
from portal.core.components import money
from portal.core.jobs import Job
from portal.core.listing import Listing
from portal.core.navigation import NavItem
from portal.core.panels import Action, Panel, Tab, TimelineEntry
from portal.core.permissions import Permission, Rule, can
from portal.core.settings import Setting
from portal.customers.card import CardSection
from portal.customers.importing.targets import ImportTarget
from portal.customers.models import Customer
from portal.customers.permissions import EDIT, works_with_customers
from portal.hookspecs import hookimpl
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.purchases import card, charts, commands, jobs, listings, palette, permissions, queries, summaries
from portal.purchases import vocabulary as words
from portal.purchases.importing import PurchaseTarget
from portal.purchases.periods import period
from portal.purchases.views import blueprint

#: Sums younger than this need not say as of when they are.
SAME_MOMENT = timedelta(minutes=1)


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
def register_settings() -> list[Setting]:
    return [
        Setting(
            listings.OVERDUE_SETTING,
            "int",
            60,
            _l("Open purchases count as overdue after"),
            _l("For the view “Overdue” of purchases and for the home page."),
            minimum=1,
            maximum=3650,
            unit=_l("days"),
        )
    ]


@hookimpl
def register_navigation() -> list[NavItem]:
    return [
        NavItem("sales", "purchases", _l("Purchases"), "purchases.index", "receipt", 10, when=works_with_customers),
        NavItem("sales", "products", _l("Products"), "purchases.products", "box-seam", 20, permissions.READ_PRODUCTS),
        NavItem(
            "reports",
            "sales_overview",
            _l("Sales overview"),
            "purchases.overview",
            "bar-chart",
            10,
            permissions.SEE_REPORTS,
        ),
    ]


@hookimpl
def register_audit_words() -> Sequence[AuditWord]:
    return words.AUDIT_WORDS


@hookimpl
def register_listings() -> list[Listing]:
    return [listings.purchases_listing(), listings.products_listing()]


@hookimpl
def register_jobs() -> Sequence[Job]:
    return jobs.JOBS


@hookimpl
def register_commands() -> list[click.Command]:
    return [commands.purchases]


@hookimpl
def customer_tabs(customer: Customer, actor: Actor) -> list[Tab]:
    url = url_for("purchases.of_customer", customer_id=customer.id)
    return [Tab("purchases", _l("Purchases"), url, customer.purchase_count, order=30)]


@hookimpl
def customer_actions(customer: Customer, actor: Actor) -> list[Action]:
    if not can(actor, EDIT, customer):
        return []
    url = url_for("purchases.create", customer_id=customer.id)
    return [Action("purchase", _l("Record a purchase"), url, "receipt", order=15)]


@hookimpl
def customer_panels(customer: Customer, actor: Actor) -> list[Panel]:
    context = {"glance": queries.glance_of(customer.id), "customer": customer, "today": clock.today()}
    return [Panel("purchases", _l("Purchases"), "purchases/_customer_panel.html", context, order=20, icon="receipt")]


@hookimpl
def customer_card_sections(customer: Customer, actor: Actor) -> list[CardSection]:
    return card.sections(customer)


@hookimpl
def customer_timeline(customer: Customer, before: datetime | None, limit: int) -> list[TimelineEntry]:
    entries = []
    for row in queries.timeline_of(customer.id, before, limit):
        state = words.state_of(row.paid_on, row.cancelled_at)
        entries.append(
            TimelineEntry(
                when=queries.noon_of(row.purchased_on),
                kind="purchase",
                icon="receipt",
                title=_("Purchase %(number)s", number=row.number),
                body=money(row.total) + " · " + words.word(words.STATES, state),
                actor=row.author or "",
                url=url_for("purchases.show", purchase_id=row.id),
                tone="neutral" if state == words.CANCELLED else "success",
            )
        )
    return entries


@hookimpl
def home_panels(actor: Actor) -> list[Panel]:
    if not works_with_customers(actor):
        return []
    span = period("", clock.today())
    months = queries.sales_by_month(actor, span)
    payments = queries.open_payments(actor, listings.overdue_days())
    panels = []
    if months.value:
        chart = charts.sales_by_month(months.value, span, key="home-months", title=_("Sales by month"))
        is_old = clock.now() - months.as_of > SAME_MOMENT
        context: dict[str, Any] = {"chart": chart, "as_of": clock.local(months.as_of), "is_old": is_old}
        panels.append(
            Panel("purchases.months", _l("Turnover"), "purchases/_home_months.html", context, 30, icon="bar-chart")
        )
    if payments.value.count:
        context = {
            "payments": payments.value,
            "rows": queries.longest_open(actor),
            "days": listings.overdue_days(),
            "today": clock.today(),
        }
        panels.append(
            Panel("purchases.open", _l("Open payments"), "purchases/_home_open.html", context, 40, icon="cash-coin")
        )
    return panels


@hookimpl
def palette_items(actor: Actor, query: str) -> list[Any]:
    return palette.items(actor, query)


@hookimpl
def customers_merged(kept: Customer, merged: Customer, actor: Actor) -> None:
    summaries.refresh([kept.id, merged.id])


@hookimpl
def customers_unmerged(kept: Customer, restored: Customer, actor: Actor) -> None:
    summaries.refresh([kept.id, restored.id])


@hookimpl
def register_import_targets() -> list[ImportTarget]:
    return [PurchaseTarget()]
