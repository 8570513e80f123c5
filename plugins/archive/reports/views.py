"""Pages of weekly sales reports: one's own weeks, one report, the team's."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.archive.blueprint import blueprint
from plugins.archive.permissions import CHECK_REPORTS, EXISTS, REPORT
from plugins.archive.reports import queries, services
from plugins.archive.reports import vocabulary as words
from plugins.archive.reports.forms import lines_from
from plugins.archive.reports.models import DRAFT, RETURNED, ArchiveReport
from plugins.archive.reports.weeks import due_on, last_day, week_text
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import new_token
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _


@blueprint.get("/reports/")
@access(REPORT)
def my_reports() -> str:
    """One's own weeks."""
    actor = current_actor()
    assert actor.user_id is not None  # REPORT is for people
    weeks = queries.weeks_of(actor.user_id)
    return render_template(
        "archive/reports/mine.html",
        weeks=weeks,
        words=words,
        today=clock.today(),
        week_text=week_text,
        last_day=last_day,
        may_check=can(actor, CHECK_REPORTS),
    )


@blueprint.post("/reports/begin")
@access(REPORT)
def begin_report() -> Response:
    """Begin the report of a week, filled from the purchases."""
    actor = current_actor()
    assert actor.user_id is not None
    try:
        week = date.fromisoformat(request.form.get("week", ""))
        with transaction():
            report_id = services.begin_report(actor.user_id, week, actor).id
    except (ValueError, Invalid) as error:
        raise NotFound() from error
    return redirect(url_for("archive.report", report_id=report_id))


@blueprint.route("/reports/<int:report_id>", methods=["GET", "POST"])
@access(EXISTS)
def report(report_id: int) -> str | Response | tuple[str, int]:
    """One report: completed and submitted by its author, read by those who oversee him."""
    actor = current_actor()
    found = queries.load_report(report_id, actor)
    is_mine = found.user_id == actor.user_id and can(actor, REPORT)
    if request.method == "GET":
        return _report_page(found, is_mine)
    if not is_mine:
        raise NotFound()
    lines = queries.lines_of(found, actor)
    errors: dict[str, str] = {}
    filed = None
    try:
        entered = lines_from(request.form, [line.id for line in lines])
        version = _version()
        with transaction():
            services.save_report(report_id, entered, request.form.get("remarks", ""), version, actor)
            if "submit" in request.form:
                token = request.form.get("token") or new_token()
                filed = services.submit_report(report_id, token[:64], actor).id
    except Invalid as error:
        errors = {field: str(text) for field, text in error.errors}
    except Conflict as error:
        flash(str(error.message), "warning")
        return redirect(url_for("archive.report", report_id=report_id))
    else:
        if filed is not None:
            flash(_("The report was submitted. Your supervisor has been told."), "success")
            return redirect(url_for("archive.my_reports"))
        flash(_("The report was saved. It is submitted when it is complete."), "success")
        return redirect(url_for("archive.report", report_id=report_id))
    return _report_page(queries.load_report(report_id, actor), is_mine, errors), 400


def _version() -> int:
    try:
        return int(request.form.get("version", ""))
    except ValueError:
        return 0


def _report_page(found: ArchiveReport, is_mine: bool, errors: dict[str, str] | None = None) -> str:
    actor = current_actor()
    lines = queries.lines_of(found, actor)
    is_open = is_mine and found.state in (DRAFT, RETURNED)
    groups: list[tuple[Any, list[Any]]] = [
        (key, list(rows)) for key, rows in groupby(lines, key=lambda line: (line.customer_id, line.customer))
    ]
    typed = request.form if errors else {}
    return render_template(
        "archive/reports/report.html",
        report=found,
        groups=groups,
        hidden=queries.hidden_lines(found, len(lines)),
        is_open=is_open,
        is_mine=is_mine,
        errors=errors or {},
        typed=typed,
        token=new_token(),
        words=words,
        week=week_text(found.week),
        last=last_day(found.week),
        due=due_on(found.week, queries.days_after()),
        today=clock.today(),
        sums=queries.sums_of(found.id),
        clock=clock,
    )


@blueprint.get("/reports/team")
@access(CHECK_REPORTS)
def team_reports() -> str:
    """The weeks of those one oversees: submitted, accepted, overdue."""
    rows = queries.team(current_actor())
    weeks = [week.week for week in rows[0].weeks] if rows else []
    return render_template(
        "archive/reports/team.html",
        rows=rows,
        weeks=weeks,
        words=words,
        week_text=week_text,
        overdue=sum(row.overdue for row in rows),
        waiting=sum(1 for row in rows for week in row.weeks if week.state == "submitted"),
    )
