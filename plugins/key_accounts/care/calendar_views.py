"""Pages of executive visits, the calendar and its private address."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.care import documents, ics, meeting_queries, queries, rules, visits
from plugins.key_accounts.care import vocabulary as words
from plugins.key_accounts.care.forms import VisitEndForm, VisitForm
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.team import queries as team
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.calendar import is_working_day
from portal.core.errors import NotAllowed
from portal.core.paths import address_for, host_name
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access, public, refuse_large_id, signed_in
from portal.customers.models import Customer
from portal.customers.permissions import EDIT
from portal.i18n import _

#: A subscriber gets what lies at most so many days back.
FEED_BACK = 90
#: Hours of a working day, for the reference "a third of the sales head's time".
DAY_HOURS = 8


@blueprint.get("/calendar")
@access(USE)
def visit_calendar() -> str:
    """Visits and meetings of a month."""
    actor = current_actor()
    today = clock.today()
    first = _month(request.args.get("month", ""), today)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    grid_first = first - timedelta(days=first.weekday())
    grid_last = last + timedelta(days=6 - last.weekday())
    begin, end = clock.day_bounds(grid_first)[0], clock.day_bounds(grid_last)[1]
    found = queries.visits_between(actor, begin, end)
    by_day: dict[date, list[Any]] = {}
    for row in found:
        by_day.setdefault(clock.local(row.starts_at).date(), []).append(row)
    meetings: dict[date, list[Any]] = {}
    for meeting in meeting_queries.meetings_between(begin, end):
        meetings.setdefault(clock.local(meeting.starts_at).date(), []).append(meeting)
    days = [grid_first + timedelta(days=number) for number in range((grid_last - grid_first).days + 1)]
    of_month = [row for row in found if first <= clock.local(row.starts_at).date() <= last and row.state != "cancelled"]
    working = sum(1 for day in days if first <= day <= last and is_working_day(day))
    load: dict[str, list[int]] = {}
    for row in of_month:
        load.setdefault(row.executive, []).append(row.minutes)
    return render_template(
        "key_accounts/care/calendar.html",
        first=first,
        weeks=[days[start : start + 7] for start in range(0, len(days), 7)],
        by_day=by_day,
        meetings=meetings,
        before=(first - timedelta(days=1)).replace(day=1),
        after=last + timedelta(days=1),
        today=today,
        off={day for day in days if not is_working_day(day)},
        load=[(name, rules.hours(minutes)) for name, minutes in sorted(load.items())],
        third=(Decimal(working * DAY_HOURS) / 3).quantize(Decimal("0.1")),
        feed=queries.feed_of(actor.user_id or 0),
        may_plan=can(actor, USE),
        words=words,
    )


def _month(text: str, today: date) -> date:
    try:
        first = date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        return today.replace(day=1)
    return first if 2000 <= first.year <= 2099 else today.replace(day=1)


@blueprint.post("/calendar/address")
@access(USE)
def open_feed() -> str:
    """Make a private address; it is shown this once."""
    with transaction():
        token = visits.open_feed(current_actor())
    return render_template("key_accounts/care/feed.html", address=address_for("key_accounts.feed", token=token))


@blueprint.post("/calendar/address/revoke")
@access(USE)
def revoke_feed() -> Any:
    """Close the private address."""
    with transaction():
        visits.revoke_feed(current_actor())
    flash(_("The private address was revoked. Programs that used it get nothing more."), "success")
    return redirect(url_for("key_accounts.visit_calendar"))


@blueprint.get("/calendar/<token>.ics")
@public
def feed(token: str) -> Response:
    """The calendar behind a private address: no session, only what its owner sees now."""
    actor = visits.reader_of(token[:200])
    begin = clock.now() - timedelta(days=FEED_BACK)
    meetings = meeting_queries.meetings_between(begin, begin + timedelta(days=730)) if can(actor, USE) else []
    arguments = {"key_accounts.visit": "visit_id", "key_accounts.meeting": "meeting_id"}
    body = ics.calendar_of(
        queries.calendar_visits(actor, begin),
        meetings,
        host_name(),
        lambda endpoint, key: address_for(endpoint, **{arguments[endpoint]: key}),
    )
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="key-accounts.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


# ---- visits --------------------------------------------------------------------------------------------------------


def _visit_page(customer: Customer, heading: Any, back: str, **more: Any) -> FormPage:
    crumbs = [(_("Care"), url_for("key_accounts.care", customer_id=customer.id))]
    return FormPage(heading=heading, back_url=back, crumbs=crumbs, icon="briefcase", customer=customer, **more)


@blueprint.route("/customers/<int:customer_id>/visits/new", methods=["GET", "POST"])
@signed_in
def new_visit(customer_id: int) -> Answer:
    """Plan a visit of an executive."""
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    form = VisitForm()
    if request.method == "GET":
        office = team.team_of(customer.id)
        form.executive_id.show(office.sponsor_id if office else None)
        form.place.data = customer.address
    return form_page(
        form,
        _visit_page(customer, _("Plan an executive visit"), url_for("key_accounts.care", customer_id=customer.id)),
        lambda: visits.save_visit(customer.id, None, form.to_input(), current_actor()),
        _("The visit was planned."),
        then=lambda row: url_for("key_accounts.visit", visit_id=row.id),
    )


@blueprint.get("/visits/<int:visit_id>")
@signed_in
def visit(visit_id: int) -> str:
    """A visit: when, who, what for, what came of it."""
    actor = current_actor()
    row = queries.visit_for(refuse_large_id(visit_id), actor)
    may_edit = can(actor, EDIT, row.customer_id)
    return render_template(
        "key_accounts/care/visit.html",
        visit=row,
        customer=row.customer,
        words=words,
        may_edit=may_edit,
        may_end=may_edit or row.executive_id == actor.user_id,
    )


@blueprint.route("/visits/<int:visit_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_visit(visit_id: int) -> Answer:
    """Change a planned visit."""
    row = queries.visit_for(refuse_large_id(visit_id), current_actor())
    require(current_actor(), EDIT, row.customer_id)
    form = VisitForm()
    if request.method == "GET":
        form.executive_id.show(row.executive_id)
        form.starts_at.show(row.starts_at)
        form.minutes.data, form.purpose.data, form.place.data = row.minutes, row.purpose, row.place
        form.talking_points.data, form.version.data = row.talking_points, str(row.version)
    return form_page(
        form,
        _visit_page(row.customer, _("Change the visit"), url_for("key_accounts.visit", visit_id=visit_id)),
        lambda: visits.save_visit(row.customer_id, visit_id, form.to_input(), current_actor(), form.seen_version),
        _("The visit was saved."),
    )


@blueprint.route("/visits/<int:visit_id>/end", methods=["GET", "POST"])
@signed_in
def end_visit(visit_id: int) -> Answer:
    """Took place, or called off."""
    actor = current_actor()
    row = queries.visit_for(refuse_large_id(visit_id), actor)
    if row.executive_id != actor.user_id and not can(actor, EDIT, row.customer_id):
        raise NotAllowed(_("The result is noted by the executive or by the account manager."))
    form = VisitEndForm()
    return form_page(
        form,
        _visit_page(row.customer, _("Note the result"), url_for("key_accounts.visit", visit_id=visit_id)),
        lambda: visits.end_visit(visit_id, form.state.data, form.result.data or "", actor),
        _("The result was noted."),
    )


@blueprint.post("/visits/<int:visit_id>/briefing")
@signed_in
def print_briefing(visit_id: int) -> Any:
    """The briefing sheet as a PDF."""
    row = queries.visit_for(refuse_large_id(visit_id), current_actor())
    document = documents.print_briefing(row, row.customer, current_actor())
    return redirect(url_for("documents.download", document_id=document.id))
