"""What a customer consists of for an import, and what it looks like as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from portal.core.text import sort_key
from portal.customers.models import Contact, ContactPhone, Customer
from portal.customers.plain_json import from_json, to_json
from portal.customers.services import contacts as contact_rules
from portal.customers.services import customers as customer_rules

#: Columns of a customer that an import writes.
COLUMNS = (*customer_rules.PLAIN_FIELDS, "name_sort", "credit_code", "phone", "phone_digits")
Errors = list[tuple[str, str]]


@dataclass
class Prepared:
    """A checked customer: columns, other names, facts about the person, contacts; plain values throughout.

    :ivar contacts: each {"id": None or of a contact to change, "values": …, "phones": [[number, digits, label], …]}.
    """

    columns: dict[str, Any]
    aliases: list[str] = field(default_factory=list)
    person: dict[str, Any] | None = None
    manager_id: int | None = None
    department_id: int | None = None
    stage: str = ""
    contacts: list[dict[str, Any]] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        found = asdict(self)
        found["columns"] = dumped(self.columns)
        found["person"] = dumped(self.person) if self.person else None
        found["contacts"] = [{**contact, "values": dumped(contact["values"])} for contact in self.contacts]
        return found

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Prepared:
        """What `dump` made."""
        found = cls(**data)
        found.columns = loaded(found.columns)
        found.person = loaded(found.person) if found.person else None
        found.contacts = [{**contact, "values": loaded(contact["values"])} for contact in found.contacts]
        return found


def dumped(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of columns as JSON keeps them."""
    return {name: to_json(value) for name, value in values.items()}


def loaded(values: Mapping[str, Any]) -> dict[str, Any]:
    """What `dumped` made."""
    return {name: from_json(value) for name, value in values.items()}


def person_of(customer: Customer) -> dict[str, Any] | None:
    """What is kept about a customer who is a person; None for others."""
    if customer.person is None:
        return None
    return {name: getattr(customer.person, name) for name in customer_rules.PERSON_FIELDS}


def content_of(customer: Customer) -> str:
    """A digest of all that people enter of a customer: tells whether it was changed since."""
    values = {name: to_json(getattr(customer, name)) for name in COLUMNS}
    values |= {
        "account_manager_id": customer.account_manager_id,
        "department_id": customer.department_id,
        "stage": customer.stage,
        "aliases": sorted(alias.alias for alias in customer.aliases),
        "person": dumped(person) if (person := person_of(customer)) else None,
    }
    return _digest(values)


def contact_content(contact: Contact) -> str:
    """The same of a contact."""
    values = {name: to_json(getattr(contact, name)) for name in contact_rules.PLAIN_FIELDS}
    values |= {"is_active": contact.is_active, "phones": [[p.number, p.label] for p in contact.phones]}
    return _digest(values)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def contact_key(name: str) -> str:
    """By what a contact's name is sorted."""
    return sort_key(name, person=True)[: contact_rules.SORT_KEY_LENGTH]


def phones_from(rows: Sequence[Sequence[str]]) -> list[ContactPhone]:
    """Telephones out of (number, digits, label)."""
    return [
        ContactPhone(number=number, digits=digits, label=label, position=position)
        for position, (number, digits, label) in enumerate(rows)
    ]
