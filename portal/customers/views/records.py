"""List, record page, creation, editing, stage, assignment, favourites, who can see."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core import regions
from portal.core.errors import Conflict, Invalid
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.permissions import can, visible
from portal.core.registry import registry
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access, back_with_choice, signed_in
from portal.customers import card, forms, page, queries, services
from portal.customers import vocabulary as words
from portal.customers.duplicates import DuplicateHint, find_duplicates
from portal.customers.inputs import CustomerInput
from portal.customers.limits import count_search
from portal.customers.listings import CUSTOMERS, idle_days
from portal.customers.models import Customer
from portal.customers.permissions import ASSIGN, CREATE, EDIT, REVEAL, VIEW
from portal.customers.phones import masked, readable
from portal.customers.services.customers import PERSON_FIELDS
from portal.customers.services.held import held_of
from portal.customers.services.stages import needs_qualification, needs_reason
from portal.customers.views.base import blueprint, open_customer, selection_of
from portal.customers.views.interactions import interaction_form
from portal.extensions import db
from portal.i18n import _, _n


@blueprint.get("/")
@signed_in
def index() -> str:
    """The list of customers one may see."""
    actor = current_actor()
    listed = registry("listings")[CUSTOMERS].page(actor, request.args)
    return render_template("customers/index.html", page=listed, may_create=can(actor, CREATE), idle_days=idle_days())


@blueprint.get("/pick")
@signed_in
def pick() -> Response:
    """Customers for a picker, as JSON: only those one may see."""
    text = clean_name(request.args.get("q", ""))[:100]
    if text:
        count_search(current_actor())
    rows = page.visible_names(current_actor(), text)
    return jsonify([{"value": str(key), "label": name, "hint": keeper} for key, name, keeper in rows])


@blueprint.get("/regions")
@signed_in
def pick_region() -> Response:
    """Regions for a picker, as JSON."""
    text = clean_name(request.args.get("q", ""))[:40]
    if not text:
        found = list(regions.provinces())
    else:
        exact = regions.find(text)
        found = [exact, *regions.children(exact.code)] if exact else regions.find_all(text)
    return jsonify(
        [{"value": item.code, "label": regions.full_name(item.code), "hint": item.code} for item in found[:40]]
    )


# ---- the record page -----------------------------------------------------------------------------------------------


@blueprint.get("/<int:customer_id>")
@signed_in
def show(customer_id: int) -> str:
    """Overview: facts, panels of all modules, one time line."""
    actor = current_actor()
    customer = open_customer(customer_id)
    return render_template(
        "customers/show.html",
        customer=customer,
        head=page.head_of(customer, actor, "overview"),
        sections=page.sections_of(customer),
        panels=page.panels_of(customer, actor),
        timeline=page.timeline_of(customer, actor, "customers.show"),
        briefing=page.briefing_of(customer, actor),
        qualification=page.qualification_of(customer, actor),
        quick=_quick_form(customer) if EDIT in page.abilities(customer, actor) else None,
        may_reveal=REVEAL in page.abilities(customer, actor),
    )


@blueprint.get("/<int:customer_id>/history")
@signed_in
def history(customer_id: int) -> str:
    """The whole time line, and the stages with their dates."""
    actor = current_actor()
    customer = open_customer(customer_id)
    return render_template(
        "customers/history.html",
        customer=customer,
        head=page.head_of(customer, actor, "history"),
        timeline=page.timeline_of(customer, actor, "customers.history"),
        stages=queries.stage_changes_of(customer.id),
    )


@blueprint.get("/<int:customer_id>/who-can-see")
@signed_in
def who_can_see(customer_id: int) -> str:
    """Who can see this customer, and why; for those who can."""
    actor = current_actor()
    customer = open_customer(customer_id)
    return render_template(
        "customers/who.html",
        customer=customer,
        head=page.head_of(customer, actor, ""),
        viewers=queries.viewers_of(customer),
    )


@blueprint.post("/<int:customer_id>/phone")
@signed_in
def reveal_phone(customer_id: int) -> Response | str:
    """The main phone in full; recorded."""
    actor = current_actor()
    open_customer(customer_id, REVEAL)
    with transaction():
        number = services.reveal_customer_phone(customer_id, actor)
    return revealed(number, url_for("customers.show", customer_id=customer_id))


def revealed(number: str, back: str) -> Response | str:
    """A number in full, for the script or as a page."""
    shown = readable(number)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(value=shown)
    return render_template("customers/revealed.html", number=shown, back=back)


@blueprint.post("/<int:customer_id>/watch")
@signed_in
def watch(customer_id: int) -> Response:
    """Watch a customer, or stop watching it."""
    open_customer(customer_id)
    with transaction():
        services.set_favourite([customer_id], request.form.get("on") == "1", current_actor())
    return redirect(url_for("customers.show", customer_id=customer_id))


@blueprint.post("/<int:customer_id>/card")
@signed_in
def make_card(customer_id: int) -> Response:
    """Make the customer's information card and hand it out."""
    open_customer(customer_id)
    document = card.make_card(customer_id, current_actor())
    return redirect(url_for("documents.download", document_id=document.id))


