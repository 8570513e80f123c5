"""What would be stored, what is wrong with it, and whether it changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.core.errors import NotAllowed
from portal.core.panels import HeldFields
from portal.core.text import fold
from portal.customers.inputs import ContactInput, CustomerInput
from portal.customers.models import Contact, Customer
from portal.customers.services import contacts as contact_rules
from portal.customers.services import customers as customer_rules
from portal.customers.services.bulk.base import COLUMNS, Errors, Prepared, person_of
from portal.customers.services.held import problems
from portal.customers.validation import Checker
from portal.org.actor import Actor


def prepare_customer(data: CustomerInput, actor: Actor, customer: Customer | None = None) -> tuple[Prepared, Errors]:
    """The customer as it would be stored, and all that is wrong with it; writes nothing."""
    checker = Checker()
    values = customer_rules.check_customer(data, checker, actor, customer)
    person = values["person"] if values["person"] and any(values["person"].values()) else None
    prepared = Prepared({name: values[name] for name in COLUMNS}, values["aliases"], person)
    return prepared, [(name, str(message)) for name, message in checker.errors.pairs]


def place(manager_id: int | None, department_id: int | None, actor: Actor) -> tuple[int | None, int | None, Errors]:
    """Account manager and department of a new customer, as far as this actor may choose them."""
    checker = Checker()
    try:
        found, owner = customer_rules.place_customer(manager_id, department_id, actor, checker)
    except NotAllowed as error:
        return None, None, [("account_manager", str(error.message))]
    errors = [(name.removesuffix("_id"), str(message)) for name, message in checker.errors.pairs]
    return found, owner, errors


def prepare_contact(data: ContactInput, contact: Contact | None = None) -> tuple[dict[str, Any], Errors]:
    """A contact as it would be stored, and what is wrong with it; fields are named "contact_…"."""
    checker = Checker()
    values, phones = contact_rules.check_contact(data, checker, contact)
    prepared = {
        "id": contact.id if contact else None,
        "values": values,
        "phones": [[phone.number, phone.digits, phone.label] for phone in phones],
    }
    return prepared, [(contact_column(name), str(message)) for name, message in checker.errors.pairs]


def contact_column(name: str) -> str:
    """The column of an import in which a field of a contact stands."""
    if name.startswith("phones"):
        return "contact_phone"
    return "contact_birthday" if name.startswith("birthday") else f"contact_{name}"


def differs(customer: Customer, prepared: Prepared) -> bool:
    """Whether writing it would change the customer's own values."""
    if any(getattr(customer, name) != prepared.columns[name] for name in COLUMNS):
        return True
    if [alias.alias for alias in customer.aliases] != prepared.aliases:
        return True
    return person_of(customer) != (prepared.person or None)


def held_problems(customer: Customer, prepared: Prepared, held: HeldFields) -> Errors:
    """(field, reason) of each held field that writing it would change."""
    if not held.fields:
        return []
    changes: dict[str, tuple[Any, Any]] = {
        name: (getattr(customer, name), prepared.columns[name])
        for name in COLUMNS
        if getattr(customer, name) != prepared.columns[name]
    }
    changes["person"] = (person_of(customer), prepared.person)
    return problems(held, changes)


def contact_differs(contact: Contact, prepared: Mapping[str, Any]) -> bool:
    """Whether writing it would change the contact."""
    if any(getattr(contact, name) != value for name, value in prepared["values"].items()):
        return True
    return [[phone.number, phone.digits, phone.label] for phone in contact.phones] != prepared["phones"]


def same_contact(contacts: Sequence[Contact], name: str) -> Contact | None:
    """The contact of that name; active ones first."""
    wanted = fold(name)
    found = [contact for contact in contacts if fold(contact.name) == wanted]
    return next((contact for contact in found if contact.is_active), found[0] if found else None)
