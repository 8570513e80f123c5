"""Reads. Whatever gives customers' content takes the actor and goes through `visible(actor, "customers.view")`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Date, Integer, Select, and_, bindparam, false, func, or_, select, true, tuple_
from sqlalchemy.orm import aliased, joinedload, lazyload, selectinload

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.calendar import Birthday, to_lunar
from portal.core.errors import NotAllowed, NotFound
from portal.core.permissions import Reason, can, decide_all, holders, only_visible, require, visible
from portal.core.together import Question, any_of
from portal.customers.actions import CustomerAction
from portal.customers.models import (
    Contact,
    ContactPhone,
    Customer,
    CustomerFavourite,
    CustomerPerson,
    CustomerQualification,
    CustomerStageChange,
    Interaction,
    NextStep,
)
from portal.customers.permissions import ASSIGN, EDIT, REVEAL, VIEW
from portal.customers.remembered import remembered
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User, UserRole


class HiddenCustomer(NotAllowed):
    """The customer exists, the actor may not see it; `existence` is all he may know (R-CUS-7)."""

    def __init__(self, existence: Existence, permission: str) -> None:
        super().__init__(_("You may not see this customer."), permission=permission)
        self.existence = existence


class MergedCustomer(Exception):
    """The record was merged; `kept_id` is the record that stands for it now."""

    def __init__(self, kept_id: int) -> None:
        super().__init__(f"merged into {kept_id}")
        self.kept_id = kept_id


@dataclass(frozen=True)
class Existence:
    """What everybody may know of a customer: that it exists and who looks after it."""

    customer_id: int
    name: str
    department: str
    account_manager: str


def load_customer(customer_id: int) -> Customer:
    """A customer with everything its page needs, whoever asks. :raises NotFound: when there is none."""
    customer = db.session.scalars(_customer_statement(), {"customer_id": customer_id}).first()
    if customer is None:
        raise NotFound()
    return customer


# Statements of the record page are built once: building one costs more than asking it.


@cache
def _customer_statement() -> Select[Customer]:
    return (
        select(Customer)
        .where(Customer.id == bindparam("customer_id"))
        .options(
            joinedload(Customer.account_manager).lazyload(User.roles),
            joinedload(Customer.department),
            joinedload(Customer.referrer),
            joinedload(Customer.person).joinedload(CustomerPerson.consent_recorded_by).lazyload(User.roles),
            selectinload(Customer.aliases),
        )
    )


def open_customer(customer_id: int, actor: Actor, permission: str = VIEW) -> Customer:
    """A customer on which the actor has the permission.

    :raises NotFound: no such customer. :raises MergedCustomer: it lives on in another record.
    :raises HiddenCustomer: the actor may not even see it. :raises NotAllowed: he sees it but may not do this.
    """
    customer = load_customer(customer_id)
    if customer.status == Status.MERGED and customer.merged_into_id is not None:
        raise MergedCustomer(final_record(customer.merged_into_id))
    # What the page will ask next comes with the same statement.
    if not decide_all(actor, customer)[VIEW].allowed:
        raise HiddenCustomer(existence_of(customer), permission)
    if permission != VIEW:
        require(actor, permission, customer)
    return customer


def abilities_of(customer: Customer, actor: Actor) -> frozenset[str]:
    """Which of the permissions about customers the actor has on this one: for drawing a page."""
    return frozenset(name for name in (VIEW, EDIT, REVEAL, ASSIGN) if can(actor, name, customer))


def existence_of(customer: Customer) -> Existence:
    """What everybody may know."""
    keeper = customer.account_manager.name if customer.account_manager else ""
    return Existence(customer.id, customer.name, customer.department.name, keeper)


def final_record(customer_id: int) -> int:
    """Follow merges to the record that is kept."""
    seen: set[int] = set()
    while customer_id not in seen:
        seen.add(customer_id)
        following = db.session.scalar(select(Customer.merged_into_id).where(Customer.id == customer_id))
        if following is None:
            break
        customer_id = following
    return customer_id


def pick(actor: Actor, ids: Iterable[int]) -> list[tuple[int, str]]:
    """(id, name) of those of the customers that the actor may see, in pinyin order."""
    rows = db.session.execute(
        select(Customer.id, Customer.name)
        .where(Customer.id.in_(list(ids)), visible(actor, VIEW))
        .order_by(Customer.name_sort, Customer.id)
    )
    return [(row.id, row.name) for row in rows]


# ---- the record page -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """Numbers beside the tabs, and whether the actor watches the customer."""

    contacts: int
    interactions: int
    is_favourite: bool


def figures_of(customer_id: int, actor: Actor) -> dict[str, Question]:
    """What `Counts` needs, asked together with the figures of other modules."""
    parameters = {"customer_id": customer_id, "user_id": actor.user_id}
    return {f"customers.{name}": Question(statement, parameters) for name, statement in _figures().items()}


@cache
def _figures() -> dict[str, Select[Any]]:
    """Counts, and whether there is any of what most customers have none of: its statement is then left out."""
    customer_id = bindparam("customer_id", type_=Integer)
    return {
        "met": any_of(Interaction, Interaction.customer_id == customer_id),
        "moved": any_of(CustomerStageChange, CustomerStageChange.customer_id == customer_id),
        "planned": any_of(
            NextStep,
            NextStep.customer_id == customer_id,
            NextStep.done_at.is_(None),
            NextStep.cancelled_at.is_(None),
        ),
        "assessed": any_of(CustomerQualification, CustomerQualification.customer_id == customer_id),
        "contacts": select(func.count()).where(Contact.customer_id == customer_id, Contact.is_active),
        "interactions": select(func.count()).where(
            Interaction.customer_id == customer_id, Interaction.cancelled_at.is_(None)
        ),
        "watched": select(func.count()).where(
            CustomerFavourite.customer_id == customer_id,
            CustomerFavourite.user_id == bindparam("user_id", type_=Integer),
        ),
    }


def contacts_of(customer_id: int) -> list[Contact]:
    """All contacts with their phones: active ones first, the primary one on top."""
    return list(
        db.session.scalars(
            select(Contact)
            .where(Contact.customer_id == customer_id)
            .options(selectinload(Contact.phones))
            .order_by(Contact.is_active.desc(), Contact.is_primary.desc(), Contact.name_sort, Contact.id)
        )
    )


def contact_for(contact_id: int, actor: Actor) -> Contact:
    """A contact of a visible customer. :raises NotFound: for all others: their existence is not told."""
    contact = db.session.scalars(
        select(Contact)
        .join(Customer, Contact.customer_id == Customer.id)
        .where(Contact.id == contact_id, visible(actor, VIEW))
        .options(selectinload(Contact.phones), joinedload(Contact.customer).joinedload(Customer.department))
    ).first()
    if contact is None:
        raise NotFound()
    return contact


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


def stage_changes_of(customer_id: int) -> list[CustomerStageChange]:
    """All changes of the stage, newest first."""
    return list(db.session.scalars(_stage_changes_statement(), {"customer_id": customer_id}))


@cache
def _stage_changes_statement() -> Select[CustomerStageChange]:
    return (
        select(CustomerStageChange)
        .where(CustomerStageChange.customer_id == bindparam("customer_id"))
        .options(joinedload(CustomerStageChange.changed_by).lazyload(User.roles))
        .order_by(CustomerStageChange.changed_at.desc(), CustomerStageChange.id.desc())
        .limit(100)
    )


def qualification_of(customer_id: int) -> CustomerQualification | None:
    """The assessment that counts."""
    return db.session.scalars(_qualification_statement(), {"customer_id": customer_id}).first()


@cache
def _qualification_statement() -> Select[CustomerQualification]:
    return (
        select(CustomerQualification)
        .where(CustomerQualification.customer_id == bindparam("customer_id"))
        .options(joinedload(CustomerQualification.assessed_by).lazyload(User.roles))
        .order_by(CustomerQualification.assessed_at.desc(), CustomerQualification.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class ChangeRow:
    """A change out of the audit trail: when, who, what, old and new values of the public fields."""

    at: datetime
    actor: str
    action: str
    reason: str
    old: dict[str, Any]
    new: dict[str, Any]
    fields: tuple[str, ...]


#: What the time line shows as changes; interactions and stages have entries of their own.
CHANGE_ACTIONS = (
    CustomerAction.MERGE,
    CustomerAction.UNMERGE,
    CustomerAction.REVEAL,
    CustomerAction.STEP_PLAN,
    CustomerAction.STEP_CANCEL,
    CustomerAction.CREATE,
    CustomerAction.CHANGE,
    CustomerAction.ASSIGN,
    CustomerAction.HAND_OVER,
    CustomerAction.QUALIFY,
    CustomerAction.CONTACT_ADD,
    CustomerAction.CONTACT_CHANGE,
    CustomerAction.CONTACT_DEACTIVATE,
    CustomerAction.CONTACT_REACTIVATE,
)


def changes_of(customer_id: int, before: datetime | None, limit: int, actions: Sequence[str] = ()) -> list[ChangeRow]:
    """Changes of a customer and its contacts, newest first. Personal values are named, not shown."""
    parameters = {
        "customer_id": customer_id,
        "actions": [str(action) for action in actions or CHANGE_ACTIONS],
        "before": before,
        "limit": limit,
    }
    return [_change_row(row) for row in db.session.execute(_changes_statement(before is not None), parameters)]


@cache
def _changes_statement(older: bool) -> Select[datetime, str, str, str, str | None, str | None, str | None]:
    statement = select(
        AuditEntry.at,
        AuditEntry.actor_name,
        AuditEntry.action,
        AuditEntry.reason,
        AuditEntry.old_values,
        AuditEntry.new_values,
        AuditEntry.private,
    ).where(
        AuditEntry.customer_id == bindparam("customer_id"),
        AuditEntry.result == "ok",
        AuditEntry.action.in_(bindparam("actions", expanding=True)),
    )
    if older:
        statement = statement.where(AuditEntry.at < bindparam("before", type_=AuditEntry.at.type))
    return statement.order_by(AuditEntry.seq.desc()).limit(bindparam("limit", type_=Integer))


def _change_row(row: Any) -> ChangeRow:
    old = json.loads(row.old_values) if row.old_values else {}
    new = json.loads(row.new_values) if row.new_values else {}
    private = json.loads(row.private) if row.private else {}
    hidden = private.get("new", {}) if isinstance(private, dict) else {}
    fields = tuple(dict.fromkeys([*new, *hidden]))
    return ChangeRow(row.at, row.actor_name, row.action, row.reason, old, new, fields)


def names_of_users(ids: Iterable[int]) -> dict[int, str]:
    """id → name of people."""
    wanted = {value for value in ids if isinstance(value, int)}
    if not wanted:
        return {}
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(wanted)))}


def names_of_departments(ids: Iterable[int]) -> dict[int, str]:
    """id → name of departments."""
    wanted = {value for value in ids if isinstance(value, int)}
    if not wanted:
        return {}
    rows = db.session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True)
class Viewer:
    """Somebody who can see a customer, and why."""

    name: str
    department: str
    title: str
    reasons: tuple[Reason, ...]


def viewers_of(customer: Customer) -> list[Viewer]:
    """Who can see a customer and why; people with the customer's department first, then by name."""
    found = holders(VIEW, customer)
    rows = db.session.execute(
        select(User.id, User.name, User.title, User.department_id, Department.name.label("department"))
        .join(Department, User.department_id == Department.id)
        .where(User.id.in_(found))
        .order_by((User.department_id == customer.department_id).desc(), User.name_sort, User.id)
    )
    return [Viewer(row.name, row.department, row.title, tuple(found[row.id])) for row in rows]


