"""The page of a request."""

from __future__ import annotations

from flask import render_template

from portal.approvals import queries
from portal.approvals.views.base import blueprint, page_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.web import refuse_large_id, signed_in


@blueprint.get("/<int:request_id>")
@signed_in
def show(request_id: int) -> str:
    """A request: facts, time line, steps, and what one can do."""
    actor = current_actor()
    found, readable = queries.get_status(refuse_large_id(request_id), actor)
    return render_template("approvals/show.html", **page_of(found, actor, readable))


@blueprint.get("/<int:request_id>/print")
@signed_in
def print_view(request_id: int) -> str:
    """The request on paper: facts, decisions, time line."""
    actor = current_actor()
    found = queries.get_request(refuse_large_id(request_id), actor)
    return render_template("approvals/print.html", printed_at=clock.local(clock.now()), **page_of(found, actor, True))
