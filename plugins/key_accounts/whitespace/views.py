"""Pages of whitespace and of the driver tree."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import HiddenField
from wtforms.validators import InputRequired, Optional

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.whitespace import queries, services, tree
from plugins.key_accounts.whitespace.models import NONE, OURS, RIVAL
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.forms import ChoiceField, Form, TextField, YuanField, at_most, options
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access, int_argument
from portal.customers.fields import CustomerField
from portal.i18n import _, _l

STATE_WORDS: dict[str, Any] = {
    OURS: _l("bought of us"),
    RIVAL: _l("bought from a rival"),
    NONE: _l("not bought"),
}
STATE_TONES = {OURS: "success", RIVAL: "warning", NONE: "neutral"}


class UnitForm(Form):
    """A unit of the customer."""

    name = TextField(_l("Name of the unit"), validators=[InputRequired(_l("Enter a name.")), at_most(100)])
    linked_id = CustomerField(_l("In our records as customer"))


class CellForm(Form):
    """What a unit buys of a category."""

    state = ChoiceField(_l("Bought"), choices=options(STATE_WORDS))
    rival = TextField(_l("Rival"), validators=[at_most(100)])
    potential = YuanField(_l("Potential a year"), validators=[Optional()])
    note = TextField(_l("Note"), validators=[at_most(300)])
    unit_id = HiddenField()
    category = HiddenField()


@blueprint.get("/customers/<int:customer_id>/whitespace")
@access(USE)
def whitespace(customer_id: int) -> str:
    """Categories against the customer's units."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    names, rows = queries.grid(customer.id, actor)
    return render_template(
        "key_accounts/whitespace/index.html",
        customer=customer,
        names=names,
        rows=rows,
        words=STATE_WORDS,
        tones=STATE_TONES,
        unit_form=UnitForm(formdata=None),
        may_edit=can(actor, "customers.edit", customer),
    )


@blueprint.post("/customers/<int:customer_id>/units")
@access(USE)
def add_unit(customer_id: int) -> Response:
    """Add a unit."""
    actor = current_actor()
    load_customer(customer_id, actor)
    form = UnitForm()
    if form.validate():
        try:
            with transaction():
                services.save_unit(customer_id, form.name.data, form.linked_id.data, actor)
        except Invalid as error:
            flash(str(error), "danger")
        else:
            flash(_("The unit was added."), "success")
    else:
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors), "danger")
    return redirect(url_for("key_accounts.whitespace", customer_id=customer_id))


@blueprint.post("/customers/<int:customer_id>/units/<int:unit_id>/remove")
@access(USE)
def remove_unit(customer_id: int, unit_id: int) -> Response:
    """Close a unit."""
    actor = current_actor()
    load_customer(customer_id, actor)
    queries.unit_of(unit_id, customer_id)
    with transaction():
        services.remove_unit(unit_id, actor)
    flash(_("The unit was closed; what was noted about it is kept."), "success")
    return redirect(url_for("key_accounts.whitespace", customer_id=customer_id))


@blueprint.route("/customers/<int:customer_id>/whitespace/cell", methods=["GET", "POST"])
@access(USE)
def whitespace_cell(customer_id: int) -> str | Response | tuple[str, int]:
    """Note what a unit buys of a category."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    unit_id = id_from(request.values.get("unit_id"))
    category = (request.values.get("category") or "").strip()[:100]
    unit = queries.unit_of(unit_id, customer.id)
    noted = queries.cell_of(customer.id, unit_id, category)
    form = CellForm(obj=noted)
    form.unit_id.data, form.category.data = str(unit_id or ""), category
    if form.validate_on_submit():
        data = services.CellInput(
            unit_id, category, form.state.data, form.rival.data or "", form.potential.data, form.note.data or ""
        )
        try:
            with transaction():
                services.save_cell(customer_id, data, actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("key_accounts.whitespace", customer_id=customer_id))
    page = render_template(
        "key_accounts/whitespace/cell.html",
        customer=load_customer(customer_id, actor),
        form=form,
        unit_name=unit.name if unit else "",
        category=category,
        may_edit=can(actor, "customers.edit", customer_id),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/customers/<int:customer_id>/whitespace/opportunity")
@access(USE)
def whitespace_opportunity(customer_id: int) -> Response:
    """Make an opportunity of a cell."""
    actor = current_actor()
    load_customer(customer_id, actor)
    unit_id = id_from(request.form.get("unit_id"))
    try:
        with transaction():
            made = services.make_opportunity(customer_id, unit_id, request.form.get("category", ""), actor).id
    except (Invalid, Conflict) as error:
        flash(str(error), "warning")
        return redirect(url_for("key_accounts.whitespace", customer_id=customer_id))
    flash(_("The opportunity was made; check its amount and date."), "success")
    return redirect(url_for("key_accounts.opportunity", opportunity_id=made))


def _driver_form(noted: Any, **arguments: Any) -> Form:
    fields: dict[str, Any] = {}
    for node in tree.nodes():
        if node.key in tree.JUDGED:
            fields[f"amount_{node.key}"] = YuanField(node.label, validators=[Optional()])
            fields[f"note_{node.key}"] = TextField(_l("Note"), validators=[at_most(300)])
    start = {f"amount_{key}": row.amount for key, row in noted.items()} | {
        f"note_{key}": row.note for key, row in noted.items()
    }
    return type("DriverForm", (Form,), fields)(data=start, **arguments)


@blueprint.route("/customers/<int:customer_id>/drivers", methods=["GET", "POST"])
@access(USE)
def drivers(customer_id: int) -> str | Response | tuple[str, int]:
    """The driver tree; levers stand in the address, figures of people are saved."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    found = queries.drivers_of(customer.id)
    form = _driver_form(found.noted)
    if form.validate_on_submit():
        figures = {key: (form[f"amount_{key}"].data, form[f"note_{key}"].data or "") for key in tree.JUDGED}
        try:
            with transaction():
                services.save_drivers(customer_id, figures, actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("key_accounts.drivers", customer_id=customer_id))
    levers = {name: int_argument(name, 0, low, high) for name, (low, high) in tree.LEVERS.items()}
    page = render_template(
        "key_accounts/whitespace/drivers.html",
        customer=load_customer(customer_id, actor),
        tree=tree.TREE,
        found=found,
        form=form,
        judged=tree.JUDGED,
        levers=levers,
        bounds=tree.LEVERS,
        after=tree.moved(found.base, levers),
        one=tree.one_per_cent(found.base),
        may_edit=can(actor, "customers.edit", customer_id),
    )
    return page, 400 if request.method == "POST" else 200