# ---- my day --------------------------------------------------------------------------------------------------------


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


# ---- choices of forms ----------------------------------------------------------------------------------------------


def possible_managers(actor: Actor, present: int | None = None, limit: int = 500) -> list[tuple[int, str]]:
    """People whom the actor may make account manager: (id, name · department), by pinyin.

    Executives and the portal choose among all account managers and heads, heads among the people of the departments
    they oversee, everybody else only himself. `present` is always among them.
    """
    among_all = EXECUTIVE in actor.roles or actor.is_system
    parameters: dict[str, Any] = {"present": present or 0, "limit": limit}
    if not among_all:
        parameters |= {"overseen": sorted(actor.oversees), "user_id": actor.user_id or 0}
    rows = db.session.execute(_managers_statement(among_all), parameters)
    return [(row.id, f"{row.name} · {row.department}") for row in rows]


@cache
def _managers_statement(among_all: bool) -> Select[int, str, str]:
    """Built once: each list of customers offers them in a filter."""
    if among_all:
        manages = User.id.in_(select(UserRole.user_id).where(UserRole.role == ACCOUNT_MANAGER))
        leads = User.id.in_(select(Department.head_id).where(Department.head_id.is_not(None)))
        condition = or_(manages, leads)
    else:
        below = User.department_id.in_(bindparam("overseen", expanding=True))
        condition = or_(below, User.id == bindparam("user_id", type_=Integer))
    return (
        select(User.id, User.name, Department.name.label("department"))
        .join(Department, User.department_id == Department.id)
        .where(or_(and_(condition, User.is_active), User.id == bindparam("present", type_=Integer)))
        .order_by(User.name_sort, User.id)
        .limit(bindparam("limit", type_=Integer))
    )


