"""Reading the audit trail."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, ScalarSelect, Select, bindparam, column, func, or_, select, table

from portal.audit.chain import FIELDS, entry_hash, moment_text, private_digest
from portal.audit.labels import action_text, field_text, value_text
from portal.audit.models import AuditCheck, AuditEntry, AuditHead
from portal.core import clock
from portal.core.registry import registry
from portal.extensions import db
from portal.i18n import _

MASK = "•••"


@dataclass(frozen=True)
class HistoryItem:
    """One entry as a history shows it. `changes`: (field, before, after)."""

    seq: int
    at: datetime
    actor_name: str
    on_behalf_of_id: int | None
    action: str
    text: str
    object_type: str
    object_id: int | None
    object_label: str
    customer_id: int | None
    result: str
    reason: str
    changes: list[tuple[str, str, str]]


def history_of(object_type: str, object_id: int, *, before: int | None = None, limit: int = 50) -> list[HistoryItem]:
    """Entries about one object, newest first, one statement. The caller has checked that the actor may see it.

    :param before: only entries with a smaller number (keyset paging).
    """
    statement = select(AuditEntry).where(AuditEntry.object_type == object_type, AuditEntry.object_id == object_id)
    if before is not None:
        statement = statement.where(AuditEntry.seq < before)
    return _told(db.session.scalars(statement.order_by(AuditEntry.seq.desc()).limit(limit)).all())


#: Changes that another kind of time line entry already tells better, by the middle part of the action …
TOLD_ELSEWHERE = ("interaction", "purchase", "request", "document", "log", "entry")
#: … and by its first: customers tell their own changes, with words for values and without personal data.
TELLS_ITSELF = "customers"
#: Requests by number: their module stands above this one.
_REQUESTS = table("approval_request", column("id"), column("customer_id"))


def timeline_items(customer_id: int, before_at: datetime | None, limit: int) -> list[HistoryItem]:
    """Entries about a customer that no other module tells in the time line, newest first.

    One statement, and one more where entries name requests: what stands there as a request is not told twice. The
    caller has checked that the actor may see the customer.
    """
    told = [word.code for word in registry("audit_words") if word.kind == "told"]
    parameters = {"customer_id": customer_id, "before_at": before_at, "limit": limit, "told": told}
    rows = db.session.scalars(_timeline_statement(before_at is not None), parameters).all()
    named = {row.seq: number for row in rows if (number := _request_in(row)) is not None}
    if named:
        statement = select(_REQUESTS.c.id).where(
            _REQUESTS.c.id.in_(sorted(set(named.values()))), _REQUESTS.c.customer_id == customer_id
        )
        shown_there = set(db.session.scalars(statement))
        rows = [row for row in rows if named.get(row.seq) not in shown_there]
    return _told(rows)


def _request_in(entry: AuditEntry) -> int | None:
    """The number of the approval request that a module's entry names."""
    values = json.loads(entry.new_values) if entry.new_values and '"request"' in entry.new_values else {}
    return values.get("request") if type(values.get("request")) is int else None


@cache
def _timeline_statement(older: bool) -> Select[AuditEntry]:
    """Built once: every page of a customer asks it. Entries are left out here, or a page would end too early."""
    statement = select(AuditEntry).where(
        AuditEntry.customer_id == bindparam("customer_id"),
        or_(AuditEntry.result != "ok", AuditEntry.action.not_in(bindparam("told", expanding=True))),
        ~AuditEntry.action.startswith(f"{TELLS_ITSELF}:", autoescape=True),
        *(~AuditEntry.action.contains(f":{subject}:", autoescape=True) for subject in TOLD_ELSEWHERE),
    )
    if older:
        statement = statement.where(AuditEntry.at < bindparam("before_at", type_=AuditEntry.at.type))
    return statement.order_by(AuditEntry.seq.desc()).limit(bindparam("limit", type_=Integer))


def _told(rows: Sequence[AuditEntry]) -> list[HistoryItem]:
    return [
        HistoryItem(
            seq=row.seq,
            at=row.at,
            actor_name=actor_text(row.actor_id, row.actor_name),
            on_behalf_of_id=row.on_behalf_of_id,
            action=row.action,
            text=action_text(row.action),
            object_type=row.object_type,
            object_id=row.object_id,
            object_label=row.object_label,
            customer_id=row.customer_id,
            result=row.result,
            reason=row.reason,
            changes=changes_of(row),
        )
        for row in rows
    ]


def actor_text(actor_id: int | None, name: str) -> str:
    """Who acted; the portal itself has a word of its own in each language."""
    return name if actor_id is not None or name != "system" else _("The portal")


#: People by number and name: their module stands above this one.
_PEOPLE = table("org_user", column("id"), column("name"))


def name_of_person(user_id: Any) -> ScalarSelect[str]:
    """SQL for the name of a person by a column or a number."""
    return select(_PEOPLE.c.name).where(_PEOPLE.c.id == user_id).scalar_subquery()


