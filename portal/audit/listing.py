"""The auditor's list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, or_
from sqlalchemy import func as sql

from portal.audit.labels import (
    RESULTS,
    SUBJECTS,
    VERBS,
    action_text,
    codes_of,
    labels_saying,
    object_choices,
    object_text,
)
from portal.audit.models import AuditEntry
from portal.audit.permissions import READ
from portal.audit.queries import name_of_person, person_text
from portal.core import clock
from portal.core.components import tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, FilterValue, Listing, Scene
from portal.core.listing.conditions import moment_within, value_in
from portal.core.numbers import id_from
from portal.core.permissions import Actor, visible
from portal.i18n import _l

E = AuditEntry


def _who(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return or_(*(E.actor_name.contains(text, autoescape=True) for text in value.values))


def _customer(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    numbers = [number for text in value.values if (number := id_from(text)) is not None]
    names = [text for text in value.values if id_from(text) is None]
    conditions: list[ColumnElement[bool]] = [E.customer_id.in_(numbers)] if numbers else []
    conditions += [and_(E.customer_id.is_not(None), E.object_label.contains(text, autoescape=True)) for text in names]
    return or_(*conditions)


def _action(value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    return or_(*(_named(text) for text in value.values))


def _named(text: str) -> ColumnElement[bool]:
    """Actions by their code, or by the words that the list shows for them."""
    parts = text.replace("·", " ").split() or [text]
    return and_(*(_said(part) for part in parts))


def _said(word: str) -> ColumnElement[bool]:
    subjects = [E.action.contains(f":{code}:", autoescape=True) for code in codes_of("subject", SUBJECTS, word)]
    verbs = [E.action.endswith(f":{code}", autoescape=True) for code in codes_of("verb", VERBS, word)]
    return or_(E.action.contains(word, autoescape=True), *subjects, *verbs)


def _objects(_actor: Actor) -> Sequence[tuple[str, Any]]:
    return object_choices()


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    needle = text.lower()
    return or_(
        sql.lower(E.object_label).contains(needle, autoescape=True),
        sql.lower(E.reason).contains(needle, autoescape=True),
        sql.lower(E.actor_name).contains(needle, autoescape=True),
        E.object_label.in_(labels_saying(needle)),
        _named(needle),
        E.ip == text,
    )


def _who_text(row: Any, _context: CellContext) -> str:
    return person_text(row.actor_id, row.actor_name, row.for_name)


def _result_cell(row: Any, _context: CellContext) -> Any:
    label, tone = RESULTS[row.result]
    return tag(label, tone)


COLUMNS = [
    Column("seq", _l("No."), {"seq": E.seq}, sort=E.seq, align="end", sticky=True),
    Column(
        "at",
        _l("When"),
        {"at": E.at},
        cell=lambda row, _c: clock.local(row.at).strftime("%Y-%m-%d %H:%M:%S"),
        export=lambda row, _c: clock.local(row.at).replace(tzinfo=None),
    ),
    Column(
        "who",
        _l("Who"),
        {"actor_name": E.actor_name, "actor_id": E.actor_id, "for_name": name_of_person(E.on_behalf_of_id)},
        cell=_who_text,
        export=_who_text,
    ),
    Column(
        "action",
        _l("Action"),
        {"action": E.action},
        cell=lambda row, _c: action_text(row.action),
        export=lambda row, _c: action_text(row.action),
    ),
    Column(
        "object",
        _l("Object"),
        {"object_type": E.object_type, "object_id": E.object_id, "object_label": E.object_label},
        cell=lambda row, _c: object_text(row.object_type, row.object_id, row.object_label),
        export=lambda row, _c: object_text(row.object_type, row.object_id, row.object_label),
    ),
    Column(
        "result", _l("Result"), {"result": E.result}, cell=_result_cell, export=lambda r, _c: str(RESULTS[r.result][0])
    ),
    Column("reason", _l("Reason"), {"reason": E.reason}),
    Column("ip", _l("Network address"), {"ip": E.ip}),
    Column("code", _l("Action code"), {"action_code": E.action}, default=False),
    Column("customer", _l("Customer number"), {"customer_id": E.customer_id}, default=False, align="end"),
    Column("session", _l("Session"), {"session_hint": E.session_hint}, default=False),
    Column("hash", _l("Hash"), {"hash": E.hash}, default=False),
]

FILTERS = [
    Filter("who", _l("Who"), "text", _who),
    Filter("action", _l("Action"), "text", _action),
    Filter("object", _l("Object"), "choice", value_in(E.object_type), _objects),
    Filter("customer", _l("Customer (name or number)"), "text", _customer),
    Filter("period", _l("Period"), "date_range", moment_within(E.at)),
    Filter(
        "result",
        _l("Result"),
        "choice",
        value_in(E.result),
        lambda _actor: [(key, label) for key, (label, _tone) in RESULTS.items()],
    ),
]

SCENES = [
    Scene("refused", _l("Refused and failed"), lambda _actor: E.result != "ok"),
    Scene("content", _l("Without looks at the trail"), lambda _actor: ~E.action.startswith("audit:")),
]


def _source(statement: Select[Any]) -> Select[Any]:
    return statement


def _where(actor: Actor) -> list[SQLColumnExpression[bool]]:
    return [visible(actor, READ)]


def _row_url(row: Any) -> str:
    return url_for("audit.show", seq=row.id)


LISTING = Listing(
    key="audit",
    title=_l("Audit trail"),
    endpoint="audit.index",
    identity=E.seq,
    source=_source,
    where=_where,
    columns=COLUMNS,
    default_sort="-seq",
    filters=FILTERS,
    scenes=SCENES,
    row_url=_row_url,
    search=_search,
    empty=EmptyText(_l("No entries yet"), _l("Whatever is done in the portal is written down here.")),
    export_endpoint="audit.export",
    export_permission=READ,
    muted=lambda row: False,
)

__all__ = ["LISTING"]
