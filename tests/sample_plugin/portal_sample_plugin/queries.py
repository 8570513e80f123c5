"""Reads of this plugin."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from portal.core.permissions import visible
from portal.core.together import Question, ask
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal_sample_plugin.models import ASKED, SENT, SampleDelivery


def deliveries_of(customer_id: int) -> list[SampleDelivery]:
    """Samples of one customer, newest first."""
    statement = select(SampleDelivery).where(SampleDelivery.customer_id == customer_id)
    return list(db.session.scalars(statement.order_by(SampleDelivery.id.desc()).limit(50)))


def open_question(customer_id: int) -> Question:
    """How many samples of a customer wait for a decision; asked together with the figures of other modules."""
    return Question(
        select(func.count()).where(SampleDelivery.customer_id == customer_id, SampleDelivery.state == ASKED)
    )


def open_of(customer_id: int) -> int:
    """The same, asked alone."""
    return int(ask({"open": open_question(customer_id)})["open"])


def with_open_samples(customer_ids: Sequence[int]) -> list[int]:
    """Which of the customers have samples that wait for a decision."""
    statement = select(SampleDelivery.customer_id).where(
        SampleDelivery.customer_id.in_(customer_ids), SampleDelivery.state == ASKED
    )
    return list(db.session.scalars(statement.distinct()))


def unasked(customer_ids: Sequence[int]) -> list[int]:
    """Samples of the customers that nobody asked for."""
    statement = select(SampleDelivery.id).where(
        SampleDelivery.customer_id.in_(customer_ids), SampleDelivery.asked_by_id.is_(None)
    )
    return list(db.session.scalars(statement))


def sent_to(customer_ids: Sequence[int]) -> dict[int, int]:
    """Customer → number of samples sent."""
    statement = select(SampleDelivery.customer_id, func.count()).where(
        SampleDelivery.customer_id.in_(customer_ids), SampleDelivery.state == SENT
    )
    return {row[0]: row[1] for row in db.session.execute(statement.group_by(SampleDelivery.customer_id))}


def count_column() -> ColumnElement[int]:
    """Number of samples of the customer of the row, for the list of customers."""
    count = select(func.count()).where(SampleDelivery.customer_id == Customer.id).correlate(Customer)
    return count.scalar_subquery()


def waiting_for(actor: Actor) -> list[tuple[int, str, str]]:
    """(customer id, customer, product) of samples that wait, among the customers the actor may view."""
    statement = (
        select(Customer.id, Customer.name, SampleDelivery.product)
        .join(SampleDelivery, SampleDelivery.customer_id == Customer.id)
        .where(SampleDelivery.state == ASKED, visible(actor, "customers.view"))
        .order_by(SampleDelivery.id)
        .limit(5)
    )
    return [(row[0], row[1], row[2]) for row in db.session.execute(statement)]