def on_behalf_of(entry: AuditEntry) -> str:
    """Whose delegate the actor was, "" when he acted for himself."""
    if entry.on_behalf_of_id is None:
        return ""
    return db.session.scalar(select(name_of_person(entry.on_behalf_of_id))) or f"#{entry.on_behalf_of_id}"


def person_text(actor_id: int | None, name: str, on_behalf_of: str | None) -> str:
    """Who acted: "李四", or "李四代张三"."""
    shown = actor_text(actor_id, name)
    return _("%(delegate)s for %(delegator)s", delegate=shown, delegator=on_behalf_of) if on_behalf_of else shown


def changes_of(entry: AuditEntry, *, show_values: bool = True) -> list[tuple[str, str, str]]:
    """(field, before, after) of an entry, personal data included.

    :param show_values: False masks every value: the reader learns which fields changed, not what they say.
    """
    old: dict[str, Any] = json.loads(entry.old_values) if entry.old_values else {}
    new: dict[str, Any] = json.loads(entry.new_values) if entry.new_values else {}
    hidden: dict[str, Any] = json.loads(entry.private) if entry.private else {}
    for side, values in (("old", old), ("new", new)):
        part = hidden.get(side)
        if isinstance(part, dict):
            values.update(part)
    names = [*new, *(name for name in old if name not in new)]
    source = entry.action.partition(":")[0]
    changes = []
    for name in names:
        before, after = old.get(name), new.get(name)
        if show_values:
            told = (shown(before, source, name, entry), shown(after, source, name, entry))
        else:
            told = (MASK if name in old else "", MASK if name in new else "")
        changes.append((field_text(name, source), *told))
    for name, value in hidden.items():
        if name not in {"old", "new"} or not isinstance(value, dict):
            said = shown(value, source, name, entry) if show_values else MASK
            changes.append((field_text(name, source), "", said))
    return changes


#: A moment as entries keep it.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def shown(value: Any, source: str = "", field: str = "", entry: AuditEntry | None = None) -> str:
    """A kept value for people; words and numbers of the module `source` by what they stand for."""
    if value is None or value == "":
        return ""
    said = None if isinstance(value, list | bool) else value_text(source, field, value, entry)
    if said is not None:
        return said
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return _(", ").join(shown(item, source, field, entry) for item in value)
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return clock.local(datetime.fromisoformat(value)).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, dict):
        if set(value) == {"old", "new"}:
            before, after = (shown(value[side], source, field, entry) for side in ("old", "new"))
            return f"{before} → {after}"
        return _("; ").join(
            (value_text(source, field, name, entry) or field_text(name, source))
            + _(": ")
            + shown(item, source, name, entry)
            for name, item in value.items()
        )
    return str(value)


def proves_itself(entry: AuditEntry) -> bool:
    """Whether an entry has the content it was written with (its place in the chain is the verification's matter)."""
    values = [moment_text(entry.at) if name == "at" else getattr(entry, name) for name in FIELDS]
    if entry_hash(values) != entry.hash:
        return False
    if entry.private_salt is None:
        return entry.private is None and entry.object_label == ""
    return private_digest(entry.private_salt, entry.object_label, entry.private) == entry.private_hash


def neighbours(seq: int) -> Sequence[Any]:
    """(seq, hash, previous_hash) of the entry before and the one after."""
    columns = (AuditEntry.seq, AuditEntry.hash, AuditEntry.previous_hash, AuditEntry.action)
    return db.session.execute(
        select(*columns).where(AuditEntry.seq.in_((seq - 1, seq + 1))).order_by(AuditEntry.seq)
    ).all()


def last_check() -> AuditCheck | None:
    """The last verification."""
    return db.session.scalar(select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1))


def head() -> tuple[int, str]:
    """Number and hash of the last entry; (0, zeros) before the first."""
    row = db.session.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)).first()
    return (row.seq, row.hash) if row else (0, "")


def count_lately(actor_id: int, actions: Sequence[str], since: datetime) -> int:
    """How many entries of some actions somebody has since a moment; for limits of an hour, not for long times."""
    statement = select(func.count()).where(
        AuditEntry.at >= since, AuditEntry.actor_id == actor_id, AuditEntry.action.in_([str(one) for one in actions])
    )
    return int(db.session.scalar(statement) or 0)


def viewed_lately(actor_id: int | None, action: str, new_values: str, since: datetime) -> bool:
    """Whether the person's newest entries have the same look at the trail since a moment (so it is recorded once)."""
    rows = db.session.execute(
        select(AuditEntry.action, AuditEntry.new_values, AuditEntry.at)
        .where(AuditEntry.actor_id == actor_id)
        .order_by(AuditEntry.seq.desc())
        .limit(20)
    )
    return any(row.action == action and row.new_values == new_values and row.at >= since for row in rows)
