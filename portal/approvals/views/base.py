"""The blueprint and what its pages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.approvals import deciding, presenting, queries
from portal.approvals.authority import Authority, Organisation, authorities
from portal.approvals.kinds import Fact, kinds
from portal.approvals.models import DRAFT, EXPIRED, PENDING, REJECTED, RETURNED, WITHDRAWN, ApprovalRequest
from portal.approvals.permissions import REASSIGN
from portal.auth.current import current_actor
from portal.core.errors import Conflict, NotAllowed
from portal.core.permissions import can
from portal.org.actor import Actor

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")

#: Final states after which the applicant may file again.
AGAIN = (RETURNED, REJECTED, WITHDRAWN, EXPIRED)


@blueprint.app_context_processor
def _states() -> dict[str, Any]:
    """What the macros of macros/approvals.html need on every page."""
    return {"approval_states": presenting.STATES}


def page_of(found: ApprovalRequest, actor: Actor, readable: bool) -> dict[str, Any]:
    """What the templates of a request show.

    :param readable: whether the actor sees the content, not only the status.
    """
    kind = kinds().get(found.kind)
    seats = queries.seats_of(found.id)
    state = presenting.shown_state(found)
    # Without its module nothing can be decided, whoever sits there.
    mine = authorities_on(found, actor) if state == PENDING and kind is not None else []
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
        "kind_title": kind.title if kind is not None else presenting.SWITCHED_OFF,
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


def authorities_on(found: ApprovalRequest, actor: Actor) -> list[Authority]:
    """By what the actor may decide on the step that is open; empty when none is."""
    step = found.open_step
    return authorities(found, step, actor, Organisation()) if step is not None else []


def next_url(request_id: int, actor: Actor) -> str:
    """The next request that waits, else the inbox."""
    done, _readable = queries.get_status(request_id, actor)
    following = queries.next_waiting(actor, done)
    return url_for(".show", request_id=following) if following is not None else url_for(".inbox")


def too_late(request_id: int, error: Conflict, actor: Actor) -> ResponseReturnValue:
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


def attempt(request_id: int, what: str, action: Callable[[], Any]) -> Any:
    """`deciding.attempt` for the present person; the trail has the refusal then, so the error page adds none."""
    try:
        return deciding.attempt(request_id, current_actor(), what, action)
    except NotAllowed:
        g.refusal_recorded = True
        raise
