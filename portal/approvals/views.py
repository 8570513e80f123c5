"""The inbox, the pages of a request, and everything one can do there. A GET never changes anything."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from portal.approvals import deciding, presenting, queries, services
from portal.approvals.authority import Authority, Organisation, authorities
from portal.approvals.forms import (
    AnswerForm,
    BatchForm,
    ColleagueForm,
    CopyForm,
    DecisionForm,
    ReasonForm,
    ReassignForm,
    ResubmitForm,
)
from portal.approvals.kinds import Fact, kinds
from portal.approvals.models import (
    APPROVE,
    DRAFT,
    EXPIRED,
    OPEN,
    PENDING,
    REJECTED,
    RETURNED,
    VOTES,
    WAITING,
    WITHDRAWN,
    ApprovalRequest,
)
from portal.approvals.permissions import REASSIGN
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.web import access, int_argument, refuse_large_id, signed_in
from portal.i18n import _
from portal.org import queries as org
from portal.org.actor import Actor

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")

#: Final states after which the applicant may file again.
AGAIN = (RETURNED, REJECTED, WITHDRAWN, EXPIRED)


@blueprint.app_context_processor
def _states() -> dict[str, Any]:
    """What the macros of macros/approvals.html need on every page."""
    return {"approval_states": presenting.STATES}


# ---- the inbox -----------------------------------------------------------------------------------------------------


@blueprint.get("")
@signed_in
def inbox() -> str:
    """The four tabs."""
    actor = current_actor()
    tab = request.args.get("tab", queries.TO_DECIDE)
    if tab not in queries.TABS:
        tab = queries.TO_DECIDE
    chosen = queries.InboxFilter(
        kind=request.args.get("kind", "")[:60],
        applicant=request.args.get("applicant", "").strip()[:100],
        department_id=int_argument("department", 0, 1, 2**62) or None,
        overdue=request.args.get("overdue") == "1",
    )
    page = queries.inbox_page(
        actor, tab, chosen, after=request.args.get("after", "")[:60], before=request.args.get("before", "")[:60]
    )
    counts = queries.tab_counts(actor)
    narrowing = ("kind", "applicant", "department", "overdue")
    kept: dict[str, Any] = {key: request.args[key] for key in narrowing if request.args.get(key)}
    return render_template(
        "approvals/inbox.html",
        tab=tab,
        tabs=_tabs(tab, counts),
        page=page,
        chosen=chosen,
        asked=queries.asked_opinions(actor) if tab == queries.TO_DECIDE else [],
        all_kinds=sorted(((kind.key, str(kind.title)) for kind in kinds()), key=lambda pair: pair[1]),
        departments=queries.filter_departments(),
        can_batch=tab == queries.TO_DECIDE and any(row.is_low_risk and not row.is_held for row in page.rows),
        next_url=url_for(".inbox", tab=tab, after=page.next_cursor, **kept) if page.next_cursor else None,
        previous_url=url_for(".inbox", tab=tab, before=page.previous_cursor, **kept) if page.previous_cursor else None,
        states=presenting.STATES,
        voted=presenting.VOTED,
        batch_limit=services.BATCH_LIMIT,
    )


def _tabs(active: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = {
        queries.TO_DECIDE: _("Waiting for me"),
        queries.DONE: _("Decided by me"),
        queries.MINE: _("My requests"),
        queries.COPIED: _("Copies to me"),
    }
    return [
        {"label": labels[tab], "url": url_for(".inbox", tab=tab), "count": counts[tab], "active": tab == active}
        for tab in queries.TABS
    ]


@blueprint.get("/held")
@access(REASSIGN)
def held() -> str:
    """For administrators: pending requests that nobody may decide, and those that are late. Status only."""
    return render_template("approvals/held.html", rows=queries.troubled(current_actor()), states=presenting.STATES)


# ---- one request ---------------------------------------------------------------------------------------------------


@blueprint.get("/<int:request_id>")
@signed_in
def show(request_id: int) -> str:
    """A request: facts, time line, steps, and what one can do."""
    actor = current_actor()
    found, readable = queries.get_status(refuse_large_id(request_id), actor)
    return render_template("approvals/show.html", **_page(found, actor, readable))


@blueprint.get("/<int:request_id>/print")
@signed_in
def print_view(request_id: int) -> str:
    """The request on paper: facts, decisions, time line."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    return render_template("approvals/print.html", printed_at=clock.local(clock.now()), **_page(found, actor, True))


