"""The page of figures: completion and punctuality, with ways into the lists behind them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for

from plugins.sop.blueprint import blueprint
from plugins.sop.management import pictures, queries
from plugins.sop.permissions import USE
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.web import access
from portal.i18n import _
from portal.org.models import EXECUTIVE
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
    )


def _behind(by: str, key: str, first: date, last: date) -> str:
    """The list of the runs that a line counts."""
    names = {queries.DEPARTMENT: "department", queries.PERSON: "owner", queries.PROCEDURE: "procedure"}
    values: dict[str, Any] = {
        names[by]: key,
        "started_from": first.isoformat(),
        "started_to": last.isoformat(),
    }
    return url_for("sop.runs", **values)


def _department() -> int | None:
    text = request.args.get("department", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


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
