"""Merging two customers, and undoing it; generic over every table that refers to a customer.

Every value that a merge changes is kept (table, row, column, before, after), so that an undo puts back exactly
these and refuses when one of them was changed since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, insert, literal, select, update
from sqlalchemy.exc import DBAPIError

from portal.audit.services import record
from portal.core import clock, regions
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.panels import HeldFields
from portal.core.permissions import require
from portal.core.text import mask_phone
from portal.customers import vocabulary as words
from portal.customers.actions import CustomerAction
from portal.customers.merging.fields import FIELDS, PERSON_COLUMNS, choices_of, field_label, table_label
from portal.customers.merging.models import CustomerMerge, CustomerMergeRow
from portal.customers.models import Contact, Customer, CustomerAlias, CustomerPerson
from portal.customers.permissions import EDIT
from portal.customers.plain_json import from_json, to_json
from portal.customers.queries import final_record
from portal.customers.references import KEEP, MOVE, REBUILD, Reference, customer_references
from portal.customers.search_index import index_customers
from portal.customers.services.common import PRIVATE_FIELDS, label_of, locked
from portal.customers.services.held import held_fields, held_of, problems
from portal.customers.services.interactions import maintain_dates
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User
from portal.pluginmanager import manager

#: Rows changed by one statement.
CHUNK = 500
_PERSON_TABLE = frozenset({"customer_person"})
KEPT, MERGED = "kept", "merged"


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


@dataclass(frozen=True)
class Moving:
    """Rows of one table that a merge moves (or that stay)."""

    name: str
    rows: int
    stays: int


def require_merge(actor: Actor, kept: Customer, merged: Customer) -> None:
    """:raises NotAllowed: unless the actor may edit both and is a head or an executive. :raises Invalid: impossible."""
    if kept.id == merged.id:
        raise Invalid([("merged_id", _("Choose two different customers."))])
    require(actor, EDIT, kept)
    require(actor, EDIT, merged)
    require_merger(actor)
    if kept.party != merged.party:
        raise Invalid([("merged_id", _("An organisation and a person cannot be merged."))])


def require_merger(actor: Actor) -> None:
    """:raises NotAllowed: unless the actor is a head or an executive."""
    if not (actor.is_system or actor.oversees or EXECUTIVE in actor.roles):
        raise NotAllowed(_("Only department heads and executives merge customers."))


def movings(kept_id: int, merged_id: int) -> list[Moving]:
    """What a merge would move, table by table; for the preview."""
    found = []
    for reference in customer_references():
        if reference.on_merge != MOVE:
            continue
        rows = _rows(reference, merged_id, kept_id)
        if rows:
            found.append(Moving(reference.name, len(rows), len(_clashes(reference, kept_id, merged_id, rows))))
    return found


def _rows(reference: Reference, merged_id: int, kept_id: int) -> list[int]:
    statement = select(reference.table.c.id).where(reference.column == merged_id).order_by(reference.table.c.id)
    if reference.table.name == "customer":
        # The kept record cannot refer to itself, the merged one stays as it was.
        statement = statement.where(reference.table.c.id.not_in([kept_id, merged_id]))
    return list(db.session.scalars(statement))


def _clashes(reference: Reference, kept_id: int, merged_id: int, rows: Sequence[int]) -> set[int]:
    """Rows that the kept customer has already, by the declared `unique_with`."""
    if reference.unique_with is None or not rows:
        return set()
    # Without further columns there is at most one row: a constant compares equal.
    columns: list[ColumnElement[Any]] = [reference.table.c[name] for name in reference.unique_with] or [literal(1)]
    there = {tuple(row) for row in db.session.execute(select(*columns).where(reference.column == kept_id))}
    mine = db.session.execute(select(reference.table.c.id, *columns).where(reference.column == merged_id))
    return {row[0] for row in mine if tuple(row[1:]) in there}


# ---- merging -------------------------------------------------------------------------------------------------------


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
    rows, stayed = _move_rows(kept.id, merged.id, frozenset() if _person_may_come(kept, held) else _PERSON_TABLE)
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
    _refresh(kept, merged)
    public, private = _audited(changes, kept)
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
        rows = _rows(reference, merged_id, kept_id)
        clashes = set(rows) if reference.table.name in without else _clashes(reference, kept_id, merged_id, rows)
        moved = _set_column(
            reference.table, reference.column.name, [row for row in rows if row not in clashes], kept_id
        )
        left = [row for row in rows if row not in moved]
        if left:
            stayed[reference.name] = left
        trace += [
            _trace(reference.table.name, row, reference.column.name, merged_id, kept_id) for row in rows if row in moved
        ]
    return trace, stayed


def _set_column(table: Table, column: str, rows: list[int], value: Any) -> set[int]:
    """Write one value into a column of many rows; gives back those the database let through.

    A unique index that covers only some rows, or a trigger, may refuse single ones: then each is tried by itself.
    """
    moved: set[int] = set()
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        if _update(table, column, part, value):
            moved.update(part)
        else:
            moved.update(row for row in part if _update(table, column, [row], value))
    return moved


def _update(table: Table, column: str, rows: list[int], value: Any) -> bool:
    try:
        with db.session.begin_nested():
            db.session.execute(update(table).where(table.c.id.in_(rows)).values({column: value}))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return False
    return True


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
    _set_column(table, "is_primary", second, False)
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


def _refresh(kept: Customer, other: Customer) -> None:
    """What is derived: search terms, dates of contact. Everything loaded is read anew."""
    db.session.flush()
    index_customers([kept.id, other.id])
    maintain_dates(kept.id)
    maintain_dates(other.id)
    db.session.expire_all()


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        name = f"{row['table_name']}.{row['column_name']}" if row["column_name"] else f"{row['table_name']} +"
        found[name] = found.get(name, 0) + 1
    return found


def _audited(changes: Mapping[str, list[Any]], kept: Customer) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Changed values, parted into public and personal ones."""
    hidden = PRIVATE_FIELDS | {"phone_digits", "name_sort"}
    if kept.is_person:
        hidden = hidden | {"name", "short_name", "website"}
    public = {name: pair for name, pair in changes.items() if name not in hidden}
    private = {name: pair for name, pair in changes.items() if name in hidden}
    if not private:
        return public, {}
    return public, {
        "old": {name: pair[0] for name, pair in private.items()},
        "new": {name: pair[1] for name, pair in private.items()},
    }


