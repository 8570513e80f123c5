"""Actions of this module in the audit trail."""

from __future__ import annotations

from enum import StrEnum


class ApprovalAction(StrEnum):
    """source:subject:verb"""

    DRAFT = "approvals:request:draft"
    FILE = "approvals:request:file"
    VOTE = "approvals:request:vote"
    APPROVE = "approvals:request:approve"
    REJECT = "approvals:request:reject"
    RETURN = "approvals:request:return"
    WITHDRAW = "approvals:request:withdraw"
    EXPIRE = "approvals:request:expire"
    CANCEL = "approvals:request:cancel"
    CATCH_UP = "approvals:request:catch_up"
    TRANSFER = "approvals:request:transfer"
    ADD_SIGNER = "approvals:request:add_signer"
    ASK = "approvals:request:ask_opinion"
    ANSWER = "approvals:request:give_opinion"
    COPY = "approvals:request:copy"
    URGE = "approvals:request:urge"
    ESCALATE = "approvals:request:escalate"
    REROUTE = "approvals:request:reroute"
    REASSIGN = "approvals:request:reassign"
    HOLD = "approvals:request:hold"
    ATTEMPT = "approvals:request:attempt"
