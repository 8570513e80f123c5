"""Pages of care: duties, forecast, incentives."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.care import charts, documents, queries, rules, services
from plugins.key_accounts.care import vocabulary as words
from plugins.key_accounts.care.forms import DoneForm, DutyForm, ForecastForm, IncentiveForm
from plugins.key_accounts.care.models import DUTIES
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page, post
from plugins.key_accounts.permissions import USE
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import NotAllowed
from portal.core.forms import options
from portal.core.numbers import whole_from
from portal.core.permissions import can, require
from portal.core.web import access, refuse_large_id, signed_in
from portal.customers.models import Customer
from portal.customers.page import abilities
from portal.customers.permissions import EDIT
from portal.i18n import _


def _editable(customer_id: int) -> Customer:
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    return customer


def _page(customer: Customer, heading: Any, **more: Any) -> FormPage:
    back = url_for("key_accounts.care", customer_id=customer.id)
    crumbs = [(_("Care"), back)]
    return FormPage(heading=heading, back_url=back, crumbs=crumbs, icon="heart", customer=customer, **more)


@blueprint.get("/care")
@access(USE)
def care_board() -> str:
    """Key accounts by their most urgent duty."""
    today = clock.today()
    rows = queries.board(current_actor(), today)
    return render_template(
        "key_accounts/care/board.html",
        rows=rows,
        lights=queries.lights_of([row.id for row in rows], today),
        words=words,
        today=today,
    )


@blueprint.get("/customers/<int:customer_id>/care")
@signed_in
def care(customer_id: int) -> str:
    """The ten duties, visits, forecast and incentives of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    today = clock.today()
    duties = {row.duty: row for row in queries.duties_of(customer.id)}
    days = queries.soon_days()
    lights = {row.duty: rules.light(row.is_needed, row.due_on, today, days) for row in duties.values()}
    records: dict[int, list[Any]] = {}
    for row in queries.records_of(customer.id, today - timedelta(days=730), today):
        records.setdefault(row.duty_id, []).append(row)
    forecast = queries.forecast_of(customer.id, today)
    return render_template(
        "key_accounts/care/of_customer.html",
        customer=customer,
        order=DUTIES,
        duties=duties,
        lights=lights,
        overall=rules.worst(lights.values()),
        records=records,
        visits=queries.visits_of(customer.id),
        forecast=[month for month in forecast if month.forecast is not None],
        chart=charts.forecast_chart(forecast) if any(month.forecast is not None for month in forecast) else None,
        incentives=queries.incentives_of(customer.id),
        words=words,
        today=today,
        may_edit=EDIT in abilities(customer, actor),
        me=actor.user_id,
    )


@blueprint.post("/customers/<int:customer_id>/care/set-up")
@signed_in
def set_up_duties(customer_id: int) -> Any:
    """Give the customer the ten duties."""
    customer = _editable(customer_id)
    return post(
        lambda: services.set_up_duties(customer.id, current_actor()),
        _("The duties were set up. Adjust owners and days."),
        url_for("key_accounts.care", customer_id=customer.id),
    )


@blueprint.route("/care/duties/<int:duty_id>", methods=["GET", "POST"])
@signed_in
def edit_duty(duty_id: int) -> Answer:
    """Owner, rhythm, due day."""
    row = queries.duty_for(refuse_large_id(duty_id), current_actor())
    customer = _editable(row.customer_id)
    form = DutyForm(obj=row)
    return form_page(
        form,
        _page(customer, words.DUTIES[row.duty][0], intro=words.DUTIES[row.duty][1]),
        lambda: services.change_duty(duty_id, form.to_input(), current_actor()),
        _("The duty was saved."),
    )


@blueprint.route("/care/duties/<int:duty_id>/done", methods=["GET", "POST"])
@signed_in
def finish_duty(duty_id: int) -> Answer:
    """Note that a duty was done."""
    actor = current_actor()
    row = queries.duty_for(refuse_large_id(duty_id), actor)
    customer = load_customer(row.customer_id, actor)
    if row.owner_id != actor.user_id and not can(actor, EDIT, customer):
        raise NotAllowed(_("A duty is noted by its owner or by the account manager."))
    form = DoneForm()
    evidence = queries.evidence_of(customer.id)
    form.interaction_id.choices = options(evidence.interactions, _("none"))
    form.purchase_id.choices = options(evidence.purchases, _("none"))
    form.document_id.choices = options(evidence.documents, _("none"))
    if request.method == "GET":
        form.done_on.data = clock.today()
    return form_page(
        form,
        _page(customer, _("Note as done"), subtitle=words.DUTIES[row.duty][0], intro=words.DUTIES[row.duty][1]),
        lambda: services.finish_duty(duty_id, form.to_input(), actor),
        _("The duty was noted as done; the next day follows its rhythm."),
    )


@blueprint.post("/care/records/<int:record_id>/take-back")
@signed_in
def take_back_record(record_id: int) -> Any:
    """Take a note back."""
    _row, duty = queries.record_for(refuse_large_id(record_id), current_actor())
    customer = _editable(duty.customer_id)
    return post(
        lambda: services.take_back(record_id, current_actor()),
        _("The note was taken back."),
        url_for("key_accounts.care", customer_id=customer.id),
    )


@blueprint.post("/customers/<int:customer_id>/care/print")
@signed_in
def print_care(customer_id: int) -> Any:
    """The yearly record as a PDF."""
    customer = load_customer(customer_id, current_actor())
    this_year = clock.today().year
    year = whole_from(request.form.get("year"), 4) or this_year
    if not 2000 <= year <= this_year:
        year = this_year
    document = documents.print_record(customer, year, current_actor())
    return redirect(url_for("documents.download", document_id=document.id))


@blueprint.route("/customers/<int:customer_id>/forecast", methods=["GET", "POST"])
@signed_in
def edit_forecast(customer_id: int) -> Answer:
    """What the customer will need in the next six months."""
    customer = _editable(customer_id)
    today = clock.today()
    months = rules.next_months(today)
    form = ForecastForm()
    present = queries.present_round(customer.id, today.replace(day=1)) if request.method == "GET" else {}
    for number, month in enumerate(months, start=1):
        field = form[f"month_{number}"]
        field.label.text = month.isoformat()[:7]
        if request.method == "GET":
            field.data = present.get(month)

    def amounts() -> dict[date, Any]:
        return {month: form[f"month_{number}"].data for number, month in enumerate(months, start=1)}

    return form_page(
        form,
        _page(
            customer,
            _("Demand forecast of the customer"),
            intro=_("What the customer says this month. Next month the six months roll on."),
        ),
        lambda: services.set_forecast(customer.id, amounts(), current_actor()),
        _("The forecast was saved."),
    )


@blueprint.route("/customers/<int:customer_id>/incentives/new", methods=["GET", "POST"])
@signed_in
def new_incentive(customer_id: int) -> Answer:
    """Keep an incentive."""
    customer = _editable(customer_id)
    form = IncentiveForm()
    return form_page(
        form,
        _page(customer, _("Record an incentive")),
        lambda: services.record_incentive(customer.id, form.to_input(), current_actor()),
        _("The incentive was recorded."),
    )
