"""Lists of look-ups: grants that heads may revoke, and who looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import aliased

from plugins.archive.lookups import vocabulary as words
from plugins.archive.lookups.grants import holds
from plugins.archive.lookups.models import (
    ACCESS_KINDS,
    LOOKED,
    PAPER,
    REFUSED,
    VIEW,
    ArchiveAccess,
    ArchiveGrant,
    ArchiveLookup,
)
from plugins.archive.permissions import REVOKE
from portal.approvals.dbtime import database_now
from portal.core import clock
from portal.core.components import stack, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import moment_within, value_in
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.extensions import db
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import AUDITOR, EXECUTIVE, Department, User
from portal.org.queries import name_matches

OWNER = aliased(Department)


def moment(value: Any) -> str:
    """A moment as lists show it."""
    return clock.local(value).strftime("%Y-%m-%d %H:%M") if value is not None else ""


def last_day(value: Any) -> str:
    """The last day on which something ends at a moment: a grant that ends at midnight ends with the day before."""
    return clock.local(value - timedelta(seconds=1)).strftime("%Y-%m-%d") if value is not None else ""


# ---- grants --------------------------------------------------------------------------------------------------------


def _grants(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(ArchiveGrant)
        .join(ArchiveLookup, ArchiveLookup.id == ArchiveGrant.lookup_id)
        .join(Customer, Customer.id == ArchiveGrant.customer_id)
        .join(User, User.id == ArchiveGrant.holder_id)
        .join(Department, Department.id == User.department_id)
    )


def _grant_state(row: Any, _context: CellContext) -> Any:
    return tag(*words.GRANT_STATES[_state(row)])


def _state(row: Any) -> str:
    if row.ended_how:
        return str(row.ended_how)
    return "over" if row.ends_at <= clock.now() else "used" if row.used >= row.quota else "open"


GRANTS_LIST = Listing(
    key="archive.grants",
    title=_l("Grants"),
    endpoint="archive_lookups.grants_list",
    identity=ArchiveGrant.id,
    source=_grants,
    where=lambda actor: [visible(actor, REVOKE)],
    default_sort="-ends",
    columns=[
        Column(
            "customer",
            _l("Customer"),
            {"customer": Customer.name, "lookup_id": ArchiveGrant.lookup_id},
            cell=lambda row, _c: row.customer,
            export=lambda row, _c: row.customer,
            sort=Customer.name_sort,
            sticky=True,
        ),
        Column(
            "holder",
            _l("Holder of the grant"),
            {"holder": User.name, "holder_department": Department.name},
            cell=lambda row, _c: stack(row.holder, row.holder_department),
            export=lambda row, _c: f"{row.holder} · {row.holder_department}",
            sort=User.name_sort,
        ),
        Column("lookup", _l("Request"), {"lookup": ArchiveLookup.number}),
        Column(
            "mode",
            _l("Way of use"),
            {"mode": ArchiveGrant.mode, "parts": ArchiveGrant.parts},
            cell=lambda row, _c: stack(words.word(words.MODES, row.mode), words.part_names(row.parts.split())),
            export=lambda row, _c: words.word(words.MODES, row.mode),
        ),
        Column("purpose", _l("Purpose"), {"purpose": ArchiveLookup.purpose}),
        Column(
            "used",
            _l("Used"),
            {"used": ArchiveGrant.used, "quota": ArchiveGrant.quota},
            cell=lambda row, _c: f"{row.used} / {row.quota}",
            export=lambda row, _c: f"{row.used} / {row.quota}",
            align="end",
        ),
        Column(
            "ends",
            _l("Usable until"),
            {"ends_at": ArchiveGrant.ends_at},
            cell=lambda row, _c: last_day(row.ends_at),
            export=lambda row, _c: last_day(row.ends_at),
            sort=ArchiveGrant.ends_at,
        ),
        Column(
            "state",
            _l("State"),
            {
                "ended_how": ArchiveGrant.ended_how,
                "ends_at": ArchiveGrant.ends_at,
                "used": ArchiveGrant.used,
                "quota": ArchiveGrant.quota,
            },
            cell=_grant_state,
            export=lambda row, _c: words.word(words.GRANT_STATES, _state(row)),
        ),
    ],
    filters=[
        Filter(
            "mode",
            _l("Way of use"),
            "choice",
            value_in(ArchiveGrant.mode),
            lambda _a: list(words.MODES.items()),
        ),
        Filter("ends", _l("Usable until"), "date_range", moment_within(ArchiveGrant.ends_at)),
    ],
    scenes=[
        Scene("open", _l("Grants in force"), lambda _a: and_(holds(), ArchiveGrant.used < ArchiveGrant.quota)),
        Scene("view", _l("On screen"), lambda _a: and_(holds(), ArchiveGrant.mode == VIEW)),
        Scene("paper", _l("Paper copy"), lambda _a: and_(holds(), ArchiveGrant.mode == PAPER)),
        Scene(
            "over",
            _l("Over"),
            lambda _a: or_(ArchiveGrant.ended_at.is_not(None), ArchiveGrant.ends_at <= database_now()),
        ),
    ],
    row_url=lambda row: url_for("archive_lookups.show", lookup_id=row.lookup_id),
    search=lambda text, _a: or_(
        ArchiveGrant.customer_id.in_(matching_ids(text)),
        name_matches(text),
        ArchiveLookup.number.contains(text, autoescape=True),
    ),
    muted=lambda row: _state(row) != "open",
    empty=EmptyText(
        _l("No grants yet"),
        _l("Approved look-up requests of your departments' customers and people appear here; you can revoke them."),
    ),
)

# ---- who looked ----------------------------------------------------------------------------------------------------


def _accesses(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(ArchiveAccess)
        .join(Customer, Customer.id == ArchiveAccess.customer_id)
        .join(User, User.id == ArchiveAccess.user_id)
        .join(Department, Department.id == User.department_id)
        .join(OWNER, OWNER.id == ArchiveAccess.department_id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    """Heads: customers owned by their departments; executives and auditors: all."""
    if {EXECUTIVE, AUDITOR} & actor.roles:
        return []
    return [ArchiveAccess.department_id.in_(sorted(actor.oversees))]


def _what(row: Any, _context: CellContext) -> Any:
    shown = tag(words.word(words.ACCESS, row.kind), words.ACCESS_TONES.get(row.kind, "neutral"))
    return stack(shown, row.detail) if row.detail else shown


def _when(row: Any, _context: CellContext) -> Any:
    return stack(moment(row.at), tag(_l("Quiet hours"), "warning")) if row.is_quiet else moment(row.at)


ACCESS_LIST = Listing(
    key="archive.access",
    title=_l("Who looked"),
    endpoint="archive_lookups.log",
    identity=ArchiveAccess.id,
    source=_accesses,
    where=_seen,
    default_sort="-at",
    columns=[
        Column(
            "at",
            _l("When"),
            {"at": ArchiveAccess.at, "is_quiet": ArchiveAccess.is_quiet},
            cell=_when,
            export=lambda row, _c: moment(row.at),
            sort=ArchiveAccess.at,
            sticky=True,
        ),
        Column(
            "person",
            _l("Person"),
            {"person": User.name, "person_department": Department.name},
            cell=lambda row, _c: stack(row.person, row.person_department),
            export=lambda row, _c: f"{row.person} · {row.person_department}",
        ),
        Column(
            "customer",
            _l("Customer"),
            {"customer": Customer.name, "owner": OWNER.name},
            cell=lambda row, _c: stack(row.customer, row.owner),
            export=lambda row, _c: row.customer,
        ),
        Column(
            "what",
            _l("What"),
            {"kind": ArchiveAccess.kind, "detail": ArchiveAccess.detail},
            cell=_what,
            export=lambda row, _c: " ".join(filter(None, (words.word(words.ACCESS, row.kind), row.detail))),
        ),
        Column("reference", _l("Number"), {"reference": ArchiveAccess.reference}),
        Column(
            "quiet",
            _l("Quiet hours"),
            {"quiet": case((ArchiveAccess.is_quiet, 1), else_=0)},
            cell=lambda row, _c: "●" if row.quiet else "",
            export=lambda row, _c: row.quiet,
            default=False,
        ),
    ],
    filters=[
        Filter(
            "kind",
            _l("What"),
            "choice",
            value_in(ArchiveAccess.kind),
            lambda _a: [(kind, words.ACCESS[kind]) for kind in ACCESS_KINDS],
        ),
        Filter("at", _l("When"), "date_range", moment_within(ArchiveAccess.at)),
        Filter("quiet", _l("Quiet hours"), "flag", lambda _value, _a: ArchiveAccess.is_quiet.is_(True)),
        Filter(
            "user",
            _l("Person"),
            "choice",
            lambda value, _a: ArchiveAccess.user_id.in_([int(v) for v in value.values]),
            lambda actor: _people(actor),
        ),
    ],
    scenes=[
        Scene("looks", _l("Looks on screen"), lambda _a: ArchiveAccess.kind == LOOKED),
        Scene("refused", _l("Refused"), lambda _a: ArchiveAccess.kind == REFUSED),
        Scene("quiet", _l("In quiet hours"), lambda _a: ArchiveAccess.is_quiet.is_(True)),
    ],
    row_url=lambda _row: None,
    search=lambda text, _a: or_(
        ArchiveAccess.customer_id.in_(matching_ids(text)),
        name_matches(text),
        ArchiveAccess.reference.contains(text, autoescape=True),
    ),
    empty=EmptyText(
        _l("Nobody looked yet"), _l("Requests, looks, refusals and copies of your departments' customers appear here.")
    ),
    export_endpoint="exports.create",
    export_permission="archive.access_log",
)
#: The most people in the filter.
MOST_PEOPLE = 300


def _people(actor: Actor) -> list[tuple[str, str]]:
    seen = select(ArchiveAccess.user_id).where(*_seen(actor)).distinct()
    rows = db.session.execute(
        select(User.id, User.name).where(User.id.in_(seen)).order_by(User.name_sort, User.id).limit(MOST_PEOPLE)
    )
    return [(str(row.id), row.name) for row in rows]


LISTINGS = (GRANTS_LIST, ACCESS_LIST)
