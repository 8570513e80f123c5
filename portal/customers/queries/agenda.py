"""What the customers of a person or a department ask for: steps that are due, birthdays, work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Date, Integer, Select, and_, bindparam, false, func, or_, select

from portal.core import clock
from portal.core.calendar import Birthday, to_lunar
from portal.core.permissions import only_visible
from portal.customers.models import Contact, Customer, NextStep
from portal.customers.permissions import VIEW
from portal.customers.remembered import remembered
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor


@dataclass(frozen=True)
class DueStep:
    """An open next step of the actor."""

    id: int
    customer_id: int
    customer: str
    kind: str
    task: str
    due_on: date


def due_steps(actor: Actor, until: date, limit: int = 50) -> list[DueStep]:
    """Open next steps of the actor up to a day, overdue ones included, the earliest first; one statement."""
    statement = only_visible(_due_steps_statement(), actor, VIEW)
    rows = db.session.execute(statement, {"user_id": actor.user_id, "until": until, "limit": limit})
    return [DueStep(row.id, row.customer_id, row.name, row.kind, row.task, row.due_on) for row in rows]


@cache
def _due_steps_statement() -> Select[int, int, str, str, str, date]:
    return (
        select(NextStep.id, NextStep.customer_id, Customer.name, NextStep.kind, NextStep.task, NextStep.due_on)
        .join(Customer, NextStep.customer_id == Customer.id)
        .where(
            NextStep.owner_id == bindparam("user_id"),
            NextStep.done_at.is_(None),
            NextStep.cancelled_at.is_(None),
            NextStep.due_on <= bindparam("until", type_=Date),
        )
        .order_by(NextStep.due_on, NextStep.id)
        .limit(bindparam("limit", type_=Integer))
    )


@dataclass(frozen=True)
class BirthdayRow:
    """A birthday that comes."""

    contact_id: int
    name: str
    customer_id: int
    customer: str
    day: date
    label: str
    age: int | None


def upcoming_birthdays(actor: Actor, first: date, last: date, limit: int = 50) -> list[BirthdayRow]:
    """Birthdays of contacts of the actor's own customers, solar and lunar, within at most a month; one statement."""
    keys = _birthday_keys(first, min(last, first + timedelta(days=31)))
    statement = only_visible(_birthdays_statement(keys), actor, VIEW)
    rows = db.session.execute(statement, {"user_id": actor.user_id})
    found = []
    for row in rows:
        birthday = Birthday(
            row.birthday_calendar, row.birthday_month, row.birthday_day, row.birthday_leap, row.birthday_year
        )
        found += [
            BirthdayRow(row.id, row.name, row.customer_id, row.customer, day, birthday.label(), birthday.age_on(day))
            for day in birthday.between(first, last)
        ]
    return sorted(found, key=lambda item: (item.day, item.name))[:limit]


@lru_cache(maxsize=16)
def _birthdays_statement(keys: tuple[tuple[tuple[str, int], frozenset[int]], ...]) -> Select[*tuple[Any, ...]]:
    """Built once a day: every home page asks it."""
    conditions = [
        and_(Contact.birthday_calendar == calendar, Contact.birthday_month == month, Contact.birthday_day.in_(days))
        for (calendar, month), days in keys
    ]
    return (
        select(
            Contact.id,
            Contact.name,
            Contact.birthday_calendar,
            Contact.birthday_month,
            Contact.birthday_day,
            Contact.birthday_leap,
            Contact.birthday_year,
            Contact.customer_id,
            Customer.name.label("customer"),
        )
        .join(Customer, Contact.customer_id == Customer.id)
        .where(
            Customer.account_manager_id == bindparam("user_id"),
            Contact.is_active,
            or_(*conditions) if conditions else false(),
        )
        .limit(500)
    )


@lru_cache(maxsize=16)
def _birthday_keys(first: date, last: date) -> tuple[tuple[tuple[str, int], frozenset[int]], ...]:
    """(calendar, month) → days that can be kept between two dates; a few too many, the exact check follows."""
    keys: dict[tuple[str, int], set[int]] = {}
    day = first
    while day <= last:
        keys.setdefault(("solar", day.month), set()).add(day.day)
        if (day.month, day.day) == (2, 28):
            keys[("solar", 2)].add(29)
        lunar = to_lunar(day)
        keys.setdefault(("lunar", lunar.month), set()).add(lunar.day)
        if lunar.day == 29:
            # Day 30 is kept on the last day of a month with 29.
            keys[("lunar", lunar.month)].add(30)
        day += timedelta(days=1)
    return tuple((key, frozenset(days)) for key, days in keys.items())


@dataclass(frozen=True)
class Workload:
    """Numbers for the home page."""

    customers: int
    due: int
    idle: int
    new: int


def workload_of(actor: Actor, idle_days: int) -> Workload:
    """The actor's own customers: how many, to be contacted today or late, not contacted for long, new this week."""
    today = clock.today()
    since = clock.day_bounds(today - timedelta(days=today.weekday()))[0]
    idle_since = clock.day_bounds(today - timedelta(days=idle_days))[0]
    parameters = {"user_id": actor.user_id, "today": today, "idle_since": idle_since, "since": since}
    statement = only_visible(_workload_statement(), actor, VIEW)

    def count() -> Workload:
        return Workload(*(int(value) for value in db.session.execute(statement, parameters).one()))

    return remembered(actor, "customers.workload", (actor.user_id, today, idle_days), count).value


@cache
def _workload_statement() -> Select[int, int, int, int]:
    return select(
        func.count(),
        func.count().filter(Customer.next_contact_sort <= bindparam("today", type_=Date)),
        func.count().filter(
            Customer.last_contact_sort < bindparam("idle_since", type_=Customer.last_contact_sort.type)
        ),
        func.count().filter(Customer.created_at >= bindparam("since", type_=Customer.created_at.type)),
    ).where(Customer.account_manager_id == bindparam("user_id"), Customer.status == Status.ACTIVE.value)
