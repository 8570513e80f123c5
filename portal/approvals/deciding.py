"""Deciding from a page: one transaction for the attempt, and one for the record of a refusal.

Services never commit, so that what follows a roll-back needs a place of its own. Views call these functions outside
`transaction()`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from portal.approvals import services
from portal.approvals.models import APPROVE
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound, PortalError
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def attempt(request_id: int, actor: Actor, what: str, action: Callable[[], Result]) -> Result:
    """Do something to a request in a transaction of its own; a refusal is written to the audit trail afterwards.

    Before, the request is brought in line with the organisation (departments that changed, approvers who left), so that
    such a change is kept although the attempt itself may then be refused.

    :param what: short word for the trail ("approve", "transfer").
    :raises NotAllowed, Conflict, NotFound, Invalid: as the action.
    """
    _bring_up_to_date(request_id)
    try:
        with transaction():
            return action()
    except (NotAllowed, Conflict, NotFound) as error:
        with transaction():
            services.record_refused(request_id, actor, attempt=what, error=error)
        raise


def _bring_up_to_date(request_id: int) -> None:
    """Reroute first; a failure here must not stand in the way of the decision, which checks everything again."""
    try:
        with transaction():
            services.follow_changes(request_id, services.SYSTEM)
    except (NotFound, Conflict):
        db.session.rollback()


@dataclass(frozen=True)
class ItemResult:
    """What became of one item of a batch."""

    request_id: int
    ok: bool
    message: str


def approve_many(actor: Actor, items: Sequence[tuple[int, str]], *, opinion: str = "") -> list[ItemResult]:
    """Approve several low-risk requests, each in a transaction of its own, with a result for each.

    :param items: (request id, digest of what was shown), at most `services.BATCH_LIMIT`.
    :raises Invalid: too many, or none.
    """
    if not items:
        raise Invalid([("", _("Choose at least one request."))])
    if len(items) > services.BATCH_LIMIT:
        raise Invalid([("", _("At most %(count)s requests in one go.", count=services.BATCH_LIMIT))])
    results = []
    for request_id, digest in items:
        try:
            attempt(request_id, actor, "approve in a batch", partial(_approve, request_id, digest, actor, opinion))
            results.append(ItemResult(request_id, True, _("Approved")))
        except PortalError as error:
            results.append(ItemResult(request_id, False, str(error) or _("There is no such request.")))
    return results


def _approve(request_id: int, digest: str, actor: Actor, opinion: str) -> None:
    services.require_low_risk(request_id)
    services.decide(request_id, actor, vote=APPROVE, seen_digest=digest, opinion=opinion)
