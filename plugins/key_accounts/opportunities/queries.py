"""Reads of opportunities: always among the customers the actor may see. Sums are made by the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    extract,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import joinedload, selectinload

from plugins.key_accounts.opportunities.matrix import Rule, weighted_yuan
from plugins.key_accounts.opportunities.models import OPEN_STAGES, Opportunity, OpportunityEvent, OpportunityProduct
from portal.core.errors import NotFound
from portal.core.permissions import can, visible
from portal.core.together import Question, any_of
from portal.customers.models import Customer, NextStep
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User
from portal.purchases.periods import shifted

ZERO = Decimal("0.00")
#: Cards of one column of the board on one page.
CARDS = 12
#: Points drawn in the matrix at most, the largest ones.
POINTS = 200

#: fen × per cent: whole numbers on both databases, made yuan by `matrix.weighted_yuan`.
WEIGHT: ColumnElement[int] = type_coerce(Opportunity.amount, BigInteger) * Opportunity.probability


def is_open() -> ColumnElement[bool]:
    """Condition: neither won nor lost."""
    return Opportunity.closed_at.is_(None)


def _seen(actor: Actor, mine: bool = False) -> ColumnElement[bool]:
    seen = visible(actor, VIEW)
    return and_(seen, Opportunity.owner_id == actor.user_id) if mine else seen


def opportunity_for(opportunity_id: int, actor: Actor) -> Opportunity:
    """An opportunity of a visible customer. :raises NotFound: for all others."""
    opportunity = db.session.scalars(
        select(Opportunity)
        .where(Opportunity.id == opportunity_id)
        .options(
            joinedload(Opportunity.customer),
            joinedload(Opportunity.owner).lazyload(User.roles),
            joinedload(Opportunity.next_step),
            selectinload(Opportunity.products).joinedload(OpportunityProduct.product),
        )
    ).first()
    if opportunity is None or not can(actor, VIEW, opportunity.customer_id):
        raise NotFound()
    return opportunity


def history_of(opportunity_id: int) -> list[OpportunityEvent]:
    """What happened to an opportunity, newest first."""
    statement = (
        select(OpportunityEvent)
        .where(OpportunityEvent.opportunity_id == opportunity_id)
        .order_by(OpportunityEvent.id.desc())
        .options(joinedload(OpportunityEvent.by).lazyload(User.roles))
        .limit(200)
    )
    return list(db.session.scalars(statement))


@dataclass(frozen=True)
class Totals:
    """How many opportunities, what they are worth, and what is to be expected of them; yuan."""

    count: int = 0
    amount: Decimal = ZERO
    weighted: Decimal = ZERO


def _totals_columns() -> tuple[Any, ...]:
    return (func.count(), func.sum(Opportunity.amount), func.sum(WEIGHT))


def _totals(row: Sequence[Any]) -> Totals:
    return Totals(int(row[0]), row[1] if row[1] is not None else ZERO, weighted_yuan(row[2]))


@dataclass(frozen=True)
class BoardColumn:
    """A column of the board: its totals and one page of its cards."""

    stage: str
    totals: Totals
    cards: list[Any]
    next_key: str | None


def board(actor: Actor, mine: bool, after: dict[str, tuple[date, int]]) -> list[BoardColumn]:
    """The four open columns; one statement for the totals and one for each column's page, by key.

    :param after: stage → (close_on, id) of the last card of the page before.
    """
    seen = _seen(actor, mine)
    rows = db.session.execute(
        from_customers(select(Opportunity.stage, *_totals_columns())).where(is_open(), seen).group_by(Opportunity.stage)
    )
    totals = {row[0]: _totals(row[1:]) for row in rows}
    columns = []
    for stage in OPEN_STAGES:
        statement = _cards().where(Opportunity.stage == stage, seen)
        if stage in after:
            statement = statement.where(tuple_(Opportunity.close_on, Opportunity.id) > tuple_(*after[stage]))
        # An empty column (its totals say so) is not asked for cards.
        found = list(db.session.execute(statement.limit(CARDS + 1))) if stage in totals else []
        cards, more = found[:CARDS], len(found) > CARDS
        key = f"{cards[-1].close_on.isoformat()}_{cards[-1].id}" if more else None
        columns.append(BoardColumn(stage, totals.get(stage, Totals()), cards, key))
    return columns


def from_customers(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A statement over opportunities with their customers, so that it can be limited to visible ones."""
    return statement.select_from(Opportunity).join(Customer, Customer.id == Opportunity.customer_id)


