"""The consumption assessment report (客户消费评估报告): figures, pictures and findings about one customer's buying.

`build_context` gives texts and pictures for "archive/dossiers/assessment_pdf.html"; every finding is a sentence that
follows from the figures beside it. The caller has checked permissions and set the language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

from sqlalchemy import extract, func, select

from plugins.archive.dossiers.completeness import months_earlier
from plugins.archive.reports import consumption
from plugins.archive.reports.stock import ProductOutlook, outlooks
from portal.charts.builders import bar_by_month, stacked_by_month, top_bars
from portal.core import clock
from portal.core.money import format_yuan
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.purchases import queries as purchases
from portal.purchases.models import GRADES, HIGH, MIDDLE, ORDINARY, Purchase, PurchaseLine
from portal.purchases.periods import LAST_12, Period, month_text, period
from portal.purchases.rhythm import Rhythm, rhythm_of

ZERO = Decimal("0")
#: Customers whose purchases changed less than this (percent) kept their level.
STEADY = 10
#: A product with more than this share (percent) makes a customer depend on it.
CONCENTRATED = 60
#: Days within which payment counts as prompt.
PROMPT_DAYS = 30
SOON_DAYS = 21


@dataclass(frozen=True)
class Payment:
    """How a customer paid during twenty-four months.

    :ivar days: median days from purchase to payment; None: nothing paid. :ivar oldest: day of the oldest open purchase.
    """

    paid: int
    open_count: int
    open_amount: Decimal
    days: int | None
    slowest: int | None
    oldest: date | None


@dataclass(frozen=True)
class Figures:
    """Everything that the findings rest on."""

    total: Decimal
    before: Decimal
    count: int
    margin: Decimal
    rhythm: Rhythm | None
    payment: Payment
    grades: dict[str, Decimal]
    products: list[Any]
    outlooks: list[ProductOutlook]


def build_context(customer: Customer, today: date | None = None) -> dict[str, Any]:
    """The whole report as texts and pictures; a fixed number of statements."""
    today = today or clock.today()
    span = period(LAST_12, today)
    months = [(month_text(month), total) for month, total in purchases.months_of_customer(customer.id, span)]
    before = [(month_text(month), total) for month, total in purchases.months_of_customer(customer.id, span.before())]
    by_grade = _grades_by_month(customer.id, span)
    figures = _figures(customer, span, months, before, by_grade, today)
    pictures = _pictures(months, before, by_grade, span, figures)
    return {
        "customer": customer.name,
        "as_of": today.isoformat(),
        "first": span.begin.isoformat(),
        "last": today.isoformat(),
        "stats": [
            [_("Purchases of twelve months"), format_yuan(figures.total, symbol=True)],
            [_("The twelve months before"), format_yuan(figures.before, symbol=True)],
            [_("Number of purchases"), str(figures.count)],
            [_("Average purchase"), format_yuan(figures.total / figures.count, symbol=True) if figures.count else "—"],
        ],
        "findings": findings(figures, today),
        "charts": pictures,
        "products": [
            [
                row.code,
                row.name,
                f"{row.quantity:,} {row.unit}",
                format_yuan(row.total, symbol=True),
                row.last_on.isoformat(),
            ]
            for row in figures.products
        ],
        "outlooks": [_outlook_row(one) for one in figures.outlooks],
        "grades": [
            [label, format_yuan(figures.grades[grade], symbol=True), _percent(figures.grades[grade], figures.total)]
            for grade, label in grade_labels().items()
        ],
        "payment": _payment_facts(figures.payment),
    }


def grade_labels() -> dict[str, str]:
    """Grades in words, in their order."""
    return {HIGH: _("High grade"), MIDDLE: _("Middle grade"), ORDINARY: _("Ordinary grade")}


def _figures(
    customer: Customer,
    span: Period,
    months: list[tuple[str, Decimal]],
    before: list[tuple[str, Decimal]],
    by_grade: dict[str, dict[str, Decimal]],
    today: date,
) -> Figures:
    rows = db.session.execute(
        select(Purchase.purchased_on, Purchase.paid_on, Purchase.total, Purchase.cost)
        .where(
            Purchase.customer_id == customer.id,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on > months_earlier(today, 24),
            Purchase.purchased_on <= today,
        )
        .order_by(Purchase.purchased_on)
    ).all()
    recent = [row for row in rows if row.purchased_on >= span.begin]
    return Figures(
        total=sum((total for _month, total in months), ZERO),
        before=sum((total for _month, total in before), ZERO),
        count=len(recent),
        margin=sum((row.total - row.cost for row in recent), ZERO),
        rhythm=rhythm_of((row.purchased_on for row in rows), today),
        payment=_payment(rows),
        grades={grade: sum((parts[grade] for parts in by_grade.values()), ZERO) for grade in GRADES},
        products=purchases.favourites_of(customer.id, span.begin, limit=12),
        outlooks=outlooks([Customer.id == customer.id], today)[:12],
    )


def _payment(rows: Any) -> Payment:
    waits = [(row.paid_on - row.purchased_on).days for row in rows if row.paid_on is not None]
    still_open = [row for row in rows if row.paid_on is None]
    return Payment(
        paid=len(waits),
        open_count=len(still_open),
        open_amount=sum((row.total for row in still_open), ZERO),
        days=round(median(waits)) if waits else None,
        slowest=max(waits, default=None),
        oldest=min((row.purchased_on for row in still_open), default=None),
    )


def _grades_by_month(customer_id: int, span: Period) -> dict[str, dict[str, Decimal]]:
    year, month = extract("year", Purchase.purchased_on), extract("month", Purchase.purchased_on)
    found = {month_text(one): dict.fromkeys(GRADES, ZERO) for one in span.months}
    for row in db.session.execute(
        select(year.label("y"), month.label("m"), PurchaseLine.grade, func.sum(PurchaseLine.amount).label("amount"))
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .where(
            Purchase.customer_id == customer_id,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on.between(span.begin, span.end),
        )
        .group_by(year, month, PurchaseLine.grade)
    ):
        found[month_text((int(row.y), int(row.m)))][row.grade] += row.amount
    return found


def _pictures(
    months: list[tuple[str, Decimal]],
    before: list[tuple[str, Decimal]],
    by_grade: dict[str, dict[str, Decimal]],
    span: Period,
    figures: Figures,
) -> list[dict[str, Any]]:
    charts = [
        bar_by_month(
            months,
            before=before,
            key="months",
            title=_("Purchases by month"),
            value_label=_("Purchases"),
            how=_("Sums after discount of purchases that were not cancelled, by day of purchase."),
        )
    ]
    if figures.products:
        charts.append(
            top_bars(
                [(row.name, row.total) for row in figures.products[:8]],
                key="products",
                title=_("Products by amount"),
                name_label=_("Product"),
                value_label=_("Purchases"),
                how=_("Sums of the lines of twelve months, after discount."),
            )
        )
    if figures.total:
        labels = list(grade_labels().values())
        charts.append(
            stacked_by_month(
                [(month, [parts[grade] for grade in GRADES]) for month, parts in by_grade.items()],
                groups=labels,
                key="grades",
                title=_("Mix of grades by month"),
                value_label=_("Purchases"),
                how=_("Each line counts with the grade its product had on the day of purchase."),
            )
        )
    return [chart.as_primitives() for chart in charts]


def _outlook_row(one: ProductOutlook) -> list[str]:
    said = one.outlook
    span = "—"
    if said.runs_out is not None:
        span = said.runs_out.isoformat()
    earliest = said.earliest.isoformat() if said.earliest else "—"
    latest = said.latest.isoformat() if said.latest else _("later")
    return [
        one.product,
        _("%(units)s a month", units=f"{said.rate * 30:,.1f} {one.unit}".strip()),
        f"±{said.error:.0%}",
        f"{said.stock:,.0f} {one.unit}".strip(),
        span,
        _("%(first)s to %(last)s", first=earliest, last=latest),
        basis_words()[said.basis],
    ]


def basis_words() -> dict[str, str]:
    """What a rate of use rests on, in words."""
    return {
        consumption.FROM_REPORTS: _("stock reports"),
        consumption.FROM_PURCHASES: _("intervals between purchases"),
        consumption.FROM_PRODUCT: _("usual life of the product"),
    }


def _payment_facts(payment: Payment) -> list[list[str]]:
    return [
        [_("Paid purchases"), str(payment.paid)],
        [_("Days to payment (median)"), str(payment.days) if payment.days is not None else "—"],
        [_("Slowest payment"), _("%(n)s days", n=payment.slowest) if payment.slowest is not None else "—"],
        [_("Open purchases"), f"{payment.open_count} · {format_yuan(payment.open_amount, symbol=True)}"],
    ]


# ---- findings ------------------------------------------------------------------------------------------------------


def findings(figures: Figures, today: date) -> list[dict[str, str]]:
    """Sentences that follow from the figures: {"tone", "text"}, the most important first."""
    found: list[dict[str, str]] = []

    def say(tone: str, text: str) -> None:
        found.append({"tone": tone, "text": text})

    if not figures.count:
        say("warning", _("There was no purchase during the last twelve months."))
    elif figures.before:
        change = int(((figures.total - figures.before) * 100 / figures.before).to_integral_value())
        if change >= STEADY:
            say("success", _("Purchases grew by %(n)s%% against the twelve months before.", n=change))
        elif change <= -STEADY:
            say("warning", _("Purchases fell by %(n)s%% against the twelve months before.", n=-change))
        else:
            say("info", _("Purchases kept their level (%(n)s%% against the twelve months before).", n=f"{change:+d}"))
    else:
        say("info", _("The customer did not buy in the twelve months before: there is nothing to compare with."))
    _say_rhythm(figures, today, say)
    _say_products(figures, today, say)
    _say_payment(figures, today, say)
    if figures.total:
        margin = int((figures.margin * 100 / figures.total).to_integral_value())
        say("info", _("Gross margin of the last twelve months: %(n)s%% of the sales.", n=margin))
    return found


def _say_rhythm(figures: Figures, today: date, say: Any) -> None:
    rhythm = figures.rhythm
    if rhythm is None:
        return
    if rhythm.is_overdue:
        say(
            "warning",
            _(
                "The customer usually buys every %(n)s days; the last purchase was %(days)s days ago: it is overdue.",
                n=rhythm.interval,
                days=(today - rhythm.last).days,
            ),
        )
    else:
        say(
            "info",
            _(
                "The customer usually buys every %(n)s days; the next purchase is expected about %(day)s.",
                n=rhythm.interval,
                day=rhythm.expected,
            ),
        )


def _say_products(figures: Figures, today: date, say: Any) -> None:
    if figures.products and figures.total:
        first = figures.products[0]
        part = int((first.total * 100 / figures.total).to_integral_value())
        if part >= CONCENTRATED:
            say(
                "warning",
                _("%(product)s alone makes %(n)s%% of the purchases: little variety.", product=first.name, n=part),
            )
        else:
            say("info", _("%(product)s leads with %(n)s%% of the purchases.", product=first.name, n=part))
        better = figures.grades[HIGH] + figures.grades[MIDDLE]
        say(
            "info",
            _(
                "High and middle grades make %(n)s%% of the purchases.",
                n=int((better * 100 / figures.total).to_integral_value()),
            ),
        )
    soon = [
        one
        for one in figures.outlooks
        if one.outlook.runs_out and 0 <= (one.outlook.runs_out - today).days <= SOON_DAYS
    ]
    if soon:
        say(
            "warning",
            _(
                "Runs out within %(days)s days: %(products)s.",
                days=SOON_DAYS,
                products=_("; ").join(one.product for one in soon[:5]),
            ),
        )


def _say_payment(figures: Figures, today: date, say: Any) -> None:
    payment = figures.payment
    if payment.days is not None:
        if payment.days <= PROMPT_DAYS:
            say("success", _("Half of the purchases are paid within %(n)s days: prompt.", n=payment.days))
        else:
            say("warning", _("Half of the purchases take more than %(n)s days to be paid: slow.", n=payment.days))
    if payment.oldest is not None:
        say(
            "warning" if (today - payment.oldest).days > PROMPT_DAYS else "info",
            _(
                "%(amount)s are open, the oldest since %(day)s.",
                amount=format_yuan(payment.open_amount, symbol=True),
                day=payment.oldest,
            ),
        )


def _percent(part: Decimal, whole: Decimal) -> str:
    share = purchases.share(part, whole)
    return f"{share}%" if share is not None else "—"
