"""Audit actions of this plugin."""

from __future__ import annotations

from enum import StrEnum


class KeyAccountAction(StrEnum):
    """What is recorded of key accounts."""

    TIER_DECIDED = "key_accounts:tier:decide"
    TIER_DECLINED = "key_accounts:tier:decline"
    ROLES_CHANGED = "key_accounts:tier:roles"
    RECOMPUTED = "key_accounts:measures:recompute"
