"""Interactions and next steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.permissions import require
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import next_url, refuse_large_id, signed_in
from portal.customers import forms, page, queries, services
from portal.customers import vocabulary as words
from portal.customers.listings import INTERACTIONS
from portal.customers.models import Customer, Interaction, NextStep
from portal.customers.permissions import ASSIGN, EDIT
from portal.customers.services.interactions import contacts_of
from portal.customers.views.base import blueprint, open_customer
from portal.i18n import _

#: What the quick form on the customer's page leaves out.
FULL_ONLY = ("direction", "cost", "subject", "opinions", "colleague_ids")


def interaction_form(customer: Customer, quick: bool = False, interaction: Interaction | None = None) -> Any:
    """The form with the choices of this customer. `quick`: only what a visit on the road needs."""
    actor = current_actor()
    form = forms.InteractionForm()
    contacts = [(contact.id, contact.name) for contact in contacts_of(customer.id)]
    kept = interaction.contacts if interaction else []
    contacts += [(contact.id, contact.name) for contact in kept if contact.id not in {key for key, _name in contacts}]
    form.contact_ids.choices = options(contacts)
    also = [user.id for user in interaction.colleagues] if interaction else []
    if quick:
        for name in FULL_ONLY:
            del form[name]
    else:
        form.colleague_ids.choices = options(queries.colleagues_of(actor, customer, also))
    if interaction is not None:
        del form["next_step"]
    if not form.is_submitted():
        kind = request.args.get("kind", "")
        if kind in {member.value for member in words.InteractionKind}:
            form.kind.data = kind
        form.at.data = clock.local(clock.now()).replace(tzinfo=None, second=0, microsecond=0)
    return form


@blueprint.get("/interactions")
@signed_in
def interactions() -> str:
    """Interactions with all customers one may see."""
    listed = registry("listings")[INTERACTIONS].page(current_actor(), request.args)
    return render_template("customers/interactions.html", page=listed)


@blueprint.get("/<int:customer_id>/interactions")
@signed_in
def interactions_of(customer_id: int) -> str:
    """Interactions with one customer."""
    actor = current_actor()
    customer = open_customer(customer_id)
    rows, more = queries.interactions_of(customer.id, _cursor(request.args.get("before", "")))
    older = url_for("customers.interactions_of", customer_id=customer.id, before=_written(more)) if more else None
    return render_template(
        "customers/interactions_of.html",
        customer=customer,
        head=page.head_of(customer, actor, "interactions"),
        interactions=rows,
        steps=queries.open_steps_of(customer.id),
        older_url=older,
        may_edit=EDIT in page.abilities(customer, actor),
    )


def _cursor(text: str) -> tuple[datetime, int] | None:
    moment, _at, number = text.partition("@")
    row_id = id_from(number)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if at.tzinfo is None or row_id is None:
        return None
    return at, row_id


def _written(cursor: tuple[datetime, int]) -> str:
    return f"{cursor[0].isoformat()}@{cursor[1]}"


@blueprint.route("/<int:customer_id>/interactions/new", methods=["GET", "POST"])
@signed_in
def add_interaction(customer_id: int) -> Response | str:
    """Record an interaction; the box beside the form tells what others did last and plan next."""
    customer = open_customer(customer_id, EDIT)
    quick = request.form.get("quick") == "1"
    form = interaction_form(customer, quick=quick)
    if form.validate_on_submit():
        try:
            data = form.to_input()
            with transaction():
                services.record_interaction(customer_id, data, current_actor())
            flash(_("The interaction was recorded."), "success")
            return redirect(url_for("customers.show", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        customer = open_customer(customer_id, EDIT)
    return (  # type: ignore[return-value]
        render_template(
            "customers/interaction_form.html",
            customer=customer,
            form=form,
            quick=quick,
            interaction=None,
            briefing=queries.briefing_of(customer.id),
            step=None,
            action=url_for("customers.add_interaction", customer_id=customer.id),
            title=_("Record an interaction"),
            conflict=None,
        ),
        400 if form.errors else 200,
    )


@blueprint.get("/interactions/<int:interaction_id>")
@signed_in
def interaction(interaction_id: int) -> str:
    """One interaction."""
    actor = current_actor()
    found = queries.interaction_for(refuse_large_id(interaction_id), actor)
    customer = open_customer(found.customer_id)
    able = page.abilities(customer, actor)
    may_change = EDIT in able and (found.author_id == actor.user_id or ASSIGN in able)
    return render_template(
        "customers/interaction.html",
        customer=customer,
        head=page.head_of(customer, actor, "interactions"),
        interaction=found,
        may_change=may_change and not found.is_cancelled,
        may_edit=EDIT in page.abilities(customer, actor),
        reason_form=forms.ReasonForm(formdata=None),
    )


@blueprint.route("/interactions/<int:interaction_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_interaction(interaction_id: int) -> Response | str:
    """Correct an interaction."""
    actor = current_actor()
    found = queries.interaction_for(refuse_large_id(interaction_id), actor)
    customer = open_customer(found.customer_id, EDIT)
    form = interaction_form(customer, interaction=found)
    conflict: Conflict | None = None
    if not form.is_submitted():
        form.fill(services.interaction_input_of(found), found.version)
    elif form.validate_on_submit():
        try:
            data, version = form.to_input(), form.seen_version
            with transaction():
                services.change_interaction(interaction_id, data, actor, version)
            flash(_("Saved."), "success")
            return redirect(url_for("customers.interaction", interaction_id=interaction_id))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            if "version" in error.details:
                conflict = error
                form.version.data = str(error.details["version"])
            else:
                form.show_conflict(error)
        found = queries.interaction_for(interaction_id, actor)
        customer = open_customer(found.customer_id, EDIT)
    return (  # type: ignore[return-value]
        render_template(
            "customers/interaction_form.html",
            customer=customer,
            form=form,
            quick=False,
            interaction=found,
            briefing=None,
            step=None,
            action=url_for("customers.edit_interaction", interaction_id=interaction_id),
            title=_("Correct the interaction"),
            conflict=conflict,
        ),
        409 if conflict else 400 if form.errors else 200,
    )


@blueprint.post("/interactions/<int:interaction_id>/cancel")
@signed_in
def cancel_interaction(interaction_id: int) -> Response:
    """Take an interaction back."""
    actor = current_actor()
    queries.interaction_for(refuse_large_id(interaction_id), actor)
    form = forms.ReasonForm()
    if not form.validate():
        flash(_("Say why it is taken back."), "danger")
        return redirect(url_for("customers.interaction", interaction_id=interaction_id))
    try:
        with transaction():
            services.cancel_interaction(interaction_id, form.reason.data, actor)
        flash(_("The interaction was taken back."), "success")
    except Invalid as error:
        flash(str(error.errors[0][1]), "danger")
    return redirect(url_for("customers.interaction", interaction_id=interaction_id))


# ---- next steps ----------------------------------------------------------------------------------------------------


def _step_form(customer: Customer, present: NextStep | None = None) -> forms.StepForm:
    actor = current_actor()
    form = forms.StepForm()
    people = queries.colleagues_of(actor, customer, [present.owner_id] if present and present.owner_id else [])
    form.owner_id.choices = options([(str(actor.user_id), _("I myself")), *((str(key), name) for key, name in people)])
    return form


@blueprint.route("/<int:customer_id>/steps/new", methods=["GET", "POST"])
@signed_in
def plan_step(customer_id: int) -> Response | str:
    """Plan a next step by itself."""
    customer = open_customer(customer_id, EDIT)
    form = _step_form(customer)
    if not form.is_submitted():
        form.due_on.data = forms.today_plus(7)
    elif form.validate_on_submit():
        try:
            with transaction():
                services.plan_step(customer_id, form.to_input(), current_actor())
            flash(_("The next step was planned."), "success")
            return redirect(url_for("customers.show", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        customer = open_customer(customer_id, EDIT)
    return _step_page(customer, form, None)


@blueprint.route("/steps/<int:step_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_step(step_id: int) -> Response | str:
    """Move or reword a next step."""
    actor = current_actor()
    step = queries.step_for(refuse_large_id(step_id), actor)
    customer = open_customer(step.customer_id, EDIT)
    form = _step_form(customer, step)
    if not form.is_submitted():
        form.kind.data, form.task.data, form.due_on.data = step.kind, step.task, step.due_on
        form.appointment.data, form.owner_id.data = step.appointment, str(step.owner_id or actor.user_id)
        form.version.data = str(step.version)
    elif form.validate_on_submit():
        try:
            customer_id = customer.id
            with transaction():
                services.change_step(step_id, form.to_input(), actor, form.seen_version)
            flash(_("Saved."), "success")
            return redirect(url_for("customers.show", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.show_conflict(error)
            form.version.data = str(error.details.get("version", step.version))
        step = queries.step_for(step_id, actor)
        customer = open_customer(step.customer_id, EDIT)
    return _step_page(customer, form, step)


def _step_page(customer: Customer, form: forms.StepForm, step: NextStep | None) -> Response | str:
    return (  # type: ignore[return-value]
        render_template("customers/step_form.html", customer=customer, form=form, step=step),
        400 if form.errors else 200,
    )


@blueprint.route("/steps/<int:step_id>/done", methods=["GET", "POST"])
@signed_in
def finish_step(step_id: int) -> Response | str:
    """Done, and plan the next: what took place and the next step, in one form."""
    actor = current_actor()
    step = queries.step_for(refuse_large_id(step_id), actor)
    customer = open_customer(step.customer_id, EDIT)
    form = interaction_form(customer)
    alone = False
    if not form.is_submitted():
        form.kind.data, form.subject.data, form.appointment.data = step.kind, step.task[:200], step.appointment
    elif form.validate_on_submit():
        try:
            data, customer_id = form.to_input(), customer.id
            with transaction():
                services.finish_step(step_id, actor, interaction=data)
            flash(_("Done and recorded."), "success")
            return redirect(next_url(url_for("customers.show", customer_id=customer_id)))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            # Somebody else was faster with the step; what took place can be recorded all the same.
            form.show_conflict(error)
            form.form_errors.append(str(_("Save to record what took place by itself.")))
            alone = True
        step = queries.step_for(step_id, actor)
        customer = open_customer(step.customer_id, EDIT)
    by_itself = url_for("customers.add_interaction", customer_id=customer.id)
    return (  # type: ignore[return-value]
        render_template(
            "customers/interaction_form.html",
            customer=customer,
            form=form,
            quick=False,
            interaction=None,
            briefing=queries.briefing_of(customer.id),
            step=None if alone else step,
            action=by_itself if alone else url_for("customers.finish_step", step_id=step.id),
            title=_("Record an interaction") if alone else _("Done, and plan the next"),
            conflict=None,
        ),
        409 if alone else 400 if form.errors else 200,
    )


@blueprint.post("/steps/<int:step_id>/tick")
@signed_in
def tick_step(step_id: int) -> Response:
    """Done without anything to record."""
    actor = current_actor()
    step = queries.step_for(refuse_large_id(step_id), actor)
    require(actor, EDIT, step.customer_id)
    customer_id = step.customer_id
    with transaction():
        services.finish_step(step_id, actor)
    flash(_("The next step is done."), "success")
    return redirect(next_url(url_for("customers.show", customer_id=customer_id)))


@blueprint.post("/steps/<int:step_id>/cancel")
@signed_in
def cancel_step(step_id: int) -> Response:
    """A next step is not wanted any more."""
    actor = current_actor()
    step = queries.step_for(refuse_large_id(step_id), actor)
    customer_id = step.customer_id
    with transaction():
        services.cancel_step(step_id, actor)
    flash(_("The next step was cancelled."), "success")
    return redirect(next_url(url_for("customers.show", customer_id=customer_id)))
