"""Writing checked customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert

from portal.core import clock
from portal.customers.actions import CustomerAction
from portal.customers.models import Contact, Customer, CustomerAlias, CustomerPerson, CustomerStageChange
from portal.customers.plain_json import to_json
from portal.customers.search_index import index_customers
from portal.customers.services import contacts as contact_rules
from portal.customers.services import customers as customer_rules
from portal.customers.services.bulk.base import (
    COLUMNS,
    Prepared,
    contact_content,
    contact_key,
    content_of,
    dumped,
    person_of,
    phones_from,
)
from portal.customers.services.bulk.checking import contact_differs, differs
from portal.customers.services.held import refuse_held
from portal.extensions import db
from portal.org.actor import Actor
from portal.pluginmanager import manager


def create_prepared(items: Sequence[Prepared], actor: Actor) -> list[dict[str, Any]]:
    """Write new customers with their contacts; returns what each became, as the undo needs it.

    :raises IntegrityError: e.g. when a code was taken meanwhile; the caller writes them one by one then.
    """
    now = clock.now()
    customers = []
    for item in items:
        customer = Customer(
            **item.columns,
            account_manager_id=item.manager_id,
            department_id=item.department_id,
            stage=item.stage,
            stage_changed_at=now,
            created_at=now,
            created_by_id=actor.user_id,
            updated_at=now,
            updated_by_id=actor.user_id,
        )
        customer.aliases = [CustomerAlias(alias=alias) for alias in item.aliases]
        # Set in any case: nothing known would be looked up row by row.
        customer.person = CustomerPerson(**item.person, consent_recorded_by_id=actor.user_id) if item.person else None
        customers.append(customer)
    db.session.add_all(customers)
    db.session.flush()
    ids = [customer.id for customer in customers]
    db.session.execute(
        insert(CustomerStageChange),
        [
            {
                "customer_id": customer.id,
                "from_stage": "",
                "to_stage": customer.stage,
                "changed_at": now,
                "changed_by_id": actor.user_id,
                "reason": "",
            }
            for customer in customers
        ],
    )
    for customer in customers:
        customer_rules.record_created(customer, actor)
    people = [
        add_contacts(customer, item.contacts, actor, first=True)
        for customer, item in zip(customers, items, strict=True)
    ]
    db.session.flush()
    index_customers(ids)
    effects = []
    for customer, contacts in zip(customers, people, strict=True):
        for contact in contacts:
            contact_rules.record_contact(
                actor, CustomerAction.CONTACT_ADD, contact, None, contact_rules.snapshot(contact)
            )
        manager().hook.customer_created(customer=customer, actor=actor)
        effects.append(
            {
                "id": customer.id,
                "created": True,
                "content": content_of(customer),
                "contacts": [[contact.id, contact_content(contact)] for contact in contacts],
            }
        )
    return effects


def add_contacts(customer: Customer, prepared: Sequence[Mapping[str, Any]], actor: Actor, first: bool) -> list[Contact]:
    """Add checked contacts to a customer."""
    now = clock.now()
    added: list[Contact] = []
    for item in prepared:
        contact = Contact(
            customer_id=customer.id,
            **item["values"],
            name_sort=contact_key(item["values"]["name"]),
            is_primary=first and not added,
            created_at=now,
            created_by_id=actor.user_id,
            updated_at=now,
        )
        contact.phones = phones_from(item["phones"])
        added.append(contact)
    db.session.add_all(added)
    return added


def change_prepared(customer: Customer, contacts: Sequence[Contact], item: Prepared, actor: Actor) -> dict[str, Any]:
    """Write the values over a customer and add or change its contacts; returns before and after for the undo.

    :param contacts: the customer's contacts, loaded for the whole chunk.
    :raises Invalid: a field of it is held (`held`); the caller takes back what was written.
    """
    now = clock.now()
    effect: dict[str, Any] = {"id": customer.id, "created": False, "columns": {}, "contacts": [], "changed": []}
    if differs(customer, item):
        before = customer_rules.snapshot(customer)
        for name in COLUMNS:
            old, new = getattr(customer, name), item.columns[name]
            if old != new:
                effect["columns"][name] = [to_json(old), to_json(new)]
                setattr(customer, name, new)
        present = {alias.alias: alias for alias in customer.aliases}
        if list(present) != item.aliases:
            effect["aliases"] = [list(present), item.aliases]
            customer.aliases = [present.get(alias) or CustomerAlias(alias=alias) for alias in item.aliases]
        person = person_of(customer)
        if person != (item.person or None):
            effect["person"] = [dumped(person) if person else None, dumped(item.person) if item.person else None]
            customer_rules.store_person(customer, item.person, actor)
        changes = customer_rules.changes_since(before, customer)
        refuse_held(customer, changes, actor)
        customer.updated_at, customer.updated_by_id = now, actor.user_id
        db.session.flush()
        customer_rules.record_changed(customer, changes, actor)
    by_id = {contact.id: contact for contact in contacts}
    for prepared in item.contacts:
        contact = by_id.get(prepared["id"]) if prepared["id"] is not None else None
        if contact is None:
            (added,) = add_contacts(customer, [prepared], actor, first=not any(c.is_active for c in contacts))
            db.session.flush()
            contact_rules.record_contact(actor, CustomerAction.CONTACT_ADD, added, None, contact_rules.snapshot(added))
            effect["contacts"].append([added.id, contact_content(added)])
        elif contact_differs(contact, prepared):
            effect["changed"].append(_change_contact(contact, prepared, actor))
    return effect


def _change_contact(contact: Contact, prepared: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    before = contact_rules.snapshot(contact)
    columns = {}
    for name, value in prepared["values"].items():
        old = getattr(contact, name)
        if old != value:
            columns[name] = [to_json(old), to_json(value)]
            setattr(contact, name, value)
    contact.name_sort = contact_key(contact.name)
    old_phones = [[phone.number, phone.digits, phone.label] for phone in contact.phones]
    if old_phones != prepared["phones"]:
        contact.phones = phones_from(prepared["phones"])
    contact.updated_at = clock.now()
    db.session.flush()
    contact_rules.record_contact(actor, CustomerAction.CONTACT_CHANGE, contact, before, contact_rules.snapshot(contact))
    return {"id": contact.id, "columns": columns, "phones": [old_phones, prepared["phones"]]}
