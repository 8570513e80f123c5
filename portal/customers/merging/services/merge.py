"""Making one customer of two."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.panels import HeldFields
from portal.core.permissions import require
from portal.customers.actions import CustomerAction
from portal.customers.merging.fields import FIELDS, PERSON_COLUMNS, choices_of
from portal.customers.merging.models import CustomerMerge, CustomerMergeRow
from portal.customers.merging.services.base import (
    CHUNK,
    KEPT,
    MERGED,
    parted_changes,
    refresh,
    require_merger,
    set_column,
)
from portal.customers.merging.services.moving import clashes_of, rows_of
from portal.customers.models import Contact, Customer, CustomerAlias, CustomerPerson
from portal.customers.permissions import EDIT
from portal.customers.plain_json import to_json
from portal.customers.references import KEEP, REBUILD, customer_references
from portal.customers.services.common import label_of, locked
from portal.customers.services.held import held_fields
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager

PERSON_TABLE = frozenset({"customer_person"})


@dataclass(frozen=True)
class MergeInput:
    """What is to be merged and how.

    :ivar choices: field key → "kept" or "merged"; what is missing keeps the kept record's value.
    :ivar kept_version, merged_version: the versions that the actor saw; None asks for nothing.
    """

    kept_id: int
    merged_id: int
    choices: Mapping[str, str] = field(default_factory=dict)
    kept_version: int | None = None
    merged_version: int | None = None


def require_merge(actor: Actor, kept: Customer, merged: Customer) -> None:
    """:raises NotAllowed: unless the actor may edit both and is a head or an executive. :raises Invalid: impossible."""
    if kept.id == merged.id:
        raise Invalid([("merged_id", _("Choose two different customers."))])
    require(actor, EDIT, kept)
    require(actor, EDIT, merged)
    require_merger(actor)
    if kept.party != merged.party:
        raise Invalid([("merged_id", _("An organisation and a person cannot be merged."))])


def merge_customers(data: MergeInput, actor: Actor) -> CustomerMerge:
    """Make one customer of two: chosen values and everything that belongs to the merged record go to the kept one.

    The merged record stays, closed, with a pointer to the kept one. Rows that the kept customer has already stay with
    it and are reported.

    :raises NotFound, NotAllowed, Invalid: as usual. :raises Conflict: when one of them was changed meanwhile.
    """
    first, second = sorted((data.kept_id, data.merged_id))
    both = {customer_id: locked(Customer, customer_id) for customer_id in (first, second)}
    kept, merged = both[data.kept_id], both[data.merged_id]
    require_merge(actor, kept, merged)
    for customer, version in ((kept, data.kept_version), (merged, data.merged_version)):
        if version is not None and customer.version != version:
            raise Conflict(_("“%(name)s” was changed meanwhile. Look at both records again.", name=customer.name))
    now = clock.now()
    held = held_fields((kept.id, merged.id), actor)
    refuse_against_held(kept, merged, data.choices, held)
    theirs = {name: getattr(merged, name) for item in FIELDS for name in item.columns}
    merge = CustomerMerge(
        kept_id=kept.id,
        merged_id=merged.id,
        former_status=merged.status,
        merged_at=now,
        merged_by_id=actor.user_id,
    )
    db.session.add(merge)
    merged.status, merged.merged_into_id = Status.MERGED.value, kept.id
    merged.updated_at, merged.updated_by_id = now, actor.user_id
    # First: a code may belong to one live record only.
    db.session.flush()
    changes = _take_values(kept, merged.id, theirs, data.choices)
    kept.updated_at, kept.updated_by_id = now, actor.user_id
    db.session.flush()
    rows, stayed = _move_rows(kept.id, merged.id, frozenset() if _person_may_come(kept, held) else PERSON_TABLE)
    rows += _settle_primary(kept.id, rows)
    if data.choices.get("person") == MERGED:
        rows += _take_person(kept.id, merged.id)
    rows += _keep_names(kept, merged, changes)
    merge.fields_json = json.dumps(changes, ensure_ascii=False)
    merge.stayed_json = json.dumps(stayed)
    db.session.flush()
    for start in range(0, len(rows), CHUNK):
        db.session.execute(
            insert(CustomerMergeRow), [{"merge_id": merge.id, **row} for row in rows[start : start + CHUNK]]
        )
    refresh(kept, merged)
    public, private = parted_changes(changes, kept)
    record(
        actor,
        CustomerAction.MERGE,
        object_type="customer",
        object_id=kept.id,
        object_label=label_of(kept),
        old={"merged_id": merged.id, **{name: pair[0] for name, pair in public.items()}},
        new={
            "merge_id": merge.id,
            "moved": _counts(rows),
            "stayed": {name: len(ids) for name, ids in stayed.items()},
            **{name: pair[1] for name, pair in public.items()},
        },
        private=private or None,
        customer_id=kept.id,
    )
    manager().hook.customers_merged(kept=kept, merged=merged, actor=actor)
    return merge


def refuse_against_held(
    kept: Customer, merged: Customer, choices: Mapping[str, str], held: Mapping[int, HeldFields]
) -> None:
    """Held fields keep their values: those of the kept record, else those of the merged one.

    :raises Invalid: naming each field of which the other value was chosen.
    """
    wrong = [
        (choice.key, str(choice.held))
        for choice in choices_of(kept, merged, held)
        if choice.held and choice.differs and choices.get(choice.key, KEPT) != choice.suggested
    ]
    if wrong:
        raise Invalid(wrong)


def _take_values(
    kept: Customer, merged_id: int, theirs: Mapping[str, Any], choices: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Put the chosen values of the merged record (as they were before the merge) into the kept one.

    Returns column → [before, after] as JSON values.
    """
    changes: dict[str, list[Any]] = {}
    for item in FIELDS:
        if choices.get(item.key) == MERGED:
            for name in item.columns:
                _put(kept, name, theirs[name], changes)
    if kept.referrer_id in (kept.id, merged_id):
        _put(kept, "referrer_id", None, changes)
    return changes


