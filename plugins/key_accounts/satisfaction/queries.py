"""Reads of satisfaction and expected loss."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.satisfaction.models import GRADES, SatisfactionGrade
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.models import Contact, Customer
from portal.customers.remembered import remembered
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User

ZERO = Decimal("0.00")
#: Customers behind a grade that the page shows.
SHOWN = 100


def grades_of(customer_id: int) -> list[SatisfactionGrade]:
    """Grades of a customer, the newest first."""
    statement = (
        select(SatisfactionGrade)
        .where(SatisfactionGrade.customer_id == customer_id)
        .options(joinedload(SatisfactionGrade.contact), joinedload(SatisfactionGrade.recorded_by).lazyload(User.roles))
        .order_by(SatisfactionGrade.surveyed_on.desc(), SatisfactionGrade.id.desc())
        .limit(60)
    )
    return list(db.session.scalars(statement))


def contacts_of(customer_id: int) -> list[tuple[int, str]]:
    """Active contacts, for choosing."""
    rows = db.session.execute(
        select(Contact.id, Contact.name)
        .where(Contact.customer_id == customer_id, Contact.is_active)
        .order_by(Contact.name_sort, Contact.id)
        .limit(200)
    )
    return [(row.id, row.name) for row in rows]


def grade(grade_id: int, actor: Actor) -> SatisfactionGrade:
    """A grade of a visible customer. :raises NotFound: for all others."""
    row = db.session.scalars(
        select(SatisfactionGrade)
        .join(Customer, Customer.id == SatisfactionGrade.customer_id)
        .where(SatisfactionGrade.id == grade_id, visible(actor, "customers.view"))
    ).first()
    if row is None:
        raise NotFound()
    return row


def _by_customer(actor: Actor) -> Select[Any]:
    """(customer, grade): the lowest among the latest grades of each visible customer's contacts."""
    row = SatisfactionGrade
    place = func.row_number().over(
        partition_by=(row.customer_id, func.coalesce(row.contact_id, 0)),
        order_by=(row.surveyed_on.desc(), row.id.desc()),
    )
    inner = select(row.customer_id, row.grade, place.label("place")).where(row.cancelled_at.is_(None)).subquery()
    return (
        select(inner.c.customer_id, func.min(inner.c.grade).label("grade"))
        .join(Customer, Customer.id == inner.c.customer_id)
        .where(inner.c.place == 1, visible(actor, "customers.view"))
        .group_by(inner.c.customer_id)
    )


@dataclass(frozen=True)
class LossLine:
    """A grade: how many customers, their sales of twelve months, and what is expected to be lost in a year.

    :ivar rate: thousandths. :ivar lost_customers: a number with two decimals.
    """

    grade: int
    customers: int
    sales: Decimal
    rate: int

    @property
    def lost_customers(self) -> Decimal:
        """customers × rate."""
        return (Decimal(self.customers * self.rate) / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def lost_sales(self) -> Decimal:
        """sales × rate, yuan."""
        return (self.sales * self.rate / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)


def expected_loss(actor: Actor, rates: dict[int, int]) -> list[LossLine]:
    """Expected loss by grade over the visible customers whose satisfaction is known; one statement at most."""
    found = remembered(actor, "key_accounts.grades", (), lambda: _by_grade(actor)).value
    return [
        LossLine(value, found.get(value, (0, ZERO))[0], _yuan(found.get(value, (0, ZERO))[1]), rates[value])
        for value in GRADES
    ]


def _by_grade(actor: Actor) -> dict[int, tuple[int, Any]]:
    graded = _by_customer(actor).subquery()
    rows = db.session.execute(
        select(graded.c.grade, func.count(), func.sum(func.coalesce(CustomerMeasure.sales, 0)))
        .outerjoin(CustomerMeasure, CustomerMeasure.customer_id == graded.c.customer_id)
        .group_by(graded.c.grade)
    )
    return {row[0]: (int(row[1]), row[2]) for row in rows}


def _yuan(value: Any) -> Decimal:
    return value if value is not None else ZERO


def customers_with(actor: Actor, value: int) -> list[Any]:
    """Customers behind a grade, the largest first."""
    graded = _by_customer(actor).subquery()
    return list(
        db.session.execute(
            select(Customer.id, Customer.name, func.coalesce(CustomerMeasure.sales, 0).label("sales"))
            .join(graded, graded.c.customer_id == Customer.id)
            .outerjoin(CustomerMeasure, CustomerMeasure.customer_id == Customer.id)
            .where(graded.c.grade == value)
            .order_by(func.coalesce(CustomerMeasure.sales, 0).desc(), Customer.id)
            .limit(SHOWN)
        )
    )
