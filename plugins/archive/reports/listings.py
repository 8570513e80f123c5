"""The list of stock and consumption: what runs out when, at which customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, func, or_

from plugins.archive.dossiers.assessment import basis_words
from plugins.archive.reports.consumption import FROM_PRODUCT, FROM_PURCHASES, FROM_REPORTS
from plugins.archive.reports.models import ArchiveOutlook
from plugins.archive.reports.stock import NEVER
from portal.core import clock
from portal.core.components import day, due, stack
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in, within
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.models import Product
from portal.purchases.queries import product_matches


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(ArchiveOutlook)
        .join(Customer, Customer.id == ArchiveOutlook.customer_id)
        .join(Product, Product.id == ArchiveOutlook.product_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
    )


def _units(value: float, unit: str, digits: int = 0) -> str:
    return f"{value:,.{digits}f} {unit}".strip()


def _left_today(row: Any) -> float:
    """The stock of today: what was left on the day of the computation less what was used since."""
    return max(row.stock - row.rate * (clock.today() - row.computed_on).days, 0.0)


def _span(row: Any, _context: CellContext) -> str:
    if row.runs_out >= NEVER:
        return "—"
    return _("%(first)s to %(last)s", first=row.earliest or "—", last=row.latest or _("later"))


def _runs_out_cell(row: Any, _context: CellContext) -> Any:
    if row.runs_out >= NEVER:
        return _("not within two years")
    shown = due(row.runs_out, clock.today()) if row.runs_out >= clock.today() else _("probably used up")
    return stack(shown, row.runs_out.isoformat())


#: What was used up longer ago than this is history, nothing to act on.
SHOWN_AFTER = timedelta(days=30)


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, "customers.view"), ArchiveOutlook.runs_out >= clock.today() - SHOWN_AFTER]


def _within(days: int) -> Any:
    def condition(_actor: Actor) -> ColumnElement[bool]:
        today = clock.today()
        return ArchiveOutlook.runs_out.between(today, today + timedelta(days=days))

    return condition


STOCK = Listing(
    key="archive.stock",
    title=_l("Stock and consumption"),
    endpoint="archive.stock_list",
    identity=ArchiveOutlook.id,
    source=_source,
    where=_seen,
    default_sort="runs_out",
    columns=[
        Column("customer", _l("Customer"), {"customer": Customer.name, "customer_id": Customer.id}, sticky=True),
        Column(
            "product",
            _l("Product"),
            {"product": Product.name, "code": Product.code},
            cell=lambda row, _c: stack(row.product, row.code),
            export=lambda row, _c: f"{row.code} {row.product}",
        ),
        Column(
            "runs_out",
            _l("Runs out"),
            {"runs_out": ArchiveOutlook.runs_out},
            cell=_runs_out_cell,
            export=lambda row, _c: row.runs_out if row.runs_out < NEVER else "",
            sort=ArchiveOutlook.runs_out,
        ),
        Column(
            "span",
            _l("Between"),
            {
                "earliest": ArchiveOutlook.earliest,
                "latest": ArchiveOutlook.latest,
                "runs_out": ArchiveOutlook.runs_out,
            },
            cell=_span,
            export=_span,
        ),
        Column(
            "left",
            _l("Left today"),
            {
                "stock": ArchiveOutlook.stock,
                "rate": ArchiveOutlook.rate,
                "computed_on": ArchiveOutlook.computed_on,
                "unit": Product.unit,
            },
            cell=lambda row, _c: _units(_left_today(row), row.unit),
            export=lambda row, _c: round(_left_today(row)),
            align="end",
        ),
        Column(
            "rate",
            _l("Rate of use"),
            {"rate": ArchiveOutlook.rate, "error": ArchiveOutlook.error, "unit": Product.unit},
            cell=lambda row, _c: stack(
                _("%(units)s a month", units=_units(row.rate * 30, row.unit, 1)), f"±{row.error:.0%}"
            ),
            export=lambda row, _c: f"{row.rate * 30:.1f}",
            align="end",
        ),
        Column(
            "basis",
            _l("Rests on"),
            {"basis": ArchiveOutlook.basis},
            cell=lambda row, _c: basis_words()[row.basis],
            export=lambda row, _c: basis_words()[row.basis],
        ),
        Column(
            "counted",
            _l("Last stock report"),
            {"counted_on": ArchiveOutlook.counted_on, "counted": ArchiveOutlook.counted, "unit": Product.unit},
            cell=lambda row, _c: (
                stack(_units(row.counted, row.unit), row.counted_on.isoformat()) if row.counted_on else "—"
            ),
            export=lambda row, _c: row.counted_on,
        ),
        Column(
            "last_bought",
            _l("Last bought"),
            {"last_bought": ArchiveOutlook.last_bought},
            cell=lambda row, _c: day(row.last_bought),
            default=False,
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}),
    ],
    filters=[
        Filter(
            "basis",
            _l("Rests on"),
            "choice",
            value_in(ArchiveOutlook.basis),
            lambda _a: [(key, basis_words()[key]) for key in (FROM_REPORTS, FROM_PURCHASES, FROM_PRODUCT)],
        ),
        Filter("runs_out", _l("Runs out"), "date_range", within(ArchiveOutlook.runs_out)),
    ],
    scenes=[
        Scene("soon", _l("Within two weeks"), _within(14)),
        Scene("month", _l("Within a month"), _within(30)),
        Scene("gone", _l("Probably used up"), lambda _a: ArchiveOutlook.runs_out < clock.today()),
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
        Scene("uncounted", _l("Never counted"), lambda _a: ArchiveOutlook.counted_on.is_(None)),
    ],
    row_url=lambda row: url_for("archive.customer_stock", customer_id=row.customer_id),
    search=lambda text, _a: or_(ArchiveOutlook.customer_id.in_(matching_ids(text)), product_matches(text)),
    empty=EmptyText(
        _l("Nothing to predict yet"),
        _l("Run-out days follow from purchases and from the stock that weekly reports tell."),
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)

LISTINGS = (STOCK,)
