"""Pages of VIP customers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from plugins.vip import certificate, ledger, queries, services
from plugins.vip import vocabulary as words
from plugins.vip.conditions import EXCEPTION, RANK
from plugins.vip.forms import ApplicationForm, BenefitForm, CorrectionForm, ReasonForm, RedeemForm
from plugins.vip.listings import CANDIDATES, MEMBERS
from plugins.vip.models import LEVELS, VipBenefit, VipMembership
from plugins.vip.permissions import MANAGE, USE
from plugins.vip.settings import policy
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.coded import N_
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.forms import Form, new_token, options
from portal.core.money import format_yuan
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.models import Customer
from portal.customers.vocabulary import Rank, label
from portal.extensions import db
from portal.i18n import _, _n

blueprint = Blueprint("vip", __name__, url_prefix="/vip", template_folder="templates")

#: The most candidates proposed in one go.
PROPOSE_LIMIT = 200


@blueprint.get("/")
@access(USE)
def index() -> str:
    """The VIP list."""
    return render_template("vip/index.html", page=MEMBERS.page(current_actor(), request.args))


@blueprint.get("/candidates")
@access(USE)
def candidates() -> str:
    """Customers who meet the conditions and have not applied."""
    return render_template("vip/candidates.html", page=CANDIDATES.page(current_actor(), request.args))


@blueprint.route("/apply/<int:customer_id>", methods=["GET", "POST"])
@access(USE)
def apply(customer_id: int) -> str | Response | tuple[str, int]:
    """File an application; the portal finds the evidence."""
    actor = current_actor()
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    found = queries.assess(customer.id, policy())
    form = ApplicationForm()
    _fill_choices(form, found)
    if request.method == "GET":
        form.token.data = new_token()
        form.condition.data = found.met[0].condition if found.met else RANK if found.people else EXCEPTION
    status = 200
    if form.validate_on_submit():
        try:
            with transaction():
                filed = services.apply(form.to_input(customer.id), actor).id
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            flash(str(error.message), "warning")
        else:
            flash(_("The application was filed. The department head has been told."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    if request.method == "POST":
        status = 400
    customer = db.session.get(Customer, customer_id)
    page = render_template(
        "vip/apply.html", form=form, customer=customer, found=found, words=words, exception=EXCEPTION, policy=policy()
    )
    return page, status


def _fill_choices(form: ApplicationForm, found: queries.Assessment) -> None:
    choices: list[tuple[str, Any]] = [
        (
            met.condition,
            _(
                "%(condition)s: %(amount)s",
                condition=words.word(words.CONDITIONS, met.condition),
                amount=format_yuan(met.amount, symbol=True) if met.amount is not None else "",
            ),
        )
        for met in found.met
    ]
    if found.people:
        choices.append((RANK, words.word(words.CONDITIONS, RANK)))
    choices.append((EXCEPTION, words.word(words.CONDITIONS, EXCEPTION)))
    form.condition.choices = options(choices)
    people = [(str(person.contact_id), f"{person.name} · {label(Rank, person.rank)}") for person in found.people]
    form.contact_id.choices = options([("", _("The customer itself")), *people])


@blueprint.get("/<int:membership_id>")
@access(USE)
def show(membership_id: int) -> str:
    """A membership: facts, benefits, points, history."""
    return _show(queries.load_membership(membership_id, current_actor()))


def _show(membership: VipMembership, **forms: Any) -> str:
    actor = current_actor()
    benefits = _benefits(membership.level)
    redeem = forms.get("redeem") or RedeemForm(formdata=None, token=new_token())
    redeem.benefit_id.choices = options(
        (benefit.id, _("%(name)s (%(cost)s points)", name=benefit.name, cost=benefit.cost))
        for benefit in benefits
        if benefit.cost
    )
    correction = forms.get("correction") or CorrectionForm(formdata=None, token=new_token())
    # One form for each step; the one that was sent keeps what was typed and its errors.
    reasons = {step: ReasonForm(formdata=None) for step in CHANGES} | forms.get("reasons", {})
    for name, form in (("redeem", redeem), ("correction", correction), *reasons.items()):
        _give_own_ids(form, name)
    return render_template(
        "vip/show.html",
        membership=membership,
        customer=membership.customer,
        benefits=benefits,
        history=queries.history_of(membership.id),
        ledger=queries.ledger_of(membership.id),
        words=words,
        is_valid=membership.is_valid_on(clock.today()),
        may_edit=can(actor, "customers.edit", membership.customer_id),
        may_manage=can(actor, MANAGE) and can(actor, "customers.edit", membership.customer_id),
        redeem=redeem,
        correction=correction,
        reasons=reasons,
    )


def _give_own_ids(form: Form, name: str) -> None:
    """Several forms with fields of one name share the page: labels must find their own field."""
    for field in form:
        field.id = field.label.field_id = f"{name}-{field.name}"


def _benefits(level: str) -> list[VipBenefit]:
    levels = LEVELS[: LEVELS.index(level) + 1]
    statement = select(VipBenefit).where(VipBenefit.is_active, VipBenefit.level.in_(levels))
    return list(db.session.scalars(statement.order_by(VipBenefit.cost, VipBenefit.name)))


@blueprint.post("/<int:membership_id>/certificate")
@access(USE)
def make_certificate(membership_id: int) -> Response:
    """Make the certificate and hand it out."""
    actor = current_actor()
    membership = queries.load_membership(membership_id, actor)
    if not membership.is_valid_on(clock.today()):
        flash(_("Only a valid membership has a certificate."), "warning")
        return redirect(url_for("vip.show", membership_id=membership_id))
    included = [benefit.name for benefit in _benefits(membership.level) if not benefit.cost]
    document = certificate.make_certificate(membership, included, actor)
    return redirect(url_for("documents.download", document_id=document.id))


CHANGES = {
    "suspend": (services.suspend, N_("The membership was suspended.")),
    "withdraw": (services.withdraw, N_("The membership was revoked.")),
    "reinstate": (services.reinstate, N_("The membership counts again.")),
}


@blueprint.post("/<int:membership_id>/<any(suspend, withdraw, reinstate):step>")
@access(MANAGE)
def change(membership_id: int, step: str) -> str | Response | tuple[str, int]:
    """Suspend, withdraw or reinstate, with a reason."""
    actor = current_actor()
    membership = queries.load_membership(membership_id, actor)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            with transaction():
                CHANGES[step][0](membership, form.reason.data, actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_(CHANGES[step][1]), "success")
            return redirect(url_for("vip.show", membership_id=membership_id))
    return _show(queries.load_membership(membership_id, actor), reasons={step: form}), 400


@blueprint.post("/<int:membership_id>/redeem")
@access(USE)
def redeem(membership_id: int) -> str | Response | tuple[str, int]:
    """Exchange points for a benefit."""
    actor = current_actor()
    membership = queries.load_membership(membership_id, actor)
    form = RedeemForm()
    form.benefit_id.choices = options((benefit.id, benefit.name) for benefit in _benefits(membership.level))
    if form.validate_on_submit():
        try:
            with transaction():
                ledger.redeem(membership, form.benefit_id.data, form.token.data or new_token(), actor)
        except Invalid as error:
            for _field, text in error.errors:
                form.benefit_id.errors = [*form.benefit_id.errors, str(text)]
        else:
            flash(_("The benefit was redeemed."), "success")
            return redirect(url_for("vip.show", membership_id=membership_id))
    return _show(queries.load_membership(membership_id, actor), redeem=form), 400


@blueprint.post("/<int:membership_id>/points")
@access(MANAGE)
def correct(membership_id: int) -> str | Response | tuple[str, int]:
    """Correct points by hand."""
    actor = current_actor()
    membership = queries.load_membership(membership_id, actor)
    form = CorrectionForm()
    if form.validate_on_submit():
        try:
            with transaction():
                ledger.correct(membership, form.points.data, form.reason.data, form.token.data or new_token(), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The points were corrected."), "success")
            return redirect(url_for("vip.show", membership_id=membership_id))
    return _show(queries.load_membership(membership_id, actor), correction=form), 400


@blueprint.post("/candidates/propose")
@access(USE)
def propose() -> Response:
    """Propose the selected candidates, each by itself; what was refused is said."""
    actor = current_actor()
    ids = CANDIDATES.selected_ids(actor, request.form)[:PROPOSE_LIMIT]
    done, refused = 0, []
    for candidate_id in ids:
        try:
            with transaction():
                # Clicked twice, the second finds him proposed; after a refusal he can be proposed anew on the same day.
                services.propose_candidate(candidate_id, new_token(), actor)
            done += 1
        except (Invalid, Conflict, NotAllowed, NotFound) as error:
            refused.append(str(error.message) if not isinstance(error, Invalid) else str(error))
    if done:
        flash(_n("%(num)s candidate was proposed.", "%(num)s candidates were proposed.", done), "success")
    if refused:
        flash(
            _n("%(num)s was refused: %(why)s", "%(num)s were refused: %(why)s", len(refused), why=refused[0]), "warning"
        )
    if not ids:
        flash(_("Select at least one row."), "info")
    return redirect(url_for("vip.candidates"))


@blueprint.post("/candidates/dismiss")
@access(USE)
def dismiss() -> str | Response:
    """Take the selected candidates off the list, with one reason for all."""
    actor = current_actor()
    ids = CANDIDATES.selected_ids(actor, request.form)
    if not ids:
        flash(_("Select at least one row."), "info")
        return redirect(url_for("vip.candidates"))
    form = ReasonForm() if "reason" in request.form else ReasonForm(formdata=None)
    if "reason" in request.form and form.validate():
        done = 0
        for candidate_id in ids:
            try:
                with transaction():
                    services.dismiss_candidate(candidate_id, form.reason.data, actor)
                done += 1
            except (NotAllowed, NotFound):
                continue
        flash(_n("%(num)s candidate was dismissed.", "%(num)s candidates were dismissed.", done), "success")
        return redirect(url_for("vip.candidates"))
    return render_template("vip/dismiss.html", form=form, ids=ids)


@blueprint.post("/candidates/<int:candidate_id>/bring-back")
@access(USE)
def bring_back(candidate_id: int) -> Response:
    """Undo a dismissal."""
    with transaction():
        services.bring_back_candidate(candidate_id, current_actor())
    flash(_("The candidate is on the list again."), "success")
    return redirect(url_for("vip.candidates"))


@blueprint.get("/benefits")
@access(USE)
def benefits() -> str:
    """All benefits."""
    rows = db.session.scalars(
        select(VipBenefit).order_by(VipBenefit.is_active.desc(), VipBenefit.cost, VipBenefit.name)
    )
    return render_template(
        "vip/benefits.html", benefits=list(rows), words=words, may_manage=can(current_actor(), MANAGE)
    )


@blueprint.route("/benefits/new", methods=["GET", "POST"])
@access(MANAGE)
def new_benefit() -> str | Response | tuple[str, int]:
    """Add a benefit."""
    return _edit_benefit(None)


@blueprint.route("/benefits/<int:benefit_id>", methods=["GET", "POST"])
@access(MANAGE)
def edit_benefit(benefit_id: int) -> str | Response | tuple[str, int]:
    """Change a benefit."""
    return _edit_benefit(benefit_id)


def _edit_benefit(benefit_id: int | None) -> str | Response | tuple[str, int]:
    benefit = None if benefit_id is None else db.session.get(VipBenefit, benefit_id)
    if benefit_id is not None and benefit is None:
        raise NotFound()
    form = BenefitForm(obj=benefit)
    if form.validate_on_submit():
        try:
            with transaction():
                ledger.save_benefit(
                    benefit_id,
                    form.name.data,
                    form.description.data or "",
                    form.level.data,
                    form.cost.data,
                    form.is_active.data,
                    current_actor(),
                )
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The benefit was saved."), "success")
            return redirect(url_for("vip.benefits"))
    return render_template("vip/benefit.html", form=form, benefit=benefit), 400 if request.method == "POST" else 200
