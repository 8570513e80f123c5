"""Audit actions of this plugin."""

from __future__ import annotations

from enum import StrEnum


class VipAction(StrEnum):
    """What is recorded of VIP customers."""

    APPLIED = "vip:application:file"
    GRANTED = "vip:membership:grant"
    RENEWED = "vip:membership:renew"
    SUSPENDED = "vip:membership:suspend"
    REINSTATED = "vip:membership:reinstate"
    WITHDRAWN = "vip:membership:withdraw"
    LAPSED = "vip:membership:lapse"
    LEVEL_CHANGED = "vip:membership:level"
    REDEEMED = "vip:points:redeem"
    CORRECTED = "vip:points:correct"
    BENEFIT_CREATED = "vip:benefit:create"
    BENEFIT_CHANGED = "vip:benefit:change"
    CANDIDATE_DISMISSED = "vip:candidate:dismiss"
    CANDIDATE_REOPENED = "vip:candidate:reopen"
