"""Pages of product samples."""

from __future__ import annotations

import secrets

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.permissions import require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal_sample_plugin import queries, services
from portal_sample_plugin.forms import SampleForm
from portal_sample_plugin.listings import DELIVERIES
from portal_sample_plugin.permissions import USE

blueprint = Blueprint("sample", __name__, url_prefix="/sample", template_folder="templates")


def _customer(customer_id: int, permission: str) -> Customer:
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(current_actor(), permission, customer)
    return customer


@blueprint.get("/")
@access(USE)
def index() -> str:
    """All samples of the customers one may see."""
    return render_template("sample/index.html", page=DELIVERIES.page(current_actor(), request.args))


@blueprint.get("/of/<int:customer_id>")
@access(USE)
def of_customer(customer_id: int) -> str:
    """The tab on the customer's page."""
    customer = _customer(customer_id, "customers.view")
    return render_template("sample/of_customer.html", customer=customer, rows=queries.deliveries_of(customer.id))


@blueprint.route("/new/<int:customer_id>", methods=["GET", "POST"])
@access(USE)
def new(customer_id: int) -> str | Response | tuple[str, int]:
    """Ask for a sample."""
    customer = _customer(customer_id, "customers.edit")
    name = customer.name
    form = SampleForm()
    if request.method == "GET":
        form.token.data = secrets.token_urlsafe(16)
    if form.validate_on_submit():
        try:
            with transaction():
                filed = services.ask(form.to_input(customer_id), current_actor()).id
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error.message), "warning")
        else:
            flash(_("The sample was asked for."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    page = render_template("sample/new.html", form=form, name=name, customer_id=customer_id)
    return page, 400 if request.method == "POST" else 200
