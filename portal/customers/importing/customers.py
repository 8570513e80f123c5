"""The import of customers with their contacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from portal.core.errors import Invalid
from portal.core.identifiers import IdentifierError, normalise_credit_code, normalise_phone
from portal.core.permissions import can, visible
from portal.core.regions import is_within
from portal.core.text import fold, latin_form, lookup_prefix, seen_form
from portal.customers import vocabulary as words
from portal.customers.importing import values as read
from portal.customers.importing.models import ImportKey, RowAction
from portal.customers.importing.permissions import IMPORT
from portal.customers.importing.targets import CREATE_ANYWAY, SKIP, ImportField, Record, Row, Rules, Work
from portal.customers.inputs import ContactInput, CustomerInput, PersonInput, PhoneInput
from portal.customers.models import Contact, Customer, CustomerAlias
from portal.customers.permissions import CREATE, EDIT, VIEW
from portal.customers.phones import masked
from portal.customers.plain_json import to_json
from portal.customers.queries import final_record
from portal.customers.search_index import NAME_START, CustomerTerm
from portal.customers.services import bulk
from portal.customers.services.contacts import contact_input_of
from portal.customers.services.customers import input_of
from portal.customers.services.held import NOTHING_HELD, held_fields
from portal.customers.vocabulary import Party, Stage, Status
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User

#: Fields that are taken over into `CustomerInput` as they are.
PLAIN = (
    "name", "short_name", "party", "kind", "credit_code", "industry", "size_class", "address", "demand", "phone",
    "email", "website", "channel", "source", "source_note",
)  # fmt: skip
PERSON = (
    "sex", "birth_year", "occupation", "education", "ethnicity", "employer", "home_address", "purpose", "consent",
    "consented_on",
)  # fmt: skip
CONTACT_TEXT = (
    "name",
    "title",
    "department",
    "email",
    "wechat",
    "sex",
    "employer_kind",
    "rank",
    "buying_role",
    "interests",
    "notes",
)
#: Numbers, of which nought says something.
COORDINATES = ("latitude", "longitude")
#: What is known of a contact besides texts; "no" and nought say something.
CONTACT_KNOWN = ("attitude", "message_consent", "message_consent_on", "message_consent_source")
#: Fields of the customer itself: rows of one customer must not contradict each other in them.
OWN = (
    *PLAIN,
    *COORDINATES,
    "external_key",
    "aliases",
    "region",
    "stage",
    "account_manager",
    "department",
    *(f"person_{name}" for name in PERSON),
)


def _fields() -> tuple[ImportField, ...]:
    synonyms = read.word_lists()["headings"]["customers"]
    customer, contact, person = _l("Customer"), _l("Contact"), _l("Facts about a person")
    listed: list[tuple[str, Any, Any, Any]] = [
        ("external_key", _l("Number in another system"), read.text, customer),
        ("name", _l("Name"), read.text, customer),
        ("short_name", _l("Short name"), read.text, customer),
        ("aliases", _l("Other names"), read.several, customer),
        ("party", _l("Organisation or person"), read.choice(words.Party), customer),
        ("kind", _l("Kind"), read.choice(words.CustomerKind), customer),
        ("credit_code", _l("Unified social credit code"), read.text, customer),
        ("industry", _l("Industry"), read.text, customer),
        ("size_class", _l("Size"), read.choice(words.SizeClass), customer),
        ("region", _l("Region"), read.region, customer),
        ("address", _l("Address"), read.text, customer),
        ("latitude", _l("Latitude"), read.degrees, customer),
        ("longitude", _l("Longitude"), read.degrees, customer),
        ("demand", _l("Characteristics of the demand"), read.text, customer),
        ("phone", _l("Phone"), read.text, customer),
        ("email", _l("E-mail"), read.text, customer),
        ("website", _l("Website"), read.text, customer),
        ("channel", _l("Channel"), read.choice(words.Channel), customer),
        ("source", _l("Source"), read.choice(words.Source), customer),
        ("source_note", _l("Source, details"), read.text, customer),
        ("stage", _l("Stage (new customers only)"), read.choice(words.Stage), customer),
        ("account_manager", _l("Account manager (new customers only)"), read.text, customer),
        ("department", _l("Department (new customers only)"), read.text, customer),
        ("contact_name", _l("Contact: name"), read.text, contact),
        ("contact_title", _l("Contact: title"), read.text, contact),
        ("contact_department", _l("Contact: department"), read.text, contact),
        ("contact_sex", _l("Contact: sex"), read.choice(words.Sex), contact),
        ("contact_phone", _l("Contact: phone numbers"), read.several, contact),
        ("contact_email", _l("Contact: e-mail"), read.text, contact),
        ("contact_wechat", _l("Contact: WeChat"), read.text, contact),
        ("contact_birthday", _l("Contact: birthday"), read.birthday, contact),
        ("contact_employer_kind", _l("Contact: kind of unit"), read.choice(words.EmployerKind), contact),
        ("contact_rank", _l("Contact: administrative rank"), read.choice(words.Rank), contact),
        ("contact_buying_role", _l("Contact: role in buying"), read.choice(words.BuyingRole), contact),
        ("contact_attitude", _l("Contact: attitude towards us"), read.attitude, contact),
        ("contact_message_consent", _l("Contact: agrees to receive messages"), read.yes_no, contact),
        ("contact_message_consent_on", _l("Contact: day on which messages were agreed to"), read.day, contact),
        ("contact_message_consent_source", _l("Contact: how messages were agreed to"), read.text, contact),
        ("contact_interests", _l("Contact: interests"), read.text, contact),
        ("contact_notes", _l("Contact: notes"), read.text, contact),
        ("person_sex", _l("Person: sex"), read.choice(words.Sex), person),
        ("person_birth_year", _l("Person: year of birth"), read.whole, person),
        ("person_occupation", _l("Person: occupation"), read.text, person),
        ("person_education", _l("Person: education"), read.text, person),
        ("person_ethnicity", _l("Person: ethnicity"), read.text, person),
        ("person_employer", _l("Person: employer"), read.text, person),
        ("person_home_address", _l("Person: home address"), read.text, person),
        ("person_purpose", _l("Person: what the data are used for"), read.text, person),
        ("person_consent", _l("Person: consent"), read.text, person),
        ("person_consented_on", _l("Person: day of the consent"), read.day, person),
    ]
    return tuple(
        ImportField(key, label, reader, key == "name", group, synonyms=tuple(synonyms.get(key, ())))
        for key, label, reader, group in listed
    )


class CustomerTarget:
    """Customers, each with any number of contacts (a row each)."""

    key = "customers"
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
            self._known_fields = _fields()
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
            identity = _identity(row.values)
            present = by_key.get(identity) if identity else None
            if present is not None:
                self._join(present, row, records)
                continue
            record = Record([row], errors=list(row.errors))
            records.append(record)
            if identity is None:
                continue
            code, name = _code(row.values), seen_form(row.values.get("name") or "")
            clash = by_code.get(code) if code else None
            clash = clash or next((other for other in by_name.get(name, ()) if _same_place(other, row, code)), None)
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
        lookup = _Lookup(records, actor)
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

    def _prepare_new(self, record: Record, rules: Rules, actor: Actor, lookup: _Lookup) -> None:
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
        prepared, errors = bulk.prepare_customer(_input(values, None), actor)
        manager_id, department_id = lookup.keeper(values, rules, record)
        prepared.manager_id, prepared.department_id, more = lookup.placed(manager_id, department_id)
        prepared.stage = values.get("stage") or Stage.TO_IDENTIFY.value
        free = (Stage.TO_IDENTIFY, Stage.POTENTIAL)
        if prepared.stage not in free and not (actor.oversees or actor.is_system or EXECUTIVE in actor.roles):
            more = [*more, ("stage", _("A new customer starts as “to identify” or “potential”."))]
        for row in record.rows:
            contact, wrong = _prepare_contact(row.values, None)
            more = [*more, *wrong]
            if contact:
                prepared.contacts.append(contact)
        for field, message in [*errors, *more]:
            record.refuse(_column(field), message)
        if record.errors:
            return
        record.action = RowAction.CREATE
        record.payload = {"prepared": prepared.dump(), "key": values.get("external_key") or ""}
        if rules.policy == CREATE_ANYWAY:
            # The same file twice must not create twice: the engine knows the record again by this.
            record.digest = _digest(record)

    def _prepare_change(self, record: Record, customer: Customer, rules: Rules, actor: Actor, lookup: _Lookup) -> None:
        values = record.rows[0].values
        prepared, errors = bulk.prepare_customer(_input(values, customer), actor, customer)
        contacts = lookup.contacts.get(customer.id, [])
        changed = bulk.differs(customer, prepared)
        errors = [*errors, *bulk.held_problems(customer, prepared, lookup.held.get(customer.id, NOTHING_HELD))]
        for row in record.rows:
            name = row.values.get("contact_name") or ""
            present = bulk.same_contact(contacts, name) if name else None
            contact, wrong = _prepare_contact(row.values, present)
            errors = [*errors, *wrong]
            if contact is None:
                continue
            if present is None or bulk.contact_differs(present, contact):
                changed = True
                prepared.contacts.append(contact)
        for field, message in errors:
            record.refuse(_column(field), message)
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
        customers = _loaded_customers(ids, actor)
        contacts = _contacts_of(ids)
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
                work.reasons.extend((_column(field), str(message)) for field, message in error.errors)
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


def _column(field: str) -> str:
    """The column of an import in which a field of a customer stands."""
    if field in PERSON:
        return f"person_{field}"
    return "region" if field == "region_code" else field


def _note_keys(works: Sequence[Work]) -> None:
    """Keep the numbers of the other system for the next import."""
    for work in works:
        key = work.payload.get("key")
        if key and work.target_id is not None:
            db.session.add(ImportKey(target=CustomerTarget.key, key=key[:100], record_id=work.target_id))
            work.effect["key"] = key[:100]
    db.session.flush()


class _Lookup:
    """Everything that the check of a chunk needs from the database, fetched in a fixed number of statements."""

    def __init__(self, records: Sequence[Record], actor: Actor) -> None:
        self.actor = actor
        heads = [record.rows[0].values for record in records if not record.errors]
        self.by_key = self._by_key({values.get("external_key") or "" for values in heads} - {""})
        self.known_keys = set(self.by_key)
        self.by_code = self._by_code({_code(values) for values in heads} - {""})
        self.by_name = self._by_name({values.get("name") or "" for values in heads} - {""})
        ids = {*self.by_key.values(), *self.by_code.values()}
        ids.update(found for group in self.by_name.values() for found, _region in group)
        self.editable = _loaded_customers(ids, actor)
        self.existing = self._existing(ids)
        self.contacts = _contacts_of(list(self.editable))
        self.held = held_fields(self.editable, actor)
        self._placed: dict[tuple[int | None, int | None], tuple[int | None, int | None, list[tuple[str, str]]]] = {}
        self._people: dict[str, list[int]] | None = None
        self._departments: dict[str, int] | None = None

    def _by_key(self, keys: set[str]) -> dict[str, int]:
        rows = db.session.execute(
            select(ImportKey.key, ImportKey.record_id, Customer.status)
            .join(Customer, Customer.id == ImportKey.record_id)
            .where(ImportKey.target == CustomerTarget.key, ImportKey.key.in_([key[:100] for key in keys]))
        )
        return {row.key: final_record(row.record_id) if row.status == Status.MERGED else row.record_id for row in rows}

    def _by_code(self, codes: set[str]) -> dict[str, int]:
        rows = db.session.execute(
            select(Customer.credit_code, Customer.id).where(
                Customer.credit_code.in_(codes), Customer.status != Status.MERGED.value
            )
        )
        return {row.credit_code: row.id for row in rows}

    def _by_name(self, names: set[str]) -> dict[str, list[tuple[int, str]]]:
        """Name as a reader sees it → (id, region) of customers that bear it as name or other name."""
        terms = {lookup_prefix(form)[0] for name in names if fold(name) for form in (name, latin_form(name))}
        wanted = {seen_form(name) for name in names}
        ids = set(
            db.session.scalars(
                select(CustomerTerm.customer_id).where(CustomerTerm.kind == NAME_START, CustomerTerm.term.in_(terms))
            )
        )
        found: dict[str, dict[int, str]] = {}
        rows = [
            *db.session.execute(select(Customer.id, Customer.name, Customer.region_code).where(Customer.id.in_(ids))),
            *db.session.execute(
                select(Customer.id, CustomerAlias.alias, Customer.region_code)
                .join(CustomerAlias, CustomerAlias.customer_id == Customer.id)
                .where(Customer.id.in_(ids))
            ),
        ]
        for customer_id, name, region_code in rows:
            if (seen := seen_form(name)) in wanted:
                found.setdefault(seen, {})[customer_id] = region_code
        return {name: sorted(group.items()) for name, group in found.items()}

    def _existing(self, ids: set[int]) -> dict[int, tuple[str, bool]]:
        """id → (who looks after it, whether the actor sees it)."""
        rows = db.session.execute(
            select(Customer.id, Department.name, User.name.label("manager"), visible(self.actor, VIEW).label("visible"))
            .join(Department, Department.id == Customer.department_id)
            .outerjoin(User, User.id == Customer.account_manager_id)
            .where(Customer.id.in_(ids))
        )
        return {row.id: (f"{row.name} · {row.manager}" if row.manager else row.name, bool(row.visible)) for row in rows}

    def match(self, record: Record, rules: Rules) -> Customer | None:
        """The customer that a record means; notes in the record what stands against it."""
        values = record.rows[0].values
        key, code = (values.get("external_key") or "")[:100], _code(values)
        by_key, by_code = self.by_key.get(key), self.by_code.get(code)
        if by_key is not None and by_code is not None and by_key != by_code:
            record.refuse("credit_code", _("The number and the code belong to two different customers."))
            return None
        sure = by_key if by_key is not None else by_code
        if sure is None:
            if rules.policy == CREATE_ANYWAY:
                return None
            near = [
                found
                for found, region in self.by_name.get(seen_form(values.get("name") or ""), ())
                if _regions_agree(values.get("region") or "", region) and self._code_fits(found, code)
            ]
            if len(near) > 1:
                record.refuse("name", _("Several customers have this name. Give the credit code or the region."))
                return None
            sure = near[0] if near else None
        elif rules.policy == CREATE_ANYWAY and by_key is None:
            keeper, _seen = self.existing[sure]
            record.refuse("credit_code", _("A customer with this code exists already: %(keeper)s.", keeper=keeper))
            return None
        if sure is None:
            return None
        customer = self.editable.get(sure)
        if customer is None:
            keeper, _seen = self.existing[sure]
            record.refuse(
                "name", _("This customer exists and is looked after by somebody else: %(keeper)s.", keeper=keeper)
            )
        return customer

    def _code_fits(self, found: int, code: str) -> bool:
        """A namesake with another code is another company."""
        customer = self.editable.get(found)
        return not (code and customer is not None and customer.credit_code and customer.credit_code != code)

    def keeper(self, values: Mapping[str, Any], rules: Rules, record: Record) -> tuple[int | None, int | None]:
        """Account manager and department that a row names, else those chosen for the whole file."""
        manager_id, department_id = rules.manager_id, rules.department_id
        if values.get("account_manager"):
            found = self._people_by_name().get(fold(values["account_manager"]), [])
            if len(found) != 1:
                record.refuse(
                    "account_manager",
                    _(
                        "“%(name)s” fits nobody or more than one; write the log-in name.",
                        name=values["account_manager"],
                    ),
                )
            else:
                manager_id = found[0]
        if values.get("department"):
            department = self._departments_by_name().get(fold(values["department"]))
            if department is None:
                record.refuse("department", _("There is no department “%(name)s”.", name=values["department"]))
            department_id = department
        return manager_id, department_id

    def placed(
        self, manager_id: int | None, department_id: int | None
    ) -> tuple[int | None, int | None, list[tuple[str, str]]]:
        """`bulk.place`, asked once for each pair."""
        pair = (manager_id, department_id)
        if pair not in self._placed:
            self._placed[pair] = bulk.place(manager_id, department_id, self.actor)
        return self._placed[pair]

    def _people_by_name(self) -> dict[str, list[int]]:
        if self._people is None:
            self._people = {}
            for row in db.session.execute(select(User.id, User.login, User.name).where(User.is_active)):
                self._people.setdefault(fold(row.name), []).append(row.id)
                self._people[fold(row.login)] = [row.id]
        return self._people

    def _departments_by_name(self) -> dict[str, int]:
        if self._departments is None:
            rows = db.session.execute(
                select(Department.id, Department.code, Department.name).where(Department.is_active)
            ).all()
            self._departments = {fold(row.name): row.id for row in rows} | {fold(row.code): row.id for row in rows}
        return self._departments


def _loaded_customers(ids: Any, actor: Actor) -> dict[int, Customer]:
    """Those of the customers that the actor may edit, with all that a change looks at."""
    rows = db.session.scalars(
        select(Customer)
        .where(Customer.id.in_(list(ids)), visible(actor, EDIT))
        .options(selectinload(Customer.aliases), selectinload(Customer.person))
    )
    return {row.id: row for row in rows}


def _contacts_of(ids: Sequence[int]) -> dict[int, list[Contact]]:
    found: dict[int, list[Contact]] = {}
    for contact in db.session.scalars(
        select(Contact).where(Contact.customer_id.in_(ids)).options(selectinload(Contact.phones)).order_by(Contact.id)
    ):
        found.setdefault(contact.customer_id, []).append(contact)
    return found


# ---- values --------------------------------------------------------------------------------------------------------


def _code(values: Mapping[str, Any]) -> str:
    """The credit code of a row in its normal form; "" when there is none or it is wrong (that is said later)."""
    try:
        return normalise_credit_code(values["credit_code"]) if values.get("credit_code") else ""
    except IdentifierError:
        return ""


def _identity(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What makes two rows of a file one customer."""
    if values.get("external_key"):
        return ("key", values["external_key"])
    code = _code(values)
    if code:
        return ("code", code)
    name = fold(values.get("name") or "")
    return ("name", name, values.get("region") or "") if name else None


