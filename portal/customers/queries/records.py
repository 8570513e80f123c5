"""One customer: opening it, that it exists, its figures, its contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from portal.core.errors import NotAllowed, NotFound
from portal.core.permissions import can, decide_all, require, visible
from portal.core.together import Question, any_of
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
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


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
