"""Contacts of a customer (R-CUS-3). They follow their customer's permissions and are never deleted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from portal.audit.services import record
from portal.core import clock
from portal.core.calendar import Birthday, CalendarError
from portal.core.errors import Invalid, NotFound
from portal.core.identifiers import normalise_email, normalise_phone, normalise_wechat
from portal.core.permissions import can, require
from portal.core.text import mask_name, sort_key
from portal.customers.actions import CustomerAction
from portal.customers.inputs import ContactInput, PhoneInput
from portal.customers.models import Contact, ContactPhone, Customer
from portal.customers.permissions import EDIT, REVEAL, VIEW
from portal.customers.services.common import locked, locked_customer, refuse_stale
from portal.customers.validation import Checker, coded
from portal.customers.vocabulary import ATTITUDES, BuyingRole, EmployerKind, PhoneLabel, Rank, Sex
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

MAX_PHONES = 8
SORT_KEY_LENGTH = 200

PLAIN_FIELDS = (
    "name",
    "sex",
    "title",
    "department",
    "employer_kind",
    "rank",
    "email",
    "wechat",
    "birthday_calendar",
    "birthday_month",
    "birthday_day",
    "birthday_leap",
    "birthday_year",
    "interests",
    "buying_role",
    "attitude",
    "notes",
    "message_consent",
    "message_consent_on",
    "message_consent_source",
)
#: What is no personal data and may stand in the hashed part of the audit trail.
PUBLIC_FIELDS = frozenset({"employer_kind", "rank", "buying_role", "message_consent", "is_primary", "is_active"})


def add_contact(customer_id: int, data: ContactInput, actor: Actor) -> Contact:
    """Add a contact; the first one becomes the primary contact.

    :raises NotFound, NotAllowed: as usual. :raises Invalid: with all wrong fields at once.
    """
    customer = locked_customer(customer_id, actor, EDIT)
    checker = Checker()
    values, phones = check_contact(data, checker)
    checker.done()
    now = clock.now()
    contact = Contact(
        customer_id=customer.id,
        **values,
        name_sort=sort_key(values["name"], person=True)[:SORT_KEY_LENGTH],
        created_at=now,
        created_by_id=actor.user_id,
        updated_at=now,
    )
    contact.phones = phones
    first = not db.session.scalar(
        select(Contact.id).where(Contact.customer_id == customer.id, Contact.is_active).limit(1)
    )
    contact.is_primary = data.is_primary or first
    db.session.add(contact)
    db.session.flush()
    _keep_one_primary(contact)
    record_contact(actor, CustomerAction.CONTACT_ADD, contact, None, snapshot(contact))
    return contact


def change_contact(contact_id: int, data: ContactInput, actor: Actor, version: int | None = None) -> Contact:
    """Replace the fields of a contact.

    :param version: the version that the actor saw. :raises NotFound, Invalid: as usual.
    :raises Conflict: when somebody else was faster; details as in `change_customer`.
    """
    contact = _locked_contact(contact_id, actor, EDIT)
    checker = Checker()
    values, phones = check_contact(data, checker, contact)
    checker.done()
    refuse_stale(contact, version, asdict(data), asdict(contact_input_of(contact)))
    before = snapshot(contact)
    for name, value in values.items():
        setattr(contact, name, value)
    contact.name_sort = sort_key(contact.name, person=True)[:SORT_KEY_LENGTH]
    contact.is_primary = data.is_primary or contact.is_primary
    if [(p.number, p.label) for p in phones] != [(p.number, p.label) for p in contact.phones]:
        contact.phones = phones
    after = snapshot(contact)
    if after == before:
        return contact
    contact.updated_at = clock.now()
    db.session.flush()
    _keep_one_primary(contact)
    record_contact(actor, CustomerAction.CONTACT_CHANGE, contact, before, after)
    return contact


def deactivate_contact(contact_id: int, actor: Actor) -> Contact:
    """Take a contact out of the lists (he left); interactions with him stay. Can be undone."""
    contact = _locked_contact(contact_id, actor, EDIT)
    if not contact.is_active:
        return contact
    contact.is_active, contact.is_primary, contact.updated_at = False, False, clock.now()
    db.session.flush()
    record_contact(actor, CustomerAction.CONTACT_DEACTIVATE, contact, {"is_active": True}, {"is_active": False})
    return contact


def reactivate_contact(contact_id: int, actor: Actor) -> Contact:
    """Undo `deactivate_contact`."""
    contact = _locked_contact(contact_id, actor, EDIT)
    if contact.is_active:
        return contact
    contact.is_active, contact.updated_at = True, clock.now()
    db.session.flush()
    record_contact(actor, CustomerAction.CONTACT_REACTIVATE, contact, {"is_active": False}, {"is_active": True})
    return contact


def reveal_phone(phone_id: int, actor: Actor) -> ContactPhone:
    """A contact's phone in full; the look is recorded. :raises NotFound: also when the customer is not visible."""
    phone = db.session.get(ContactPhone, phone_id)
    if phone is None:
        raise NotFound()
    contact = _locked_contact(phone.contact_id, actor, REVEAL)
    record(
        actor,
        CustomerAction.REVEAL,
        object_type="contact",
        object_id=contact.id,
        object_label=mask_name(contact.name),
        private={"phone": phone.number},
        customer_id=contact.customer_id,
    )
    return phone


