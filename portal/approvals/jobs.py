"""What happens without anybody clicking: expiry, reminders, escalation, rerouting.

None of it is needed for correctness: a deadline holds on the database's time with the scheduler dead.
"""

from __future__ import annotations

import logging
from typing import Any

from portal.approvals import services
from portal.core import clock
from portal.core.errors import Conflict, PortalError
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.transaction import transaction
from portal.i18n import _l
from portal.org.actor import SYSTEM

logger = logging.getLogger(__name__)


def run_deadlines(context: JobContext | None = None, **_parameters: Any) -> dict[str, int]:
    """Expire what is past its deadline, make up for what plugins missed, reroute, remind and escalate.

    Each request in a transaction of its own: one that fails is logged and does not stop the others.
    """
    counts = {"expired": 0, "caught_up": 0, "rerouted": 0, "reminded": 0, "failed": 0}

    def attempt(what: str, action: Any, *arguments: Any) -> None:
        if context is not None:
            context.check_cancelled()
        try:
            with transaction():
                if action(*arguments):
                    counts[what] += 1
        except Conflict:
            pass  # somebody was faster: nothing is left to do
        except PortalError as error:
            counts["failed"] += 1
            logger.warning("request %s: %s not possible: %s", arguments[0], what, error)
        except Exception:
            counts["failed"] += 1
            logger.exception("request %s: %s failed", arguments[0], what)

    last = 0
    while batch := services.overdue_ids(after_id=last):
        for request_id in batch:
            attempt("expired", services.expire, request_id, SYSTEM)
        last = batch[-1]
    for request_id in services.missed_ids():
        attempt("caught_up", services.catch_up, request_id, SYSTEM)
    for request_id in services.requests_to_follow():
        attempt("rerouted", services.follow_changes, request_id, SYSTEM)
    for request_id, stage in services.due_for_reminder(clock.now()):
        attempt("reminded", services.send_reminder, request_id, stage)
    return counts


JOBS = (
    Job(
        "approvals.deadlines",
        _l("Deadlines of requests: remind, escalate, expire"),
        run_deadlines,
        schedule=Schedule(minute="*/5"),
        idempotent=True,
        quiet=True,
    ),
)
