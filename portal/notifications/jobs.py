"""Jobs of this module: sending, digest, tidying."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from portal.audit.queries import head
from portal.core import clock
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _l
from portal.notifications.digest import write_digests
from portal.notifications.kinds import message
from portal.notifications.mailer import BATCH, send_due
from portal.notifications.models import Notice, OutboxMessage, OutboxState
from portal.notifications.services import notify
from portal.org.actor import users_with_role
from portal.org.models import AUDITOR

#: Key of the notice kind that carries the head of the trail.
AUDIT_HEAD = "audit.head"

NOTICES_KEPT = timedelta(days=365)
MAIL_KEPT = timedelta(days=90)
_CHUNK = 1000


def send_mail(context: JobContext) -> dict[str, Any]:
    """Send what waits in the outbox; goes on until nothing is due."""
    total: dict[str, int] = {}
    while True:
        done = send_due(context.cancelled)
        for name, number in done.items():
            total[name] = total.get(name, 0) + number
        if sum(done.values()) < BATCH or done["later"] or context.cancelled():
            return total


def daily_digest(context: JobContext) -> dict[str, Any]:
    """Put one mail per person into the outbox."""
    return {"mails": write_digests(context.cancelled)}


def tell_auditors(_context: JobContext) -> dict[str, Any]:
    """Send the auditors the last number and hash of the trail: whoever keeps the mail can prove a forgery."""
    seq, digest = head()
    if seq:
        title = message("The audit trail ends at entry %(seq)s", seq=seq)
        body = message(
            "%(seq)s:%(hash)s — keep this mail: it shows later whether the trail was changed.", seq=seq, hash=digest
        )
        with transaction():
            notify(users_with_role(AUDITOR), AUDIT_HEAD, title=title, body=body, url="/audit/", about="audit:head")
    return {"seq": seq}


def tidy(context: JobContext) -> dict[str, Any]:
    """Remove read notices older than a year and mail sent more than 90 days ago."""
    now = clock.now()
    old_notices = select(Notice.id).where(Notice.read_at < now - NOTICES_KEPT)
    old_mail = select(OutboxMessage.id).where(
        OutboxMessage.state.in_((OutboxState.SENT, OutboxState.SPOOLED)), OutboxMessage.sent_at < now - MAIL_KEPT
    )
    removed = 0
    for model, statement in ((Notice, old_notices), (OutboxMessage, old_mail)):
        while not context.cancelled():
            with transaction() as session:
                numbers = list(session.scalars(statement.limit(_CHUNK)))
                session.execute(delete(model).where(model.id.in_(numbers)))
            removed += len(numbers)
            if len(numbers) < _CHUNK:
                break
    return {"removed": removed}


JOBS = [
    Job(
        "notifications.send",
        _l("Send mail"),
        send_mail,
        Schedule(minute="*"),
        idempotent=True,
        quiet=True,
        help=_l("Every minute; what fails is tried again for 3 days, less and less often."),
    ),
    Job(
        "notifications.digest",
        _l("Daily digest"),
        daily_digest,
        Schedule(minute="0", hour="8", working_days=True),
        idempotent=True,
        help=_l("Working days at 08:00, to those who chose it."),
    ),
    Job(
        "notifications.audit_head",
        _l("Send the auditors the head of the audit trail"),
        tell_auditors,
        Schedule(minute="0", hour="7", day_of_week="1"),
        idempotent=True,
        quiet=True,
        help=_l("Mondays at 07:00; a copy of the last hash outside the portal."),
    ),
    Job(
        "notifications.tidy",
        _l("Remove old notices"),
        tidy,
        Schedule(minute="45", hour="3", day_of_week="0"),
        idempotent=True,
        quiet=True,
        help=_l("Read notices are kept for a year, sent mail for 90 days."),
    ),
]