def contact_input_of(contact: Contact) -> ContactInput:
    """The present fields of a contact as an input: the start of the form."""
    return ContactInput(
        **{name: getattr(contact, name) for name in PLAIN_FIELDS},
        phones=tuple(PhoneInput(phone.number, phone.label) for phone in contact.phones),
        is_primary=contact.is_primary,
    )


def _locked_contact(contact_id: int, actor: Actor, permission: str) -> Contact:
    """A contact for changing; that one of an invisible customer exists is not told (404)."""
    contact = locked(Contact, contact_id)
    customer = db.session.get(Customer, contact.customer_id)
    if customer is None or not can(actor, VIEW, customer):
        raise NotFound()
    require(actor, permission, customer)
    return contact


def check_contact(
    data: ContactInput, checker: Checker, contact: Contact | None = None
) -> tuple[dict[str, Any], list[ContactPhone]]:
    """All values in their normal form and the telephones; what is wrong is noted in the checker."""
    values: dict[str, Any] = {
        "name": checker.line("name", data.name, 100, required=_("Enter the contact's name.")),
        "sex": checker.choice("sex", data.sex, Sex),
        "title": checker.line("title", data.title, 100),
        "department": checker.line("department", data.department, 100),
        "employer_kind": checker.choice("employer_kind", data.employer_kind, EmployerKind),
        "rank": checker.choice("rank", data.rank, Rank),
        "email": checker.identifier("email", data.email, normalise_email),
        "wechat": checker.identifier("wechat", data.wechat, normalise_wechat),
        "interests": checker.line("interests", data.interests, 500),
        "buying_role": checker.choice("buying_role", data.buying_role, BuyingRole),
        "attitude": data.attitude,
        "notes": checker.text("notes", data.notes),
        "message_consent": data.message_consent,
        "message_consent_on": checker.day("message_consent_on", data.message_consent_on, not_after_today=True),
        "message_consent_source": checker.line("message_consent_source", data.message_consent_source, 200),
    }
    if data.attitude is not None and data.attitude not in ATTITUDES:
        checker.add("attitude", _("Choose one of the list."))
    if data.rank and data.employer_kind and data.employer_kind not in _RANKED:
        checker.add("rank", _("Administrative ranks exist in administrative units and public institutions only."))
    if data.message_consent and data.message_consent_on is None:
        checker.add("message_consent_on", _("Say on which day the consent was given."))
    if data.message_consent and not values["message_consent_source"]:
        checker.add("message_consent_source", _("Say how the consent was given: on paper, by WeChat, on the phone …"))
    values |= _birthday(data, checker)
    return values, _phones(data, checker, contact)


#: Kinds of unit whose staff can have an administrative rank.
_RANKED = frozenset(
    {
        EmployerKind.ADMINISTRATIVE,
        EmployerKind.PUBLIC_INSTITUTION,
        EmployerKind.STATE_ENTERPRISE,
        EmployerKind.MILITARY,
        EmployerKind.ASSOCIATION,
    }
)

#: Where the message about a birthday belongs.
_BIRTHDAY_FIELDS = {
    "calendar.calendar": "birthday_calendar",
    "calendar.month": "birthday_month",
    "calendar.day": "birthday_day",
    "calendar.leap": "birthday_leap",
    "calendar.year": "birthday_year",
}


