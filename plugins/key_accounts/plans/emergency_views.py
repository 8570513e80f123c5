"""Pages of emergency plans and their log."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page
from plugins.key_accounts.plans import emergencies, queries
from plugins.key_accounts.plans import vocabulary as words
from plugins.key_accounts.plans.forms import EmergencyForm, EntryForm
from plugins.key_accounts.team import queries as team
from portal.auth.current import current_actor
from portal.core.forms import options
from portal.core.permissions import require
from portal.core.web import refuse_large_id, signed_in
from portal.customers.models import Customer
from portal.customers.page import abilities
from portal.customers.permissions import EDIT
from portal.i18n import _


def _editable(customer_id: int) -> Customer:
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    return customer


@blueprint.get("/customers/<int:customer_id>/emergencies")
@signed_in
def emergencies_of(customer_id: int) -> str:
    """What is done when something happens, and what happened."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    rows = queries.emergencies_of(customer.id)
    return render_template(
        "key_accounts/plans/emergencies.html",
        customer=customer,
        rows=rows,
        log=queries.incidents_of([row.id for row in rows]),
        words=words,
        may_edit=EDIT in abilities(customer, actor),
    )


def _emergency_page(customer: Customer, heading: Any, **more: Any) -> FormPage:
    back = url_for("key_accounts.emergencies_of", customer_id=customer.id)
    crumbs = [(_("Emergency plan"), back)]
    return FormPage(
        heading=heading, back_url=back, crumbs=crumbs, icon="exclamation-triangle", customer=customer, **more
    )


@blueprint.route("/customers/<int:customer_id>/emergencies/new", methods=["GET", "POST"])
@signed_in
def new_emergency(customer_id: int) -> Answer:
    """Add a kind of incident."""
    customer = _editable(customer_id)
    form = EmergencyForm()
    form.contact_id.choices = options(team.contact_choices(customer.id), _("Nobody named yet"))
    if request.method == "GET":
        form.user_id.show(customer.account_manager_id)
    return form_page(
        form,
        _emergency_page(customer, _("New kind of incident")),
        lambda: emergencies.save_emergency(customer.id, None, form.to_input(), current_actor()),
        _("The emergency plan was saved."),
    )


@blueprint.route("/emergencies/<int:emergency_id>", methods=["GET", "POST"])
@signed_in
def edit_emergency(emergency_id: int) -> Answer:
    """Change a kind of incident."""
    row = queries.emergency_for(refuse_large_id(emergency_id), current_actor())
    customer = _editable(row.customer_id)
    form = EmergencyForm()
    form.contact_id.choices = options(team.contact_choices(customer.id), _("Nobody named yet"))
    if request.method == "GET":
        form.fill(row)
    return form_page(
        form,
        _emergency_page(customer, _("Change the emergency plan")),
        lambda: emergencies.save_emergency(customer.id, row.id, form.to_input(), current_actor(), form.seen_version),
        _("The emergency plan was saved."),
    )


@blueprint.route("/emergencies/<int:emergency_id>/log", methods=["GET", "POST"])
@signed_in
def note_incident(emergency_id: int) -> Answer:
    """Add a line to the log."""
    row = queries.emergency_for(refuse_large_id(emergency_id), current_actor())
    customer = load_customer(row.customer_id, current_actor())
    form = EntryForm()
    return form_page(
        form,
        _emergency_page(customer, _("Note in the log"), subtitle=row.incident),
        lambda: emergencies.note_incident(emergency_id, form.kind.data, form.text.data or "", current_actor()),
        _("The log was written."),
    )