# ---- undoing -------------------------------------------------------------------------------------------------------


def get_merge(merge_id: int, actor: Actor) -> CustomerMerge:
    """A merge of a customer that the actor may edit. :raises NotFound: else."""
    merge = db.session.get(CustomerMerge, merge_id)
    if merge is None:
        raise NotFound()
    require_merger(actor)
    require(actor, EDIT, final_record(merge.kept_id))
    return merge


def obstacles(merge: CustomerMerge) -> list[str]:
    """What was changed since, so that the merge cannot be undone; empty: it can."""
    kept, merged = db.session.get_one(Customer, merge.kept_id), db.session.get_one(Customer, merge.merged_id)
    if merge.undone_at is not None:
        return [_("This merge was undone already.")]
    if kept.status == Status.MERGED:
        return [_("“%(name)s” was itself merged into another customer since. Undo that merge first.", name=kept.name)]
    if merged.status != Status.MERGED or merged.merged_into_id != kept.id:
        return [_("The merged record is not merged into this customer any more.")]
    found = []
    for name, (_before, after) in json.loads(merge.fields_json).items():
        if to_json(getattr(kept, name)) != after:
            found.append(_("%(field)s was changed since the merge.", field=field_label(name)))
    for (table_name, column), rows in _traced(merge.id).items():
        if column == "" or (table_name, column) == ("contact", "is_primary"):
            continue
        table = db.metadata.tables.get(table_name)
        gone = len(rows) if table is None else len(_changed(table, column, rows))
        if gone:
            found.append(
                _("%(what)s: %(count)s rows were changed or removed since.", what=table_label(table_name), count=gone)
            )
    former = json.loads(merge.fields_json).get("credit_code")
    for code, owner in ((merged.credit_code, merged), (former[0] if former else None, kept)):
        if code and _code_is_taken(code, {kept.id, merged.id}):
            found.append(
                _("The code %(code)s of “%(name)s” belongs to another customer now.", code=code, name=owner.name)
            )
    return found


def _code_is_taken(code: str, besides: set[int]) -> bool:
    return (
        db.session.scalar(
            select(Customer.id)
            .where(Customer.credit_code == code, Customer.status != Status.MERGED.value, Customer.id.not_in(besides))
            .limit(1)
        )
        is not None
    )


def _traced(merge_id: int) -> dict[tuple[str, str], list[CustomerMergeRow]]:
    """(table, column) → rows of the trace."""
    found: dict[tuple[str, str], list[CustomerMergeRow]] = {}
    for row in db.session.scalars(
        select(CustomerMergeRow).where(CustomerMergeRow.merge_id == merge_id).order_by(CustomerMergeRow.id)
    ):
        found.setdefault((row.table_name, row.column_name), []).append(row)
    return found


