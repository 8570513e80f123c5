"""Many customers at once, for imports: checked one by one beforehand, written together.

The rules are those of `create_customer` and `change_customer`; only the writing is done in few statements.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import selectinload

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import NotAllowed
from portal.core.panels import HeldFields
from portal.core.text import fold, sort_key
from portal.customers.actions import CustomerAction
from portal.customers.inputs import ContactInput, CustomerInput
from portal.customers.models import (
    Contact,
    ContactPhone,
    Customer,
    CustomerAlias,
    CustomerPerson,
    CustomerStageChange,
)
from portal.customers.plain_json import from_json, to_json
from portal.customers.references import referring
from portal.customers.search_index import CustomerTerm, index_customers
from portal.customers.services import contacts as contact_rules
from portal.customers.services import customers as customer_rules
from portal.customers.services.common import label_of, split_private
from portal.customers.services.held import held_of, problems, refuse_held
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager

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
        found["columns"] = _dumped(self.columns)
        found["person"] = _dumped(self.person) if self.person else None
        found["contacts"] = [{**contact, "values": _dumped(contact["values"])} for contact in self.contacts]
        return found

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Prepared:
        """What `dump` made."""
        found = cls(**data)
        found.columns = _loaded(found.columns)
        found.person = _loaded(found.person) if found.person else None
        found.contacts = [{**contact, "values": _loaded(contact["values"])} for contact in found.contacts]
        return found


def _dumped(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json(value) for name, value in values.items()}


def _loaded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: from_json(value) for name, value in values.items()}


# ---- checking ------------------------------------------------------------------------------------------------------


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
    return _person_of(customer) != (prepared.person or None)


def held_problems(customer: Customer, prepared: Prepared, held: HeldFields) -> Errors:
    """(field, reason) of each held field that writing it would change."""
    if not held.fields:
        return []
    changes: dict[str, tuple[Any, Any]] = {
        name: (getattr(customer, name), prepared.columns[name])
        for name in COLUMNS
        if getattr(customer, name) != prepared.columns[name]
    }
    changes["person"] = (_person_of(customer), prepared.person)
    return problems(held, changes)


def contact_differs(contact: Contact, prepared: Mapping[str, Any]) -> bool:
    """Whether writing it would change the contact."""
    if any(getattr(contact, name) != value for name, value in prepared["values"].items()):
        return True
    return [[phone.number, phone.digits, phone.label] for phone in contact.phones] != prepared["phones"]


def _person_of(customer: Customer) -> dict[str, Any] | None:
    if customer.person is None:
        return None
    return {name: getattr(customer.person, name) for name in customer_rules.PERSON_FIELDS}


def same_contact(contacts: Sequence[Contact], name: str) -> Contact | None:
    """The contact of that name; active ones first."""
    wanted = fold(name)
    found = [contact for contact in contacts if fold(contact.name) == wanted]
    return next((contact for contact in found if contact.is_active), found[0] if found else None)


# ---- creating ------------------------------------------------------------------------------------------------------


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
        _add_contacts(customer, item.contacts, actor, first=True)
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
                "content": _content(customer),
                "contacts": [[contact.id, _contact_content(contact)] for contact in contacts],
            }
        )
    return effects


def _content(customer: Customer) -> str:
    """A digest of all that people enter of a customer: tells whether it was changed since."""
    values = {name: to_json(getattr(customer, name)) for name in COLUMNS}
    values |= {
        "account_manager_id": customer.account_manager_id,
        "department_id": customer.department_id,
        "stage": customer.stage,
        "aliases": sorted(alias.alias for alias in customer.aliases),
        "person": _dumped(person) if (person := _person_of(customer)) else None,
    }
    return _digest(values)


def _contact_content(contact: Contact) -> str:
    """The same of a contact."""
    values = {name: to_json(getattr(contact, name)) for name in contact_rules.PLAIN_FIELDS}
    values |= {"is_active": contact.is_active, "phones": [[p.number, p.label] for p in contact.phones]}
    return _digest(values)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _add_contacts(
    customer: Customer, prepared: Sequence[Mapping[str, Any]], actor: Actor, first: bool
) -> list[Contact]:
    now = clock.now()
    added: list[Contact] = []
    for item in prepared:
        contact = Contact(
            customer_id=customer.id,
            **item["values"],
            name_sort=_contact_key(item["values"]["name"]),
            is_primary=first and not added,
            created_at=now,
            created_by_id=actor.user_id,
            updated_at=now,
        )
        contact.phones = _phones(item["phones"])
        added.append(contact)
    db.session.add_all(added)
    return added


def _contact_key(name: str) -> str:
    return sort_key(name, person=True)[: contact_rules.SORT_KEY_LENGTH]


def _phones(rows: Sequence[Sequence[str]]) -> list[ContactPhone]:
    return [
        ContactPhone(number=number, digits=digits, label=label, position=position)
        for position, (number, digits, label) in enumerate(rows)
    ]


# ---- changing ------------------------------------------------------------------------------------------------------


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
        person = _person_of(customer)
        if person != (item.person or None):
            effect["person"] = [_dumped(person) if person else None, _dumped(item.person) if item.person else None]
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
            (added,) = _add_contacts(customer, [prepared], actor, first=not any(c.is_active for c in contacts))
            db.session.flush()
            contact_rules.record_contact(actor, CustomerAction.CONTACT_ADD, added, None, contact_rules.snapshot(added))
            effect["contacts"].append([added.id, _contact_content(added)])
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
    contact.name_sort = _contact_key(contact.name)
    old_phones = [[phone.number, phone.digits, phone.label] for phone in contact.phones]
    if old_phones != prepared["phones"]:
        contact.phones = _phones(prepared["phones"])
    contact.updated_at = clock.now()
    db.session.flush()
    contact_rules.record_contact(actor, CustomerAction.CONTACT_CHANGE, contact, before, contact_rules.snapshot(contact))
    return {"id": contact.id, "columns": columns, "phones": [old_phones, prepared["phones"]]}


# ---- taking back ---------------------------------------------------------------------------------------------------


def obstacles_to_removal(effects: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Customers that an import created and that cannot be removed any more → why."""
    ids = [effect["id"] for effect in effects]
    people = [contact for effect in effects for contact, _content_then in effect["contacts"]]
    now = {
        row.id: _content(row)
        for row in db.session.scalars(
            select(Customer)
            .where(Customer.id.in_(ids), Customer.status != "merged")
            .options(selectinload(Customer.aliases), selectinload(Customer.person))
        )
    }
    contacts_now = {
        row.id: _contact_content(row)
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
        customer_rules.store_person(customer, _loaded(old) if old else None, actor)
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
        person = _person_of(customer)
        if (_dumped(person) if person else None) != effect["person"][1]:
            return _("It was changed since.")
    added = [contact for contact, _content_then in effect["contacts"]]
    for contact_id, content in effect["contacts"]:
        if contact_id not in contacts or _contact_content(contacts[contact_id]) != content:
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
    contact.name_sort = _contact_key(contact.name)
    if item["phones"][0] != item["phones"][1]:
        contact.phones = _phones(item["phones"][0])
    contact.updated_at = clock.now()
    db.session.flush()
    contact_rules.record_contact(actor, CustomerAction.CONTACT_CHANGE, contact, before, contact_rules.snapshot(contact))
