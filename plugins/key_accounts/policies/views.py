"""Pages of policies and value propositions."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.permissions import LEAD, USE
from plugins.key_accounts.policies import queries, services
from plugins.key_accounts.policies.forms import (
    EMPHASIS_WORDS,
    SEGMENT_WORDS,
    TEXT_WORDS,
    BuyingForm,
    PolicyForm,
    PropositionForm,
)
from plugins.key_accounts.policies.models import EMPHASES, Policy, ValueProposition
from plugins.key_accounts.tiers import vocabulary as tier_words
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.vocabulary import CustomerKind, label
from portal.extensions import db
from portal.i18n import _
from portal.pluginmanager import customer_figure


def kind_word(kind: str) -> str:
    """The word for a kind of customer; "" is every kind."""
    return str(label(CustomerKind, kind)) if kind else _("all kinds")


@blueprint.get("/policies")
@access(USE)
def policies() -> str:
    """Policies and value propositions."""
    return render_template(
        "key_accounts/policies/index.html",
        policies=queries.all_policies(),
        propositions=queries.all_propositions(),
        tier_words=tier_words,
        kind_word=kind_word,
        segment_words=SEGMENT_WORDS,
        text_words=TEXT_WORDS,
        proposition_texts=services.PROPOSITION_TEXTS,
        policy_texts=services.POLICY_TEXTS,
        today=clock.today(),
        may_lead=can(current_actor(), LEAD),
    )


@blueprint.route("/policies/new", methods=["GET", "POST"])
@access(LEAD)
def new_policy() -> str | Response | tuple[str, int]:
    """Add a policy."""
    return _edit_policy(None)


@blueprint.route("/policies/<int:policy_id>", methods=["GET", "POST"])
@access(LEAD)
def edit_policy(policy_id: int) -> str | Response | tuple[str, int]:
    """Change a policy."""
    return _edit_policy(policy_id)


def _edit_policy(policy_id: int | None) -> str | Response | tuple[str, int]:
    row = db.session.get(Policy, policy_id) if policy_id is not None else None
    if policy_id is not None and row is None:
        raise NotFound()
    form = PolicyForm(obj=row)
    if request.method == "GET" and row is None:
        form.valid_from.data = clock.today()
    if form.validate_on_submit():
        try:
            with transaction():
                services.save_policy(policy_id, form.to_input(), current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error.message), "warning")
        else:
            flash(_("The policy was saved."), "success")
            return redirect(url_for("key_accounts.policies"))
    page = render_template("key_accounts/policies/policy.html", form=form, row=row, texts=services.POLICY_TEXTS)
    return page, 400 if request.method == "POST" else 200


@blueprint.route("/propositions/new", methods=["GET", "POST"])
@access(LEAD)
def new_proposition() -> str | Response | tuple[str, int]:
    """Add a value proposition."""
    return _edit_proposition(None)


@blueprint.route("/propositions/<int:proposition_id>", methods=["GET", "POST"])
@access(LEAD)
def edit_proposition(proposition_id: int) -> str | Response | tuple[str, int]:
    """Change a value proposition."""
    return _edit_proposition(proposition_id)


def _edit_proposition(proposition_id: int | None) -> str | Response | tuple[str, int]:
    row = db.session.get(ValueProposition, proposition_id) if proposition_id is not None else None
    if proposition_id is not None and row is None:
        raise NotFound()
    form = PropositionForm(obj=row)
    if request.method == "GET" and row is None:
        form.valid_from.data = clock.today()
    if form.validate_on_submit():
        try:
            with transaction():
                services.save_proposition(proposition_id, form.to_input(), current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error.message), "warning")
        else:
            flash(_("The value proposition was saved."), "success")
            return redirect(url_for("key_accounts.policies") + "#propositions")
    page = render_template(
        "key_accounts/policies/proposition.html", form=form, row=row, texts=services.PROPOSITION_TEXTS
    )
    return page, 400 if request.method == "POST" else 200


def policy_context(customer: Any, tier: str, last_visit: date | None) -> dict[str, Any]:
    """What a customer's pages show of policies; one statement."""
    today = clock.today()
    found = queries.applying(queries.in_force(today), tier, customer.kind)
    last = clock.local(customer.last_contact_at).date() if customer.last_contact_at else None
    return {"policies": found, "due": queries.due_of(found, last_visit, last, today), "last_visit": last_visit}


@blueprint.route("/customers/<int:customer_id>/policy", methods=["GET", "POST"])
@access(USE)
def customer_policy(customer_id: int) -> str | Response | tuple[str, int]:
    """Policy, promise and buying emphasis of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    emphases = queries.emphases_of(customer.id)
    segment = services.segment_of(customer.id)
    start: dict[str, Any] = {"segment": segment}
    for item in emphases:
        start |= {
            f"position_{item.factor}": item.position,
            f"met_{item.factor}": item.is_met,
            f"note_{item.factor}": item.note,
        }
    form = BuyingForm(data=start if request.method == "GET" else None)
    if form.validate_on_submit():
        try:
            with transaction():
                services.set_buying(customer_id, form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("key_accounts.customer_policy", customer_id=customer_id))
    customer = load_customer(customer_id, actor)
    page = render_template(
        "key_accounts/policies/customer.html",
        customer=customer,
        form=form,
        emphases=emphases,
        factors=EMPHASES,
        emphasis_words=EMPHASIS_WORDS,
        segment=segment,
        segment_words=SEGMENT_WORDS,
        proposition=queries.proposition_for(segment, clock.today()),
        text_words=TEXT_WORDS,
        policy_texts=services.POLICY_TEXTS,
        proposition_texts=services.PROPOSITION_TEXTS,
        tier_words=tier_words,
        kind_word=kind_word,
        may_edit=can(actor, "customers.edit", customer_id),
        today=clock.today(),
        **policy_context(
            customer,
            customer_figure("key_accounts.tier", customer_id, actor) or "",
            queries.last_visit_of(customer_id),
        ),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/due")
@access(USE)
def due() -> str:
    """What is due by the service standard."""
    rows = queries.due_list(current_actor())
    return render_template(
        "key_accounts/policies/due.html", rows=rows, tier_words=tier_words, today=clock.today(), most=queries.MOST
    )
