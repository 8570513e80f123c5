"""Pages of requests to change a dossier: filing, the maintainers' queue, one request."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.archive.blueprint import blueprint
from plugins.archive.dossiers import changes, queries
from plugins.archive.dossiers import vocabulary as words
from plugins.archive.dossiers.fields import ORGANISATION_ONLY, PERSON_ONLY, rows_of, shown, values_of
from plugins.archive.dossiers.forms import ChangeForm, ReasonForm, SupplementForm
from plugins.archive.dossiers.models import CHANGE, NEW_CUSTOMER, OPEN, ArchiveChange
from plugins.archive.permissions import EXISTS, FILE_CHANGE, FILE_NEW, MAINTAIN
from plugins.archive.permissions import SUPPLEMENT as MAY_SUPPLEMENT
from portal.approvals import deciding
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, PENDING, REJECT, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound, PortalError
from portal.core.forms import new_token
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _


@blueprint.route("/dossiers/<int:customer_id>/changes/new", methods=["GET", "POST"])
@access(EXISTS)
def ask_change(customer_id: int) -> str | Response | tuple[str, int]:
    """Ask for a change of the basic information."""
    customer = queries.customer_for(customer_id)
    require(current_actor(), FILE_CHANGE, customer)
    return _change_page(customer)


@blueprint.route("/changes/new-customer", methods=["GET", "POST"])
@access(FILE_NEW)
def ask_new_customer() -> str | Response | tuple[str, int]:
    """Ask for a new customer to be entered."""
    return _change_page(None)


def _change_page(customer: Customer | None) -> str | Response | tuple[str, int]:
    actor = current_actor()
    customer_id = customer.id if customer else None
    form = ChangeForm()
    present = values_of(customer) if customer is not None else {}
    if customer is not None:
        for field in ORGANISATION_ONLY if customer.is_person else PERSON_ONLY:
            del form[field]
    if request.method == "GET":
        form.token.data = new_token()
        if customer is not None:
            form.fill(present)
    status = 200
    if form.validate_on_submit():
        try:
            with transaction():
                filed = changes.file_change(form.to_input(customer_id, present.get("phone", "")), actor).id
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            form.form_errors.append(str(error.message))
        else:
            flash(_("The request was filed: your supervisor checks it, an archive maintainer posts it."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    if request.method == "POST":
        status = 400
    page = render_template(
        "archive/dossiers/change.html",
        form=form,
        customer=queries.customer_for(customer_id) if customer_id else None,
    )
    return page, status


@blueprint.route("/dossiers/<int:customer_id>/supplements/new", methods=["GET", "POST"])
@access(EXISTS)
def ask_supplement(customer_id: int) -> str | Response | tuple[str, int]:
    """Condense dynamic information into a supplement."""
    actor = current_actor()
    customer = queries.customer_for(customer_id)
    require(actor, MAY_SUPPLEMENT, customer)
    form = SupplementForm()
    if request.method == "GET":
        form.token.data, form.dated_on.data = new_token(), clock.today()
        form.phase.data = words.PHASE_OF_STAGE.get(customer.stage, words.DAILY_CARE)
    status = 200
    if form.validate_on_submit():
        try:
            with transaction():
                filed = changes.file_supplement(form.to_input(customer_id), actor).id
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The supplement was filed. An archive maintainer posts it."), "success")
            return redirect(url_for("approvals.show", request_id=filed))
    if request.method == "POST":
        status = 400
    page = render_template(
        "archive/dossiers/supplement.html",
        form=form,
        customer=queries.customer_for(customer_id),
        interactions=_collected(customer_id),
    )
    return page, status


def _collected(customer_id: int) -> list[Any]:
    """The latest interactions: what the account managers collected and the supervisor condenses."""
    return queries.recent_interactions(customer_id)


# ---- the maintainers' queue ----------------------------------------------------------------------------------------


@blueprint.get("/changes/")
@access(MAINTAIN)
def change_queue() -> str:
    """Requests under way, oldest first, with before and after side by side."""
    actor = current_actor()
    rows = [_card(change) for change in changes.waiting()]
    reject = ReasonForm(formdata=None)
    return render_template(
        "archive/dossiers/queue.html",
        mine=[row for row in rows if row["is_last_step"]],
        others=[row for row in rows if not row["is_last_step"]],
        words=words,
        actor=actor,
        reject=reject,
        clock=clock,
    )


def _card(change: ArchiveChange) -> dict[str, Any]:
    """One request as the queue shows it; the digest says what was shown."""
    asked = db.session.get_one(ApprovalRequest, change.request_id)
    step = asked.open_step
    is_last = step is not None and step.key == "post"
    if change.kind == CHANGE:
        rows = rows_of(changes.present_before(change), change.after)
    elif change.kind == NEW_CUSTOMER:
        rows = [(_("Customer is"), "", shown("party", change.after.get("party", ""))), *rows_of({}, change.after)]
    else:
        rows = []
    return {
        "change": change,
        "request": asked,
        "rows": rows,
        "is_last_step": is_last,
        "step": step,
        "digest": digest_of(asked) if is_last else "",
        "moved_on": change.kind == CHANGE and changes.present_before(change) != change.before,
    }


@blueprint.post("/changes/<int:change_id>/<any(post, refuse):verdict>")
@access(MAINTAIN)
def decide_change(change_id: int, verdict: str) -> Response:
    """Post a request with one click, or refuse it with a reason."""
    actor = current_actor()
    change = changes.load_change(change_id)
    asked_id, kind = change.request_id, change.kind
    if change.state != OPEN or asked_id is None:
        flash(_("This request was decided already."), "warning")
        return redirect(url_for("archive.change_queue"))
    asked = db.session.get(ApprovalRequest, asked_id)
    if asked is None or asked.state != PENDING:
        raise NotFound()
    vote = APPROVE if verdict == "post" else REJECT
    seen, opinion = request.form.get("digest", ""), request.form.get("reason", "")
    try:
        deciding.attempt(
            asked_id,
            actor,
            "approve" if verdict == "post" else "reject",
            lambda: approvals.decide(asked_id, actor, vote=vote, seen_digest=seen, opinion=opinion),
        )
    except (Conflict, NotAllowed, Invalid) as error:
        flash(_said(error), "danger")
    else:
        done = _("The change was posted.") if kind != NEW_CUSTOMER else _("The customer was entered.")
        flash(done if verdict == "post" else _("The request was refused."), "success")
    return redirect(url_for("archive.change_queue"))


def _said(error: PortalError) -> str:
    if isinstance(error, Invalid):
        return " ".join(str(message) for _field, message in error.errors)
    return str(error.message) or _("You may not decide this.")


@blueprint.get("/changes/<int:change_id>")
@access(EXISTS)
def change(change_id: int) -> str:
    """One request with what was and what became of it."""
    actor = current_actor()
    found = changes.load_change(change_id)
    seen = can(actor, MAINTAIN) or found.created_by_id == actor.user_id
    if not seen and (found.customer_id is None or not can(actor, "customers.view", found.customer_id)):
        raise NotFound()
    before = found.replaced or changes.present_before(found)
    return render_template(
        "archive/dossiers/change_show.html",
        change=found,
        rows=rows_of(before, found.after) if found.kind != "supplement" else [],
        words=words,
        clock=clock,
    )
