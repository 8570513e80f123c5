"""Creating and changing customers; favourites; looking at a phone number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Invalid, NotAllowed
from portal.core.identifiers import normalise_credit_code, normalise_email
from portal.core.permissions import can, require, visible
from portal.core.regions import region
from portal.core.text import sort_key
from portal.customers.actions import CustomerAction
from portal.customers.inputs import CustomerInput, PersonInput
from portal.customers.models import (
    Customer,
    CustomerAlias,
    CustomerFavourite,
    CustomerPerson,
    CustomerStageChange,
)
from portal.customers.permissions import CREATE, EDIT, REVEAL, VIEW
from portal.customers.search_index import index_customers
from portal.customers.services.common import label_of, locked_customer, refuse_stale, split_private
from portal.customers.services.held import refuse_held
from portal.customers.validation import Checker
from portal.customers.vocabulary import Channel, CustomerKind, Party, Sex, SizeClass, Source, Stage, Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.pluginmanager import manager

SORT_KEY_LENGTH = 200
MAX_ALIASES = 20

#: Fields of `Customer` that a `CustomerInput` carries as they are.
PLAIN_FIELDS = (
    "party",
    "kind",
    "name",
    "short_name",
    "industry",
    "size_class",
    "region_code",
    "address",
    "latitude",
    "longitude",
    "demand",
    "email",
    "website",
    "channel",
    "source",
    "source_note",
    "referrer_id",
    "status",
)
#: What the search index is made of.
FOUND_BY = frozenset({"name", "short_name", "aliases", "party"})
PERSON_FIELDS = (
    "sex",
    "birth_year",
    "occupation",
    "education",
    "ethnicity",
    "employer",
    "home_address",
    "purpose",
    "consent",
    "consented_on",
)


def create_customer(
    data: CustomerInput,
    actor: Actor,
    *,
    account_manager_id: int | None = None,
    department_id: int | None = None,
    stage: str = Stage.TO_IDENTIFY.value,
) -> Customer:
    """Add a customer.

    :param account_manager_id: who looks after it; None: the actor himself when he is nobody's head, else nobody.
    :param department_id: the owning department; None: that of the account manager, else the actor's.
    :param stage: where it stands at the beginning; beyond "potential" only for the portal itself (imports).
    :raises NotAllowed: without the permission "customers.create", or for somebody else's account or department.
    :raises Invalid: with all wrong fields at once.
    """
    require(actor, CREATE)
    checker = Checker()
    values = check_customer(data, checker, actor, customer=None)
    manager_id, owner_id = place_customer(account_manager_id, department_id, actor, checker)
    stage = checker.choice("stage", stage, Stage, blank=False)
    if stage not in (Stage.TO_IDENTIFY, Stage.POTENTIAL) and not actor.is_system:
        checker.add("stage", _("A new customer starts as “to identify” or “potential”."))
    checker.done()
    now = clock.now()
    customer = Customer(
        **{name: values[name] for name in PLAIN_FIELDS},
        name_sort=values["name_sort"],
        credit_code=values["credit_code"],
        phone=values["phone"],
        phone_digits=values["phone_digits"],
        account_manager_id=manager_id,
        department_id=owner_id,
        stage=stage,
        stage_changed_at=now,
        created_at=now,
        created_by_id=actor.user_id,
        updated_at=now,
        updated_by_id=actor.user_id,
    )
    customer.aliases = [CustomerAlias(alias=alias) for alias in values["aliases"]]
    store_person(customer, values["person"], actor)
    db.session.add(customer)
    _flush_unique(values["credit_code"])
    db.session.add(
        CustomerStageChange(
            customer_id=customer.id, to_stage=stage, changed_at=now, changed_by_id=actor.user_id, reason=""
        )
    )
    db.session.flush()
    index_customers([customer.id])
    record_created(customer, actor)
    manager().hook.customer_created(customer=customer, actor=actor)
    return customer


def change_customer(customer_id: int, data: CustomerInput, actor: Actor, version: int | None = None) -> Customer:
    """Replace the fields of a customer by those of `data`; nothing is written when nothing differs.

    :param version: the version that the actor saw; None overwrites whatever is there (imports).
    :raises NotFound, NotAllowed, Invalid: as usual; also when a field of it is held (`services.held`).
    :raises Conflict: when somebody else was faster; details: mine, theirs, version, changed_by, changed_at.
    """
    customer = locked_customer(customer_id, actor, EDIT)
    checker = Checker()
    values = check_customer(data, checker, actor, customer)
    checker.done()
    before = snapshot(customer)
    changed_by = db.session.get(User, customer.updated_by_id) if customer.updated_by_id else None
    refuse_stale(customer, version, asdict(data), asdict(input_of(customer)), changed_by.name if changed_by else "")
    for name in PLAIN_FIELDS:
        setattr(customer, name, values[name])
    customer.name_sort, customer.credit_code = values["name_sort"], values["credit_code"]
    customer.phone, customer.phone_digits = values["phone"], values["phone_digits"]
    present = {alias.alias: alias for alias in customer.aliases}
    if list(present) != values["aliases"]:
        customer.aliases = [present.get(alias) or CustomerAlias(alias=alias) for alias in values["aliases"]]
    store_person(customer, values["person"], actor)
    changes = changes_since(before, customer)
    if not changes:
        return customer
    refuse_held(customer, changes, actor)
    customer.updated_at, customer.updated_by_id = clock.now(), actor.user_id
    _flush_unique(values["credit_code"])
    record_changed(customer, changes, actor)
    return customer


def input_of(customer: Customer) -> CustomerInput:
    """The present fields of a customer as an input: the start of every form."""
    person = None
    if customer.person is not None:
        person = PersonInput(**{name: getattr(customer.person, name) for name in PERSON_FIELDS})
    return CustomerInput(
        **{name: getattr(customer, name) for name in PLAIN_FIELDS},
        aliases=tuple(alias.alias for alias in customer.aliases),
        credit_code=customer.credit_code or "",
        phone=customer.phone,
        person=person,
    )


def set_favourite(customer_ids: list[int], is_favourite: bool, actor: Actor) -> int:
    """Watch customers (我关注的) or stop watching; those one may not see are left out. Returns how many changed."""
    if actor.user_id is None:
        return 0
    rows = {
        row.customer_id: row
        for row in db.session.scalars(
            select(CustomerFavourite).where(
                CustomerFavourite.user_id == actor.user_id, CustomerFavourite.customer_id.in_(customer_ids)
            )
        )
    }
    if not is_favourite:
        for row in rows.values():
            db.session.delete(row)
        db.session.flush()
        return len(rows)
    seen = db.session.scalars(select(Customer.id).where(Customer.id.in_(customer_ids), visible(actor, VIEW)))
    added = [
        CustomerFavourite(user_id=actor.user_id, customer_id=customer_id, created_at=clock.now())
        for customer_id in seen
        if customer_id not in rows
    ]
    db.session.add_all(added)
    db.session.flush()
    return len(added)


def reveal_customer_phone(customer_id: int, actor: Actor) -> str:
    """The main phone of a customer in full; the look is recorded. :raises NotFound, NotAllowed: as usual."""
    customer = locked_customer(customer_id, actor, REVEAL)
    record(
        actor,
        CustomerAction.REVEAL,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        private={"phone": customer.phone},
        customer_id=customer.id,
    )
    return customer.phone


# ---- checks --------------------------------------------------------------------------------------------------------


def check_customer(data: CustomerInput, checker: Checker, actor: Actor, customer: Customer | None) -> dict[str, Any]:
    """All values in their normal form; what is wrong is noted in the checker."""
    values: dict[str, Any] = {
        "party": checker.choice("party", data.party, Party, blank=False),
        "kind": checker.choice("kind", data.kind, CustomerKind, blank=False),
        "name": checker.name(
            "name",
            data.name,
            200,
            required=_("Enter the customer's name."),
            kept=customer is not None and data.name == customer.name,
        ),
        "short_name": checker.name(
            "short_name", data.short_name, 100, kept=customer is not None and data.short_name == customer.short_name
        ),
        "industry": checker.line("industry", data.industry, 60),
        "size_class": checker.choice("size_class", data.size_class, SizeClass),
        "region_code": _region(checker, data.region_code),
        "address": checker.line("address", data.address, 300),
        "demand": checker.text("demand", data.demand),
        "email": checker.identifier("email", data.email, normalise_email),
        "website": checker.website("website", data.website),
        "channel": checker.choice("channel", data.channel, Channel),
        "source": checker.choice("source", data.source, Source),
        "source_note": checker.line("source_note", data.source_note, 200),
        "credit_code": checker.identifier("credit_code", data.credit_code, normalise_credit_code) or None,
        "aliases": _aliases(checker, data, {alias.alias for alias in customer.aliases} if customer else set()),
        "status": _status(checker, data.status, customer),
    }
    values["latitude"], values["longitude"] = _coordinates(checker, data)
    values["referrer_id"] = _referrer(checker, data, actor, customer)
    values["name_sort"] = sort_key(values["name"], person=data.party == Party.PERSON)[:SORT_KEY_LENGTH]
    kept = customer is not None and data.phone == customer.phone
    phone = None if kept else checker.phone("phone", data.phone)
    values["phone"] = customer.phone if kept and customer else (phone.stored if phone else "")
    values["phone_digits"] = customer.phone_digits if kept and customer else (phone.digits if phone else "")
    if data.party == Party.PERSON:
        for field in ("credit_code", "size_class", "industry"):
            if values[field]:
                checker.add(field, _("Only organisations have this."))
        values["person"] = _person(checker, data.person or PersonInput())
    else:
        if data.person is not None and data.person.has_facts:
            checker.add("party", _("An organisation has no sex, age or home address; choose “person”."))
        values["person"] = None
    if values["credit_code"]:
        _refuse_taken_code(checker, values["credit_code"], customer)
    return values


def _region(checker: Checker, code: str) -> str:
    if not code:
        return ""
    if region(code) is None:
        checker.add("region_code", _("There is no region with this code."))
        return ""
    return code


def _aliases(checker: Checker, data: CustomerInput, kept: set[str]) -> list[str]:
    found: dict[str, None] = {}
    for alias in data.aliases:
        cleaned = checker.name("aliases", alias, 200, kept=alias in kept)
        if cleaned and cleaned != data.name:
            found[cleaned] = None
    if len(found) > MAX_ALIASES:
        checker.add("aliases", _("At most %(limit)s other names.", limit=MAX_ALIASES))
    return list(found)


def _status(checker: Checker, status: str, customer: Customer | None) -> str:
    if status not in (Status.ACTIVE, Status.INACTIVE):
        checker.add("status", _("Choose one of the list."))
        return customer.status if customer else Status.ACTIVE.value
    return status


def _coordinates(checker: Checker, data: CustomerInput) -> tuple[float | None, float | None]:
    latitude, longitude = data.latitude, data.longitude
    if latitude is None and longitude is None:
        return None, None
    if latitude is None or longitude is None:
        checker.add("latitude", _("Give both latitude and longitude, or neither."))
        return None, None
    # The comparisons are false for "not a number" as well.
    if not -90 <= latitude <= 90:
        checker.add("latitude", _("The latitude is between −90 and 90 degrees."))
    if not -180 <= longitude <= 180:
        checker.add("longitude", _("The longitude is between −180 and 180 degrees."))
    return latitude, longitude


def _referrer(checker: Checker, data: CustomerInput, actor: Actor, customer: Customer | None) -> int | None:
    if data.referrer_id is None:
        return None
    if customer is not None and data.referrer_id == customer.referrer_id:
        return data.referrer_id
    if data.source and data.source != Source.REFERRAL:
        checker.add("referrer_id", _("Who referred belongs to the source “referral”."))
        return None
    if customer is not None and data.referrer_id == customer.id:
        checker.add("referrer_id", _("A customer cannot refer itself."))
        return None
    if not can(actor, VIEW, data.referrer_id):
        checker.add("referrer_id", _("Choose one of your customers."))
        return None
    return data.referrer_id


def _person(checker: Checker, data: PersonInput) -> dict[str, Any]:
    values: dict[str, Any] = {
        "sex": checker.choice("sex", data.sex, Sex),
        "birth_year": data.birth_year,
        "occupation": checker.line("occupation", data.occupation, 100),
        "education": checker.line("education", data.education, 50),
        "ethnicity": checker.line("ethnicity", data.ethnicity, 50),
        "employer": checker.line("employer", data.employer, 200),
        "home_address": checker.line("home_address", data.home_address, 300),
        "purpose": checker.line("purpose", data.purpose, 300),
        "consent": checker.line("consent", data.consent, 500),
        "consented_on": checker.day("consented_on", data.consented_on, not_after_today=True),
    }
    if data.birth_year is not None and not 1900 <= data.birth_year <= clock.today().year:
        checker.add("birth_year", _("The year of birth is between 1900 and this year."))
    if data.has_facts:
        if not values["purpose"]:
            checker.add("purpose", _("Personal data need a purpose: say what they are used for."))
        if not values["consent"] or data.consented_on is None:
            checker.add("consent", _("Personal data need the person's consent: say how and when it was given."))
    return values


def _refuse_taken_code(checker: Checker, code: str, customer: Customer | None) -> None:
    row = db.session.execute(
        select(Customer.id, User.name.label("manager"), Department.name.label("department"))
        .join(Department, Customer.department_id == Department.id)
        .outerjoin(User, Customer.account_manager_id == User.id)
        .where(Customer.credit_code == code, Customer.status != Status.MERGED.value)
    ).first()
    if row is None or (customer is not None and row.id == customer.id):
        return
    # That a customer with this code exists, and who looks after it, is for everybody to know (R-CUS-6).
    keeper = f"{row.department} · {row.manager}" if row.manager else row.department
    checker.add("credit_code", _("A customer with this code exists already: %(keeper)s.", keeper=keeper))


def _flush_unique(code: str | None) -> None:
    """Flush; two people creating the same company at once: the second gets a message, not an error."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if code and "credit_code" in str(error.orig):
            raise Invalid(
                [("credit_code", _("A customer with this code was just created by somebody else."))]
            ) from error
        raise


