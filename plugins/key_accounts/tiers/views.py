"""Pages of tiers."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import post
from plugins.key_accounts.measures.jobs import RECOMPUTE
from plugins.key_accounts.measures.services import record_recomputation
from plugins.key_accounts.measures.settings import thresholds
from plugins.key_accounts.permissions import DECIDE_TIER, LEAD, USE
from plugins.key_accounts.tiers import approvals, queries, services
from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.forms import AskForm, RolesForm, TierForm
from plugins.key_accounts.tiers.listings import TIER_LIST, reasons_of
from plugins.key_accounts.tiers.models import TIERS
from portal.auth.current import current_actor
from portal.core.errors import Invalid
from portal.core.forms import new_token
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _, _n
from portal.jobs.services import enqueue

#: Rows that the decision page shows; further ones are counted.
SHOWN = 100


@blueprint.get("/tiers")
@access(USE)
def tiers() -> str:
    """Tiers and proposals of the customers one may see."""
    actor = current_actor()
    return render_template(
        "key_accounts/tiers/index.html",
        page=TIER_LIST.page(actor, request.args),
        state=queries.state(),
        limits=thresholds(),
        may_lead=can(actor, LEAD),
    )


@blueprint.post("/tiers/accept")
@access(DECIDE_TIER)
def accept_tiers() -> str | Response | tuple[str, int]:
    """Accept the proposals for the selected customers, after a look at them."""
    return _decide("proposed")


@blueprint.post("/tiers/decide")
@access(DECIDE_TIER)
def decide_tiers() -> str | Response | tuple[str, int]:
    """Decide otherwise on the selected customers, with a reason."""
    return _decide("")


def _decide(default: str) -> str | Response | tuple[str, int]:
    actor = current_actor()
    shown = _seen(request.form.get("seen", ""))
    chosen = MultiDict([("ids", str(key)) for key in shown]) if shown else request.form
    ids = TIER_LIST.selected_ids(actor, chosen)
    if not ids:
        flash(_("Select at least one row."), "info")
        return redirect(url_for("key_accounts.tiers"))
    sent = "tier" in request.form
    form = TierForm() if sent else TierForm(formdata=None, tier=default)
    status = 200
    if sent and form.validate():
        try:
            with transaction():
                outcome = services.decide(form.to_input(ids, shown), actor)
        except Invalid as error:
            form.show(error)
        else:
            _say(outcome)
            return redirect(url_for("key_accounts.tiers", scene="decide"))
    if sent:
        status = 400
    rows = queries.proposals_of(ids, actor)
    state = queries.state()
    limits = thresholds()
    page = render_template(
        "key_accounts/tiers/decide.html",
        form=form,
        rows=rows[:SHOWN],
        more=max(0, len(rows) - SHOWN),
        count=len(rows),
        seen=_packed({row.id: row.tier for row in rows}),
        reasons={row.id: reasons_of(row, state.buyers if state else 0, limits) for row in rows[:SHOWN]},
        words=words,
    )
    return page, status


def _packed(tiers_shown: dict[int, str]) -> str:
    """What tier each customer has, in one field however many they are: "key:1,2;important:3;:4"."""
    groups: dict[str, list[str]] = {}
    for customer_id, tier in tiers_shown.items():
        groups.setdefault(tier, []).append(str(customer_id))
    return ";".join(f"{tier}:{','.join(ids)}" for tier, ids in groups.items())


def _seen(packed: str) -> dict[int, str]:
    """What tier each customer had when the page was shown; see `_packed`. What cannot be read is left out."""
    found: dict[int, str] = {}
    for group in packed.split(";"):
        tier, _colon, ids = group.partition(":")
        if tier in ("", *TIERS):
            found |= {number: tier for key in ids.split(",") if (number := id_from(key)) is not None}
    return found


def _say(outcome: services.Outcome) -> None:
    if outcome.decided:
        flash(_n("%(num)s tier was decided.", "%(num)s tiers were decided.", outcome.decided), "success")
    if outcome.unchanged:
        flash(_n("%(num)s customer stayed as he was.", "%(num)s customers stayed as they were.", outcome.unchanged))
    if outcome.changed:
        flash(
            _(
                "Changed by somebody else meanwhile, left alone: %(names)s",
                names=_(", ").join(outcome.changed[:10]),
            ),
            "warning",
        )
    if outcome.foreign:
        flash(_n("%(num)s was not yours to decide.", "%(num)s were not yours to decide.", outcome.foreign), "warning")


@blueprint.post("/customers/<int:customer_id>/tier")
@access(DECIDE_TIER)
def decide_tier(customer_id: int) -> Response:
    """Decide on one customer, from his page."""
    actor = current_actor()
    load_customer(customer_id, actor)
    form = TierForm()
    if form.validate():
        try:
            with transaction():
                outcome = services.decide(form.to_input([customer_id], _seen(request.form.get("seen", ""))), actor)
        except Invalid as error:
            flash(str(error), "danger")
        else:
            _say(outcome)
    else:
        flash(_("Choose a tier."), "danger")
    return redirect(url_for("key_accounts.account", customer_id=customer_id))


@blueprint.post("/customers/<int:customer_id>/tier/ask")
@access(USE)
def ask_tier(customer_id: int) -> Response:
    """Ask the head for another tier, from the customer's page."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    require(actor, "customers.edit", customer)
    back = url_for("key_accounts.account", customer_id=customer_id)
    form = AskForm()
    if not form.validate():
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors), "danger")
        return redirect(back)
    token = form.token.data or new_token()
    return post(
        lambda: approvals.ask_for_tier(customer_id, form.tier.data, form.reason.data or "", token, actor),
        _("The request was filed. The department head has been told."),
        back,
    )


@blueprint.route("/customers/<int:customer_id>/roles", methods=["GET", "POST"])
@access(USE)
def edit_roles(customer_id: int) -> str | Response | tuple[str, int]:
    """Strategic roles and ease of development."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    row = queries.tier_row(customer.id)
    form = RolesForm(
        data=None
        if request.method == "POST"
        else {
            "roles": list(row.roles) if row else [],
            "ease": row.ease if row else None,
            "note": row.ease_note if row else "",
        }
    )
    if form.validate_on_submit():
        try:
            with transaction():
                services.set_roles(customer_id, form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The roles were saved."), "success")
            return redirect(url_for("key_accounts.account", customer_id=customer_id))
    page = render_template("key_accounts/tiers/roles.html", form=form, customer=load_customer(customer_id, actor))
    return page, 400 if request.method == "POST" else 200


@blueprint.get("/priorities")
@access(USE)
def priorities() -> str:
    """Priority by size and ease of development."""
    cells = queries.priority_matrix(current_actor())
    return render_template(
        "key_accounts/tiers/priorities.html",
        cells=cells,
        eases=queries.EASES,
        words=words,
        empty=not any(ease != "none" for _tier, ease in cells),
    )


@blueprint.post("/tiers/recompute")
@access(LEAD)
def recompute() -> Response:
    """Have all measures computed anew."""
    actor = current_actor()
    with transaction():
        record_recomputation(actor)
        enqueue(RECOMPUTE, actor, unique_key="key_accounts.recompute")
    flash(_("The measures are being computed anew; that takes less than a minute."), "success")
    return redirect(url_for("key_accounts.tiers"))