def _put(kept: Customer, name: str, value: Any, changes: dict[str, list[Any]]) -> None:
    before = to_json(getattr(kept, name))
    if before == to_json(value):
        return
    setattr(kept, name, value)
    changes[name] = [changes[name][0] if name in changes else before, to_json(value)]
    if changes[name][0] == changes[name][1]:
        del changes[name]


def _person_may_come(kept: Customer, held: Mapping[int, HeldFields]) -> bool:
    """Whether facts about the person may come to a record that has none: not where they are held."""
    return kept.id not in held or held[kept.id].fields.isdisjoint(PERSON_COLUMNS)


def _move_rows(
    kept_id: int, merged_id: int, without: frozenset[str]
) -> tuple[list[dict[str, Any]], dict[str, list[int]]]:
    """Let everything but the rows of the tables `without` refer to the kept record: (trace, rows that stayed)."""
    trace: list[dict[str, Any]] = []
    stayed: dict[str, list[int]] = {}
    for reference in customer_references():
        if reference.on_merge in (KEEP, REBUILD):
            continue
        rows = rows_of(reference, merged_id, kept_id)
        clashes = set(rows) if reference.table.name in without else clashes_of(reference, kept_id, merged_id, rows)
        moved = set_column(reference.table, reference.column.name, [row for row in rows if row not in clashes], kept_id)
        left = [row for row in rows if row not in moved]
        if left:
            stayed[reference.name] = left
        trace += [
            _trace(reference.table.name, row, reference.column.name, merged_id, kept_id) for row in rows if row in moved
        ]
    return trace, stayed


def _trace(table: str, row: int, column: str, before: Any, after: Any) -> dict[str, Any]:
    return {
        "table_name": table,
        "row_id": row,
        "column_name": column,
        "before": json.dumps(to_json(before), ensure_ascii=False),
        "after": json.dumps(to_json(after), ensure_ascii=False),
    }


def _settle_primary(kept_id: int, trace: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One primary contact is enough: a moved one steps back when the kept record has its own."""
    moved = [row["row_id"] for row in trace if row["table_name"] == "contact"]
    primary = list(db.session.scalars(select(Contact.id).where(Contact.customer_id == kept_id, Contact.is_primary)))
    second = [row for row in primary if row in set(moved)]
    if len(primary) == len(second):
        return []
    table: Any = Contact.__table__
    set_column(table, "is_primary", second, False)
    return [_trace("contact", row, "is_primary", True, False) for row in second]


def _take_person(kept_id: int, merged_id: int) -> list[dict[str, Any]]:
    """Both have facts about the person and those of the merged record were chosen."""
    table: Any = CustomerPerson.__table__
    found = {
        row.customer_id: row
        for row in db.session.execute(select(table).where(table.c.customer_id.in_([kept_id, merged_id])))
    }
    if len(found) < 2:
        return []
    kept, merged = found[kept_id], found[merged_id]
    trace = []
    for name in PERSON_COLUMNS:
        before, after = getattr(kept, name), getattr(merged, name)
        if before != after:
            db.session.execute(update(table).where(table.c.id == kept.id).values({name: after}))
            trace.append(_trace("customer_person", kept.id, name, before, after))
    return trace


def _keep_names(kept: Customer, merged: Customer, changes: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Names that no record bears any more become other names of the kept one, so that they are still found."""
    db.session.expire(kept, ["aliases"])
    present = {kept.name, kept.short_name, *(alias.alias for alias in kept.aliases)}
    former = [changes[column][0] for column in ("name", "short_name") if column in changes]
    added = []
    for name in dict.fromkeys([merged.name, merged.short_name, *former]):
        if name and name not in present:
            alias = CustomerAlias(customer_id=kept.id, alias=name)
            db.session.add(alias)
            added.append(alias)
    db.session.flush()
    return [_trace("customer_alias", alias.id, "", None, alias.alias) for alias in added]


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        name = f"{row['table_name']}.{row['column_name']}" if row["column_name"] else f"{row['table_name']} +"
        found[name] = found.get(name, 0) + 1
    return found
