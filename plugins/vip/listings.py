"""The VIP list (VIP客户名单) and the list of candidates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, or_

from plugins.vip import vocabulary as words
from plugins.vip.models import (
    ACTIVE,
    CANDIDATE_DISMISSED,
    CANDIDATE_OPEN,
    CANDIDATE_PROPOSED,
    VipCandidate,
    VipMembership,
)
from portal.core import clock, settings
from portal.core.components import day, due, money, number, stack, tag
from portal.core.listing import BulkAction, CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.listing.conditions import value_in, within
from portal.core.permissions import visible
from portal.customers.models import Contact, Customer
from portal.customers.search import matching_ids
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import Department, User


def _members(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(VipMembership)
        .join(Customer, Customer.id == VipMembership.customer_id)
        .join(Department, Department.id == Customer.department_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .outerjoin(Contact, Contact.id == VipMembership.contact_id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, "customers.view")]


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return or_(
        VipMembership.number == text.upper(),
        VipMembership.customer_id.in_(matching_ids(text)),
        Contact.name.startswith(text, autoescape=True),
    )


def _ends_soon(_actor: Actor) -> ColumnElement[bool]:
    last = clock.today() + timedelta(days=settings.get("vip.renewal_days"))
    return and_(VipMembership.state == ACTIVE, VipMembership.valid_until <= last)


def _name_cell(row: Any, _context: CellContext) -> Any:
    return stack(row.customer, row.member) if row.member else row.customer


def _until_cell(row: Any, _context: CellContext) -> Any:
    return due(row.valid_until, clock.today()) if row.state == ACTIVE else day(row.valid_until)


MEMBERS = Listing(
    key="vip.members",
    title=_l("VIP customers"),
    endpoint="vip.index",
    identity=VipMembership.id,
    source=_members,
    where=_seen,
    default_sort="until",
    columns=[
        Column("number", _l("Number"), {"number": VipMembership.number}, sort=VipMembership.number, sticky=True),
        Column(
            "customer",
            _l("Customer"),
            {"customer": Customer.name, "member": Contact.name},
            cell=_name_cell,
            export=lambda row, _c: f"{row.customer} / {row.member}" if row.member else row.customer,
            sort=Customer.name_sort,
        ),
        Column(
            "level",
            _l("Level"),
            {"level": VipMembership.level},
            cell=lambda row, _c: tag(words.word(words.LEVELS, row.level), "accent"),
            export=lambda row, _c: words.word(words.LEVELS, row.level),
        ),
        Column(
            "state",
            _l("State"),
            {"state": VipMembership.state},
            cell=lambda row, _c: tag(words.word(words.STATES, row.state), words.STATE_TONES[row.state]),
            export=lambda row, _c: words.word(words.STATES, row.state),
        ),
        Column(
            "condition",
            _l("Condition"),
            {"condition": VipMembership.condition},
            cell=lambda row, _c: words.word(words.CONDITIONS, row.condition),
            export=lambda row, _c: words.word(words.CONDITIONS, row.condition),
        ),
        Column(
            "from",
            _l("Member since"),
            {"valid_from": VipMembership.valid_from},
            cell=lambda row, _c: day(row.valid_from),
            sort=VipMembership.valid_from,
        ),
        Column(
            "until",
            _l("Valid until"),
            {"valid_until": VipMembership.valid_until, "state": VipMembership.state},
            cell=_until_cell,
            export=lambda row, _c: row.valid_until,
            sort=VipMembership.valid_until,
        ),
        Column(
            "points",
            _l("Points"),
            {"points": VipMembership.points},
            cell=lambda row, _c: number(row.points),
            sort=VipMembership.points,
            align="end",
        ),
        Column(
            "total",
            _l("Purchases of twelve months"),
            {"total_12m": Customer.total_12m},
            cell=lambda row, _c: money(row.total_12m),
            sort=Customer.total_12m,
            align="end",
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}),
        Column("department", _l("Department"), {"department": Department.name}, default=False),
    ],
    filters=[
        Filter(
            "level",
            _l("Level"),
            "choice",
            value_in(VipMembership.level),
            lambda _a: list(words.LEVELS.items()),
        ),
        Filter(
            "state",
            _l("State"),
            "choice",
            value_in(VipMembership.state),
            lambda _a: list(words.STATES.items()),
        ),
        Filter(
            "condition",
            _l("Condition"),
            "choice",
            value_in(VipMembership.condition),
            lambda _a: list(words.CONDITIONS.items()),
        ),
        Filter("until", _l("Valid until"), "date_range", within(VipMembership.valid_until)),
    ],
    scenes=[
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
        Scene("active", _l("In force"), lambda _a: VipMembership.state == ACTIVE),
        Scene("ending", _l("Ending soon"), _ends_soon),
    ],
    row_url=lambda row: url_for("vip.show", membership_id=row.id),
    search=_search,
    muted=lambda row: getattr(row, "state", ACTIVE) not in (ACTIVE,),
    empty=EmptyText(
        _l("No VIP customers yet"),
        _l("File an application on a customer's page, or propose one of the candidates."),
        _l("Candidates"),
        "vip.candidates",
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)


CANDIDATE_STATES: dict[str, Any] = {
    CANDIDATE_OPEN: _l("To be proposed"),
    CANDIDATE_PROPOSED: _l("Proposed"),
    CANDIDATE_DISMISSED: _l("Dismissed"),
}


def _candidates(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(VipCandidate)
        .join(Customer, Customer.id == VipCandidate.customer_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .outerjoin(Contact, Contact.id == VipCandidate.contact_id)
    )


def _candidate_state(row: Any, _context: CellContext) -> Any:
    tones = {CANDIDATE_OPEN: "info", CANDIDATE_PROPOSED: "success", CANDIDATE_DISMISSED: "neutral"}
    shown = tag(words.word(CANDIDATE_STATES, row.state), tones[row.state])
    return stack(shown, row.dismissed_reason) if row.dismissed_reason else shown


CANDIDATES = Listing(
    key="vip.candidates",
    title=_l("VIP candidates"),
    endpoint="vip.candidates",
    identity=VipCandidate.id,
    source=_candidates,
    where=_seen,
    default_sort="-amount",
    columns=[
        Column(
            "customer",
            _l("Customer"),
            {"customer": Customer.name, "member": Contact.name, "customer_id": Customer.id},
            cell=_name_cell,
            export=lambda row, _c: row.customer,
            sort=Customer.name_sort,
            sticky=True,
        ),
        Column(
            "condition",
            _l("Condition"),
            {"condition": VipCandidate.condition},
            cell=lambda row, _c: words.word(words.CONDITIONS, row.condition),
            export=lambda row, _c: words.word(words.CONDITIONS, row.condition),
        ),
        Column(
            "amount",
            _l("Amount that counts"),
            {"amount": VipCandidate.amount},
            cell=lambda row, _c: money(row.amount) if row.amount else "—",
            sort=VipCandidate.amount,
            align="end",
        ),
        Column(
            "state",
            _l("State"),
            {"state": VipCandidate.state, "dismissed_reason": VipCandidate.dismissed_reason},
            cell=_candidate_state,
            export=lambda row, _c: words.word(CANDIDATE_STATES, row.state),
        ),
        Column(
            "found",
            _l("Found on"),
            {"found_on": VipCandidate.found_on},
            cell=lambda row, _c: day(row.found_on),
            sort=VipCandidate.found_on,
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}),
    ],
    filters=[
        Filter(
            "state",
            _l("State"),
            "choice",
            value_in(VipCandidate.state),
            lambda _a: list(CANDIDATE_STATES.items()),
        ),
        Filter(
            "condition",
            _l("Condition"),
            "choice",
            value_in(VipCandidate.condition),
            lambda _a: list(words.CONDITIONS.items()),
        ),
    ],
    scenes=[
        Scene("open", _l("To be proposed"), lambda _a: VipCandidate.state == CANDIDATE_OPEN),
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
    ],
    bulk_actions=[
        BulkAction("propose", _l("Propose as VIP"), "vip.propose"),
        BulkAction("dismiss", _l("Dismiss"), "vip.dismiss", tone="danger"),
    ],
    row_url=lambda row: url_for("customers.show", customer_id=row.customer_id),
    search=lambda text, _a: VipCandidate.customer_id.in_(matching_ids(text)),
    muted=lambda row: getattr(row, "state", CANDIDATE_OPEN) == CANDIDATE_DISMISSED,
    empty=EmptyText(
        _l("No candidates"),
        _l("Every night the portal looks for customers who meet the VIP conditions and have not applied."),
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)

LISTINGS = (MEMBERS, CANDIDATES)
