"""Columns that lists of several areas of this plugin show alike."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures.models import growth_of
from portal.core.components import DASH, stack
from portal.core.listing import CellContext, Column
from portal.customers.models import Customer
from portal.i18n import _l
from portal.org.models import Department


def _growth_cell(row: Any, _context: CellContext) -> Any:
    growth = growth_of(row.growth_sales, row.before)
    return DASH if growth is None else f"{growth:+,d}%"


def customer_column() -> Column:
    """The customer's name above its department; the list's source joins both."""
    return Column(
        "customer",
        _l("Customer"),
        {"customer": Customer.name, "department": Department.name},
        cell=lambda row, _c: stack(row.customer, row.department),
        export=lambda row, _c: row.customer,
        sort=Customer.name_sort,
        sticky=True,
    )


def growth_column(measure: Any) -> Column:
    """Growth of sales against the twelve months before; `measure` is the table or an alias of it."""
    return Column(
        "growth",
        _l("Growth of sales"),
        {"growth_sales": measure.sales, "before": measure.sales_before},
        cell=_growth_cell,
        export=lambda row, _c: growth_of(row.growth_sales, row.before),
        align="end",
    )
