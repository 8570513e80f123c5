"""The sales overview: sums of the customers one may see, as pictures with tables and ways down to the purchases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for

from portal.auth.current import current_actor
from portal.charts import Chart
from portal.core import clock
from portal.core.permissions import can
from portal.core.web import access
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE
from portal.purchases import charts, queries
from portal.purchases.listings import overdue_days
from portal.purchases.periods import PERIODS, Period, last_day_of, month_text, period
from portal.purchases.permissions import SEE_MARGIN, SEE_REPORTS
from portal.purchases.queries import ZERO, Sums
from portal.purchases.views.base import blueprint


@dataclass(frozen=True)
class Row:
    """A line of a table with its way down."""

    label: str
    sums: Sums
    share: int | None
    url: str | None


@dataclass(frozen=True)
class Part:
    """A picture and the table that leads on."""

    chart: Chart
    rows: list[Row]
    label: str


def _purchases(span: Period, **filters: Any) -> str:
    """Address of the purchases that count in a sum."""
    return url_for("purchases.index", date_from=span.begin, date_to=span.end, state=["open", "paid"], **filters)


@blueprint.get("/reports/sales")
@access(SEE_REPORTS)
def overview() -> str:
    """Sums by month, customer, product, category, department and account manager."""
    actor = current_actor()
    span = period(request.args.get("period", ""), clock.today())
    cube = queries.sales_cube(actor, span)
    earlier = queries.sales_cube(actor, span.before())
    top = queries.top_customers(actor, span)
    products = queries.sales_by_product(actor, span)
    payments = queries.open_payments(actor, overdue_days())
    months = cube.value.by_month()
    everything = sum(months.values(), Sums())
    figures = (cube, earlier, top, products, payments)
    return render_template(
        "purchases/overview.html",
        period=span,
        periods=[(url_for("purchases.overview", period=key), label, key == span.key) for key, label in PERIODS.items()],
        everything=everything,
        earlier=sum(earlier.value.by_month().values(), Sums()),
        payments=payments.value,
        overdue=overdue_days(),
        as_of=clock.local(min(figure.as_of for figure in figures)),
        parts=[
            part
            for part in (
                _months(span, months, earlier.value.by_month(), everything),
                _customers(span, top.value, everything),
                *_products(span, products.value),
                *_groups(actor, span, cube.value, everything),
            )
            if part.rows
        ],
        sees_margin=can(actor, SEE_MARGIN),
        all_url=_purchases(span),
    )


def _months(span: Period, months: dict[Any, Sums], before: dict[Any, Sums], everything: Sums) -> Part:
    chart = charts.sales_by_month(months, span, key="months", title=_("Sales by month"), before=before)
    rows = [
        Row(
            month_text(month),
            months.get(month, Sums()),
            queries.share(months.get(month, Sums()).total, everything.total),
            _purchases(Period("", month, month)),
        )
        for month in span.months
        if last_day_of(month) >= span.begin
    ]
    return Part(chart, rows if everything.count else [], _("Month"))


def _customers(span: Period, top: list[queries.CustomerSum], everything: Sums) -> Part:
    rows = [
        Row(
            row.name,
            row.sums,
            queries.share(row.sums.total, everything.total),
            url_for("purchases.of_customer", customer_id=row.customer_id),
        )
        for row in top
    ]
    return Part(charts.top_customers(top), rows, _("Customer"))


def _products(span: Period, products: list[queries.ProductSum]) -> list[Part]:
    everything = sum((row.total for row in products), ZERO)
    rows = [
        Row(
            row.name,
            Sums(row.total, row.cost),
            queries.share(row.total, everything),
            _purchases(span, product=row.code),
        )
        for row in products[: charts.SHOWN]
    ]
    sums: dict[str, Sums] = defaultdict(Sums)
    for row in products:
        sums[row.category] += Sums(row.total, row.cost)
    ordered = sorted(sums.items(), key=lambda item: (-item[1].total, item[0]))
    by_category = [
        Row(
            name or _("Without category"),
            part,
            queries.share(part.total, everything),
            _purchases(span, category=name) if name else None,
        )
        for name, part in ordered
    ]
    return [
        Part(charts.top_products(products), rows, _("Product")),
        Part(charts.by_category([(name, part.total) for name, part in ordered]), by_category, _("Category")),
    ]


def _groups(actor: Actor, span: Period, cube: queries.Cube, everything: Sums) -> list[Part]:
    """By department and account manager, for those who lead."""
    if not actor.oversees and EXECUTIVE not in actor.roles:
        return []
    parts = []
    departments = cube.by_department()
    names = queries.department_names(list(departments))
    rows = _ordered((names.get(key, ""), sums, _purchases(span, department=key)) for key, sums in departments.items())
    if len(rows) > 1:
        chart = charts.by_group(
            [(row[0], row[1].total) for row in rows],
            key="departments",
            title=_("Sales by department"),
            name_label=_("Department"),
        )
        parts.append(Part(chart, [_row(row, everything.total) for row in rows], _("Department")))
    managers = cube.by_manager()
    people = queries.manager_names([key for key in managers if key is not None])
    rows = _ordered(
        (people.get(key, "") if key is not None else _("Nobody"), sums, _purchases(span, manager=key or 0))
        for key, sums in managers.items()
    )
    chart = charts.by_group(
        [(row[0], row[1].total) for row in rows],
        key="managers",
        title=_("Sales by account manager"),
        name_label=_("Account manager"),
    )
    parts.append(Part(chart, [_row(row, everything.total) for row in rows], _("Account manager")))
    return parts


def _ordered(rows: Any) -> list[tuple[str, Sums, str]]:
    return sorted(rows, key=lambda row: (-row[1].total, row[0]))


def _row(row: tuple[str, Sums, str], everything: Decimal) -> Row:
    return Row(row[0], row[1], queries.share(row[1].total, everything), row[2])