def _same_place(other: Record, row: Row, code: str) -> bool:
    """Whether a record of the same name may be the same customer: no different code or number, no different region."""
    values = other.rows[0].values
    codes = {_code(values), code} - {""}
    keys = {values.get("external_key") or "", row.values.get("external_key") or ""} - {""}
    return (
        len(codes) < 2 and len(keys) < 2 and _regions_agree(values.get("region") or "", row.values.get("region") or "")
    )


def _regions_agree(one: str, other: str) -> bool:
    return not one or not other or is_within(one, other) or is_within(other, one)


def _input(values: Mapping[str, Any], customer: Customer | None) -> CustomerInput:
    """What a row says, over what is known already; empty cells change nothing."""
    base = input_of(customer) if customer is not None else CustomerInput(name="", kind="")
    given: dict[str, Any] = {key: values[key] for key in PLAIN if values.get(key)}
    given |= {key: values[key] for key in COORDINATES if values.get(key) is not None}
    if values.get("region"):
        given["region_code"] = values["region"]
    if values.get("aliases"):
        known = list(base.aliases)
        given["aliases"] = tuple(dict.fromkeys([*known, *values["aliases"]]))
    facts = {name: values[f"person_{name}"] for name in PERSON if values.get(f"person_{name}")}
    if facts:
        given["person"] = replace(base.person or PersonInput(), **facts)
        if customer is None and "party" not in given:
            given["party"] = Party.PERSON.value
    return replace(base, **given)