def _page(found: ApprovalRequest, actor: Actor, readable: bool) -> dict[str, Any]:
    kind = kinds().get(found.kind)
    seats = queries.seats_of(found.id)
    state = presenting.shown_state(found)
    mine = _authorities(found, actor) if state == PENDING else []
    step_titles = {step.key: step.title for step in found.steps}
    description = queries.description_of(found) if readable else None
    conditions: list[Fact] = []
    if readable and kind is not None and kind.describe_conditions is not None and found.conditions is not None:
        conditions = list(kind.describe_conditions(found, found.conditions))
    is_applicant = actor.user_id in (found.applicant_id, found.typed_by_id) and actor.user_id is not None
    opinions = queries.opinions_of(found.id) if readable else []
    return {
        "record": found,
        "kind": kind,
        "kind_title": kind.title if kind is not None else found.kind,
        "state": state,
        "state_shown": presenting.STATES[state],
        "readable": readable,
        "description": description,
        "conditions": conditions,
        "steps": presenting.progress(found, seats),
        "entries": presenting.timeline(queries.events_of([found.id]), step_titles, readable),
        "rounds": queries.rounds_of(found) if readable and (found.previous_id or found.is_final) else [],
        "opinions": opinions,
        "my_question": next((o for o in opinions if o.user_id == actor.user_id and o.answered_at is None), None),
        "authorities": mine,
        "stands_in_for": mine[0].seat.user.name if mine and mine[0].for_id is not None else "",
        "is_applicant": is_applicant,
        "can_remind": is_applicant and state == PENDING and found.held_since is None,
        "can_withdraw": is_applicant and found.state in (DRAFT, PENDING) and state != EXPIRED,
        "can_resubmit": is_applicant and state in AGAIN and found.state != PENDING and not _was_refiled(found),
        "edit_url": kind.edit_url(found) if kind is not None and kind.edit_url is not None and is_applicant else None,
        "subject_url": kind.url(found) if readable and kind is not None and kind.url is not None else None,
        "can_reassign": state == PENDING and can(actor, REASSIGN),
        "states": presenting.STATES,
    }


def _was_refiled(found: ApprovalRequest) -> bool:
    return any(row.previous_id == found.id and row.state != DRAFT for row in queries.rounds_of(found))


def _authorities(found: ApprovalRequest, actor: Actor) -> list[Authority]:
    step = found.open_step
    return authorities(found, step, actor, Organisation()) if step is not None else []


