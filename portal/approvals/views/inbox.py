"""The inbox, and what is held up."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from portal.approvals import presenting, queries, services
from portal.approvals.kinds import kinds
from portal.approvals.permissions import REASSIGN
from portal.approvals.views.base import blueprint
from portal.auth.current import current_actor
from portal.core.web import access, int_argument, signed_in
from portal.i18n import _


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
