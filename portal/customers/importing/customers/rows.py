"""What the rows of a file say: which of them are one customer, and what would have to be typed for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from portal.core.identifiers import IdentifierError, normalise_credit_code, normalise_phone
from portal.core.regions import is_within
from portal.core.text import fold
from portal.customers.importing.customers.fields import CONTACT_KNOWN, CONTACT_TEXT, COORDINATES, PERSON, PLAIN
from portal.customers.importing.targets import Record, Row
from portal.customers.inputs import ContactInput, CustomerInput, PersonInput, PhoneInput
from portal.customers.models import Contact, Customer
from portal.customers.phones import masked
from portal.customers.plain_json import to_json
from portal.customers.services import bulk
from portal.customers.services.contacts import contact_input_of
from portal.customers.services.customers import input_of
from portal.customers.vocabulary import Party
from portal.i18n import _


def code_of(values: Mapping[str, Any]) -> str:
    """The credit code of a row in its normal form; "" when there is none or it is wrong (that is said later)."""
    try:
        return normalise_credit_code(values["credit_code"]) if values.get("credit_code") else ""
    except IdentifierError:
        return ""


def identity_of(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What makes two rows of a file one customer."""
    if values.get("external_key"):
        return ("key", values["external_key"])
    code = code_of(values)
    if code:
        return ("code", code)
    name = fold(values.get("name") or "")
    return ("name", name, values.get("region") or "") if name else None


def same_place(other: Record, row: Row, code: str) -> bool:
    """Whether a record of the same name may be the same customer: no different code or number, no different region."""
    values = other.rows[0].values
    codes = {code_of(values), code} - {""}
    keys = {values.get("external_key") or "", row.values.get("external_key") or ""} - {""}
    return (
        len(codes) < 2 and len(keys) < 2 and regions_agree(values.get("region") or "", row.values.get("region") or "")
    )


def regions_agree(one: str, other: str) -> bool:
    """Whether two regions can be those of one customer: one within the other, or one unknown."""
    return not one or not other or is_within(one, other) or is_within(other, one)


def input_from(values: Mapping[str, Any], customer: Customer | None) -> CustomerInput:
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


def contact_from(
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


def digest_of(record: Record) -> str:
    """By what the same record in the same file is known again."""
    values = [{key: to_json(value) for key, value in sorted(row.values.items())} for row in record.rows]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