def _prepare_contact(
    values: Mapping[str, Any], present: Contact | None
) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
    """The contact of a row; None when the row names none."""
    given: dict[str, Any] = {
        name: values.get(f"contact_{name}") for name in CONTACT_TEXT if values.get(f"contact_{name}")
    }
    phones, birthday = values.get("contact_phone") or [], values.get("contact_birthday")
    known = {name: values.get(f"contact_{name}") for name in CONTACT_KNOWN}
    known = {name: value for name, value in known.items() if value not in (None, "")}
    if not given.get("name"):
        # "No" in a column that every row fills says nothing about a contact that is not there.
        if given or phones or birthday or any(value is not False for value in known.values()):
            return None, [("contact_name", _("The row says something about a contact but not his name."))]
        return None, []
    given |= known
    base = contact_input_of(present) if present is not None else ContactInput(name="")
    if phones:
        there = {phone.number for phone in base.phones}
        # A number that is shown masked, as in our own lists, stands for the one that is there.
        there |= {masked(number) for number in there}
        more = tuple(PhoneInput(number, _label(number)) for number in phones if _stored(number) not in there)
        given["phones"] = (*base.phones, *more)
    if birthday:
        given |= {f"birthday_{name}": value for name, value in birthday.items()}
    return bulk.prepare_contact(replace(base, **given), present)


def _stored(number: str) -> str:
    try:
        return normalise_phone(number).stored
    except IdentifierError:
        return number


def _label(number: str) -> str:
    try:
        kind = normalise_phone(number).kind
    except IdentifierError:
        return "mobile"
    return "mobile" if kind == "mobile" else "office"


def _digest(record: Record) -> str:
    values = [{key: to_json(value) for key, value in sorted(row.values.items())} for row in record.rows]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