def possible_departments(actor: Actor, present: int | None = None) -> list[tuple[int, str]]:
    """Departments that the actor may make owner: (id, name)."""
    among_all = EXECUTIVE in actor.roles or actor.is_system
    parameters: dict[str, Any] = {"present": present or 0}
    if not among_all:
        parameters["own"] = sorted({*actor.oversees, *([actor.department_id] if actor.department_id else [])})
    rows = db.session.execute(_departments_statement(among_all), parameters)
    return [(row.id, row.name) for row in rows]


@cache
def _departments_statement(among_all: bool) -> Select[int, str]:
    condition = true() if among_all else Department.id.in_(bindparam("own", expanding=True))
    return (
        select(Department.id, Department.name)
        .where(or_(and_(condition, Department.is_active), Department.id == bindparam("present", type_=Integer)))
        .order_by(Department.path)
    )


def colleagues_of(actor: Actor, customer: Customer, also: Iterable[int] = (), limit: int = 60) -> list[tuple[int, str]]:
    """People one may name as taking part: of one's own and of the customer's department, by pinyin."""
    departments = {department for department in (actor.department_id, customer.department_id) if department}
    kept = list(also)
    near = and_(User.department_id.in_(sorted(departments)), User.is_active, User.id != (actor.user_id or 0))
    rows = db.session.execute(
        select(User.id, User.name).where(or_(near, User.id.in_(kept))).order_by(User.name_sort, User.id).limit(limit)
    )
    return [(row.id, row.name) for row in rows]


def phone_of(phone_id: int, actor: Actor) -> ContactPhone:
    """A phone of a contact of a visible customer. :raises NotFound: for all others."""
    owner = aliased(Contact)
    phone = db.session.scalars(
        select(ContactPhone)
        .join(owner, ContactPhone.contact_id == owner.id)
        .join(Customer, owner.customer_id == Customer.id)
        .where(ContactPhone.id == phone_id, visible(actor, VIEW))
        .options(joinedload(ContactPhone.contact))
    ).first()
    if phone is None:
        raise NotFound()
    return phone
