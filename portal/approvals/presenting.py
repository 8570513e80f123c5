"""Requests in words: states, time lines, steps. Reads only; everything is translated for the present reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from portal.approvals import queries
from portal.approvals.kinds import ALL, ANY, SEQUENCE, kinds
from portal.approvals.models import (
    APPROVED,
    CANCELLED,
    CLOSED,
    DRAFT,
    EXPIRED,
    OPEN,
    PENDING,
    REJECTED,
    RETURNED,
    WAITING,
    WITHDRAWN,
    ApprovalRequest,
)
from portal.core import clock
from portal.core.panels import Panel, TimelineEntry
from portal.core.permissions import can
from portal.i18n import _, _l
from portal.org.actor import Actor

#: State → (word, tone, icon)
STATES: dict[str, tuple[Any, str, str]] = {
    DRAFT: (_l("Draft"), "neutral", "pencil"),
    PENDING: (_l("Waiting for a decision"), "info", "hourglass-split"),
    APPROVED: (_l("Approved"), "success", "check-circle-fill"),
    REJECTED: (_l("Rejected"), "danger", "x-circle-fill"),
    RETURNED: (_l("Returned"), "warning", "arrow-return-left"),
    WITHDRAWN: (_l("Withdrawn"), "neutral", "arrow-counterclockwise"),
    EXPIRED: (_l("Expired"), "warning", "clock-history"),
    CANCELLED: (_l("Cancelled"), "neutral", "slash-circle"),
}

#: Instead of the name of a kind whose plugin is switched off.
SWITCHED_OFF = _l("kind that is switched off")

VOTES: dict[str, Any] = {"approve": _l("Approve"), "reject": _l("Reject"), "return": _l("Return")}
VOTED: dict[str, Any] = {"approve": _l("Approved"), "reject": _l("Rejected"), "return": _l("Returned")}

#: What was tried and refused, and by which error, as the audit trail keeps them.
ATTEMPTS: dict[str, Any] = {
    **VOTES,
    "approve in a batch": _l("Approve several"),
    "transfer": _l("Hand on"),
    "sign": _l("Add a signer"),
    "ask": _l("Ask for an opinion"),
    "give an opinion": _l("Your opinion"),
    "copy": _l("Keep somebody informed"),
    "withdraw": _l("Withdraw"),
    "remind": _l("Remind"),
    "resubmit": _l("File again"),
    "file": _l("File the request"),
    "reassign": _l("Assign to another approver"),
}
REFUSALS: dict[str, Any] = {
    "NotAllowed": _l("not allowed"),
    "Conflict": _l("somebody was faster"),
    "NotFound": _l("not to be seen"),
}

MODES: dict[str, Any] = {
    ALL: _l("everybody signs"),
    ANY: _l("one of them decides"),
    SEQUENCE: _l("one after the other"),
}


@dataclass(frozen=True)
class Step:
    """One entry of the progress (macro `ui.steps`)."""

    label: str
    state: str
    who: str
    when: str


def shown_state(request: ApprovalRequest) -> str:
    """The state that holds: a pending request past its deadline is expired, whether or not the job has run."""
    if request.state == PENDING and request.expires_at is not None and request.expires_at <= clock.now():
        return EXPIRED
    return request.state


def moment(at: datetime | None) -> str:
    """A moment as pages show it."""
    return clock.local(at).strftime("%Y-%m-%d %H:%M") if at is not None else ""


def progress(request: ApprovalRequest, seats: Iterable[Any]) -> list[Step]:
    """The steps of a request: who decided and when, whose turn it is and since when, who comes later."""
    by_step: dict[int, list[Any]] = {}
    for seat in seats:
        by_step.setdefault(seat.step_id, []).append(seat)
    who = request.applicant.name if request.applicant is not None else _("the portal")
    found = [Step(_("Filed"), "done" if request.filed_at else "current", who, moment(request.filed_at))]
    state = shown_state(request)
    for step in request.steps:
        mine = by_step.get(step.id, [])
        label = _(step.title)
        if step.mode in MODES and len({seat.slot for seat in mine} | set(range(len(step.rules)))) > 1:
            label = _("%(step)s (%(mode)s)", step=label, mode=MODES[step.mode])
        found.append(_step_shown(step, mine, label, state))
    return found


def _step_shown(step: Any, seats: list[Any], label: str, state: str) -> Step:
    voted = [seat for seat in seats if seat.vote]
    signed = [
        _("%(name)s: %(vote)s", name=decider_of(seat), vote=VOTED[seat.vote])
        + ("" if seat.decided_at is None else f" {moment(seat.decided_at)}")
        for seat in voted
    ]
    if step.state == OPEN and state == PENDING:
        turn = [seat for seat in seats if seat.state == OPEN]
        names = _(", ").join(seat.name for seat in turn) or _("nobody may decide; administrators were told")
        since = moment(max((seat.opened_at for seat in turn if seat.opened_at), default=step.opened_at))
        later = [seat.name for seat in seats if seat.state == WAITING]
        who = names + (_("; then %(names)s", names=_(", ").join(later)) if later else "")
        if signed:
            who = "; ".join(signed) + "; " + who
        return Step(label, "current", who, _("since %(time)s", time=since) if since else "")
    if step.state == WAITING or (step.state == OPEN and not voted):
        return Step(label, "todo", "; ".join(signed), "")
    failed = any(seat.vote in ("reject", "return") for seat in voted) or not voted
    return Step(label, "failed" if failed else "done", "; ".join(signed), "" if voted else moment(step.closed_at))


def decider_of(seat: Any) -> str:
    """ "李四", or "李四代张三"."""
    return queries.person_label(seat.decided_by, seat.name if seat.for_id else None)


_EVENTS: dict[str, tuple[Any, str, str]] = {
    "filed": (_l("filed the request"), "send", "info"),
    "opened": (_l("step opened"), "arrow-right-circle", "neutral"),
    "approve": (_l("approved"), "check-lg", "success"),
    "reject": (_l("rejected"), "x-lg", "danger"),
    "return": (_l("returned it to the applicant"), "arrow-return-left", "warning"),
    "transferred": (_l("handed it on to %(target)s"), "arrow-left-right", "neutral"),
    "signer_added": (_l("added %(target)s as a signer"), "person-plus", "neutral"),
    "asked": (_l("asked %(target)s for an opinion"), "chat-left-dots", "neutral"),
    "answered": (_l("gave an opinion"), "chat-left-text", "neutral"),
    "copied": (_l("keeps %(target)s informed"), "envelope", "neutral"),
    "urged": (_l("asked to hurry"), "bell", "warning"),
    "reminded": (_l("approvers were reminded"), "bell", "neutral"),
    "escalated": (_l("the level above was told: %(target)s"), "megaphone", "warning"),
    "rerouted": (_l("went to other approvers, because the organisation changed"), "signpost-split", "neutral"),
    "reassigned": (_l("assigned it to %(target)s"), "person-check", "neutral"),
    "held": (_l("held: nobody may decide"), "exclamation-diamond", "danger"),
    "released": (_l("goes on: there is an approver again"), "play", "success"),
    "withdrawn": (_l("withdrew the request"), "arrow-counterclockwise", "neutral"),
    "expired": (_l("expired without a decision; counts as refused"), "clock-history", "warning"),
    "cancelled": (_l("cancelled"), "slash-circle", "neutral"),
    "missed": (_l("what follows waits: the plugin is switched off"), "hourglass-split", "neutral"),
    "caught_up": (_l("what follows was made up for: the plugin is on again"), "play", "neutral"),
}


def timeline(events: Sequence[Any], step_titles: dict[str, str], with_notes: bool = True) -> list[TimelineEntry]:
    """The time line of a request, newest last. Without notes for whoever sees only the status."""
    found = []
    for event in events:
        text, icon, tone = _EVENTS[event.what]
        sentence = str(text) % {"target": event.target or _("administrators")}
        if event.what in ("opened", "held") and step_titles.get(event.step_key):
            sentence = _("%(event)s: %(step)s", event=sentence, step=_(step_titles[event.step_key]))
        who = queries.person_label(event.actor, event.for_name) if event.actor else ""
        if event.what == "reassigned":
            who = event.actor or ""
        found.append(
            TimelineEntry(
                when=event.at,
                kind="approval",
                icon=icon,
                # What stands alone begins like a sentence.
                title=_("%(who)s %(what)s", who=who, what=sentence) if who else sentence[:1].upper() + sentence[1:],
                body=event.note if with_notes else "",
                tone=tone,
            )
        )
    return found


def home_panels(actor: Actor) -> list[Panel]:
    """The box "waits for my decision" on the home page: the five that are due first."""
    if actor.user_id is None:
        return []
    page = queries.inbox_page(actor, queries.TO_DECIDE, queries.InboxFilter(), size=5)
    asked = queries.asked_opinions(actor)
    if not page.rows and not asked and not actor.is_head:
        return []
    return [
        Panel(
            "approvals",
            _("Waiting for my decision"),
            "approvals/_home_panel.html",
            {"approval_rows": page.rows, "approval_more": bool(page.next_cursor), "approval_asked": asked},
            order=10,
            width="half",
            icon="check2-square",
        )
    ]


def customer_timeline(customer_id: int, actor: Actor, before: datetime | None, limit: int) -> list[TimelineEntry]:
    """Requests about a customer: kind and status, never the content. For whoever may view the customer."""
    if not can(actor, "customers.view", customer_id):
        return []
    found = []
    for row in queries.customer_events(customer_id, before, limit):
        kind = kinds().get(row.kind)
        word, tone, icon = STATES[row.state]
        found.append(
            TimelineEntry(
                when=row.moment,
                kind="approval",
                icon=icon,
                title=_(
                    "%(kind)s %(number)s: %(state)s",
                    kind=kind.title if kind is not None else SWITCHED_OFF,
                    number=f"SP{row.id:06d}",
                    state=word,
                ),
                actor=row.applicant or "",
                url=url_for("approvals.show", request_id=row.id),
                tone=tone,
            )
        )
    return found


__all__ = [
    "CLOSED", "MODES", "STATES", "VOTED", "VOTES", "customer_timeline", "home_panels", "moment", "progress",
    "shown_state", "timeline",
]  # fmt: skip


# ---- what the audit trail keeps by key -----------------------------------------------------------------------------


def step_named(key: Any, entry: Any) -> str | None:
    """The title of a step of the request that an entry is about."""
    titles = queries.step_titles(entry.object_id) if entry is not None and entry.object_id is not None else {}
    return _(titles[key]) if key in titles else None


#: By what somebody sits in a seat: the first part of its basis.
BASES: dict[str, Any] = {
    "head": _l("head of the department"),
    "deputy": _l("deputy head of the department"),
    "role": _l("holder of a role"),
    "superior": _l("direct superior"),
    "person": _l("named person"),
    "fallback": _l("stands in where nobody may decide"),
    "transfer": _l("handed on to him"),
    "signer": _l("added signer"),
    "reassigned": _l("assigned by an administrator"),
    "delegation": _l("as a delegate"),
}


def authority_named(value: Any, _entry: Any) -> str | None:
    """ "head:7 delegation:3" in words."""
    parts = [part.partition(":")[0] for part in str(value).split()]
    return _(", ").join(str(BASES[part]) for part in parts) if parts and set(parts) <= set(BASES) else None


def conditions_named(value: Any, entry: Any) -> str | None:
    """What was granted instead of what was asked, as the page of the request shows it."""
    request = queries.request_of(entry.object_id) if entry is not None and entry.object_id is not None else None
    kind = kinds().get(request.kind) if request is not None else None
    if request is None or kind is None or kind.describe_conditions is None or not isinstance(value, dict):
        return None
    facts = kind.describe_conditions(request, value)
    return _("; ").join(f"{fact.label}{_(': ')}{fact.value}" for fact in facts)


def number_named(value: Any, _entry: Any) -> str | None:
    """The number of a request as people quote it."""
    return f"SP{value:06d}" if type(value) is int else None


def kinds_named(value: Any, _entry: Any) -> str | None:
    """Kinds of request that a delegation is for."""
    found = [kinds().get(key) for key in str(value).split()]
    return _(", ").join(str(kind.title if kind is not None else SWITCHED_OFF) for kind in found) or None
