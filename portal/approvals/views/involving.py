"""Others take part: transfer, a further signer, an opinion, a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.approvals import queries, services
from portal.approvals.forms import AnswerForm, ColleagueForm, CopyForm
from portal.approvals.views.base import attempt, authorities_on, blueprint, next_url, page_of, too_late
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.web import refuse_large_id, signed_in
from portal.i18n import _
from portal.org import queries as org
from portal.org.actor import Actor


@blueprint.route("/<int:request_id>/<any(transfer, sign, ask):action>", methods=["GET", "POST"])
@signed_in
def involve(request_id: int, action: str) -> ResponseReturnValue:
    """Hand on, add a signer, ask for an opinion: choose whom and say why."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    form = ColleagueForm()
    if request.method == "POST" and form.validate_on_submit():
        user_id, reason = form.user.data or 0, form.reason.data or ""
        calls: dict[str, Callable[[], Any]] = {
            "transfer": lambda: services.transfer(
                request_id, actor, to_user_id=user_id, reason=reason, on_behalf_of=form.on_behalf_of()
            ),
            "sign": lambda: services.add_signer(
                request_id, actor, user_id=user_id, reason=reason, on_behalf_of=form.on_behalf_of()
            ),
            "ask": lambda: services.ask_opinion(
                request_id, actor, user_id=user_id, question=reason, on_behalf_of=form.on_behalf_of()
            ),
        }
        try:
            attempt(request_id, action, calls[action])
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            return too_late(request_id, error, actor)
        else:
            name = org.names_of([user_id]).get(user_id, "")
            done = {
                "transfer": _("Handed on to %(name)s.", name=name),
                "sign": _("%(name)s signs too.", name=name),
                "ask": _("%(name)s was asked for an opinion.", name=name),
            }
            flash(done[action], "success")
            target = next_url(request_id, actor) if action == "transfer" else url_for(".show", request_id=request_id)
            return redirect(target)
    if request.method == "GET" and not authorities_on(found, actor):
        raise NotAllowed(_("You have no authority to decide this request now."))
    found = queries.get_request(request_id, actor)
    page = page_of(found, actor, True)
    if request.method == "GET" and page["authorities"] and page["authorities"][0].for_id is not None:
        form.seat_of.data = str(page["authorities"][0].for_id)
    return render_template("approvals/involve.html", **page, action=action, form=form)


@blueprint.route("/<int:request_id>/copy", methods=["GET", "POST"])
@signed_in
def copy(request_id: int) -> ResponseReturnValue:
    """Keep somebody informed."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    form = CopyForm()
    if request.method == "POST" and form.validate_on_submit():
        user_id = form.user.data or 0
        added = attempt(request_id, "copy", lambda: services.copy_to(request_id, actor, user_ids=[user_id]))
        name = org.names_of([user_id]).get(user_id, "")
        if added:
            flash(_("%(name)s is kept informed.", name=name), "success")
        else:
            flash(_("%(name)s is informed already.", name=name), "info")
        return redirect(url_for(".show", request_id=request_id))
    found = queries.get_request(request_id, actor)
    return render_template("approvals/involve.html", **page_of(found, actor, True), action="copy", form=form)


@blueprint.get("/<int:request_id>/colleagues")
@signed_in
def colleagues(request_id: int) -> Response:
    """JSON for the picker: people who are no party to the request."""
    actor = current_actor()
    found, _readable = queries.get_status(refuse_large_id(request_id), actor)
    parties = {i for i in (found.applicant_id, found.typed_by_id, actor.user_id) if i is not None}
    choices = org.user_choices(request.args.get("q", "")[:100], exclude=parties)
    return jsonify([{"value": choice.value, "label": choice.label, "hint": choice.hint} for choice in choices])


@blueprint.post("/<int:request_id>/opinion")
@signed_in
def answer(request_id: int) -> ResponseReturnValue:
    """Give the opinion that one was asked for."""
    actor = current_actor()
    queries.get_request(refuse_large_id(request_id), actor)
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            attempt(request_id, "give an opinion", lambda: _answer(request_id, actor, form))
        except Conflict as error:
            return too_late(request_id, error, actor)
        flash(_("Thank you: your opinion was passed on."), "success")
    else:
        flash(_("Write your opinion."), "warning")
    return redirect(url_for(".show", request_id=request_id))


def _answer(request_id: int, actor: Actor, form: AnswerForm) -> Any:
    return services.give_opinion(request_id, actor, answer=form.answer.data or "")