def place_customer(
    manager_id: int | None, department_id: int | None, actor: Actor, checker: Checker
) -> tuple[int | None, int]:
    """Account manager and department of a new customer, as far as the actor may choose them."""
    unlimited = actor.is_system or EXECUTIVE in actor.roles
    if manager_id is None and not unlimited and not actor.oversees:
        manager_id = actor.user_id
    chosen = db.session.get(User, manager_id) if manager_id is not None else None
    if manager_id is not None and (chosen is None or not chosen.is_active):
        checker.add("account_manager_id", _("Choose somebody who works here."))
        chosen = None
    if department_id is None:
        department_id = chosen.department_id if chosen else actor.department_id
    department = db.session.get(Department, department_id) if department_id is not None else None
    if department is None or not department.is_active:
        checker.add("department_id", _("Choose a department."))
        return manager_id, 0
    if unlimited:
        return manager_id, department.id
    own = manager_id == actor.user_id and department.id == actor.department_id
    if not own and department.id not in actor.oversees:
        raise NotAllowed(_("You create customers for yourself; heads create them for their departments."))
    if chosen is not None and chosen.id != actor.user_id and chosen.department_id not in actor.oversees:
        raise NotAllowed(_("The account manager belongs to a department that you do not head."))
    return manager_id, department.id


