"""The target of the import: grouping, checking, writing, taking back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.core.errors import Invalid
from portal.core.permissions import can, visible
from portal.core.text import seen_form
from portal.customers import vocabulary as words
from portal.customers.importing.customers.fields import KEY, OWN, column_of, customer_fields
from portal.customers.importing.customers.lookup import Lookup, contacts_of, loaded_customers
from portal.customers.importing.customers.rows import (
    code_of,
    contact_from,
    digest_of,
    identity_of,
    input_from,
    same_place,
)
from portal.customers.importing.models import ImportKey, RowAction
from portal.customers.importing.permissions import IMPORT
from portal.customers.importing.targets import CREATE_ANYWAY, SKIP, ImportField, Record, Row, Rules, Work
from portal.customers.models import Customer
from portal.customers.permissions import CREATE, EDIT
from portal.customers.services import bulk
from portal.customers.services.held import NOTHING_HELD
from portal.customers.vocabulary import Stage
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE


class CustomerTarget:
    """Customers, each with any number of contacts (a row each)."""

    key = KEY
    title = _l("Customers and contacts")
    help = _l("One row for each customer; further contacts of the same customer in rows of their own.")
    icon = "people"
    permission = IMPORT
    assigns = True

    def __init__(self) -> None:
        self._known_fields: tuple[ImportField, ...] = ()

    def fields(self) -> Sequence[ImportField]:
        """All fields."""
        if not self._known_fields:
            self._known_fields = customer_fields()
        return self._known_fields

    def defaults(self) -> Sequence[tuple[str, Any, Sequence[tuple[str, Any]]]]:
        """Values for rows that say nothing."""
        return (
            ("kind", _l("Kind"), words.choices(words.CustomerKind)),
            ("source", _l("Source"), words.choices(words.Source, _l("Not known"))),
            ("channel", _l("Channel"), words.choices(words.Channel, _l("Not known"))),
        )

    def url(self, target_id: int) -> str:
        """Address of a customer."""
        return url_for("customers.show", customer_id=target_id)

    # ---- inside the file -------------------------------------------------------------------------------------------

    def group(self, rows: Sequence[Row]) -> list[Record]:
        """Rows with the same number, code, or name and region are one customer."""
        records: list[Record] = []
        by_key: dict[tuple[str, ...], Record] = {}
        by_code: dict[str, Record] = {}
        by_name: dict[str, list[Record]] = {}
        for row in rows:
            identity = identity_of(row.values)
            present = by_key.get(identity) if identity else None
            if present is not None:
                self._join(present, row, records)
                continue
            record = Record([row], errors=list(row.errors))
            records.append(record)
            if identity is None:
                continue
            code, name = code_of(row.values), seen_form(row.values.get("name") or "")
            clash = by_code.get(code) if code else None
            clash = clash or next((other for other in by_name.get(name, ()) if same_place(other, row, code)), None)
            if clash is not None:
                record.refuse(
                    "credit_code" if code and by_code.get(code) is clash else "name",
                    _("The same customer is in row %(row)s already.", row=clash.rows[0].number),
                )
                continue
            by_key[identity] = record
            if code:
                by_code[code] = record
            by_name.setdefault(name, []).append(record)
        return records

    @staticmethod
    def _join(record: Record, row: Row, records: list[Record]) -> None:
        head = record.rows[0]
        for key in OWN:
            value = row.values.get(key)
            if value not in (None, "", []) and value != head.values.get(key):
                row.errors.append((key, _("Row %(row)s says something else about this customer.", row=head.number)))
        repeated = [other.values.get("contact_name") for other in record.rows]
        if not row.values.get("contact_name") or row.values["contact_name"] in repeated:
            row.errors.append(("name", _("The same customer is in row %(row)s already.", row=head.number)))
        if row.errors:
            records.append(Record([row], errors=list(row.errors)))
        else:
            record.rows.append(row)

    # ---- against the database --------------------------------------------------------------------------------------

    def check(self, records: Sequence[Record], rules: Rules, actor: Actor) -> None:
        """Find each customer again or prepare a new one."""
        lookup = Lookup(records, actor)
        for record in records:
            if record.errors:
                record.action = RowAction.REFUSED
                continue
            found = lookup.match(record, rules)
            if record.errors:
                continue
            if found is None:
                self._prepare_new(record, rules, actor, lookup)
            elif rules.policy == SKIP:
                record.action, record.target_id = RowAction.SKIP, found.id
            else:
                self._prepare_change(record, found, rules, actor, lookup)

    def _prepare_new(self, record: Record, rules: Rules, actor: Actor, lookup: Lookup) -> None:
        values = {**record.rows[0].values}
        for key, value in rules.defaults.items():
            if value and not values.get(key):
                values[key] = value
        if not values.get("kind"):
            record.refuse("kind", _("Say what kind of customer it is, in a column or for all rows."))
            return
        if not can(actor, CREATE):
            record.refuse("name", _("You may not create customers."))
            return
        prepared, errors = bulk.prepare_customer(input_from(values, None), actor)
        manager_id, department_id = lookup.keeper(values, rules, record)
        prepared.manager_id, prepared.department_id, more = lookup.placed(manager_id, department_id)
        prepared.stage = values.get("stage") or Stage.TO_IDENTIFY.value
        free = (Stage.TO_IDENTIFY, Stage.POTENTIAL)
        if prepared.stage not in free and not (actor.oversees or actor.is_system or EXECUTIVE in actor.roles):
            more = [*more, ("stage", _("A new customer starts as “to identify” or “potential”."))]
        for row in record.rows:
            contact, wrong = contact_from(row.values, None)
            more = [*more, *wrong]
            if contact:
                prepared.contacts.append(contact)
        for field, message in [*errors, *more]:
            record.refuse(column_of(field), message)
        if record.errors:
            return
        record.action = RowAction.CREATE
        record.payload = {"prepared": prepared.dump(), "key": values.get("external_key") or ""}
        if rules.policy == CREATE_ANYWAY:
            # The same file twice must not create twice: the engine knows the record again by this.
            record.digest = digest_of(record)

    def _prepare_change(self, record: Record, customer: Customer, rules: Rules, actor: Actor, lookup: Lookup) -> None:
        values = record.rows[0].values
        prepared, errors = bulk.prepare_customer(input_from(values, customer), actor, customer)
        contacts = lookup.contacts.get(customer.id, [])
        changed = bulk.differs(customer, prepared)
        errors = [*errors, *bulk.held_problems(customer, prepared, lookup.held.get(customer.id, NOTHING_HELD))]
        for row in record.rows:
            name = row.values.get("contact_name") or ""
            present = bulk.same_contact(contacts, name) if name else None
            contact, wrong = contact_from(row.values, present)
            errors = [*errors, *wrong]
            if contact is None:
                continue
            if present is None or bulk.contact_differs(present, contact):
                changed = True
                prepared.contacts.append(contact)
        for field, message in errors:
            record.refuse(column_of(field), message)
        if record.errors:
            return
        record.target_id = customer.id
        key = values.get("external_key") or ""
        new_key = bool(key) and key not in lookup.known_keys
        record.action = RowAction.UPDATE if changed or new_key else RowAction.UNCHANGED
        record.payload = {"prepared": prepared.dump(), "key": key if new_key else "", "version": customer.version}

    # ---- writing ---------------------------------------------------------------------------------------------------

    def apply(self, works: Sequence[Work], rules: Rules, actor: Actor, batch_id: int) -> None:
        """Write the records of a chunk."""
        new = [work for work in works if work.action == RowAction.CREATE]
        if new:
            try:
                with db.session.begin_nested():
                    self._create(new, actor)
            except IntegrityError:
                for work in new:
                    self._create_one(work, actor)
        changes = [work for work in works if work.action == RowAction.UPDATE]
        if changes:
            self._change(changes, actor)

    def _create_one(self, work: Work, actor: Actor) -> None:
        try:
            with db.session.begin_nested():
                self._create([work], actor)
        except IntegrityError:
            work.target_id = None
            work.reasons.append(("name", _("A customer with this code or number was created meanwhile.")))

    @staticmethod
    def _create(works: Sequence[Work], actor: Actor) -> None:
        effects = bulk.create_prepared([bulk.Prepared.load(work.payload["prepared"]) for work in works], actor)
        for work, effect in zip(works, effects, strict=True):
            work.target_id = effect["id"]
            work.effect = effect
        _note_keys(works)

    @staticmethod
    def _change(works: Sequence[Work], actor: Actor) -> None:
        ids = [work.target_id for work in works if work.target_id is not None]
        customers = loaded_customers(ids, actor)
        contacts = contacts_of(ids)
        done = []
        for work in works:
            customer = customers.get(work.target_id or 0)
            if customer is None:
                work.reasons.append(("name", _("You may not change this customer.")))
                continue
            if customer.version != work.payload["version"]:
                work.reasons.append(("name", _("It was changed since the check. Import the file once more.")))
                continue
            prepared = bulk.Prepared.load(work.payload["prepared"])
            try:
                with db.session.begin_nested():
                    work.effect = bulk.change_prepared(customer, contacts.get(customer.id, []), prepared, actor)
            except IntegrityError:
                work.reasons.append(("credit_code", _("A customer with this code exists already.")))
                continue
            except Invalid as error:
                # Held since the check.
                work.reasons.extend((column_of(field), str(message)) for field, message in error.errors)
                continue
            done.append(work)
        _note_keys(done)

    # ---- taking back -----------------------------------------------------------------------------------------------

    def undo(self, works: Sequence[Work], actor: Actor, batch_id: int) -> None:
        """Remove what was created, restore what was changed; what was changed since stays, with the reason."""
        allowed = set(
            db.session.scalars(
                select(Customer.id).where(Customer.id.in_([w.target_id for w in works]), visible(actor, EDIT))
            )
        )
        for work in works:
            if work.effect.get("created") is False and work.target_id not in allowed:
                work.reasons.append(("name", _("You may not change this customer.")))
        created = [work for work in works if work.effect.get("created")]
        problems = bulk.obstacles_to_removal([work.effect for work in created])
        removable = []
        for work in created:
            problem = problems.get(work.effect["id"])
            if problem is None and work.target_id not in allowed:
                problem = _("You may not change this customer.")
            if problem:
                work.reasons.append(("name", problem))
            else:
                removable.append(work)
        for work in works:
            if work.effect.get("created") is False and not work.reasons:
                problem = bulk.restore_changed(work.effect, actor)
                if problem:
                    work.reasons.append(("name", problem))
        if removable:
            bulk.remove_created([work.effect for work in removable], actor)
        keys = [work.effect["key"] for work in works if work.effect.get("key") and not work.reasons]
        if keys:
            db.session.execute(
                ImportKey.__table__.delete().where(ImportKey.target == self.key, ImportKey.key.in_(keys))
            )


def _note_keys(works: Sequence[Work]) -> None:
    """Keep the numbers of the other system for the next import."""
    for work in works:
        key = work.payload.get("key")
        if key and work.target_id is not None:
            db.session.add(ImportKey(target=KEY, key=key[:100], record_id=work.target_id))
            work.effect["key"] = key[:100]
    db.session.flush()
