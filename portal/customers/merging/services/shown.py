"""What a merge changed, for people to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from portal.core import regions
from portal.core.text import mask_phone
from portal.customers import vocabulary as words
from portal.customers.merging.fields import field_label
from portal.customers.merging.models import CustomerMerge
from portal.customers.models import Customer
from portal.customers.plain_json import from_json
from portal.extensions import db
from portal.org.models import Department, User


@dataclass(frozen=True)
class ShownChange:
    """A field of the kept record that the merge changed."""

    label: str
    before: str
    after: str


def shown_changes(merge: CustomerMerge) -> list[ShownChange]:
    """The changed fields in words; derived columns are left out, phone numbers are masked."""
    found = []
    for name, (before, after) in json.loads(merge.fields_json).items():
        if name in ("name_sort", "phone_digits", "stage_changed_at"):
            continue
        found.append(ShownChange(field_label(name), _shown(name, before), _shown(name, after)))
    return found


_WORDS: dict[str, Any] = {
    "kind": words.CustomerKind,
    "size_class": words.SizeClass,
    "channel": words.Channel,
    "source": words.Source,
    "stage": words.Stage,
    "status": words.Status,
}


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if name in _WORDS:
        return words.label(_WORDS[name], value)
    if name == "phone":
        return mask_phone(value)
    if name == "region_code":
        return regions.full_name(value)
    models: dict[str, Any] = {"account_manager_id": User, "department_id": Department, "referrer_id": Customer}
    if name in models:
        row = db.session.get(models[name], value)
        return row.name if row else str(value)
    return str(from_json(value))