# ---- creating ------------------------------------------------------------------------------------------------------


@blueprint.route("/new", methods=["GET", "POST"])
@access(CREATE)
def create() -> Response | str:
    """The short form: kind, name, phone, account manager."""
    form = forms.CustomerForm(name=clean_name(request.args.get("name", ""))[:200])
    form.keep(forms.SHORT_FIELDS)
    return _create(form, "customers/create.html", party=form.party.data)


@blueprint.route("/new/full", methods=["GET", "POST"])
@access(CREATE)
def create_full() -> Response | str:
    """The full form, for an organisation or a person."""
    party = request.values.get("party", "")
    party = party if party in {member.value for member in words.Party} else words.Party.ORGANISATION.value
    form = forms.CustomerForm()
    form.keep(forms.full_fields(party, create=True))
    if not form.is_submitted():
        form.party.data = party
        form.name.data = clean_name(request.args.get("name", ""))[:200]
        form.kind.data = request.args.get("kind") or form.kind.data
    return _create(form, "customers/create_full.html", party=party)


def _create(form: forms.CustomerForm, template: str, party: str | None) -> Response | str:
    actor = current_actor()
    people = queries.possible_managers(actor)
    form.account_manager_id.choices = options(people, _("Nobody yet"))
    if "department_id" in form:
        departments = queries.possible_departments(actor)
        form.department_id.choices = options(departments, _("That of the account manager"))
    if not form.is_submitted():
        mine = str(actor.user_id)
        form.account_manager_id.data = mine if any(str(key) == mine for key, _name in people) else ""
    duplicates: list[DuplicateHint] = []
    if not form.is_submitted() and form.name.data:
        duplicates = _duplicates(form.name.data, "", "")
    if form.validate_on_submit():
        data = form.to_input(CustomerInput(name="", kind=""))
        duplicates = _duplicates(data.name, data.phone, data.credit_code)
        if not duplicates or request.form.get("confirmed_duplicates") == "1":
            try:
                with transaction():
                    customer = services.create_customer(
                        data,
                        actor,
                        account_manager_id=id_from(form.account_manager_id.data),
                        department_id=id_from(form.department_id.data) if "department_id" in form else None,
                    )
                    customer_id, name = customer.id, customer.name
            except Invalid as error:
                form.show(error)
            else:
                flash(_("The customer “%(name)s” was created.", name=name), "success")
                return redirect(back_with_choice(url_for("customers.show", customer_id=customer_id), customer_id, name))
    # Who came from the picker of another form goes back there, whichever form he chooses here.
    carried = {key: request.args[key] for key in ("name", "next", "picker") if key in request.args}
    page_ = render_template(template, form=form, party=party, duplicates=duplicates, carried=carried)
    return page_, 400 if form.errors else 200  # type: ignore[return-value]


def _duplicates(name: str, phone: str, credit_code: str) -> list[DuplicateHint]:
    return find_duplicates(current_actor(), name=name, phone=phone, credit_code=credit_code)


@blueprint.post("/duplicates")
@access(CREATE)
def duplicates() -> str:
    """Likely duplicates of what is being typed, as a piece of a page for the script. By POST, though nothing changes:
    phone numbers do not belong into addresses, which logs and proxies keep."""
    found = _duplicates(
        clean_name(request.form.get("name", ""))[:200],
        clean_name(request.form.get("phone", ""))[:60],
        clean_name(request.form.get("credit_code", ""))[:40],
    )
    return render_template("customers/_duplicates.html", duplicates=found)


# ---- editing -------------------------------------------------------------------------------------------------------


@blueprint.route("/<int:customer_id>/edit", methods=["GET", "POST"])
@signed_in
def edit(customer_id: int) -> Response | str:
    """All fields of a customer."""
    customer = open_customer(customer_id, EDIT)
    return _edit(customer, forms.full_fields(customer.party, create=False), _("All fields"), "customers.edit", {})


@blueprint.route("/<int:customer_id>/edit/<section>", methods=["GET", "POST"])
@signed_in
def edit_section(customer_id: int, section: str) -> Response | str:
    """One section of a customer."""
    customer = open_customer(customer_id, EDIT)
    if section not in forms.SECTIONS or not forms.section_fields(section, customer.party):
        return redirect(url_for("customers.edit", customer_id=customer_id))
    title = str(forms.SECTIONS[section][0])
    names = forms.section_fields(section, customer.party)
    return _edit(customer, names, title, "customers.edit_section", {"section": section})


