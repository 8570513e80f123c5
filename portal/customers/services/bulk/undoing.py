"""Taking back what an import wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import selectinload

from portal.audit.services import record
from portal.core import clock
from portal.customers.actions import CustomerAction
from portal.customers.models import Contact, ContactPhone, Customer, CustomerAlias, CustomerPerson, CustomerStageChange
from portal.customers.plain_json import from_json, to_json
from portal.customers.references import referring
from portal.customers.search_index import CustomerTerm
from portal.customers.services import contacts as contact_rules
from portal.customers.services import customers as customer_rules
from portal.customers.services.bulk.base import (
    contact_content,
    contact_key,
    content_of,
    dumped,
    loaded,
    person_of,
    phones_from,
)
from portal.customers.services.common import label_of, split_private
from portal.customers.services.held import held_of, problems
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager


def obstacles_to_removal(effects: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Customers that an import created and that cannot be removed any more → why."""
    ids = [effect["id"] for effect in effects]
    people = [contact for effect in effects for contact, _content_then in effect["contacts"]]
    now = {
        row.id: content_of(row)
        for row in db.session.scalars(
            select(Customer)
            .where(Customer.id.in_(ids), Customer.status != "merged")
            .options(selectinload(Customer.aliases), selectinload(Customer.person))
        )
    }
    contacts_now = {
        row.id: contact_content(row)
        for row in db.session.scalars(
            select(Contact).where(Contact.id.in_(people)).options(selectinload(Contact.phones))
        )
    }
    used = referring("customer", ids)
    automatic = set(manager().collect("customer_automatic_rows", customer_ids=ids)) if used else set()
    used_contacts = referring("contact", people)
    found: dict[int, str] = {}
    for effect in effects:
        known = {contact for contact, _content_then in effect["contacts"]}
        if effect["id"] not in now:
            found[effect["id"]] = _("It is not there any more.")
        elif now[effect["id"]] != effect["content"]:
            found[effect["id"]] = _("It was changed since.")
        elif any(contacts_now.get(contact) != content for contact, content in effect["contacts"]):
            found[effect["id"]] = _("A contact was changed since.")
        elif _foreign([row for row in used.get(effect["id"], []) if row not in automatic], known) or any(
            table != "contact_phone" for contact in known for table, _row in used_contacts.get(contact, [])
        ):
            found[effect["id"]] = _("Work was recorded with it since: contacts, interactions, purchases or others.")
    return found


def _foreign(rows: Sequence[tuple[str, int]], contacts: set[int]) -> bool:
    """Whether rows refer to a customer that did not come with it."""
    stages = sum(table == "customer_stage_change" for table, _row in rows)
    own = {"customer_alias", "customer_person", "customer_stage_change"}
    return stages > 1 or any(table not in own and not (table == "contact" and row in contacts) for table, row in rows)


def remove_created(effects: Sequence[Mapping[str, Any]], actor: Actor) -> None:
    """Remove customers that an import created (see `obstacles_to_removal`); each removal is recorded."""
    ids = [effect["id"] for effect in effects]
    people = [contact for effect in effects for contact, _content_then in effect["contacts"]]
    manager().hook.customers_removed(customer_ids=ids, actor=actor)
    for customer in db.session.scalars(select(Customer).where(Customer.id.in_(ids))):
        public, private = split_private(customer, customer_rules.without_blanks(customer_rules.snapshot(customer)))
        record(
            actor,
            CustomerAction.IMPORT_UNDO,
            object_type="customer",
            object_id=customer.id,
            object_label=label_of(customer),
            old=public,
            private={"old": private} if private else None,
            customer_id=customer.id,
        )
    db.session.flush()
    db.session.expunge_all()
    for table, column, values in (
        (ContactPhone, ContactPhone.contact_id, people),
        (Contact, Contact.id, people),
        (CustomerAlias, CustomerAlias.customer_id, ids),
        (CustomerPerson, CustomerPerson.customer_id, ids),
        (CustomerStageChange, CustomerStageChange.customer_id, ids),
        (CustomerTerm, CustomerTerm.customer_id, ids),
        (Customer, Customer.id, ids),
    ):
        if values:
            db.session.execute(delete(table).where(column.in_(values)).execution_options(synchronize_session=False))