def store_person(customer: Customer, values: Mapping[str, Any] | None, actor: Actor) -> None:
    """What is kept of a customer who is a natural person; none of it where nothing is given."""
    if values is None or not any(values.values()):
        customer.person = None
        return
    if customer.person is None:
        customer.person = CustomerPerson()
    consent_changed = any(getattr(customer.person, n) != values[n] for n in ("purpose", "consent", "consented_on"))
    for name, value in values.items():
        setattr(customer.person, name, value)
    if consent_changed:
        customer.person.consent_recorded_by_id = actor.user_id


def snapshot(customer: Customer) -> dict[str, Any]:
    """What is compared and recorded."""
    values: dict[str, Any] = {name: getattr(customer, name) for name in PLAIN_FIELDS}
    values["credit_code"] = customer.credit_code or ""
    values["phone"] = customer.phone
    values["aliases"] = [alias.alias for alias in customer.aliases]
    person = customer.person
    values["person"] = {name: _plain(getattr(person, name)) for name in PERSON_FIELDS} if person else None
    return values


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """What says something."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def changes_since(before: Mapping[str, Any], customer: Customer) -> dict[str, tuple[Any, Any]]:
    """Field → (old, new) of what differs from an earlier `snapshot`."""
    after = snapshot(customer)
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}


def record_created(customer: Customer, actor: Actor) -> None:
    """A line of the trail about a new customer."""
    public, private = split_private(customer, without_blanks(snapshot(customer)))
    public |= {
        "account_manager_id": customer.account_manager_id,
        "department_id": customer.department_id,
        "stage": customer.stage,
    }
    record(
        actor,
        CustomerAction.CREATE,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        new=public,
        private={"new": private} if private else None,
        customer_id=customer.id,
    )


def record_changed(customer: Customer, changes: Mapping[str, tuple[Any, Any]], actor: Actor) -> None:
    """After a change that was flushed: the index of the search, a line of the trail, the modules that want to know."""
    if not FOUND_BY.isdisjoint(changes):
        index_customers([customer.id])
    old, old_private = split_private(customer, {name: pair[0] for name, pair in changes.items()})
    new, new_private = split_private(customer, {name: pair[1] for name, pair in changes.items()})
    record(
        actor,
        CustomerAction.CHANGE,
        object_type="customer",
        object_id=customer.id,
        object_label=label_of(customer),
        old=old,
        new=new,
        private={"old": old_private, "new": new_private} if new_private else None,
        customer_id=customer.id,
    )
    manager().hook.customer_changed(customer=customer, changes=changes, actor=actor)
