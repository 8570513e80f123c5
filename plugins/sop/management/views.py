"""The page of figures: completion and punctuality, with ways into the lists behind them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select

from plugins.sop.blueprint import blueprint
from plugins.sop.management import pictures, queries, reading
from plugins.sop.permissions import OVERSEE, USE
from plugins.sop.reading.audience import in_tree
from plugins.sop.runs.models import DONE, OPEN
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.web import access
from portal.extensions import db
from portal.i18n import _
from portal.org.models import EXECUTIVE, Department
from portal.org.queries import departments_indented

#: Months that a period may have.
MOST_MONTHS = 36


@blueprint.get("/figures")
@access(USE)
def figures() -> str:
    """Completion and punctuality per department, person and procedure."""
    actor = current_actor()
    today = clock.today()
    first, last, problem = _period(today)
    by = request.args.get("by", "")
    leads = bool(actor.headed) or EXECUTIVE in actor.roles
    if by not in queries.GROUPS:
        by = queries.DEPARTMENT if leads else queries.PROCEDURE
    department_id = _department() if leads else None
    groups = queries.groups(actor, by, first, last, today, department_id)
    rows = queries.by_month(actor, first, last, today, department_id)
    titles = {
        queries.DEPARTMENT: (_("By department"), _("Department")),
        queries.PERSON: (_("By person"), _("Person")),
        queries.PROCEDURE: (_("By procedure"), _("Procedure")),
    }
    keep: dict[str, Any] = {"from": first.isoformat(), "to": last.isoformat(), "department": department_id}
    return render_template(
        "sop/management/figures.html",
        total=queries.total(actor, first, last, today, department_id),
        groups=groups,
        by=by,
        heading=titles[by][1],
        first=first,
        last=last,
        problem=problem,
        chart=pictures.by_group(groups, titles[by][0], titles[by][1]) if groups else None,
        months=pictures.per_month(rows) if groups else None,
        trend=pictures.punctuality(rows) if groups and len(rows) > 1 else None,
        slow=queries.slow_steps(actor, first, last, today),
        departments=departments_indented() if leads else [],
        department_id=department_id,
        leads=leads,
        how=pictures.how_counted(),
        tabs=[
            {"label": title, "url": url_for("sop.figures", by=key, **keep), "active": key == by, "count": None}
            for key, (title, _label) in titles.items()
        ],
        behind={group.key: _behind(by, group.key, first, last) for group in groups},
        all_runs=_list_of(first, last, department=_with_below(department_id)),
        late_runs=_list_of(first, last, department=_with_below(department_id), late="1"),
        overdue_runs=_list_of(first, last, department=_with_below(department_id), state=OPEN, late="1"),
        may_oversee=can(actor, OVERSEE),
    )


@blueprint.get("/figures/reading")
@access(OVERSEE)
def reading_figures() -> str:
    """Who has read what: per manual and per department."""
    actor = current_actor()
    department_id = _department()
    by = request.args.get("by", "")
    if by not in reading.GROUPS:
        by = reading.MANUAL
    rows = reading.sums(actor, clock.today(), department_id)
    groups = reading.grouped(rows, by)
    titles = {
        reading.MANUAL: (_("By manual"), _("Manual")),
        reading.DEPARTMENT: (_("By department"), _("Department")),
    }
    return render_template(
        "sop/management/reading.html",
        total=reading.total(rows),
        groups=groups,
        by=by,
        heading=titles[by][1],
        chart=pictures.by_reading(groups, titles[by][0], titles[by][1]) if groups else None,
        departments=departments_indented(),
        department_id=department_id,
        tabs=[
            {
                "label": title,
                "url": url_for("sop.reading_figures", by=key, department=department_id),
                "active": key == by,
                "count": None,
            }
            for key, (title, _label) in titles.items()
        ],
    )


def _behind(by: str, key: str, first: date, last: date) -> str:
    """The list of the runs that a line counts."""
    names = {queries.DEPARTMENT: "department", queries.PERSON: "owner", queries.PROCEDURE: "procedure"}
    return _list_of(first, last, **{names[by]: key})


def _list_of(first: date, last: date, **more: Any) -> str:
    """The list of runs that began in the period. Those called off count nowhere, so they are not in it."""
    values = {"state": [OPEN, DONE], "started_from": first.isoformat(), "started_to": last.isoformat(), **more}
    return url_for("sop.runs", **values)


def _with_below(department_id: int | None) -> list[int]:
    """The departments that the figures of one count."""
    if department_id is None:
        return []
    return list(db.session.scalars(select(Department.id).where(in_tree(department_id)).order_by(Department.id)))


def _department() -> int | None:
    return id_from(request.args.get("department"))


def _period(today: date) -> tuple[date, date, str]:
    """The period of the address; what cannot be is said and the last twelve months are shown instead."""
    begin = today.year * 12 + today.month - 1 - 11
    usual = date(begin // 12, begin % 12 + 1, 1), today
    texts = request.args.get("from", ""), request.args.get("to", "")
    if not any(texts):
        return *usual, ""
    try:
        first = date.fromisoformat(texts[0]) if texts[0] else usual[0]
        last = date.fromisoformat(texts[1]) if texts[1] else today
    except ValueError:
        return *usual, _("Enter a date such as 2026-03-05.")
    if last < first:
        return *usual, _("The period ends before it begins.")
    if first.year < 2000 or last.year > 2090 or len(queries.months(first, last)) > MOST_MONTHS:
        return *usual, _("A period has at most %(n)s months.", n=MOST_MONTHS)
    return first, last, ""
