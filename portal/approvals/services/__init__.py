"""Everything that happens to a request. All functions run in the caller's transaction, flush and never commit.

One transition function (`base.move_request`) moves a request: one UPDATE on (id, expected state, expected version, not
expired on the database's time) that must change exactly one row. Whoever loses gets a `Conflict` that says who decided
and when. On PostgreSQL the row is locked first, so that two signers of one step follow each other instead of losing.

Order of locks, the same everywhere: people, request, (at the commit) audit trail.
"""

from __future__ import annotations

from portal.approvals.notices import page_path
from portal.approvals.services.base import (
    BATCH_LIMIT,
    EXPIRE_AFTER,
    NOTE_LENGTH,
    OPINION_LENGTH,
    TITLE_LENGTH,
    URGE_HOURS,
)
from portal.approvals.services.ending import cancel, expire, overdue_ids, withdraw
from portal.approvals.services.filing import file_request, resubmit, save_draft, submit_draft, update_draft
from portal.approvals.services.following import (
    follow_changes,
    follow_customer,
    hand_over,
    reassign,
    requests_to_follow,
)
from portal.approvals.services.involving import add_signer, ask_opinion, copy_to, give_opinion, transfer
from portal.approvals.services.missed import catch_up, missed_ids
from portal.approvals.services.reminding import STAGES, due_for_reminder, remind, send_reminder
from portal.approvals.services.voting import decide, record_refused, require_low_risk
from portal.org.actor import SYSTEM

__all__ = [
    "BATCH_LIMIT",
    "EXPIRE_AFTER",
    "NOTE_LENGTH",
    "OPINION_LENGTH",
    "STAGES",
    "SYSTEM",
    "TITLE_LENGTH",
    "URGE_HOURS",
    "add_signer",
    "ask_opinion",
    "cancel",
    "catch_up",
    "copy_to",
    "decide",
    "due_for_reminder",
    "expire",
    "file_request",
    "follow_changes",
    "follow_customer",
    "give_opinion",
    "hand_over",
    "missed_ids",
    "overdue_ids",
    "page_path",
    "reassign",
    "record_refused",
    "remind",
    "requests_to_follow",
    "require_low_risk",
    "resubmit",
    "save_draft",
    "send_reminder",
    "submit_draft",
    "transfer",
    "update_draft",
    "withdraw",
]
