"""The basic information that change requests are about: its fields, their words, and how values are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.core import regions
from portal.customers import vocabulary as words
from portal.i18n import _l

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
}
#: What only organisations have.
ORGANISATION_ONLY = ("credit_code", "industry", "size_class")
#: Changed by request only where the setting protects the basic information; the way to reach a customer and what he
#: wishes change daily and stay free.
PROTECTED = frozenset(
    {"name", "short_name", "kind", "credit_code", "industry", "size_class", "region_code", "address", "party"}
)
_VOCABULARIES: dict[str, Any] = {
    "kind": words.CustomerKind,
    "size_class": words.SizeClass,
    "channel": words.Channel,
    "source": words.Source,
    "party": words.Party,
}


def shown(field: str, value: Any) -> str:
    """A value as people read it; "" where nothing is known."""
    if not value:
        return ""
    if field in _VOCABULARIES:
        return words.label(_VOCABULARIES[field], value)
    return regions.full_name(value) if field == "region_code" else str(value)


def rows_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[Any, str, str]]:
    """(label, before, after) of the fields of a request, in their order, for `ui.compare`."""
    return [
        (label, shown(field, before.get(field)), shown(field, after.get(field)))
        for field, label in FIELDS.items()
        if field in after
    ]
