"""What people are told about requests."""

from __future__ import annotations

from collections.abc import Iterable

from portal.approvals.models import ApprovalRequest
from portal.i18n import _l
from portal.notifications.kinds import Message, NoticeKind
from portal.notifications.services import notify
from portal.org.actor import Actor

KINDS = (
    NoticeKind(
        "approvals.to_decide", _l("A request waits for my decision"), _l("When it is your turn to decide."), True
    ),
    NoticeKind(
        "approvals.decided",
        _l("My request was decided"),
        _l("When a request of yours is approved, rejected, returned, or has expired."),
        True,
    ),
    NoticeKind(
        "approvals.reminder",
        _l("Reminder to decide"),
        _l("When a decision of yours is due soon, or the applicant reminds you."),
        True,
    ),
    NoticeKind(
        "approvals.escalated", _l("Overdue decisions of my people"), _l("When somebody below you is late."), True
    ),
    NoticeKind("approvals.opinion", _l("Opinions"), _l("When you are asked for an opinion, or get an answer.")),
    NoticeKind("approvals.copied", _l("Copies of requests"), _l("When a request you are kept informed about ends.")),
    NoticeKind(
        "approvals.alarm", _l("Requests nobody may decide"), _l("For administrators: assign an approver."), True
    ),
)


def page_path(request_id: int) -> str:
    """Path of a request's page; it opens the page and asks for the log-in, it never decides."""
    return f"/approvals/{request_id}"


def tell(
    user_ids: Iterable[int],
    kind: str,
    request: ApprovalRequest,
    title: Message,
    *,
    body: str = "",
    actor: Actor | None = None,
) -> None:
    """Notify people about a request, in the caller's transaction."""
    notify(
        user_ids,
        kind,
        title=title,
        body=body,
        url=page_path(request.id),
        actor=actor,
        about=f"approval:{request.id}",
    )
