"""The register of copies (副本登记)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, or_

from plugins.archive.copies import states
from plugins.archive.copies import vocabulary as words
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.copies.numbers import normal_number
from plugins.archive.lookups.listings import last_day, moment
from plugins.archive.lookups.models import ArchiveGrant, ArchiveLookup
from plugins.archive.permissions import COPIES
from portal.approvals.dbtime import database_now
from portal.core import clock
from portal.core.components import DASH, due, number, stack, tag, unbroken
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import moment_within, value_in
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.i18n import _l
from portal.org.models import User
from portal.org.queries import name_matches


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(ArchiveCopy)
        .join(Customer, Customer.id == ArchiveCopy.customer_id)
        .join(User, User.id == ArchiveCopy.holder_id)
        .join(ArchiveGrant, ArchiveGrant.id == ArchiveCopy.grant_id)
        .join(ArchiveLookup, ArchiveLookup.id == ArchiveGrant.lookup_id)
    )


def is_overdue(state: str, due_at: Any) -> bool:
    """Whether a copy should be back already, for display."""
    return state == states.ISSUED and due_at <= clock.now()


def _state(row: Any, _context: CellContext) -> Any:
    shown = tag(words.state_word(row.state), words.state_tone(row.state))
    if is_overdue(row.state, row.due_at):
        return stack(shown, tag(_l("Overdue"), "danger"))
    if row.recalled_at is not None and row.state not in states.FINAL:
        return stack(shown, tag(_l("Called back"), "warning"))
    return shown


def _due(row: Any, _context: CellContext) -> Any:
    if row.state in (*states.FINAL, states.RETURNED, states.LOST):
        return DASH
    last = date.fromisoformat(last_day(row.due_at))
    # Only what somebody has can be overdue.
    return due(last, clock.today()) if row.state == states.ISSUED else last.isoformat()


def overdue() -> ColumnElement[bool]:
    """SQL: copies that should be back, on the database's time."""
    return and_(ArchiveCopy.state == states.ISSUED, ArchiveCopy.due_at <= database_now())


def _search(text: str, _actor: Any) -> ColumnElement[bool]:
    exact = normal_number(text)
    if exact is not None:
        return ArchiveCopy.number == exact
    return or_(
        ArchiveCopy.customer_id.in_(matching_ids(text)),
        name_matches(text),
        ArchiveCopy.number.contains(text.upper(), autoescape=True),
        ArchiveLookup.number.contains(text.upper(), autoescape=True),
    )


REGISTER_LIST = Listing(
    key="archive.copies",
    title=_l("Register of copies"),
    endpoint="archive_copies.index",
    identity=ArchiveCopy.id,
    source=_source,
    where=lambda actor: [visible(actor, COPIES)],
    default_sort="-reserved",
    columns=[
        Column(
            "number",
            _l("Copy number"),
            {"number": ArchiveCopy.number},
            cell=lambda row, _c: unbroken(row.number),
            export=lambda row, _c: row.number,
            sort=ArchiveCopy.number,
            sticky=True,
        ),
        Column("customer", _l("Customer"), {"customer": Customer.name}, sort=Customer.name_sort),
        Column(
            "holder",
            _l("Holder of the copy"),
            {"holder": ArchiveCopy.holder_name, "holder_department": ArchiveCopy.holder_department},
            cell=lambda row, _c: stack(row.holder, row.holder_department),
            export=lambda row, _c: f"{row.holder} · {row.holder_department}",
        ),
        Column(
            "state",
            _l("State"),
            {"state": ArchiveCopy.state, "due_at": ArchiveCopy.due_at, "recalled_at": ArchiveCopy.recalled_at},
            cell=_state,
            export=lambda row, _c: words.state_word(row.state),
        ),
        Column(
            "pages",
            _l("Number of pages"),
            {"pages": ArchiveCopy.pages},
            cell=lambda row, _c: number(row.pages) if row.pages else DASH,
            align="end",
        ),
        Column("lookup", _l("Request"), {"lookup": ArchiveLookup.number}),
        Column(
            "reserved",
            _l("Number reserved"),
            {"reserved_at": ArchiveCopy.reserved_at},
            cell=lambda row, _c: moment(row.reserved_at),
            export=lambda row, _c: moment(row.reserved_at),
            sort=ArchiveCopy.reserved_at,
        ),
        Column(
            "issued",
            _l("Handed over to the collector"),
            {"issued_at": ArchiveCopy.issued_at},
            cell=lambda row, _c: moment(row.issued_at) or DASH,
            export=lambda row, _c: moment(row.issued_at),
        ),
        Column(
            "due",
            _l("Due back"),
            {"due_at": ArchiveCopy.due_at, "state": ArchiveCopy.state},
            cell=_due,
            export=lambda row, _c: "" if row.state == states.LOST else last_day(row.due_at),
            sort=ArchiveCopy.due_at,
        ),
    ],
    filters=[
        Filter(
            "state",
            _l("State"),
            "choice",
            value_in(ArchiveCopy.state),
            lambda _a: [(state, word) for state, (word, _tone) in words.STATES.items()],
        ),
        Filter("reserved", _l("Number reserved"), "date_range", moment_within(ArchiveCopy.reserved_at)),
        Filter("due", _l("Due back"), "date_range", moment_within(ArchiveCopy.due_at)),
    ],
    scenes=[
        Scene("mine", _l("My copies"), lambda actor: ArchiveCopy.holder_id == actor.user_id),
        Scene("out", _l("With holders"), lambda _a: ArchiveCopy.state == states.ISSUED),
        Scene("overdue", _l("Overdue"), lambda _a: overdue()),
        Scene(
            "station",
            _l("At the station"),
            lambda _a: ArchiveCopy.state.in_((states.PRINTED, states.OFFERED, states.RETURNED, states.SPOILED)),
        ),
        Scene("back", _l("Back, to be destroyed"), lambda _a: ArchiveCopy.state == states.RETURNED),
        Scene("open", _l("To be counted"), lambda _a: ArchiveCopy.state.in_((states.SENT, states.SUSPECT))),
        Scene("lost", _l("Lost copies"), lambda _a: ArchiveCopy.state == states.LOST),
    ],
    row_url=lambda row: url_for("archive_copies.show", copy_id=row.id),
    search=_search,
    muted=lambda row: row.state in states.FINAL,
    empty=EmptyText(
        _l("No paper copies yet"),
        _l("A copy is registered when its number is reserved at the print station, before anything is printed."),
    ),
    export_endpoint="exports.create",
    export_permission="archive.register",
)

LISTINGS = (REGISTER_LIST,)