def restore_changed(effect: Mapping[str, Any], actor: Actor) -> str:
    """Put back what an import wrote over a customer; "" when done, else why nothing was touched."""
    customer = db.session.get(Customer, effect["id"], with_for_update=True)
    if customer is None or customer.status == "merged":
        return _("It is not there any more.")
    changed = list(effect["changed"])
    contacts = {
        contact.id: contact
        for contact in db.session.scalars(
            select(Contact).where(Contact.id.in_([c["id"] for c in changed] + [c[0] for c in effect["contacts"]]))
        )
    }
    problem = _stale(customer, contacts, effect) or _held_back(customer, effect, actor)
    if problem:
        return problem
    before = customer_rules.snapshot(customer)
    for name, (old, _new) in effect["columns"].items():
        setattr(customer, name, from_json(old))
    if "aliases" in effect:
        present = {alias.alias: alias for alias in customer.aliases}
        customer.aliases = [present.get(alias) or CustomerAlias(alias=alias) for alias in effect["aliases"][0]]
    if "person" in effect:
        old = effect["person"][0]
        customer_rules.store_person(customer, loaded(old) if old else None, actor)
    if effect["columns"] or "aliases" in effect or "person" in effect:
        customer.updated_at, customer.updated_by_id = clock.now(), actor.user_id
        db.session.flush()
        customer_rules.record_changed(customer, customer_rules.changes_since(before, customer), actor)
    for item in changed:
        _restore_contact(contacts[item["id"]], item, actor)
    added = [contact for contact, _content_then in effect["contacts"]]
    if added:
        db.session.flush()
        for contact_id in added:
            db.session.delete(contacts[contact_id])
        record(
            actor,
            CustomerAction.IMPORT_UNDO,
            object_type="customer",
            object_id=customer.id,
            object_label=label_of(customer),
            old={"contacts": len(added)},
            customer_id=customer.id,
        )
    db.session.flush()
    return ""


def _held_back(customer: Customer, effect: Mapping[str, Any], actor: Actor) -> str:
    changes = {name: (new, old) for name, (old, new) in effect["columns"].items()}
    if "person" in effect:
        changes["person"] = (effect["person"][1], effect["person"][0])
    found = problems(held_of(customer.id, actor), changes)
    return found[0][1] if found else ""


def _stale(customer: Customer, contacts: Mapping[int, Contact], effect: Mapping[str, Any]) -> str:
    for name, (_old, new) in effect["columns"].items():
        if to_json(getattr(customer, name)) != new:
            return _("It was changed since.")
    if "aliases" in effect and [alias.alias for alias in customer.aliases] != effect["aliases"][1]:
        return _("It was changed since.")
    if "person" in effect:
        person = person_of(customer)
        if (dumped(person) if person else None) != effect["person"][1]:
            return _("It was changed since.")
    added = [contact for contact, _content_then in effect["contacts"]]
    for contact_id, content in effect["contacts"]:
        if contact_id not in contacts or contact_content(contacts[contact_id]) != content:
            return _("A contact was changed since.")
    if any(table != "contact_phone" for rows in referring("contact", added).values() for table, _row in rows):
        return _("Work was recorded with a contact since.")
    for item in effect["changed"]:
        contact = contacts.get(item["id"])
        phones = [[p.number, p.digits, p.label] for p in contact.phones] if contact else None
        if (
            contact is None
            or phones != item["phones"][1]
            or any(to_json(getattr(contact, name)) != pair[1] for name, pair in item["columns"].items())
        ):
            return _("A contact was changed since.")
    return ""


def _restore_contact(contact: Contact, item: Mapping[str, Any], actor: Actor) -> None:
    before = contact_rules.snapshot(contact)
    for name, (old, _new) in item["columns"].items():
        setattr(contact, name, from_json(old))
    contact.name_sort = contact_key(contact.name)
    if item["phones"][0] != item["phones"][1]:
        contact.phones = phones_from(item["phones"][0])
    contact.updated_at = clock.now()
    db.session.flush()
    contact_rules.record_contact(actor, CustomerAction.CONTACT_CHANGE, contact, before, contact_rules.snapshot(contact))