def _edit(
    customer: Customer, names: tuple[str, ...], title: str, endpoint: str, route: dict[str, Any]
) -> Response | str:
    actor = current_actor()
    form = forms.CustomerForm()
    held = held_of(customer.id, actor)
    left_out = [str(form[name].label.text) for name in names if name in held.fields and name not in PERSON_FIELDS]
    # Facts about a person stay in the form: who withdraws the consent takes them out here.
    form.keep(tuple(name for name in names if name not in held.fields or name in PERSON_FIELDS))
    base = services.input_of(customer)
    conflict: Conflict | None = None
    if not form.is_submitted():
        form.fill(base, customer.version)
    elif form.validate_on_submit():
        try:
            data = form.to_input(base, customer)
            customer_id = customer.id
            with transaction():
                services.change_customer(customer_id, data, actor, form.seen_version)
            flash(_("Saved."), "success")
            return redirect(url_for("customers.show", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            conflict = error
        customer = open_customer(customer.id, EDIT)
    rows = _conflict_rows(form, conflict) if conflict else []
    if conflict is not None:
        form.version.data = str(conflict.details["version"])
    return (  # type: ignore[return-value]
        render_template(
            "customers/edit.html",
            customer=customer,
            form=form,
            title=title,
            action=url_for(endpoint, customer_id=customer.id, **route),
            conflict=conflict,
            conflict_rows=rows,
            held=held,
            left_out=left_out,
            party=customer.party,
        ),
        409 if conflict else 400 if form.errors else 200,
    )


def _conflict_rows(form: forms.CustomerForm, conflict: Conflict) -> list[tuple[str, str, str]]:
    """(field, theirs, mine) for the fields of the form that differ."""
    mine, theirs = _flat(conflict.details["mine"]), _flat(conflict.details["theirs"])
    rows = []
    for field in form:
        if field.name in mine and mine[field.name] != theirs.get(field.name):
            rows.append((str(field.label.text), theirs.get(field.name, ""), mine[field.name]))
    return rows


def _flat(values: dict[str, Any]) -> dict[str, str]:
    """Values of an input as people read them."""
    flat = {**values, **(values.get("person") or {})}
    found = {}
    for name, value in flat.items():
        if name == "phone":
            found[name] = masked(value) if value else ""
        elif isinstance(value, (tuple, list)):
            found[name] = _(", ").join(str(item) for item in value)
        else:
            found[name] = "" if value is None else str(value)
    return found


# ---- stage and qualification ---------------------------------------------------------------------------------------


@blueprint.route("/<int:customer_id>/stage", methods=["GET", "POST"])
@signed_in
def stage(customer_id: int) -> Response | str:
    """Another stage; the qualification stands beside it."""
    actor = current_actor()
    customer = open_customer(customer_id, EDIT)
    form = forms.StageForm()
    conflict = False
    if not form.is_submitted():
        wanted = request.args.get("to", "")
        form.stage.data = wanted or customer.stage
        form.seen.data = customer.stage
    elif form.validate_on_submit():
        try:
            with transaction():
                services.change_stage(
                    customer_id, form.stage.data, actor, reason=form.reason.data or "", seen=form.seen.data or None
                )
            flash(_("The stage was changed."), "success")
            return redirect(url_for("customers.show", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            conflict = True
            form.show_conflict(error)
        customer = open_customer(customer_id, EDIT)
        form.seen.data = customer.stage if conflict else form.seen.data
    return (  # type: ignore[return-value]
        render_template(
            "customers/stage.html",
            customer=customer,
            form=form,
            qualification=queries.qualification_of(customer.id),
            asks_reason=needs_reason(customer.stage, form.stage.data or customer.stage),
            asks_qualification=needs_qualification(customer.stage, form.stage.data or customer.stage),
            stages=queries.stage_changes_of(customer.id),
        ),
        409 if conflict else 400 if form.errors else 200,
    )


@blueprint.route("/<int:customer_id>/qualification", methods=["GET", "POST"])
@signed_in
def qualify(customer_id: int) -> Response | str:
    """Assess need, means and reputation."""
    actor = current_actor()
    customer = open_customer(customer_id, EDIT)
    form = forms.QualificationForm()
    present = queries.qualification_of(customer.id)
    if not form.is_submitted() and present is not None:
        form.need.data, form.means.data, form.reputation.data = present.need, present.means, present.reputation
    elif form.validate_on_submit():
        try:
            with transaction():
                services.assess_customer(customer_id, form.to_input(), actor)
            flash(_("The assessment was saved."), "success")
            return redirect(url_for("customers.stage", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        customer = open_customer(customer_id, EDIT)
    page_ = render_template("customers/qualify.html", customer=customer, form=form, present=present)
    return page_, 400 if form.errors else 200  # type: ignore[return-value]


# ---- assignment and bulk actions -----------------------------------------------------------------------------------


@blueprint.route("/<int:customer_id>/assign", methods=["GET", "POST"])
@signed_in
def assign(customer_id: int) -> Response | str:
    """Another account manager or department for one customer."""
    actor = current_actor()
    customer = open_customer(customer_id, ASSIGN)
    form = _assign_form(customer.account_manager_id, customer.department_id)
    if not form.is_submitted():
        form.account_manager_id.data = str(customer.account_manager_id or "")
    elif form.validate_on_submit():
        try:
            with transaction():
                result = services.assign_customers([customer_id], form.to_input(), actor)
            if result.refused:
                flash(result.refused[0].reason, "warning")
            else:
                flash(_("The customer was assigned."), "success")
            target = url_for("customers.show", customer_id=customer_id)
            return redirect(target if can(actor, VIEW, customer_id) else url_for("customers.index"))
        except Invalid as error:
            form.show(error)
        customer = open_customer(customer_id, ASSIGN)
    return render_template("customers/assign.html", customer=customer, form=form), 400 if form.errors else 200  # type: ignore[return-value]


def _assign_form(present_manager: int | None = None, present_department: int | None = None) -> forms.AssignForm:
    actor = current_actor()
    form = forms.AssignForm()
    form.account_manager_id.choices = options(queries.possible_managers(actor, present_manager), _("Nobody yet"))
    form.department_id.choices = options(
        queries.possible_departments(actor, present_department), _("That of the account manager")
    )
    return form


def _selected() -> list[int]:
    return list(registry("listings")[CUSTOMERS].selected_ids(current_actor(), request.form))


def _names(ids: list[int], limit: int = 10) -> list[str]:
    rows = db.session.scalars(
        select(Customer.name)
        .where(Customer.id.in_(ids[:limit]), visible(current_actor(), VIEW))
        .order_by(Customer.name_sort)
    )
    return list(rows)


def _back_to_list() -> str:
    query = request.form.get("query", "")[:4000]
    return url_for("customers.index") + (f"?{query}" if query else "")


@blueprint.post("/bulk/assign")
@signed_in
def bulk_assign() -> Response | str:
    """Assign the selected customers: first a page with the count, then the report."""
    actor = current_actor()
    ids = _selected()
    form = _assign_form()
    if ids and request.form.get("go") == "1" and form.validate():
        try:
            with transaction():
                result = services.assign_customers(ids, form.to_input(), actor)
            return _report(result, _n("%(num)s customer assigned", "%(num)s customers assigned", len(result.done)))
        except Invalid as error:
            form.show(error)
    elif request.form.get("go") != "1":
        form = _fresh(form)
    return _bulk_page("customers/bulk_assign.html", form, ids)


@blueprint.post("/bulk/stage")
@signed_in
def bulk_stage() -> Response | str:
    """Move the selected customers to another stage."""
    actor = current_actor()
    ids = _selected()
    form = forms.BulkStageForm()
    if ids and request.form.get("go") == "1" and form.validate():
        try:
            with transaction():
                result = services.change_stages(ids, form.stage.data, form.reason.data or "", actor)
            return _report(result, _n("%(num)s customer moved", "%(num)s customers moved", len(result.done)))
        except Invalid as error:
            form.show(error)
    elif request.form.get("go") != "1":
        form = _fresh(form)
    return _bulk_page("customers/bulk_stage.html", form, ids)


def _fresh(form: Any) -> Any:
    """The form as it is before anything was chosen (the list's own POST carries only the selection)."""
    form.process(None)
    return form


def _bulk_page(template: str, form: Any, ids: list[int]) -> str:
    if not ids:
        flash(_("Select at least one customer first."), "warning")
    return render_template(
        template,
        form=form,
        count=len(ids),
        names=_names(ids),
        selection=selection_of(request.form),
        back=_back_to_list(),
    )


def _report(result: services.BulkResult, done: str) -> str:
    return render_template("customers/bulk_report.html", done=done, refused=result.refused, back=_back_to_list())


@blueprint.post("/bulk/watch")
@signed_in
def bulk_watch() -> Response:
    """Watch the selected customers."""
    ids = _selected()
    with transaction():
        added = services.set_favourite(ids, True, current_actor())
    flash(_n("%(num)s customer is watched now", "%(num)s customers are watched now", added), "success")
    return redirect(_back_to_list())


def _quick_form(customer: Customer) -> Any:
    return interaction_form(customer, quick=True)