def _birthday(data: ContactInput, checker: Checker) -> dict[str, Any]:
    none = {
        "birthday_calendar": "",
        "birthday_month": None,
        "birthday_day": None,
        "birthday_leap": False,
        "birthday_year": None,
    }
    if not data.birthday_calendar:
        if data.birthday_month or data.birthday_day or data.birthday_year:
            checker.add("birthday_calendar", _("Choose the calendar of the birthday: solar or lunar."))
        return none
    if data.birthday_month is None or data.birthday_day is None:
        field = "birthday_month" if data.birthday_month is None else "birthday_day"
        checker.add(field, _("Enter month and day of the birthday; the year may be missing."))
        return none
    try:
        birthday = Birthday(
            data.birthday_calendar, data.birthday_month, data.birthday_day, data.birthday_leap, data.birthday_year
        )
    except CalendarError as error:
        checker.add(_BIRTHDAY_FIELDS.get(error.code, "birthday_calendar"), coded(error))
        return none
    born = birthday.birth_date()
    if born is not None and born > clock.today():
        checker.add("birthday_year", _("The date must not be in the future."))
    return {
        "birthday_calendar": birthday.calendar,
        "birthday_month": birthday.month,
        "birthday_day": birthday.day,
        "birthday_leap": birthday.leap,
        "birthday_year": birthday.year,
    }


def _phones(data: ContactInput, checker: Checker, contact: Contact | None) -> list[ContactPhone]:
    rows: list[ContactPhone] = []
    seen: set[str] = set()
    kept = {phone.number: phone.digits for phone in contact.phones} if contact else {}
    for index, phone in enumerate(data.phones):
        field = f"phones-{index}-number"
        if not phone.number.strip():
            continue
        if phone.number in kept:
            number, digits = phone.number, kept[phone.number]
        else:
            try:
                read = normalise_phone(phone.number)
            except ValueError as error:
                checker.add(field, coded(error) if hasattr(error, "message") else str(error))  # type: ignore[arg-type]
                continue
            number, digits = read.stored, read.digits
        if number in seen:
            checker.add(field, _("This number is there twice."))
            continue
        seen.add(number)
        label = checker.choice(f"phones-{index}-label", phone.label, PhoneLabel, blank=False)
        rows.append(ContactPhone(number=number, digits=digits, label=label, position=len(rows)))
    if len(rows) > MAX_PHONES:
        checker.add("phones", _("At most %(limit)s phone numbers.", limit=MAX_PHONES))
    return rows


def _keep_one_primary(contact: Contact) -> None:
    if not contact.is_primary:
        return
    others = db.session.scalars(
        select(Contact).where(Contact.customer_id == contact.customer_id, Contact.is_primary, Contact.id != contact.id)
    )
    for other in others:
        other.is_primary = False
    db.session.flush()


def snapshot(contact: Contact) -> dict[str, Any]:
    """What is compared and recorded."""
    values: dict[str, Any] = {name: getattr(contact, name) for name in PLAIN_FIELDS}
    values["phones"] = [f"{phone.number} {phone.label}" for phone in contact.phones]
    values["is_primary"] = contact.is_primary
    return values


def record_contact(
    actor: Actor,
    action: CustomerAction,
    contact: Contact,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> None:
    """A line of the trail about a contact."""
    changed = [name for name in after if before is None or before.get(name) != after[name]]
    blank: tuple[Any, ...] = (None, "", [], False)
    new = {name: after[name] for name in changed if before is not None or after[name] not in blank}
    old = {name: before[name] for name in changed if name in before} if before is not None else {}
    private = {
        "old": {name: value for name, value in old.items() if name not in PUBLIC_FIELDS},
        "new": {name: value for name, value in new.items() if name not in PUBLIC_FIELDS},
    }
    record(
        actor,
        action,
        object_type="contact",
        object_id=contact.id,
        object_label=mask_name(contact.name),
        old={name: value for name, value in old.items() if name in PUBLIC_FIELDS} or None,
        new={name: value for name, value in new.items() if name in PUBLIC_FIELDS} or None,
        private={key: value for key, value in private.items() if value} or None,
        customer_id=contact.customer_id,
    )


def refuse_foreign_contacts(contact_ids: list[int], customer_id: int) -> list[Contact]:
    """Contacts of one customer by id. :raises Invalid: when one belongs to somebody else or is not there."""
    if not contact_ids:
        return []
    rows = list(
        db.session.scalars(
            select(Contact).where(Contact.id.in_(contact_ids), Contact.customer_id == customer_id).order_by(Contact.id)
        )
    )
    if len(rows) != len(set(contact_ids)):
        raise Invalid([("contact_ids", _("Choose contacts of this customer."))])
    return rows
