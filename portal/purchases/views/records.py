"""Purchases: list, record page, recording, changing, payment, cancelling; the tab on the customer's page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.audit.queries import history_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id, signed_in
from portal.customers.permissions import EDIT
from portal.customers.queries import open_customer
from portal.i18n import _
from portal.purchases import charts, forms, queries, services
from portal.purchases.listings import PURCHASES, overdue_days
from portal.purchases.models import Purchase
from portal.purchases.periods import period
from portal.purchases.permissions import RECORD
from portal.purchases.views.base import (
    blueprint,
    conflict_rows,
)

Page = Response | str | tuple[str, int]


@blueprint.get("/purchases/")
@signed_in
def index() -> str:
    """The list of purchases of the customers one may see."""
    actor = current_actor()
    page = registry("listings")[PURCHASES].page(actor, request.args)
    return render_template("purchases/index.html", page=page, overdue=overdue_days(), may_record=can(actor, RECORD))


# ---- recording and changing ----------------------------------------------------------------------------------------


def _form() -> forms.PurchaseForm:
    """The form; its lines look up what was typed without script. One statement for all chosen products."""
    form = forms.PurchaseForm()
    if form.is_submitted():
        _tell(form, [id_from(value) for key, value in request.form.items() if key.endswith("-product_id")])
        for entry in form.lines:
            entry.form.product_id.process(request.form)
    return form


def _tell(form: forms.PurchaseForm, ids: Iterable[int | None]) -> None:
    """Tell the lines the texts of their products."""
    wanted = sorted({number for number in ids if number is not None})
    labels = queries.product_labels(wanted) if wanted else {}
    for entry in form.lines:
        entry.form.product_id.tell(labels)


def _describe(form: forms.PurchaseForm) -> None:
    """Texts of the products that the form was filled with."""
    pickers = [entry.form.product_id for entry in form.lines]
    _tell(form, [picker.data for picker in pickers])
    for picker in pickers:
        if picker.data and not picker.text:
            picker.show(picker.data)


@blueprint.route("/purchases/new", methods=["GET", "POST"])
@access(RECORD)
def create() -> Page:
    """Record a purchase; `?customer_id=` names the customer."""
    actor = current_actor()
    form = _form()
    asked = id_from(request.args.get("customer_id", ""))
    customer = open_customer(asked, actor, EDIT) if asked is not None else None
    if not form.is_submitted():
        form.fill_new(customer.id if customer else None)
    elif "add_lines" in request.form:
        form.add_lines(forms.MORE_LINES)
    elif form.validate_on_submit() and _customer_chosen(form, customer):
        try:
            data = form.to_input(customer.id if customer else None)
            with transaction():
                made = services.record_purchase(data, actor)
                purchase_id, number = made.id, made.number
        except Invalid as error:
            form.show(error)
            if asked is not None:
                customer = open_customer(asked, actor, EDIT)
        else:
            flash(_("The purchase %(number)s was recorded.", number=number), "success")
            return redirect(url_for("purchases.show", purchase_id=purchase_id))
    _describe(form)
    page = render_template(
        "purchases/form.html",
        form=form,
        customer=customer,
        purchase=None,
        conflict=None,
        conflict_rows=(),
        action=url_for("purchases.create", customer_id=customer.id if customer else None),
    )
    return page, 400 if form.has_errors else 200


def _customer_chosen(form: forms.PurchaseForm, customer: Any) -> bool:
    if customer is not None:
        return True
    if not form.customer_id.data:
        form.customer_id.errors = [*form.customer_id.errors, _("Choose a customer.")]
        return False
    if not can(current_actor(), EDIT, form.customer_id.data):
        form.customer_id.errors = [*form.customer_id.errors, _("You may not record purchases of this customer.")]
        return False
    return True


def _editable(purchase_id: int) -> Purchase:
    """A visible purchase whose customer the actor may edit."""
    purchase = queries.purchase_for(refuse_large_id(purchase_id), current_actor())
    require(current_actor(), EDIT, purchase.customer_id)
    return purchase


@blueprint.route("/purchases/<int:purchase_id>/edit", methods=["GET", "POST"])
@signed_in
def edit(purchase_id: int) -> Page:
    """Correct a purchase; of two people who do it at once, the second sees both versions and chooses."""
    actor = current_actor()
    purchase = _editable(purchase_id)
    if purchase.is_cancelled and request.method != "POST":
        flash(_("The purchase was cancelled."), "warning")
        return redirect(url_for("purchases.show", purchase_id=purchase_id))
    form = _form()
    conflict: Conflict | None = None
    if not form.is_submitted():
        form.fill(purchase)
    elif "add_lines" in request.form:
        form.add_lines(forms.MORE_LINES)
    elif form.validate_on_submit():
        try:
            data, version = form.to_input(purchase.customer_id), form.seen_version or 0
            with transaction():
                services.change_purchase(purchase_id, data, version, actor)
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            if "version" in error.details:
                conflict = error
                form.version.data = str(error.details["version"])
            else:
                form.show_conflict(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("purchases.show", purchase_id=purchase_id))
        purchase = _editable(purchase_id)
    _describe(form)
    page = render_template(
        "purchases/form.html",
        form=form,
        customer=purchase.customer,
        purchase=purchase,
        conflict=conflict,
        conflict_rows=conflict_rows(conflict) if conflict else (),
        action=url_for("purchases.edit", purchase_id=purchase_id),
    )
    return page, 409 if conflict else 400 if form.has_errors else 200


# ---- the record page -----------------------------------------------------------------------------------------------


@blueprint.get("/purchases/<int:purchase_id>")
@signed_in
def show(purchase_id: int) -> str:
    """A purchase: lines, sums, payment, history."""
    return _show(queries.purchase_for(refuse_large_id(purchase_id), current_actor()))


def _show(purchase: Purchase, **shown: Any) -> str:
    actor = current_actor()
    return render_template(
        "purchases/show.html",
        purchase=purchase,
        customer=purchase.customer,
        history=history_of("purchase", purchase.id, limit=30),
        may_edit=can(actor, EDIT, purchase.customer_id),
        overdue=overdue_days(),
        reason=shown.get("reason") or forms.ReasonForm(formdata=None),
        payment=shown.get("payment") or forms.PaymentForm(formdata=None, paid_on=clock.today()),
    )


@blueprint.post("/purchases/<int:purchase_id>/pay")
@signed_in
def pay(purchase_id: int) -> Page:
    """Note the day of full payment."""
    _editable(purchase_id)
    form = forms.PaymentForm()
    if form.validate_on_submit():
        try:
            with transaction():
                services.mark_paid(purchase_id, form.paid_on.data, current_actor())
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The payment was noted."), "success")
            return redirect(url_for("purchases.show", purchase_id=purchase_id))
    return _show(_editable(purchase_id), payment=form), 400


@blueprint.post("/purchases/<int:purchase_id>/<any(cancel, restore):step>")
@signed_in
def change_state(purchase_id: int, step: str) -> Page:
    """Cancel a purchase or take the cancellation back, with a reason."""
    _editable(purchase_id)
    form = forms.ReasonForm()
    if form.validate_on_submit():
        change = services.cancel_purchase if step == "cancel" else services.restore_purchase
        try:
            with transaction():
                change(purchase_id, form.reason.data or "", current_actor())
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The purchase was cancelled.") if step == "cancel" else _("The purchase counts again."), "success")
            return redirect(url_for("purchases.show", purchase_id=purchase_id))
    return _show(_editable(purchase_id), reason=form), 400


# ---- the tab on the customer's page --------------------------------------------------------------------------------


@blueprint.get("/customers/<int:customer_id>/purchases")
@signed_in
def of_customer(customer_id: int) -> str:
    """Purchases of one customer: by page, by year, by month, and what he buys most."""
    actor = current_actor()
    customer = open_customer(refuse_large_id(customer_id), actor)
    rows, more = queries.purchases_of(customer.id, _cursor(request.args.get("before", "")))
    span = period("", clock.today())
    since = span.before().begin
    return render_template(
        "purchases/of_customer.html",
        customer=customer,
        rows=rows,
        older_url=url_for("purchases.of_customer", customer_id=customer.id, before=f"{more[0]}@{more[1]}")
        if more
        else None,
        is_first="before" not in request.args,
        years=queries.years_of(customer.id),
        favourites=queries.favourites_of(customer.id, since),
        since=since,
        chart=charts.customer_months(
            queries.months_of_customer(customer.id, span), key="customer-months", title=_("Sales by month")
        )
        if customer.purchase_count
        else None,
        may_edit=can(actor, EDIT, customer),
        overdue=overdue_days(),
    )


def _cursor(text: str) -> queries.Cursor | None:
    day, _at, row_id = text.partition("@")
    number = id_from(row_id)
    if number is None:
        return None
    try:
        return date.fromisoformat(day), number
    except ValueError:
        return None
