"""Interactions and next steps of one customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Integer, Select, bindparam, select, tuple_
from sqlalchemy.orm import joinedload, lazyload, selectinload

from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.customers.models import Customer, Interaction, NextStep
from portal.customers.permissions import VIEW
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import User


def interaction_for(interaction_id: int, actor: Actor) -> Interaction:
    """An interaction with a visible customer. :raises NotFound: for all others."""
    interaction = db.session.scalars(
        select(Interaction)
        .join(Customer, Interaction.customer_id == Customer.id)
        .where(Interaction.id == interaction_id, visible(actor, VIEW))
        .options(*_WITH_PEOPLE, joinedload(Interaction.customer))
    ).first()
    if interaction is None:
        raise NotFound()
    return interaction


def step_for(step_id: int, actor: Actor) -> NextStep:
    """A next step at a visible customer. :raises NotFound: for all others."""
    step = db.session.scalars(
        select(NextStep)
        .join(Customer, NextStep.customer_id == Customer.id)
        .where(NextStep.id == step_id, visible(actor, VIEW))
        .options(joinedload(NextStep.customer), joinedload(NextStep.owner).lazyload(User.roles))
    ).first()
    if step is None:
        raise NotFound()
    return step


_IN_BRIEF = (
    joinedload(Interaction.author).options(joinedload(User.department), lazyload(User.roles)),
    selectinload(Interaction.contacts),
)
_WITH_PEOPLE = (
    *_IN_BRIEF,
    selectinload(Interaction.colleagues).lazyload(User.roles),
    selectinload(Interaction.next_steps),
)


def interactions_of(
    customer_id: int, before: tuple[datetime, int] | None = None, limit: int = 30
) -> tuple[list[Interaction], tuple[datetime, int] | None]:
    """Interactions of a customer, newest first, and the cursor of the next page (None: no more)."""
    at, key = before if before is not None else (None, None)
    parameters = {"customer_id": customer_id, "at": at, "id": key, "limit": limit + 1}
    rows = list(db.session.scalars(_interactions_statement(before is not None), parameters))
    more = (rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def interactions_in_brief(customer_id: int, before: datetime | None, limit: int) -> list[Interaction]:
    """Interactions of a customer for its time line, newest first: with author and contacts, and nothing else."""
    parameters = {"customer_id": customer_id, "at": before, "id": 0, "limit": limit}
    return list(db.session.scalars(_interactions_statement(before is not None, brief=True), parameters))


@cache
def _interactions_statement(older: bool, brief: bool = False) -> Select[Interaction]:
    statement = select(Interaction).where(Interaction.customer_id == bindparam("customer_id"))
    statement = statement.options(*(_IN_BRIEF if brief else _WITH_PEOPLE))
    if older:
        bound = tuple_(bindparam("at", type_=Interaction.at.type), bindparam("id", type_=Interaction.id.type))
        statement = statement.where(tuple_(Interaction.at, Interaction.id) < bound)
    return statement.order_by(Interaction.at.desc(), Interaction.id.desc()).limit(bindparam("limit", type_=Integer))


def open_steps_of(customer_id: int) -> list[NextStep]:
    """What is planned with a customer, the earliest first."""
    return list(db.session.scalars(_open_steps_statement(), {"customer_id": customer_id}))


@cache
def _open_steps_statement() -> Select[NextStep]:
    return (
        select(NextStep)
        .where(
            NextStep.customer_id == bindparam("customer_id"),
            NextStep.done_at.is_(None),
            NextStep.cancelled_at.is_(None),
        )
        .options(joinedload(NextStep.owner).lazyload(User.roles))
        .order_by(NextStep.due_on, NextStep.id)
        .limit(20)
    )


@dataclass(frozen=True)
class Briefing:
    """What one reads before contacting: what was done last, by which department, and what is planned."""

    last: list[Interaction]
    planned: list[NextStep]


#: Interactions in a briefing.
LAST = 3


def briefing_of(
    customer_id: int, known: Sequence[Interaction] = (), known_all: bool = False, any_planned: bool = True
) -> Briefing:
    """The last three interactions that were not taken back, and the open next steps.

    :param known: the newest interactions (`interactions_in_brief`), where the page has read them already.
    :param known_all: there are no others. :param any_planned: False where it is known that no step is open.
    """
    last = [row for row in known if row.cancelled_at is None][:LAST]
    if len(last) < LAST and not known_all:
        last = list(db.session.scalars(_last_interactions_statement(), {"customer_id": customer_id}))
    return Briefing(last, open_steps_of(customer_id) if any_planned else [])


@cache
def _last_interactions_statement() -> Select[Interaction]:
    return (
        select(Interaction)
        .where(Interaction.customer_id == bindparam("customer_id"), Interaction.cancelled_at.is_(None))
        .options(*_IN_BRIEF)
        .order_by(Interaction.at.desc(), Interaction.id.desc())
        .limit(LAST)
    )