def _cards() -> Select[*tuple[Any, ...]]:
    return (
        from_customers(
            select(
                Opportunity.id,
                Opportunity.title,
                Opportunity.amount,
                Opportunity.probability,
                Opportunity.close_on,
                Opportunity.stage,
                Opportunity.version,
                Opportunity.source,
                Opportunity.customer_id,
                Customer.name.label("customer"),
                User.name.label("owner"),
                case((step_open(), NextStep.due_on), else_=None).label("step_due"),
            )
        )
        .outerjoin(User, User.id == Opportunity.owner_id)
        .outerjoin(NextStep, NextStep.id == Opportunity.next_step_id)
        .order_by(Opportunity.close_on, Opportunity.id)
    )


def step_open() -> ColumnElement[bool]:
    """Condition on the joined next step: it is there and still to be done."""
    return and_(NextStep.id.is_not(None), NextStep.done_at.is_(None), NextStep.cancelled_at.is_(None))


def without_step() -> ColumnElement[bool]:
    """Condition where the next step is joined: open, and nothing is planned for it."""
    return and_(is_open(), ~step_open())


def pending(actor: Actor, until: date, limit: int = 6) -> list[Any]:
    """Open opportunities of the actor that close soon or have no next step, the nearest first; one statement."""
    statement = _pending_statement().where(visible(actor, VIEW))
    return list(db.session.execute(statement, {"user_id": actor.user_id, "until": until, "limit": limit}))


@cache
def _pending_statement() -> Select[*tuple[Any, ...]]:
    """Built once: everybody's home page asks it."""
    return (
        _cards()
        .where(
            Opportunity.owner_id == bindparam("user_id"),
            is_open(),
            or_(Opportunity.close_on <= bindparam("until", type_=Date), ~step_open()),
        )
        .limit(bindparam("limit", type_=Integer))
    )


def of_customer(customer_id: int) -> list[Any]:
    """Opportunities of a customer the reader may see, open ones first."""
    statement = _cards().where(Opportunity.customer_id == customer_id)
    return list(
        db.session.execute(
            statement.order_by(None)
            .order_by(Opportunity.closed_at.is_not(None), Opportunity.close_on.desc(), Opportunity.id)
            .limit(200)
        )
    )


@dataclass(frozen=True)
class MatrixField:
    """One of the four fields."""

    is_large: bool
    is_likely: bool
    answer: str
    totals: Totals


@dataclass(frozen=True)
class Matrix:
    """Open opportunities by size and probability: exact totals, and the largest as points."""

    rule: Rule
    fields: tuple[MatrixField, ...]
    points: list[Any]

    @property
    def count(self) -> int:
        """How many open opportunities there are."""
        return sum(field.totals.count for field in self.fields)


def matrix(actor: Actor, rule: Rule, mine: bool) -> Matrix:
    """The matrix of the open opportunities; two statements."""
    large = case((Opportunity.amount >= rule.large, 1), else_=0)
    likely = case((Opportunity.probability >= rule.likely, 1), else_=0)
    seen = _seen(actor, mine)
    inner = (
        from_customers(
            select(
                large.label("large"),
                likely.label("likely"),
                Opportunity.amount.label("amount"),
                WEIGHT.label("weight"),
            )
        )
        .where(is_open(), seen)
        .subquery()
    )
    rows = db.session.execute(
        select(
            inner.c.large, inner.c.likely, func.count(), func.sum(inner.c.amount), func.sum(inner.c.weight)
        ).group_by(inner.c.large, inner.c.likely)
    )
    found = {(bool(row[0]), bool(row[1])): _totals(row[2:]) for row in rows}
    fields = tuple(
        MatrixField(is_large, is_likely, rule.of_field(is_large, is_likely), found.get((is_large, is_likely), Totals()))
        for is_large in (True, False)
        for is_likely in (True, False)
    )
    points = _cards().where(is_open(), seen).order_by(None).order_by(Opportunity.amount.desc(), Opportunity.id)
    return Matrix(rule, fields, list(db.session.execute(points.limit(POINTS))))


