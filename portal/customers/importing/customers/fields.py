"""The columns of the import, and what in them belongs together."""

from __future__ import annotations

from typing import Any

from portal.customers import vocabulary as words
from portal.customers.importing import values as read
from portal.customers.importing.targets import ImportField
from portal.i18n import _l

#: Key of the target; the numbers of other systems are kept under it.
KEY = "customers"
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


def customer_fields() -> tuple[ImportField, ...]:
    """All columns, in the order in which they are offered."""
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


def column_of(field: str) -> str:
    """The column of an import in which a field of a customer stands."""
    if field in PERSON:
        return f"person_{field}"
    return "region" if field == "region_code" else field
