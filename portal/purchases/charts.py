"""Pictures of sales, each with its table and how it is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from portal.charts import Chart
from portal.charts.builders import bar_by_month, top_bars
from portal.i18n import _
from portal.purchases.periods import Month, Period, month_text
from portal.purchases.queries import ZERO, CustomerSum, ProductSum, Sums

#: Bars of a chart of the largest.
SHOWN = 10
HALF = 560


def _how(*sentences: str) -> str:
    return " ".join(sentences)


def counting_rule() -> str:
    """What counts as sales, in one sentence."""
    return _("Sum of the purchases by their date, after discounts, paid and unpaid; cancelled ones are left out.")


def sight_rule() -> str:
    """Whose purchases count, in one sentence."""
    return _("Only the customers that you may see are counted.")


def sales_by_month(
    months: Mapping[Month, Sums],
    period: Period,
    *,
    key: str,
    title: str,
    before: Mapping[Month, Sums] | None = None,
    width: int = HALF,
) -> Chart:
    """Sales of each month of a period; with `before`, those of the year before as marks."""
    nothing = Sums()
    return bar_by_month(
        [(month_text(month), months.get(month, nothing).total) for month in period.months],
        key=key,
        title=title,
        how=_how(counting_rule(), sight_rule(), _("The present month is not complete yet.")),
        value_label=_("Turnover"),
        before=[(month_text(month), before.get(month, nothing).total) for month in period.before().months]
        if before
        else (),
        width=width,
    )


def customer_months(months: Sequence[tuple[Month, Decimal]], *, key: str, title: str, width: int = HALF) -> Chart:
    """Sales to one customer by month."""
    return bar_by_month(
        [(month_text(month), total) for month, total in months],
        key=key,
        title=title,
        how=_how(counting_rule(), _("The present month is not complete yet.")),
        value_label=_("Turnover"),
        width=width,
    )


def top_customers(rows: Sequence[CustomerSum]) -> Chart:
    """The customers with the largest sales. What all the others bring would dwarf them and is left out."""
    shown = [(row.name, row.sums.total) for row in rows[:SHOWN]]
    return top_bars(
        shown,
        key="top-customers",
        title=_("Customers with the largest sales"),
        how=_how(counting_rule(), sight_rule()),
        name_label=_("Customer"),
        value_label=_("Turnover"),
        width=HALF,
    )


def top_products(rows: Sequence[ProductSum]) -> Chart:
    """The products with the largest sales."""
    shown = [(row.name, row.total) for row in rows[:SHOWN]]
    return top_bars(
        shown,
        key="top-products",
        title=_("Products with the largest sales"),
        how=_how(_("Sum of the lines of the product, after discounts, by the date of the purchase."), sight_rule()),
        name_label=_("Product"),
        value_label=_("Turnover"),
        rest=_rest(shown, sum((row.total for row in rows), ZERO)),
        width=HALF,
    )


def by_category(rows: Sequence[tuple[str, Decimal]]) -> Chart:
    """Sales by category of product."""
    shown = [(name or _("Without category"), total) for name, total in rows[:SHOWN]]
    return top_bars(
        shown,
        key="categories",
        title=_("Sales by category"),
        how=_how(
            _("Sum of the lines by the present category of the product, after discounts, by the date of the purchase."),
            sight_rule(),
        ),
        name_label=_("Category"),
        value_label=_("Turnover"),
        rest=_rest(shown, sum((total for _name, total in rows), ZERO)),
        width=HALF,
    )


def by_group(rows: Sequence[tuple[str, Decimal]], *, key: str, title: str, name_label: str) -> Chart:
    """Sales by department or by account manager."""
    shown = list(rows[:SHOWN])
    return top_bars(
        shown,
        key=key,
        title=title,
        how=_how(
            counting_rule(),
            _("They count where the customer belongs today, not where he belonged then."),
            sight_rule(),
        ),
        name_label=name_label,
        value_label=_("Turnover"),
        rest=_rest(shown, sum((total for _name, total in rows), ZERO)),
        width=HALF,
    )


def _rest(shown: Sequence[tuple[str, Decimal]], everything: Decimal) -> Decimal | None:
    rest = everything - sum((total for _name, total in shown), ZERO)
    return rest if rest > 0 else None
