"""The list of checklist runs."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, or_

from plugins.sop.manuals.models import Procedure, ProcedureRevision
from plugins.sop.runs import vocabulary as words
from plugins.sop.runs.models import DONE, OPEN, SopRun
from plugins.sop.runs.permissions import RUN_VIEW
from portal.core import clock
from portal.core.components import DASH, day, due, stack, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, FilterValue, Listing, Scene
from portal.core.listing.conditions import value_in, within
from portal.core.permissions import visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import Department, User
from portal.org.queries import departments_indented


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(SopRun)
        .join(Procedure, Procedure.id == SopRun.procedure_id)
        .join(ProcedureRevision, ProcedureRevision.id == SopRun.revision_id)
        .join(User, User.id == SopRun.owner_id)
        .join(Department, Department.id == SopRun.department_id)
        .outerjoin(Customer, Customer.id == SopRun.customer_id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    return [visible(actor, RUN_VIEW)]


def _search(text: str, _actor: Actor) -> ColumnElement[bool]:
    return or_(
        SopRun.number == text.upper(),
        func.upper(Procedure.code).startswith(text.upper(), autoescape=True),
        ProcedureRevision.title.contains(text, autoescape=True),
        SopRun.customer_id.in_(matching_ids(text)),
    )


def _overdue(_actor: Actor) -> ColumnElement[bool]:
    return and_(SopRun.state == OPEN, SopRun.due_on < clock.today())


def _late_filter(_value: FilterValue, _actor: Actor) -> ColumnElement[bool]:
    closed_late = and_(SopRun.state == DONE, SopRun.closed_on > SopRun.due_on)
    return or_(closed_late, and_(SopRun.state == OPEN, SopRun.due_on < clock.today()))


def _state_cell(row: Any, _context: CellContext) -> Any:
    shown = tag(words.word(words.STATES, row.state), words.STATE_TONES[row.state])
    if row.state == DONE and row.due_on is not None and row.closed_on > row.due_on:
        return shown + " " + tag(_("late"), "warning")
    return shown


def _due_cell(row: Any, _context: CellContext) -> Any:
    if row.due_on is None:
        return DASH
    return due(row.due_on, clock.today()) if row.state == OPEN else day(row.due_on)


RUNS = Listing(
    key="sop.runs",
    title=_l("Checklists"),
    endpoint="sop.runs",
    identity=SopRun.id,
    source=_source,
    where=_seen,
    default_sort="-started",
    columns=[
        Column(
            "procedure",
            _l("Procedure"),
            {"title": ProcedureRevision.title, "code": Procedure.code},
            cell=lambda row, _c: stack(row.title, row.code),
            export=lambda row, _c: f"{row.code} {row.title}",
            sticky=True,
        ),
        Column("number", _l("Number"), {"number": SopRun.number}, sort=SopRun.number),
        Column("customer", _l("Customer"), {"customer": func.coalesce(Customer.name, "")}),
        Column(
            "state",
            _l("State"),
            {"state": SopRun.state, "due_on": SopRun.due_on, "closed_on": SopRun.closed_on},
            cell=_state_cell,
            export=lambda row, _c: words.word(words.STATES, row.state),
        ),
        Column(
            "progress",
            _l("Steps closed"),
            {"steps_closed": SopRun.steps_closed, "steps_total": SopRun.steps_total},
            cell=lambda row, _c: f"{row.steps_closed} / {row.steps_total}",
            export=lambda row, _c: f"{row.steps_closed} / {row.steps_total}",
            align="end",
        ),
        Column(
            "due",
            _l("Due on"),
            {"due_on": SopRun.due_on, "state": SopRun.state},
            cell=_due_cell,
            export=lambda row, _c: row.due_on,
        ),
        Column("owner", _l("Responsible"), {"owner": User.name}, sort=User.name_sort),
        Column("department", _l("Department"), {"department": Department.name}, default=False),
        Column(
            "started",
            _l("Started on"),
            {"starts_on": SopRun.starts_on},
            cell=lambda row, _c: day(row.starts_on),
            sort=SopRun.starts_on,
        ),
        Column(
            "closed",
            _l("Closed on"),
            {"closed_on": SopRun.closed_on},
            cell=lambda row, _c: day(row.closed_on),
            export=lambda row, _c: row.closed_on,
            default=False,
        ),
    ],
    filters=[
        Filter(
            "state",
            _l("State"),
            "choice",
            value_in(SopRun.state),
            lambda _a: list(words.STATES.items()),
        ),
        Filter("late", _l("Over the date"), "flag", _late_filter),
        Filter(
            "department",
            _l("Department"),
            "choice",
            lambda value, _a: SopRun.department_id.in_([int(key) for key in value.values]),
            lambda _a: [(str(key), name.strip("\u3000")) for key, name in departments_indented()],
        ),
        Filter("due", _l("Due on"), "date_range", within(SopRun.due_on)),
        Filter("started", _l("Started on"), "date_range", within(SopRun.starts_on)),
        Filter(
            "owner",
            _l("Log-in name of the person responsible"),
            "text",
            lambda value, _a: User.login == (value.values[0] if value.values else "").casefold(),
        ),
        Filter(
            "procedure",
            _l("Code of the procedure"),
            "text",
            lambda value, _a: func.upper(Procedure.code) == (value.values[0] if value.values else "").upper(),
        ),
    ],
    scenes=[
        Scene("mine", _l("Mine"), lambda actor: SopRun.owner_id == actor.user_id),
        Scene(
            "department",
            _l("My department"),
            lambda actor: SopRun.department_id.in_(sorted(actor.oversees | {actor.department_id or 0})),
        ),
        Scene("open", _l("Being worked on"), lambda _a: SopRun.state == OPEN),
        Scene("overdue", _l("Overdue"), _overdue),
        Scene("done", _l("Completed"), lambda _a: SopRun.state == DONE),
    ],
    row_url=lambda row: url_for("sop.run", run_id=row.id),
    search=_search,
    muted=lambda row: getattr(row, "state", OPEN) not in (OPEN, DONE),
    empty=EmptyText(
        _l("No checklists here"),
        _l("A checklist takes a procedure step by step: start one from the procedure or from a customer's page."),
        _l("Start a checklist"),
        "sop.start",
    ),
    export_endpoint="exports.create",
    export_permission="customers.export",
)

LISTINGS = (RUNS,)
