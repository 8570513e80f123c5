"""Contacts: across all customers, of one customer, adding, editing, taking out, phone numbers."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import require
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import refuse_large_id, signed_in
from portal.customers import forms, page, queries, services
from portal.customers.listings import CONTACTS
from portal.customers.permissions import EDIT, REVEAL
from portal.customers.views.base import blueprint, open_customer
from portal.customers.views.records import revealed
from portal.i18n import _


@blueprint.get("/contacts")
@signed_in
def contacts() -> str:
    """Contacts of all customers one may see."""
    listed = registry("listings")[CONTACTS].page(current_actor(), request.args)
    return render_template("customers/contacts.html", page=listed)


@blueprint.get("/<int:customer_id>/contacts")
@signed_in
def contacts_of(customer_id: int) -> str:
    """The contacts of one customer."""
    actor = current_actor()
    customer = open_customer(customer_id)
    return render_template(
        "customers/contacts_of.html",
        customer=customer,
        head=page.head_of(customer, actor, "contacts"),
        contacts=queries.contacts_of(customer.id),
        may_reveal=REVEAL in page.abilities(customer, actor),
    )


@blueprint.get("/contacts/<int:contact_id>")
@signed_in
def contact(contact_id: int) -> Response:
    """A contact is shown among those of its customer."""
    found = queries.contact_for(refuse_large_id(contact_id), current_actor())
    return redirect(url_for("customers.contacts_of", customer_id=found.customer_id, _anchor=f"contact-{found.id}"))


@blueprint.route("/<int:customer_id>/contacts/new", methods=["GET", "POST"])
@signed_in
def add_contact(customer_id: int) -> Response | str:
    """A new contact."""
    customer = open_customer(customer_id, EDIT)
    form = forms.ContactForm()
    if form.validate_on_submit():
        try:
            with transaction():
                added = services.add_contact(customer_id, form.to_input(), current_actor())
                name = added.name
            flash(_("The contact “%(name)s” was added.", name=name), "success")
            return redirect(url_for("customers.contacts_of", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        customer = open_customer(customer_id, EDIT)
    form.add_spare_phones()
    return (  # type: ignore[return-value]
        render_template("customers/contact_form.html", customer=customer, form=form, contact=None, conflict=None),
        400 if form.errors else 200,
    )


@blueprint.route("/contacts/<int:contact_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_contact(contact_id: int) -> Response | str:
    """Change a contact."""
    actor = current_actor()
    contact = queries.contact_for(refuse_large_id(contact_id), actor)
    require(actor, EDIT, contact.customer_id)
    form = forms.ContactForm()
    conflict: Conflict | None = None
    if not form.is_submitted():
        form.fill(services.contact_input_of(contact), contact.version)
    elif form.validate_on_submit():
        try:
            data, version, customer_id = form.to_input(contact), form.seen_version, contact.customer_id
            with transaction():
                services.change_contact(contact_id, data, actor, version)
            flash(_("Saved."), "success")
            return redirect(url_for("customers.contacts_of", customer_id=customer_id))
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            conflict = error
            form.version.data = str(error.details["version"])
        contact = queries.contact_for(contact_id, actor)
    form.add_spare_phones()
    return (  # type: ignore[return-value]
        render_template(
            "customers/contact_form.html",
            customer=contact.customer,
            form=form,
            contact=contact,
            conflict=conflict,
            theirs=services.contact_input_of(contact) if conflict else None,
        ),
        409 if conflict else 400 if form.errors else 200,
    )


@blueprint.post("/contacts/<int:contact_id>/deactivate")
@signed_in
def deactivate_contact(contact_id: int) -> Response:
    """The contact is no longer there; can be undone on the same page."""
    actor = current_actor()
    contact = queries.contact_for(refuse_large_id(contact_id), actor)
    customer_id = contact.customer_id
    with transaction():
        name = services.deactivate_contact(contact_id, actor).name
    flash(_("“%(name)s” is shown as no longer there. It can be undone below.", name=name), "success")
    return redirect(url_for("customers.contacts_of", customer_id=customer_id))


@blueprint.post("/contacts/<int:contact_id>/reactivate")
@signed_in
def reactivate_contact(contact_id: int) -> Response:
    """The contact is there again."""
    actor = current_actor()
    contact = queries.contact_for(refuse_large_id(contact_id), actor)
    customer_id = contact.customer_id
    with transaction():
        name = services.reactivate_contact(contact_id, actor).name
    flash(_("“%(name)s” is there again.", name=name), "success")
    return redirect(url_for("customers.contacts_of", customer_id=customer_id))


@blueprint.post("/contacts/phones/<int:phone_id>")
@signed_in
def reveal_contact_phone(phone_id: int) -> Response | str:
    """A contact's phone in full; recorded."""
    actor = current_actor()
    phone = queries.phone_of(refuse_large_id(phone_id), actor)
    customer_id = phone.contact.customer_id
    with transaction():
        number = services.reveal_phone(phone_id, actor).number
    return revealed(number, url_for("customers.contacts_of", customer_id=customer_id))
