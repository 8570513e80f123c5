"""The sales statistics report (销售统计报表) of a customer for a quarter: accepted weekly reports and purchases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from plugins.archive.reports.models import ACCEPTED, ArchiveReport, ArchiveReportLine
from portal.charts.builders import line
from portal.core import clock
from portal.core.money import format_yuan
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.org.models import User
from portal.purchases.models import Product, Purchase

ZERO = Decimal("0")


@dataclass(frozen=True)
class Quarter:
    """A calendar quarter."""

    year: int
    number: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        following = date(self.year + self.number // 4, self.number % 4 * 3 + 1, 1)
        return following - timedelta(days=1)

    @property
    def text(self) -> str:
        """ "2026 Q3"."""
        return f"{self.year} Q{self.number}"


def quarter_of(day: date) -> Quarter:
    """The quarter of a day."""
    return Quarter(day.year, (day.month - 1) // 3 + 1)


def build_context(customer: Customer, quarter: Quarter) -> dict[str, Any]:
    """The whole report as texts and pictures; two statements. The caller has checked permissions."""
    lines = _lines(customer.id, quarter)
    weeks = _weeks(quarter)
    bought = _bought_by_week(customer.id, quarter, weeks)
    total = sum(bought.values(), ZERO)
    products: dict[str, list[Any]] = {}
    for row in lines:
        products.setdefault(f"{row.code} {row.name}", []).append(row)
    chart = line(
        [(_("Purchases"), [(f"{week:%m-%d}", bought[week]) for week in weeks])],
        key="weeks",
        title=_("Purchases by week"),
        how=_("Sums after discount of purchases that were not cancelled; a week begins on Monday."),
        x_label=_("Week from"),
        value_label=_("Purchases"),
        money=True,
    )
    return {
        "customer": customer.name,
        "quarter": quarter.text,
        "first": quarter.first.isoformat(),
        "last": quarter.last.isoformat(),
        "stats": [
            [_("Purchases of the quarter"), format_yuan(total, symbol=True)],
            [_("Weekly reports"), str(len({row.week for row in lines}))],
            [_("Products reported"), str(len(products))],
        ],
        "chart": chart.as_primitives(),
        "products": [_product_row(name, rows) for name, rows in sorted(products.items())],
        "weeks": [
            [
                row.week.isoformat(),
                f"{row.code} {row.name}",
                f"{row.bought:,}",
                format_yuan(row.amount, symbol=True),
                "—" if row.stock is None else f"{row.stock:,}",
                "—" if row.expected is None else f"{row.expected:,}",
                row.remarks,
                row.reporter,
            ]
            for row in lines
        ],
    }


def _lines(customer_id: int, quarter: Quarter) -> list[Any]:
    return list(
        db.session.execute(
            select(
                ArchiveReport.week,
                Product.code,
                Product.name,
                Product.unit,
                ArchiveReportLine.bought,
                ArchiveReportLine.amount,
                ArchiveReportLine.stock,
                ArchiveReportLine.expected,
                ArchiveReportLine.remarks,
                User.name.label("reporter"),
            )
            .join(ArchiveReport, ArchiveReport.id == ArchiveReportLine.report_id)
            .join(Product, Product.id == ArchiveReportLine.product_id)
            .join(User, User.id == ArchiveReport.user_id)
            .where(
                ArchiveReportLine.customer_id == customer_id,
                ArchiveReport.state == ACCEPTED,
                ArchiveReport.week.between(quarter.first, quarter.last),
            )
            .order_by(ArchiveReport.week, Product.code)
        )
    )


def _weeks(quarter: Quarter) -> list[date]:
    """The Mondays of the weeks that touch the quarter, up to today."""
    monday = quarter.first - timedelta(days=quarter.first.weekday())
    end = min(quarter.last, clock.today())
    weeks: list[date] = []
    while monday <= end or not weeks:
        weeks.append(monday)
        monday += timedelta(days=7)
    return weeks


def _bought_by_week(customer_id: int, quarter: Quarter, weeks: list[date]) -> dict[date, Decimal]:
    found = dict.fromkeys(weeks, ZERO)
    for row in db.session.execute(
        select(Purchase.purchased_on, func.sum(Purchase.total).label("total"))
        .where(
            Purchase.customer_id == customer_id,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on.between(quarter.first, min(quarter.last, clock.today())),
        )
        .group_by(Purchase.purchased_on)
    ):
        found[row.purchased_on - timedelta(days=row.purchased_on.weekday())] += row.total
    return found


def _product_row(name: str, rows: list[Any]) -> list[str]:
    stocks = [row.stock for row in rows if row.stock is not None]
    expected = [row.expected for row in rows if row.expected is not None]
    unit = rows[0].unit
    return [
        name,
        f"{sum(row.bought for row in rows):,} {unit}".strip(),
        format_yuan(sum((row.amount for row in rows), ZERO), symbol=True),
        f"{stocks[0]:,}" if stocks else "—",
        f"{stocks[-1]:,}" if stocks else "—",
        f"{expected[-1]:,}" if expected else "—",
    ]