# ---- deciding ------------------------------------------------------------------------------------------------------


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
            _attempt(
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
            return _too_late(request_id, error, actor)
        else:
            word = presenting.VOTED[vote]
            flash(_("%(vote)s: %(title)s", vote=word, title=title), "success")
            return redirect(_next_url(request_id, actor))
    elif request.method == "GET" and not _authorities(found, actor):
        if presenting.shown_state(found) != PENDING or queries.had_seat(found, actor):
            closing = queries.closing_of(found.id)
            return _too_late(found.id, Conflict(closing.sentence(), **closing.details()), actor)
        raise NotAllowed(_("You have no authority to decide this request now."))
    return _confirmation(request_id, vote, actor, form, conditions_form, fresh=request.method == "GET")


def _are_valid(form: Any, further: Any) -> bool:
    valid = form.validate_on_submit()
    return bool((further is None or further.validate()) and valid)


def _confirmation(
    request_id: int, vote: str, actor: Actor, form: DecisionForm, conditions_form: Any, *, fresh: bool
) -> str:
    found = queries.get_request(request_id, actor)
    page = _page(found, actor, True)
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


def _next_url(request_id: int, actor: Actor) -> str:
    """The next request that waits, else the inbox."""
    done, _readable = queries.get_status(request_id, actor)
    following = queries.next_waiting(actor, done)
    return url_for(".show", request_id=following) if following is not None else url_for(".inbox")


def _too_late(request_id: int, error: Conflict, actor: Actor) -> ResponseReturnValue:
    """The calm page: who decided and when, and where to go on."""
    following = queries.next_waiting(actor)
    return (
        render_template(
            "approvals/conflict.html",
            message=str(error.message),
            request_id=error.details.get("request_id") or request_id,
            next_id=following if following != request_id else None,
        ),
        409,
    )


def _attempt(request_id: int, what: str, action: Callable[[], Any]) -> Any:
    """`deciding.attempt` for the present person; the trail has the refusal then, so the error page adds none."""
    try:
        return deciding.attempt(request_id, current_actor(), what, action)
    except NotAllowed:
        g.refusal_recorded = True
        raise


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
        if kind is None or not kind.low_risk or not _authorities(found, actor):
            passed_over += 1
            continue
        description = queries.description_of(found)
        facts = [fact for fact in description.facts if fact.important] or list(description.facts[:4])
        items_shown.append((found, kind, description, facts, queries.digest_of(found, description)))
    return render_template("approvals/batch.html", items=items_shown, passed_over=passed_over, form=form)


# ---- others take part ----------------------------------------------------------------------------------------------


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
            _attempt(request_id, action, calls[action])
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            return _too_late(request_id, error, actor)
        else:
            name = org.names_of([user_id]).get(user_id, "")
            done = {
                "transfer": _("Handed on to %(name)s.", name=name),
                "sign": _("%(name)s signs too.", name=name),
                "ask": _("%(name)s was asked for an opinion.", name=name),
            }
            flash(done[action], "success")
            target = _next_url(request_id, actor) if action == "transfer" else url_for(".show", request_id=request_id)
            return redirect(target)
    if request.method == "GET" and not _authorities(found, actor):
        raise NotAllowed(_("You have no authority to decide this request now."))
    found = queries.get_request(request_id, actor)
    page = _page(found, actor, True)
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
        added = _attempt(request_id, "copy", lambda: services.copy_to(request_id, actor, user_ids=[user_id]))
        name = org.names_of([user_id]).get(user_id, "")
        if added:
            flash(_("%(name)s is kept informed.", name=name), "success")
        else:
            flash(_("%(name)s is informed already.", name=name), "info")
        return redirect(url_for(".show", request_id=request_id))
    found = queries.get_request(request_id, actor)
    return render_template("approvals/involve.html", **_page(found, actor, True), action="copy", form=form)


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
            _attempt(request_id, "give an opinion", lambda: _answer(request_id, actor, form))
        except Conflict as error:
            return _too_late(request_id, error, actor)
        flash(_("Thank you: your opinion was passed on."), "success")
    else:
        flash(_("Write your opinion."), "warning")
    return redirect(url_for(".show", request_id=request_id))


def _answer(request_id: int, actor: Actor, form: AnswerForm) -> Any:
    return services.give_opinion(request_id, actor, answer=form.answer.data or "")


# ---- the applicant -------------------------------------------------------------------------------------------------


@blueprint.route("/<int:request_id>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(request_id: int) -> ResponseReturnValue:
    """Take the request back; GET asks."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    form = ReasonForm()
    if request.method == "POST" and form.validate_on_submit():
        try:
            _attempt(
                request_id, "withdraw", lambda: services.withdraw(request_id, actor, reason=form.reason.data or "")
            )
        except Conflict as error:
            return _too_late(request_id, error, actor)
        flash(_("The request was withdrawn."), "success")
        return redirect(url_for(".show", request_id=request_id))
    return render_template("approvals/withdraw.html", **_page(found, actor, True), form=form)


@blueprint.post("/<int:request_id>/remind")
@signed_in
def remind(request_id: int) -> ResponseReturnValue:
    """Remind whoever is next."""
    actor = current_actor()
    queries.get_request(refuse_large_id(request_id), actor)
    try:
        _attempt(request_id, "remind", lambda: services.remind(request_id, actor))
    except Invalid as error:
        flash(str(error), "warning")
    except Conflict as error:
        return _too_late(request_id, error, actor)
    else:
        flash(_("They were reminded."), "success")
    return redirect(url_for(".show", request_id=request_id))


@blueprint.route("/<int:request_id>/resubmit", methods=["GET", "POST"])
@signed_in
def resubmit(request_id: int) -> ResponseReturnValue:
    """File a closed request again, as the next round; GET asks."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    form = ResubmitForm()
    if request.method == "POST" and form.validate_on_submit():
        token = form.token.data or ""
        try:
            new_id = _attempt(request_id, "resubmit", lambda: services.resubmit(request_id, actor, token=token).id)
        except Conflict as error:
            return _too_late(request_id, error, actor)
        flash(_("Filed again."), "success")
        return redirect(url_for(".show", request_id=new_id))
    page = _page(found, actor, True)
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
        _attempt(request_id, "file", lambda: services.submit_draft(request_id, actor))
    except Conflict as error:
        return _too_late(request_id, error, actor)
    except Invalid as error:
        flash(str(error), "danger")
    else:
        flash(_("The request was filed."), "success")
    return redirect(url_for(".show", request_id=request_id))


# ---- administrators ------------------------------------------------------------------------------------------------


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
            _attempt(
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
            return _too_late(request_id, error, actor)
        else:
            flash(_("The request was assigned."), "success")
            return redirect(url_for(".held"))
    found, readable = queries.get_status(request_id, actor)
    return render_template("approvals/reassign.html", **_page(found, actor, readable), form=form)
