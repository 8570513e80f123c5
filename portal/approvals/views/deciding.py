"""Deciding on one request, and on several together."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.approvals import deciding, presenting, queries, services
from portal.approvals.forms import BatchForm, DecisionForm
from portal.approvals.kinds import kinds
from portal.approvals.models import APPROVE, PENDING, VOTES
from portal.approvals.views.base import attempt, authorities_on, blueprint, next_url, page_of, too_late
from portal.auth.current import current_actor
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.numbers import id_from
from portal.core.web import refuse_large_id, signed_in
from portal.i18n import _
from portal.org.actor import Actor


@blueprint.route("/<int:request_id>/decide", methods=["GET", "POST"])
@signed_in
def decide(request_id: int) -> ResponseReturnValue:
    """GET: what, whom, how much, until when, once more, with the opinion to write. POST: the decision."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    vote = request.values.get("vote", "")
    if vote not in VOTES:
        raise NotFound()
    kind = kinds().get(found.kind)
    form = DecisionForm()
    wants_conditions = vote == APPROVE and kind is not None and kind.conditions_form is not None
    conditions_form = kind.conditions_form(found) if wants_conditions and kind and kind.conditions_form else None
    if request.method == "POST" and _are_valid(form, conditions_form):
        conditions = conditions_form.to_conditions() if conditions_form is not None else None
        title = found.title
        try:
            attempt(
                found.id,
                vote,
                lambda: services.decide(
                    request_id,
                    actor,
                    vote=vote,
                    seen_digest=form.digest.data or "",
                    opinion=form.opinion.data or "",
                    conditions=conditions,
                    on_behalf_of=form.on_behalf_of(),
                ),
            )
        except Invalid as error:
            form.show(error)
            if conditions_form is not None:
                conditions_form.show(error)
        except Conflict as error:
            if error.details.get("changed"):
                flash(str(error.message), "warning")
                return _confirmation(request_id, vote, actor, form, conditions_form, fresh=True), 409
            return too_late(request_id, error, actor)
        else:
            word = presenting.VOTED[vote]
            flash(_("%(vote)s: %(title)s", vote=word, title=title), "success")
            return redirect(next_url(request_id, actor))
    elif request.method == "GET" and not authorities_on(found, actor):
        if presenting.shown_state(found) != PENDING or queries.had_seat(found, actor):
            closing = queries.closing_of(found.id)
            return too_late(found.id, Conflict(closing.sentence(), **closing.details()), actor)
        raise NotAllowed(_("You have no authority to decide this request now."))
    if kind is None:
        raise Conflict(_("This kind of request is switched off."))
    return _confirmation(request_id, vote, actor, form, conditions_form, fresh=request.method == "GET")


def _are_valid(form: Any, further: Any) -> bool:
    valid = form.validate_on_submit()
    return bool((further is None or further.validate()) and valid)


def _confirmation(
    request_id: int, vote: str, actor: Actor, form: DecisionForm, conditions_form: Any, *, fresh: bool
) -> str:
    found = queries.get_request(request_id, actor)
    page = page_of(found, actor, True)
    description = page["description"]
    digest = queries.digest_of(found, description)
    form.vote.data = vote
    if fresh:
        form.digest.data = digest
        mine = page["authorities"]
        form.seat_of.data = str(mine[0].for_id) if mine and mine[0].for_id is not None else ""
    important = [fact for fact in description.facts if fact.important] or list(description.facts[:6])
    return render_template(
        "approvals/decide.html",
        **page,
        vote=vote,
        vote_word=presenting.VOTES[vote],
        form=form,
        conditions_form=conditions_form,
        important=important,
    )


@blueprint.route("/batch", methods=["GET", "POST"])
@signed_in
def batch() -> ResponseReturnValue:
    """Several low-risk requests at once. GET repeats what they are; POST decides each by itself."""
    actor = current_actor()
    form = BatchForm()
    if request.method == "POST":
        items = []
        for text in request.form.getlist("item")[: services.BATCH_LIMIT + 1]:
            number, _colon, digest = text.partition(":")
            request_id = id_from(number)
            if request_id is not None:
                items.append((request_id, digest[:64]))
        if form.validate_on_submit():
            try:
                results = deciding.approve_many(actor, items, opinion=form.opinion.data or "")
            except Invalid as error:
                flash(str(error), "warning")
                return redirect(url_for(".inbox"))
            g.refusal_recorded = True
            names = queries.titles_of([item.request_id for item in results if item.ok], actor)
            return render_template("approvals/batch_result.html", results=results, names=names)
    ids = [key for text in request.values.getlist("ids") if (key := id_from(text)) is not None]
    if not ids:
        flash(_("Choose at least one request."), "warning")
        return redirect(url_for(".inbox"))
    if len(ids) > services.BATCH_LIMIT:
        flash(_("At most %(count)s requests in one go.", count=services.BATCH_LIMIT), "warning")
        return redirect(url_for(".inbox"))
    items_shown, passed_over = [], 0
    for request_id in dict.fromkeys(ids):
        try:
            found = queries.get_request(request_id, actor)
        except NotFound:
            passed_over += 1
            continue
        kind = kinds().get(found.kind)
        if kind is None or not kind.low_risk or not authorities_on(found, actor):
            passed_over += 1
            continue
        description = queries.description_of(found)
        facts = [fact for fact in description.facts if fact.important] or list(description.facts[:4])
        items_shown.append((found, kind, description, facts, queries.digest_of(found, description)))
    return render_template("approvals/batch.html", items=items_shown, passed_over=passed_over, form=form)
