"""Taking a merge back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select

from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.permissions import require
from portal.customers.actions import CustomerAction
from portal.customers.merging.fields import PERSON_COLUMNS, field_label, table_label
from portal.customers.merging.models import CustomerMerge, CustomerMergeRow
from portal.customers.merging.services.base import CHUNK, parted_changes, refresh, require_merger, set_column
from portal.customers.models import Customer
from portal.customers.permissions import EDIT
from portal.customers.plain_json import from_json, to_json
from portal.customers.queries import final_record
from portal.customers.services.common import label_of, locked
from portal.customers.services.held import held_of, problems
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.pluginmanager import manager


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
    refresh(kept, merged)
    public, private = parted_changes({name: [pair[1], pair[0]] for name, pair in fields.items()}, kept)
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
            done = set_column(table, column, ids, from_json(json.loads(value)))
            if len(done) < len(ids):
                reason = _(
                    "%(what)s: %(count)s rows were changed or removed since.",
                    what=table_label(table_name),
                    count=len(ids) - len(done),
                )
                raise Conflict(reason, reasons=[reason])
