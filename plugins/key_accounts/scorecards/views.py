"""Pages of scorecards and of the register of violations."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.scorecards import charts, criteria, queries, services
from plugins.key_accounts.scorecards.forms import VIOLATION_WORDS, MeasureForm, ViolationForm, scorecard_form, to_input
from plugins.key_accounts.scorecards.models import RISK
from plugins.key_accounts.scorecards.settings import limits
from plugins.key_accounts.tiers.queries import measure_of
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _


@blueprint.get("/customers/<int:customer_id>/scorecards")
@access(USE)
def scorecards(customer_id: int) -> str:
    """The scorecards of a customer side by side, and his register of violations."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    found = queries.latest(customer.id)
    return render_template(
        "key_accounts/scorecards/index.html",
        customer=customer,
        cards=[(card, found.get(card)) for card in criteria.TITLES],
        pictures={card: charts.radar(row) for card, row in found.items()},
        violations=queries.violations_of(customer.id),
        violation_words=VIOLATION_WORDS,
        criteria=criteria,
        labels={(card, item.key): item.label for card, items in criteria.CRITERIA.items() for item in items},
        limits=limits(),
        may_edit=can(actor, "customers.edit", customer),
        violation_form=ViolationForm(formdata=None),
    )


@blueprint.route(
    "/customers/<int:customer_id>/scorecards/<any(qualification, selection, risk):card>", methods=["GET", "POST"]
)
@access(USE)
def scorecard(customer_id: int, card: str) -> str | Response | tuple[str, int]:
    """Fill a scorecard; saving makes a new version."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    versions = queries.versions(customer.id, card)
    figures = criteria.figures_of(card, measure_of(customer.id))
    start: dict[str, object] = {}
    if request.method == "GET" and versions:
        # What was judged last time is the beginning of the next version.
        for answer in versions[0].answers:
            if answer.source == "judgement":
                start[f"grade_{answer.criterion}"] = str(answer.grade)
                start[f"note_{answer.criterion}"] = answer.note
        start["remarks"] = versions[0].remarks
    form = scorecard_form(card, figures, data=start or None)
    if form.validate_on_submit():
        try:
            with transaction():
                services.save_scorecard(customer_id, to_input(card, form), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("A new version of the scorecard was saved."), "success")
            return redirect(url_for("key_accounts.scorecards", customer_id=customer_id))
    page = render_template(
        "key_accounts/scorecards/edit.html",
        customer=load_customer(customer_id, actor),
        card=card,
        form=form,
        figures=figures,
        criteria=criteria,
        groups=list(dict.fromkeys(item.group for item in criteria.CRITERIA[card])),
        versions=versions,
        limits=limits(),
        is_risk=card == RISK,
        may_edit=can(actor, "customers.edit", customer_id),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/customers/<int:customer_id>/violations")
@access(USE)
def record_violation(customer_id: int) -> Response:
    """Enter a breach of market order."""
    actor = current_actor()
    load_customer(customer_id, actor)
    form = ViolationForm()
    if form.validate():
        try:
            with transaction():
                services.record_violation(customer_id, form.to_input(), actor)
        except Invalid as error:
            flash(str(error), "danger")
        else:
            flash(_("The breach was entered into the register."), "success")
    else:
        flash(_("Enter the day and what happened."), "danger")
    return redirect(url_for("key_accounts.scorecards", customer_id=customer_id) + "#violations")


@blueprint.post("/violations/<int:violation_id>/settle")
@access(USE)
def settle_violation(violation_id: int) -> Response:
    """Note what was done about a breach."""
    actor = current_actor()
    customer_id = queries.violation(violation_id, actor).customer_id
    form = MeasureForm()
    if form.validate():
        try:
            with transaction():
                services.settle_violation(queries.violation(violation_id, actor), form.measure.data, actor)
        except (Invalid, Conflict) as error:
            flash(str(error), "danger")
        else:
            flash(_("The breach is settled."), "success")
    else:
        flash(_("Say what was done."), "danger")
    return redirect(url_for("key_accounts.scorecards", customer_id=customer_id) + "#violations")
