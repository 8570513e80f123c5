"""What the applicant does with a request that is on its way, and the administrator with one that is held up."""

from __future__ import annotations

import secrets

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.approvals import queries, services
from portal.approvals.forms import ReasonForm, ReassignForm, ResubmitForm
from portal.approvals.kinds import kinds
from portal.approvals.models import OPEN, WAITING
from portal.approvals.permissions import REASSIGN
from portal.approvals.views.base import attempt, blueprint, page_of, too_late
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid
from portal.core.forms import options
from portal.core.web import access, refuse_large_id, signed_in
from portal.i18n import _


@blueprint.route("/<int:request_id>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(request_id: int) -> ResponseReturnValue:
    """Take the request back; GET asks."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    form = ReasonForm()
    if request.method == "POST" and form.validate_on_submit():
        try:
            attempt(request_id, "withdraw", lambda: services.withdraw(request_id, actor, reason=form.reason.data or ""))
        except Conflict as error:
            return too_late(request_id, error, actor)
        flash(_("The request was withdrawn."), "success")
        return redirect(url_for(".show", request_id=request_id))
    return render_template("approvals/withdraw.html", **page_of(found, actor, True), form=form)


@blueprint.post("/<int:request_id>/remind")
@signed_in
def remind(request_id: int) -> ResponseReturnValue:
    """Remind whoever is next."""
    actor = current_actor()
    queries.get_request(refuse_large_id(request_id), actor)
    try:
        attempt(request_id, "remind", lambda: services.remind(request_id, actor))
    except Invalid as error:
        flash(str(error), "warning")
    except Conflict as error:
        return too_late(request_id, error, actor)
    else:
        flash(_("They were reminded."), "success")
    return redirect(url_for(".show", request_id=request_id))


@blueprint.route("/<int:request_id>/resubmit", methods=["GET", "POST"])
@signed_in
def resubmit(request_id: int) -> ResponseReturnValue:
    """File a closed request again, as the next round; GET asks."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    kind = kinds().get(found.kind)
    if kind is not None and kind.edit_url is not None:
        # What has a page of its own is filed from there, as it is now.
        return redirect(kind.edit_url(found) or url_for(".show", request_id=request_id))
    form = ResubmitForm()
    if request.method == "POST" and form.validate_on_submit():
        token = form.token.data or ""
        try:
            new_id = attempt(request_id, "resubmit", lambda: services.resubmit(request_id, actor, token=token).id)
        except Conflict as error:
            return too_late(request_id, error, actor)
        flash(_("Filed again."), "success")
        return redirect(url_for(".show", request_id=new_id))
    page = page_of(found, actor, True)
    if not page["can_resubmit"]:
        return redirect(url_for(".show", request_id=request_id))
    form.token.data = secrets.token_hex(16)
    return render_template("approvals/resubmit.html", **page, form=form)


@blueprint.post("/<int:request_id>/file")
@signed_in
def file_draft(request_id: int) -> ResponseReturnValue:
    """File a draft as it is."""
    actor = current_actor()
    queries.get_request(refuse_large_id(request_id), actor)
    try:
        attempt(request_id, "file", lambda: services.submit_draft(request_id, actor))
    except Conflict as error:
        return too_late(request_id, error, actor)
    except Invalid as error:
        flash(str(error), "danger")
    else:
        flash(_("The request was filed."), "success")
    return redirect(url_for(".show", request_id=request_id))


@blueprint.route("/<int:request_id>/reassign", methods=["GET", "POST"])
@access(REASSIGN)
def reassign(request_id: int) -> ResponseReturnValue:
    """Give a seat to somebody else."""
    actor = current_actor()
    found, readable = queries.get_status(refuse_large_id(request_id), actor)
    form = ReassignForm()
    live = [seat for seat in queries.seats_of(found.id) if seat.state in (OPEN, WAITING)]
    form.from_user.choices = options((str(seat.user_id), seat.name) for seat in live)
    if not live or found.held_since is not None:
        form.from_user.choices.insert(0, SelectChoice(value="", label=_("nobody (the request is held)")))
    if request.method == "POST" and form.validate_on_submit():
        seat_of = int(form.from_user.data) if form.from_user.data else None
        try:
            attempt(
                request_id,
                "reassign",
                lambda: services.reassign(
                    request_id,
                    actor,
                    to_user_id=form.user.data or 0,
                    reason=form.reason.data or "",
                    from_user_id=seat_of,
                ),
            )
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            return too_late(request_id, error, actor)
        else:
            flash(_("The request was assigned."), "success")
            return redirect(url_for(".held"))
    found, readable = queries.get_status(request_id, actor)
    return render_template("approvals/reassign.html", **page_of(found, actor, readable), form=form)
