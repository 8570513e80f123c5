"""The basic information that change requests are about: its fields, their words, and how values are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from portal.core import regions
from portal.core.errors import Invalid
from portal.core.numbers import whole_from
from portal.customers import vocabulary as words
from portal.customers.inputs import CustomerInput, PersonInput
from portal.customers.models import Customer
from portal.customers.phones import masked, readable
from portal.customers.services.customers import input_of
from portal.i18n import _, _l

#: Field of `CustomerInput` → label. All values are texts.
FIELDS: dict[str, Any] = {
    "name": _l("Name"),
    "short_name": _l("Short name"),
    "kind": _l("Kind"),
    "credit_code": _l("Unified social credit code"),
    "industry": _l("Industry"),
    "size_class": _l("Size class"),
    "region_code": _l("Region"),
    "address": _l("Address"),
    "phone": _l("Phone"),
    "email": _l("E-mail"),
    "website": _l("Website"),
    "channel": _l("Channel"),
    "source": _l("Source"),
    "demand": _l("Characteristics of the demand"),
    "sex": _l("Sex"),
    "birth_year": _l("Year of birth"),
    "occupation": _l("Occupation"),
    "education": _l("Education"),
    "ethnicity": _l("Ethnicity"),
    "employer": _l("Employer"),
    "home_address": _l("Home address"),
    "purpose": _l("Purpose"),
    "consent": _l("Consent"),
    "consented_on": _l("Consent given on"),
}
#: What only organisations have.
ORGANISATION_ONLY = ("credit_code", "industry", "size_class")
#: Facts about a person, and the purpose and consent they rest on.
PERSON_FACTS = ("sex", "birth_year", "occupation", "education", "ethnicity", "employer", "home_address")
PERSON_ONLY = (*PERSON_FACTS, "purpose", "consent", "consented_on")
#: Changed by request only where the setting protects the basic information; the way to reach a customer and what he
#: wishes change daily and stay free.
PROTECTED = frozenset(
    {
        "name",
        "short_name",
        "kind",
        "credit_code",
        "industry",
        "size_class",
        "region_code",
        "address",
        "party",
        *PERSON_FACTS,
    }
)
_VOCABULARIES: dict[str, Any] = {
    "kind": words.CustomerKind,
    "size_class": words.SizeClass,
    "channel": words.Channel,
    "source": words.Source,
    "party": words.Party,
    "sex": words.Sex,
}


def shown(field: str, value: Any) -> str:
    """A value as people read it; "" where nothing is known."""
    if not value:
        return ""
    if field in _VOCABULARIES:
        return words.label(_VOCABULARIES[field], value)
    if field == "region_code":
        return regions.full_name(value)
    return readable(value) if field == "phone" else str(value)


def values_of(customer: Customer) -> dict[str, str]:
    """The present values of the fields, as texts."""
    present = input_of(customer)
    person = present.person or PersonInput()
    return {
        field: str(getattr(person if field in PERSON_ONLY else present, field) or "")
        for field in FIELDS
        if field not in (PERSON_ONLY if not customer.is_person else ORGANISATION_ONLY)
    }


def input_with(base: CustomerInput, values: Mapping[str, str]) -> CustomerInput:
    """`base` with the wanted values. :raises Invalid: a year or a day that is none."""
    plain: dict[str, Any] = {field: value for field, value in values.items() if field not in PERSON_ONLY}
    facts: dict[str, Any] = {field: value for field, value in values.items() if field in PERSON_ONLY}
    if facts.get("birth_year"):
        year = whole_from(facts["birth_year"], 4)
        if year is None or year < 1000:
            raise Invalid([("birth_year", _("Enter a year such as 1975."))])
        facts["birth_year"] = year
    if "birth_year" in facts:
        facts["birth_year"] = facts["birth_year"] or None
    if "consented_on" in facts:
        facts["consented_on"] = _day(facts["consented_on"])
    if not facts:
        return replace(base, **plain)
    return replace(base, **plain, person=replace(base.person or PersonInput(), **facts))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid([("consented_on", _("Enter a date such as 2026-03-05."))]) from None


def rows_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[Any, str, str]]:
    """(label, before, after) of the fields of a request, in their order, for `ui.compare`.

    A phone number that is there already stays masked, as everywhere else; the wanted one is what is to be checked.
    """
    return [
        (label, _shown_before(field, before.get(field)), shown(field, after.get(field)))
        for field, label in FIELDS.items()
        if field in after
    ]


def _shown_before(field: str, value: Any) -> str:
    return masked(value) if field == "phone" and value else shown(field, value)