@dataclass(frozen=True)
class ForecastMonth:
    """What is expected to be closed in a month, by source; yuan."""

    month: tuple[int, int]
    count: int
    amount: Decimal
    weighted: dict[str, Decimal]

    @property
    def total(self) -> Decimal:
        """Weighted, of all sources."""
        return sum(self.weighted.values(), ZERO)


def forecast(actor: Actor, first: date, months: int, mine: bool) -> tuple[list[ForecastMonth], Totals]:
    """Open opportunities by the month of their expected close, weighted by probability; and those that are overdue.

    :param first: first day of the first month.
    """
    year, month = extract("year", Opportunity.close_on), extract("month", Opportunity.close_on)
    ahead = [shifted((first.year, first.month), by) for by in range(months)]
    end = date(ahead[-1][0] + ahead[-1][1] // 12, ahead[-1][1] % 12 + 1, 1)
    seen = _seen(actor, mine)
    rows = db.session.execute(
        from_customers(select(year, month, Opportunity.source, *_totals_columns()))
        .where(is_open(), seen, Opportunity.close_on >= first, Opportunity.close_on < end)
        .group_by(year, month, Opportunity.source)
    )
    sums: dict[tuple[int, int], list[tuple[str, Totals]]] = defaultdict(list)
    for row in rows:
        sums[(int(row[0]), int(row[1]))].append((row[2], _totals(row[3:])))
    found = [
        ForecastMonth(
            month=key,
            count=sum(totals.count for _source, totals in sums[key]),
            amount=sum((totals.amount for _source, totals in sums[key]), ZERO),
            weighted={source: totals.weighted for source, totals in sums[key]},
        )
        for key in ahead
    ]
    late = db.session.execute(
        from_customers(select(*_totals_columns())).where(is_open(), seen, Opportunity.close_on < first)
    ).one()
    return found, _totals(late)


def any_question(customer_id: int) -> Question:
    """Whether the customer has or had an opportunity."""
    return Question(_any_statement(), {"customer_id": customer_id})


@cache
def _any_statement() -> Select[bool]:
    return any_of(Opportunity, Opportunity.customer_id == bindparam("customer_id", type_=Integer))


def timeline(customer_id: int, before: datetime | None, limit: int) -> list[Any]:
    """Events of a customer's opportunities, newest first, for the time line; one statement."""
    statement = _timeline_statement(before is not None)
    return list(db.session.execute(statement, {"customer_id": customer_id, "before": before, "limit": limit}))


@cache
def _timeline_statement(older: bool) -> Select[*tuple[Any, ...]]:
    """Built once: every record page asks it. :param older: only what was before the moment `before`."""
    statement = (
        select(
            OpportunityEvent.at,
            OpportunityEvent.kind,
            OpportunityEvent.to_stage,
            OpportunityEvent.reason,
            OpportunityEvent.note,
            Opportunity.id,
            Opportunity.title,
            User.name,
        )
        .join(Opportunity, Opportunity.id == OpportunityEvent.opportunity_id)
        .outerjoin(User, User.id == OpportunityEvent.by_id)
        .where(Opportunity.customer_id == bindparam("customer_id"))
        .order_by(OpportunityEvent.at.desc(), OpportunityEvent.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )
    if not older:
        return statement
    return statement.where(OpportunityEvent.at < bindparam("before", type_=OpportunityEvent.at.type))