def _changed(table: Table, column: str, rows: Sequence[CustomerMergeRow]) -> list[int]:
    """Rows that do not hold what the merge wrote any more, or are gone."""
    found = []
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        present = {
            row[0]: to_json(row[1])
            for row in db.session.execute(
                select(table.c.id, table.c[column]).where(table.c.id.in_([row.row_id for row in part]))
            )
        }
        found += [
            row.row_id for row in part if row.row_id not in present or present[row.row_id] != json.loads(row.after)
        ]
    return found


def undo_merge(merge_id: int, actor: Actor) -> CustomerMerge:
    """Take a merge back completely: values, rows, the merged record itself.

    What was added to the kept customer since stays there.

    :raises NotFound, NotAllowed: as usual. :raises Conflict: with all reasons (`details["reasons"]`) when something was
        changed since.
    """
    merge = db.session.get(CustomerMerge, merge_id, with_for_update=True, populate_existing=True)
    if merge is None:
        raise NotFound()
    for customer_id in sorted((merge.kept_id, merge.merged_id)):
        locked(Customer, customer_id)
    get_merge(merge_id, actor)
    reasons = obstacles(merge)
    if reasons:
        raise Conflict(" ".join(reasons), reasons=reasons)
    kept, merged = db.session.get_one(Customer, merge.kept_id), db.session.get_one(Customer, merge.merged_id)
    now = clock.now()
    fields: dict[str, list[Any]] = json.loads(merge.fields_json)
    for name, (before, _after) in fields.items():
        setattr(kept, name, from_json(before))
    kept.updated_at, kept.updated_by_id = now, actor.user_id
    # First: the code goes back to the record it came from.
    db.session.flush()
    merged.status, merged.merged_into_id = merge.former_status, None
    merged.updated_at, merged.updated_by_id = now, actor.user_id
    db.session.flush()
    traced = _traced(merge.id)
    _put_back(traced)
    _refuse_undo_of_held(kept, fields, traced, actor)
    merge.undone_at, merge.undone_by_id = now, actor.user_id
    _refresh(kept, merged)
    public, private = _audited({name: [pair[1], pair[0]] for name, pair in fields.items()}, kept)
    record(
        actor,
        CustomerAction.UNMERGE,
        object_type="customer",
        object_id=kept.id,
        object_label=label_of(kept),
        old={name: pair[0] for name, pair in public.items()},
        new={"merge_id": merge.id, "restored_id": merged.id, **{name: pair[1] for name, pair in public.items()}},
        private=private or None,
        customer_id=kept.id,
    )
    manager().hook.customers_unmerged(kept=kept, restored=merged, actor=actor)
    return merge


def _refuse_undo_of_held(
    kept: Customer,
    fields: Mapping[str, Sequence[Any]],
    traced: Mapping[tuple[str, str], Sequence[CustomerMergeRow]],
    actor: Actor,
) -> None:
    """What is held by now does not go back to what it was before the merge."""
    changes: dict[str, Any] = {name: (pair[1], pair[0]) for name, pair in fields.items()}
    for (table_name, column), rows in traced.items():
        if table_name == "customer_person" and column in PERSON_COLUMNS:
            changes[column] = (rows[0].after, rows[0].before)
    reasons = [f"{field_label(name)}{_(': ')}{reason}" for name, reason in problems(held_of(kept.id, actor), changes)]
    if reasons:
        raise Conflict(" ".join(reasons), reasons=reasons)


def _put_back(traced: Mapping[tuple[str, str], Sequence[CustomerMergeRow]]) -> None:
    """Write every value back; added rows go."""
    for (table_name, column), rows in traced.items():
        table = db.metadata.tables[table_name]
        if column == "":
            db.session.execute(table.delete().where(table.c.id.in_([row.row_id for row in rows])))
            continue
        by_value: dict[str, list[int]] = {}
        for row in rows:
            by_value.setdefault(row.before, []).append(row.row_id)
        for value, ids in by_value.items():
            done = _set_column(table, column, ids, from_json(json.loads(value)))
            if len(done) < len(ids):
                reason = _(
                    "%(what)s: %(count)s rows were changed or removed since.",
                    what=table_label(table_name),
                    count=len(ids) - len(done),
                )
                raise Conflict(reason, reasons=[reason])


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
