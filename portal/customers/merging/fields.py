"""The fields of a customer that a merge chooses between, and how tables and fields are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from portal.core import regions
from portal.core.panels import HeldFields
from portal.core.text import mask_phone
from portal.customers import vocabulary as words
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _, _l

#: Facts about a person (portal.customers.models.CustomerPerson).
PERSON_COLUMNS = (
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
    "consent_recorded_by_id",
)


@dataclass(frozen=True)
class MergeField:
    """Something that is chosen as a whole: its columns belong together.

    :ivar text: what is shown of it; "" when nothing is known.
    """

    key: str
    label: Any
    columns: tuple[str, ...]
    text: Callable[[Customer], str]


def _plain(name: str) -> Callable[[Customer], str]:
    return lambda customer: str(getattr(customer, name) or "")


def _word(enumeration: Any, name: str) -> Callable[[Customer], str]:
    return lambda customer: words.label(enumeration, getattr(customer, name))


def _coordinates(customer: Customer) -> str:
    return "" if customer.latitude is None else f"{customer.latitude}, {customer.longitude}"


def _source(customer: Customer) -> str:
    parts = [words.label(words.Source, customer.source), customer.source_note]
    parts.append(customer.referrer.name if customer.referrer else "")
    return " · ".join(part for part in parts if part)


def _keeper(customer: Customer) -> str:
    name = customer.account_manager.name if customer.account_manager else _("Nobody yet")
    return f"{name} · {customer.department.name}"


FIELDS: tuple[MergeField, ...] = (
    MergeField("name", _l("Name"), ("name", "name_sort"), _plain("name")),
    MergeField("short_name", _l("Short name"), ("short_name",), _plain("short_name")),
    MergeField("kind", _l("Kind"), ("kind",), _word(words.CustomerKind, "kind")),
    MergeField("credit_code", _l("Unified social credit code"), ("credit_code",), _plain("credit_code")),
    MergeField("industry", _l("Industry"), ("industry",), _plain("industry")),
    MergeField("size_class", _l("Size"), ("size_class",), _word(words.SizeClass, "size_class")),
    MergeField("region", _l("Region"), ("region_code",), lambda c: regions.full_name(c.region_code)),
    MergeField("address", _l("Address"), ("address",), _plain("address")),
    MergeField("coordinates", _l("Coordinates"), ("latitude", "longitude"), _coordinates),
    MergeField("demand", _l("Characteristics of the demand"), ("demand",), _plain("demand")),
    MergeField("phone", _l("Phone"), ("phone", "phone_digits"), lambda c: mask_phone(c.phone) if c.phone else ""),
    MergeField("email", _l("E-mail"), ("email",), _plain("email")),
    MergeField("website", _l("Website"), ("website",), _plain("website")),
    MergeField("channel", _l("Channel"), ("channel",), _word(words.Channel, "channel")),
    MergeField("source", _l("Source"), ("source", "source_note", "referrer_id"), _source),
    MergeField("keeper", _l("Looked after by"), ("account_manager_id", "department_id"), _keeper),
    MergeField("stage", _l("Stage"), ("stage", "stage_changed_at"), _word(words.Stage, "stage")),
    MergeField("status", _l("Status"), ("status",), _word(words.Status, "status")),
)
FIELD_KEYS = frozenset(field.key for field in FIELDS) | {"person"}

#: What people call the tables of the core; plugins name theirs in the column's info: {"label": …}.
TABLE_LABELS = {
    "customer": _l("Customers referred by it"),
    "contact": _l("Contacts"),
    "interaction": _l("Interactions"),
    "next_step": _l("Next steps"),
    "purchase": _l("Purchases"),
    "document": _l("Documents"),
    "approval_request": _l("Approval requests"),
    "customer_alias": _l("Other names"),
    "customer_person": _l("Facts about the person"),
    "customer_stage_change": _l("Changes of stage"),
    "customer_qualification": _l("Assessments"),
    "customer_favourite": _l("Marks of people who watch it"),
}


def table_label(name: str) -> str:
    """What people call the rows of a table; `name` may be "table.column"."""
    table_name, _dot, column = name.partition(".")
    table = db.metadata.tables.get(table_name)
    if table is not None:
        for found in table.columns:
            if found.info.get("label") is not None and column in ("", found.name):
                return str(found.info["label"])
    return str(TABLE_LABELS.get(table_name, table_name))


def field_label(column: str) -> str:
    """What people call the field that a column belongs to."""
    return next((str(field.label) for field in FIELDS if column in field.columns), column)


@dataclass(frozen=True)
class Choice:
    """One line of the comparison.

    :ivar suggested: "kept" or "merged". :ivar held: why there is nothing to choose, the suggested value stays; else "".
    """

    key: str
    label: Any
    kept: str
    merged: str
    suggested: str
    held: Any = ""

    @property
    def differs(self) -> bool:
        """Whether there is anything to choose."""
        return self.kept != self.merged


def choices_of(kept: Customer, merged: Customer, held: Mapping[int, HeldFields] = MappingProxyType({})) -> list[Choice]:
    """All fields side by side. The kept record's value is suggested unless it has none.

    :param held: what is held of the two (`services.held`): those values stay, of both the kept record's.
    """
    found = []
    for field in FIELDS:
        mine, theirs = field.text(kept), field.text(merged)
        stays, why = _held(field.columns, kept, merged, held)
        found.append(Choice(field.key, field.label, mine, theirs, stays or _suggested(mine, theirs), why))
    if kept.person is not None and merged.person is not None:
        stays, why = _held(PERSON_COLUMNS, kept, merged, held)
        mine, theirs = person_text(kept), person_text(merged)
        found.append(Choice("person", _l("Facts about the person"), mine, theirs, stays or "kept", why))
    return found


def _held(
    columns: tuple[str, ...], kept: Customer, merged: Customer, held: Mapping[int, HeldFields]
) -> tuple[str, Any]:
    """("kept" or "merged", why) where a value is held; two empty texts where one may choose."""
    for which, customer in (("kept", kept), ("merged", merged)):
        found = held.get(customer.id)
        if found is not None and not found.fields.isdisjoint(columns):
            return which, found.reason
    return "", ""


def _suggested(kept: str, merged: str) -> str:
    return "merged" if merged and not kept else "kept"


def person_text(customer: Customer) -> str:
    """Facts about a person in one line; without the address."""
    person = customer.person
    if person is None:
        return ""
    year = str(person.birth_year) if person.birth_year else ""
    parts = [words.label(words.Sex, person.sex), year, person.occupation, person.education, person.employer]
    return " · ".join(part for part in parts if part)
