"""The list of samples, and a column for the list of customers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select

from portal.core.listing import Column, EmptyText, Listing
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.i18n import _l
from portal.org.actor import Actor
from portal_sample_plugin import queries
from portal_sample_plugin.models import SampleDelivery


def _source(statement: Select[Any]) -> Select[Any]:
    return statement.select_from(SampleDelivery).join(Customer, Customer.id == SampleDelivery.customer_id)


def _where(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, "customers.view")]


DELIVERIES = Listing(
    key="sample.deliveries",
    title=_l("Product samples"),
    endpoint="sample.index",
    identity=SampleDelivery.id,
    source=_source,
    where=_where,
    default_sort="customer",
    columns=[
        Column("customer", _l("Customer"), {"customer": Customer.name}, sort=Customer.name_sort),
        Column("product", _l("What is to be sent"), {"product": SampleDelivery.product}),
    ],
    empty=EmptyText(_l("No samples yet")),
)


def customer_column() -> Column:
    """How many samples a customer got or asked for."""
    return Column("samples", _l("Samples"), {"samples": queries.count_column()}, align="end")
